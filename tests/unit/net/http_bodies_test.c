/* Bodies that stream, over sockets. */
#include "net/http_client.h"

#include "http_bodies_fixture.h"
#include "http_client_fixture.h"

#include <limits.h>
#include <semaphore.h>
#include <time.h>

#define MB ((size_t)1 << 20)

/* What the sockets and libcurl may hold of a body between its ends. */
#define UNDER_WAY_MAX (24 * MB)

/* How far a peer has come with a body. */
static struct {
    _Atomic size_t in;
    _Atomic size_t out;
    _Atomic bool differs;
    sem_t go;
} far;

static size_t head_length(const char *head, size_t len)
{
    const char *end = memmem(head, len, "\r\n\r\n", 4);
    return end ? (size_t)(end + 4 - head) : 0;
}

/* Reads a head into p->last; returns how much of the body is behind it. */
static size_t take_head_of(struct peer *p, int fd, size_t *len)
{
    size_t have = 0;
    *len = 0;
    while (*len == 0) {
        ssize_t n = recv(fd, p->last + have, 4096, 0);
        if (n <= 0)
            return 0;
        have += (size_t)n;
        p->last[have] = '\0';
        *len = head_length(p->last, have);
    }
    return have - *len;
}

static size_t announced(const struct peer *p)
{
    const char *length = strcasestr(p->last, "Content-Length: ");
    return length ? strtoul(length + 16, NULL, 10) : 0;
}

/* Reads up to `want` bytes of a body and checks them. */
static void take_body_of(struct peer *p, int fd, size_t head, size_t have,
                         size_t want)
{
    static char block[64 * 1024];
    size_t at = have;
    far.differs = far.differs || !are_bytes(p->last + head, 0, have);
    far.in = at;
    while (at < want) {
        ssize_t n = recv(fd, block, sizeof(block), 0);
        if (n <= 0)
            return;
        far.differs = far.differs || !are_bytes(block, at, (size_t)n);
        far.in = at += (size_t)n;
    }
}

static bool give_bytes(int fd, size_t len)
{
    static char block[64 * 1024];
    while (far.out < len) {
        size_t left = len - far.out;
        size_t n = left < sizeof(block) ? left : sizeof(block);
        fill_bytes(block, far.out, n);
        ssize_t sent = send(fd, block, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        far.out += (size_t)sent;
    }
    return true;
}

static void give_head(int fd, size_t length)
{
    char head[100];
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\n"
             "Content-Length: %zu\r\n\r\n",
             length);
    peer_write(fd, head);
}

/* Takes a body and answers, on every connection. */
static void take_uploads(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        size_t head;
        size_t have;
        while (have = take_head_of(p, fd, &head), head > 0) {
            take_body_of(p, fd, head, have, announced(p));
            p->requests++;
            peer_write(fd, p->answer);
        }
        close(fd);
    }
}

static size_t download_len;

static void give_downloads(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        while (peer_read(p, fd)) {
            far.out = 0;
            give_head(fd, download_len);
            give_bytes(fd, download_len);
        }
        close(fd);
    }
}

static void prepare_upload(struct ask *a, int port, struct giver *g, size_t len)
{
    prepare(a, port, "POST", NULL);
    a->call.content_type = "application/octet-stream";
    a->call.source = &g->source;
    a->call.body_len = len;
    far.in = far.out = 0;
    far.differs = false;
}

static void prepare_download(struct ask *a, int port, struct taker *t)
{
    prepare(a, port, "GET", NULL);
    a->call.sink = &t->sink;
    far.in = far.out = 0;
    far.differs = false;
}

