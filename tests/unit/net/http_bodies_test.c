/* Bodies that stream, over sockets. */
#include "net/http_client.h"

#include "http_bodies_peer.h"

/* What the sockets and libcurl may hold of a body between its ends. */
#define UNDER_WAY_MAX (24 * MB)

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
        TEST(chunks_stream_with_pauses),
        TEST(cancel_while_paused),
        TEST(cancel_at_any_time),
        TEST(timeout_while_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