static void stop(struct peer *p)
{
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

static void upload_streams_in_bounded_memory(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    size_t len = 100 * MB + 1;
    struct peer *p = peer_start(take_uploads, OK_ANSWER);
    prepare_upload(&a, p->port, &g, len);
    http_start(w->client, &a.call);
    while (!a.ends) {
        fixture_turn(&w->f);
        assert_true(g.given - far.in < UNDER_WAY_MAX);
    }
    assert_ok(&a, "ok");
    assert_int_equal(far.in, len);
    assert_false(far.differs);
    assert_non_null(strstr(p->last, "\r\nContent-Length: 104857601\r\n"));
    assert_null(strcasestr(p->last, "chunked"));
    assert_null(strcasestr(p->last, "Expect"));
    stop(p);
}

static void download_streams_in_bounded_memory(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    size_t before = 0;
    download_len = 100 * MB + 1;
    struct peer *p = peer_start(give_downloads, NULL);
    prepare_download(&a, p->port, &t);
    a.call.response_max = 0;
    t.wait_at = 1;
    http_start(w->client, &a.call);
    WAIT_UNTIL(&w->f, t.waits);
    /* Until the peer can send no more. */
    do {
        before = far.out;
        for (int i = 0; i < 100; i++)
            fixture_turn(&w->f);
    } while (far.out != before);
    assert_true(far.out - t.taken < UNDER_WAY_MAX);
    t.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, download_len);
    assert_false(t.differs);
    assert_int_equal(t.begins, 1);
    assert_int_equal(t.status, 200);
    assert_int_equal(t.length, (int64_t)download_len);
    assert_string_equal(t.type, "x/y");
    assert_null(a.call.response.body.data);
    assert_int_equal(a.call.response.length, (int64_t)download_len);
    http_call_free(&a.call);
    stop(p);
}

/* Takes the whole body, then gives as much back. */
static void mirror(struct peer *p)
{
    int fd = peer_accept(p);
    size_t head;
    size_t have;
    while (have = take_head_of(p, fd, &head), head > 0) {
        size_t len = announced(p);
        take_body_of(p, fd, head, have, len);
        far.out = 0;
        give_head(fd, len);
        give_bytes(fd, len);
    }
    close(fd);
}

static void both_ways_pause_and_go_on(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 1021, 16384, 65537, 300007};
    struct peer *p = peer_start(mirror, NULL);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct ask a;
        struct giver g = giver();
        struct taker t = taker();
        size_t len = steps[i] * 11 + 5;
        g.step = steps[i];
        g.pauses = t.pauses = true;
        prepare_upload(&a, p->port, &g, len);
        a.call.sink = &t.sink;
        http_start(w->client, &a.call);
        while (!a.ends) {
            fixture_turn(&w->f);
            nudge(w->client, &a.call, &g, &t);
        }
        assert_int_equal(a.err.code, 0);
        assert_int_equal(g.given, len);
        assert_int_equal(far.in, len);
        assert_int_equal(t.taken, len);
        assert_false(far.differs || t.differs);
        http_call_free(&a.call);
    }
    assert_int_equal(p->connections, 1);
    stop(p);
}

/* The same handle and connection serve a plain call afterwards. */
static void plain_calls_come_after_streams(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(take_uploads, OK_ANSWER);
    for (int i = 0; i < 4; i++) {
        struct giver g = giver();
        prepare_upload(&a, p->port, &g, MB);
        if (i % 2) {
            char body[100];
            fill_bytes(body, 0, sizeof(body));
            a.call.source = NULL;
            a.call.body = body;
            a.call.body_len = sizeof(body);
            http_start(w->client, &a.call);
            finish(&a);
            assert_int_equal(far.in, sizeof(body));
        } else {
            http_start(w->client, &a.call);
            finish(&a);
            assert_int_equal(far.in, MB);
        }
        assert_false(far.differs);
        assert_ok(&a, "ok");
    }
    assert_int_equal(p->connections, 1);
    stop(p);
}

static void broken_source_ends_the_call(void **state)
{
    (void)state;
    static const size_t breaks[] = {0, 1, 70000, 3 * MB};
    struct peer *p = peer_start(take_uploads, OK_ANSWER);
    for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
        struct ask a;
        struct giver g = giver();
        prepare_upload(&a, p->port, &g, 4 * MB);
        g.break_at = breaks[i];
        http_start(w->client, &a.call);
        finish(&a);
        assert_failed(&a, ERR_IO, "the body to be sent broke off");
        WAIT_UNTIL(&w->f, p->requests == (int)i + 1); /* by the close */
        assert_true(far.in <= breaks[i]);
    }
    stop(p);
}

static void unwanted_body_is_dropped_with_its_connection(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    download_len = 50 * MB;
    struct peer *p = peer_start(give_downloads, NULL);
    t.refuses = true;
    prepare_download(&a, p->port, &t);
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 200);
    assert_int_equal(a.call.response.length, (int64_t)download_len);
    assert_string_equal(a.call.response.content_type, "x/y");
    assert_null(a.call.response.body.data);
    assert_int_equal(t.taken, 0);
    http_call_free(&a.call);
    download_len = 2;
    run(&a, p->port, "GET", NULL);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(p->connections, 2);
    http_call_free(&a.call);
    stop(p);
}

static void broken_sink_ends_the_call(void **state)
{
    (void)state;
    static const size_t breaks[] = {0, 1, 70000};
    download_len = 4 * MB;
    struct peer *p = peer_start(give_downloads, NULL);
    for (size_t i = 0; i < 6; i++) {
        struct ask a;
        struct taker t = taker();
        t.break_at = breaks[i / 2];
        t.pauses = i % 2; /* then it breaks within http_resume's turn */
        prepare_download(&a, p->port, &t);
        http_start(w->client, &a.call);
        while (!a.ends) {
            fixture_turn(&w->f);
            nudge(w->client, &a.call, NULL, &t);
        }
        assert_failed(&a, ERR_IO, "the answer could not be put away");
    }
    stop(p);
}

/* Reads a head and no more until the client is gone. */
static void stop_reading(struct peer *p)
{
    int small = 4096;
    size_t head;
    setsockopt(p->listen_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    int fd = peer_accept(p);
    take_head_of(p, fd, &head);
    sem_wait(&far.go);
    close(fd);
}

static void stalled_upload_ends(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    sem_init(&far.go, 0, 0);
    struct peer *p = peer_start(stop_reading, NULL);
    prepare_upload(&a, p->port, &g, 500 * MB);
    a.call.timeout_ms = 0;
    a.call.stall_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "no byte for 0.2 s");
    sem_post(&far.go);
    stop(p);
    sem_destroy(&far.go);
}

static void give_half(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, 2000);
    give_bytes(fd, 1000);
    peer_linger(fd);
}

static void stalled_download_ends(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(give_half, NULL);
    prepare_download(&a, p->port, &t);
    a.call.timeout_ms = 0;
    a.call.stall_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "no byte for 0.2 s");
    assert_int_equal(t.taken, 1000);
    stop(p);
}

#define DRIPS 12

static void drip(struct peer *p)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000000};
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, DRIPS);
    for (size_t i = 1; i <= DRIPS; i++) {
        nanosleep(&pause, NULL);
        give_bytes(fd, i);
    }
    peer_linger(fd);
}

/* All of it takes longer than it may stand still. */
static void slow_is_not_stalled(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(drip, NULL);
    prepare_download(&a, p->port, &t);
    a.call.stall_ms = 400;
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, DRIPS);
    http_call_free(&a.call);
    stop(p);
}

static bool passed;

static void on_passed(struct timer *t)
{
    (void)t;
    passed = true;
}

static void pass_ms(uint64_t ms)
{
    struct timer t;
    passed = false;
    timer_init(&t, w->f.loop, on_passed);
    timer_start(&t, ms);
    WAIT_UNTIL(&w->f, passed);
}

static void waiting_for_its_own_ends_is_no_stall(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    struct taker t = taker();
    struct peer *p = peer_start(mirror, NULL);
    prepare_upload(&a, p->port, &g, 3 * MB);
    a.call.sink = &t.sink;
    a.call.stall_ms = 150;
    g.wait_at = MB;
    t.wait_at = MB;
    http_start(w->client, &a.call);
    WAIT_UNTIL(&w->f, g.waits);
    pass_ms(600);
    assert_int_equal(a.ends, 0);
    g.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    WAIT_UNTIL(&w->f, t.waits);
    pass_ms(600);
    assert_int_equal(a.ends, 0);
    t.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 3 * MB);
    http_call_free(&a.call);
    stop(p);
}

static void give_too_little(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, 2000);
    give_bytes(fd, 1000);
    close(fd);
}

static void give_too_much(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, 1000);
    give_bytes(fd, 2000);
    close(fd);
}

static void lies_about_the_length_are_found_out(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(give_too_little, NULL);
    prepare_download(&a, p->port, &t);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "connection closed within the answer");
    assert_int_equal(t.taken, 1000);
    peer_stop(p);

    t = taker();
    p = peer_start(give_too_much, NULL);
    prepare_download(&a, p->port, &t);
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 1000);
    assert_false(t.differs);
    http_call_free(&a.call);
    stop(p);
}

/* Closes with the body unread: the client is told by a reset. */
static void close_within_the_body(struct peer *p)
{
    size_t head;
    int fd = peer_accept(p);
    take_head_of(p, fd, &head);
    close(fd);
}

static void close_behind_the_body(struct peer *p)
{
    size_t head;
    int fd = peer_accept(p);
    size_t have = take_head_of(p, fd, &head);
    take_body_of(p, fd, head, have, announced(p));
    close(fd);
}

static void peer_that_closes_leaves_it_unknown(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    struct peer *p = peer_start(close_within_the_body, NULL);
    prepare_upload(&a, p->port, &g, 50 * MB);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "connection ");
    peer_stop(p);

    g = giver();
    p = peer_start(close_behind_the_body, NULL);
    prepare_upload(&a, p->port, &g, 5 * MB);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "connection closed without an answer");
    assert_int_equal(far.in, 5 * MB);
    stop(p);
}

static void refuse_early(struct peer *p)
{
    size_t head;
    int fd = peer_accept(p);
    take_head_of(p, fd, &head);
    peer_write(fd, p->answer);
    shutdown(fd, SHUT_WR);
    peer_linger(fd);
}

/* Also while the source has nothing to send, and nothing to resume it. */
static void early_refusal_is_the_answer(void **state)
{
    (void)state;
    static const size_t waits[] = {SIZE_MAX, 0, MB};
    for (size_t i = 0; i < 3; i++) {
        struct ask a;
        struct giver g = giver();
        struct peer *p = peer_start(
            refuse_early, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n"
                          "\r\nno");
        prepare_upload(&a, p->port, &g, 100 * MB);
        g.wait_at = waits[i];
        http_start(w->client, &a.call);
        finish(&a);
        if (a.err.code)
            fail_msg("%zu: %s", i, a.err.message);
        assert_int_equal(a.call.response.status, 413);
        assert_string_equal(a.call.response.body.data, "no");
        http_call_free(&a.call);
        peer_stop(p);
    }
}

/* The first connection answers once; then it reads the next request, too,
 * and closes. Any further connection answers. */
static void close_after_the_second(struct peer *p)
{
    size_t head;
    size_t have;
    int fd = peer_accept(p);
    for (int i = 0; i < 2; i++) {
        have = take_head_of(p, fd, &head);
        take_body_of(p, fd, head, have, announced(p));
        p->requests++;
        if (i == 0)
            peer_write(fd, p->answer);
    }
    close(fd);
    take_uploads(p);
}

static void nothing_but_get_and_head_is_sent_again(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT",    "PATCH", "DELETE",
                                          "GET",  "DELETE", "HEAD"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        struct ask a;
        struct giver g = giver();
        struct peer *p = peer_start(close_after_the_second, OK_ANSWER);
        run(&a, p->port, "POST", "");
        assert_ok(&a, "ok");
        if (i < 4)
            prepare_upload(&a, p->port, &g, i < 2 ? 200000 : 9);
        else
            prepare(&a, p->port, "GET", NULL);
        a.call.method = methods[i];
        http_start(w->client, &a.call);
        finish(&a);
        if (strcmp(methods[i], "GET") == 0) {
            assert_ok(&a, "ok");
            assert_int_equal(p->requests, 3);
        } else if (strcmp(methods[i], "HEAD") == 0) {
            assert_int_equal(a.err.code, 0);
            assert_int_equal(p->requests, 3);
        } else {
            assert_failed(&a, ERR_UNKNOWN, "connection closed without");
            assert_int_equal(p->requests, 2);
        }
        http_client_free(w->client);
        open_client();
        peer_stop(p);
    }
}

static void methods_are_sent_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body, *line;
    } cases[] = {
        {"PUT", "xyz", "Content-Length: 3\r\n"},
        {"GET", NULL, NULL},
        {"PATCH", "xy", "Content-Length: 2\r\n"},
        {"DELETE", NULL, NULL},
        {"POST", "x", "Content-Length: 1\r\n"},
        {"DELETE", "x", "Content-Length: 1\r\n"},
        {"PUT", NULL, "Content-Length: 0\r\n"},
        {"OPTIONS", NULL, NULL},
        {"POST", NULL, "Content-Length: 0\r\n"},
    };
    struct peer *p = peer_start(answer_all, OK_ANSWER);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ask a;
        char line[40];
        run(&a, p->port, cases[i].method, cases[i].body);
        assert_ok(&a, "ok");
        snprintf(line, sizeof(line), "%s /bot1", cases[i].method);
        assert_int_equal(strncmp(p->last, line, strlen(line)), 0);
        if (cases[i].line)
            assert_non_null(strstr(p->last, cases[i].line));
        else
            assert_null(strcasestr(p->last, "Content-Length"));
    }
    assert_int_equal(p->connections, 1);
    stop(p);
}

static void answers_without_a_body(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(
        answer_all, "HTTP/1.1 200 OK\r\nContent-Length: 7000000000\r\n\r\n");
    prepare_download(&a, p->port, &t);
    a.call.method = "HEAD";
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 200);
    assert_int_equal(a.call.response.length, 7000000000);
    assert_int_equal(t.begins, 1);
    assert_int_equal(strncmp(p->last, "HEAD ", 5), 0);
    http_call_free(&a.call);
    run(&a, p->port, "HEAD", NULL);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(p->connections, 1);
    http_call_free(&a.call);
    stop(p);

    open_client();
    t = taker();
    p = peer_start(answer_all, "HTTP/1.1 204 No Content\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        prepare_download(&a, p->port, &t);
        http_start(w->client, &a.call);
        finish(&a);
        assert_int_equal(a.err.code, 0);
        assert_int_equal(a.call.response.status, 204);
        http_call_free(&a.call);
    }
    assert_int_equal(t.taken, 0);
    assert_int_equal(t.begins, 2);
    assert_int_equal(p->connections, 1);
    stop(p);
}

/* In chunks of growing odd sizes, with a trailer. */
static void give_chunks(struct peer *p)
{
    int fd = peer_accept(p);
    while (peer_read(p, fd)) {
        far.out = 0;
        peer_write(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (size_t n = 1; n < 60000; n = n * 3 + 1) {
            char line[20];
            snprintf(line, sizeof(line), "%zx\r\n", n);
            peer_write(fd, line);
            give_bytes(fd, far.out + n);
            peer_write(fd, "\r\n");
        }
        peer_write(fd, "0\r\nX-Trailer: t\r\n\r\n");
    }
    close(fd);
}

static void chunks_stream_with_pauses(void **state)
{
    (void)state;
    struct peer *p = peer_start(give_chunks, NULL);
    for (int i = 0; i < 2; i++) {
        struct ask a;
        struct taker t = taker();
        t.pauses = i;
        prepare_download(&a, p->port, &t);
        a.call.keep_head = true;
        http_start(w->client, &a.call);
        while (!a.ends) {
            fixture_turn(&w->f);
            nudge(w->client, &a.call, NULL, &t);
        }
        assert_int_equal(a.err.code, 0);
        assert_int_equal(t.length, -1);
        assert_int_equal(t.taken, far.out);
        assert_false(t.differs);
        assert_string_equal(a.call.response.head.data,
                            "Transfer-Encoding: chunked\r\n");
        http_call_free(&a.call);
    }
    assert_int_equal(p->connections, 1);
    stop(p);
}

static void heads_are_kept(void **state)
{
    (void)state;
    struct ask a;
    struct buf answer = {0};
    struct buf want = {0};
    buf_puts(&answer, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\n"
                      "Set-cookie:b=2  \r\nX-Empty:\r\n"
                      "X-Long: one\r\n  two\r\n");
    buf_puts(&want, "Set-Cookie: a=1\r\nSet-cookie: b=2\r\nX-Empty: \r\n"
                    "X-Long: one two\r\n");
    for (int i = 0; i < 800; i++) {
        buf_printf(&answer, "X-Many-%d: %d\r\n", i, i * 7);
        buf_printf(&want, "X-Many-%d: %d\r\n", i, i * 7);
    }
    buf_puts(&answer, "Content-Length: 2\r\n\r\nok");
    buf_puts(&want, "Content-Length: 2\r\n");
    struct peer *p = peer_start(answer_all, answer.data);
    for (int i = 0; i < 3; i++) {
        prepare(&a, p->port, "GET", NULL);
        a.call.keep_head = i != 1;
        http_start(w->client, &a.call);
        finish(&a);
        if (i == 1)
            assert_null(a.call.response.head.data);
        else
            assert_string_equal(a.call.response.head.data, want.data);
        assert_int_equal(a.call.response.length, 2);
        assert_ok(&a, "ok");
    }
    buf_free(&answer);
    buf_free(&want);
    stop(p);
}

static void cancel_paused(struct peer *p, struct giver *g, struct taker *t,
                          bool resumed)
{
    struct ask a;
    prepare_upload(&a, p->port, g, 2 * MB);
    a.call.sink = &t->sink;
    a.call.keep_head = true;
    http_start(w->client, &a.call);
    WAIT_UNTIL(&w->f, g->waits || t->waits);
    if (resumed)
        http_resume(w->client, &a.call);
    http_cancel(w->client, &a.call);
    for (int i = 0; i < 5; i++)
        fixture_turn(&w->f);
    assert_int_equal(a.ends, 0);
    http_resume(w->client, &a.call); /* does nothing */
    http_call_free(&a.call);
}

static void mirror_all(struct peer *p)
{
    while (p->connections < 8)
        mirror(p);
}

static void cancel_while_paused(void **state)
{
    (void)state;
    static const size_t places[] = {0, MB};
    struct peer *p = peer_start(mirror_all, NULL);
    for (int i = 0; i < 4; i++) {
        struct giver g = giver();
        struct taker t = taker();
        g.wait_at = places[i % 2];
        cancel_paused(p, &g, &t, i / 2);
        g = giver();
        t.wait_at = places[i % 2];
        cancel_paused(p, &g, &t, i / 2);
    }
    stop(p);
}

/* After any number of turns. */
static void cancel_at_any_time(void **state)
{
    (void)state;
    struct peer *p = peer_start(take_uploads, OK_ANSWER);
    for (int turns = 0; turns < 40; turns++) {
        struct ask a;
        struct giver g = giver();
        prepare_upload(&a, p->port, &g, 2 * MB);
        g.pauses = true;
        g.step = 200000;
        http_start(w->client, &a.call);
        for (int i = 0; i < turns && !a.ends; i++) {
            fixture_turn(&w->f);
            nudge(w->client, &a.call, &g, NULL);
        }
        http_cancel(w->client, &a.call);
        http_call_free(&a.call);
    }
    stop(p);
}

static void timeout_while_paused(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    struct peer *p = peer_start(take_uploads, OK_ANSWER);
    prepare_upload(&a, p->port, &g, 2 * MB);
    g.wait_at = MB;
    a.call.timeout_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "timed out after 0.2 s");
    stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(upload_streams_in_bounded_memory),
        TEST(download_streams_in_bounded_memory),
        TEST(both_ways_pause_and_go_on),
        TEST(plain_calls_come_after_streams),
        TEST(broken_source_ends_the_call),
        TEST(unwanted_body_is_dropped_with_its_connection),
        TEST(broken_sink_ends_the_call),
        TEST(stalled_upload_ends),
        TEST(stalled_download_ends),
        TEST(slow_is_not_stalled),
        TEST(waiting_for_its_own_ends_is_no_stall),
        TEST(lies_about_the_length_are_found_out),
        TEST(peer_that_closes_leaves_it_unknown),
        TEST(early_refusal_is_the_answer),
        TEST(nothing_but_get_and_head_is_sent_again),
        TEST(methods_are_sent_as_they_are),
        TEST(answers_without_a_body),
        TEST(chunks_stream_with_pauses),
        TEST(heads_are_kept),
        TEST(cancel_while_paused),
        TEST(cancel_at_any_time),
        TEST(timeout_while_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
