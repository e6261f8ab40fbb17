#include "net/http_client.h"

#include "net/http_server.h"
#include "net/routes.h"

#include "fixture.h"

#include <netdb.h>
#include <time.h>

#define JSON "application/json"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define LAST_ANSWER                                                            \
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

struct world {
    struct fixture f;
    struct http_client *client;
};

static struct world *w;

/* A call and its end. */
struct ask {
    struct http_call call;
    char url[200];
    int ends;
    struct err err;
};

static void on_done(struct http_call *call, const struct err *e)
{
    struct ask *a = LIST_ENTRY(call, struct ask, call);
    assert_null(call->transport);
    a->ends++;
    a->err.code = e->code;
    if (e->code)
        a->err = *e;
}

static int open_world(void **state)
{
    (void)state;
    w = MEM_NEW(struct world);
    fixture_open(&w->f);
    struct http_client_options o = {.connections_max = 300,
                                    .user_agent = "moonlet/test"};
    w->client = http_client_new_curl(w->f.loop, &o);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    if (w->client)
        http_client_free(w->client);
    fixture_close(&w->f);
    free(w);
    return 0;
}

static void prepare(struct ask *a, int port, const char *method,
                    const char *body)
{
    memset(a, 0, sizeof(*a));
    snprintf(a->url, sizeof(a->url), "http://127.0.0.1:%d/bot1:SECRET/m", port);
    a->call = (struct http_call){.method = method,
                                 .url = a->url,
                                 .content_type = body ? JSON : NULL,
                                 .body = body,
                                 .body_len = body ? strlen(body) : 0,
                                 .response_max = 100000,
                                 .timeout_ms = 15000,
                                 .done = on_done};
}

static void start(struct ask *a, int port, const char *method, const char *body)
{
    prepare(a, port, method, body);
    http_start(w->client, &a->call);
    assert_int_equal(a->ends, 0);
}

static void finish(struct ask *a)
{
    WAIT_UNTIL(&w->f, a->ends > 0);
    assert_int_equal(a->ends, 1);
}

static void run(struct ask *a, int port, const char *method, const char *body)
{
    start(a, port, method, body);
    finish(a);
}

static void assert_ok(struct ask *a, const char *body)
{
    if (a->err.code)
        fail_msg("%s", a->err.message);
    assert_int_equal(a->call.response.status, 200);
    assert_string_equal(a->call.response.body.data, body);
    http_call_free(&a->call);
}

static void assert_failed(struct ask *a, enum err_code code, const char *text)
{
    if (a->err.code != code)
        fail_msg("%d, not %d: %s", a->err.code, code, a->err.message);
    if (!strstr(a->err.message, text))
        fail_msg("\"%s\" does not say \"%s\"", a->err.message, text);
    assert_null(strstr(a->err.message, "SECRET"));
    assert_int_equal(a->err.retryable, code == ERR_NOT_SENT);
    assert_null(a->call.response.body.data);
    http_call_free(&a->call);
}

/* Answers every request on every connection, one connection at a time. */
static void answer_all(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        while (peer_read(p, fd))
            peer_write(fd, p->answer);
        close(fd);
    }
}

/* Reads a request, writes the answer, closes. */
static void answer_and_close(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        peer_read(p, fd);
        peer_write(fd, p->answer);
        close(fd);
    }
}

static void post_is_sent_as_it_is(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(answer_and_close, LAST_ANSWER);
    run(&a, p->port, "POST", "{\"a\":1}");
    assert_ok(&a, "ok");
    assert_int_equal(strncmp(p->last, "POST /bot1:SECRET/m HTTP/1.1\r\n", 30),
                     0);
    assert_non_null(strstr(p->last, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(p->last, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(p->last, "\r\nUser-Agent: moonlet/test\r\n"));
    assert_non_null(strstr(p->last, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(p->last, "Expect"));
    run(&a, p->port, "GET", NULL);
    assert_ok(&a, "ok");
    assert_int_equal(strncmp(p->last, "GET /bot1:SECRET/m HTTP/1.1\r\n", 29),
                     0);
    assert_null(strstr(p->last, "Content-"));
    run(&a, p->port, "POST", NULL);
    assert_ok(&a, "ok");
    assert_int_equal(strncmp(p->last, "POST ", 5), 0);
    assert_non_null(strstr(p->last, "\r\nContent-Length: 0\r\n"));
    assert_null(strstr(p->last, "Content-Type"));
    peer_stop(p);
}

static void errors_of_the_server_are_answers(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(
        answer_all, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
                    "Content-Length: 3\r\nConnection: close\r\n\r\nno!");
    run(&a, p->port, "POST", "x");
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 429);
    assert_int_equal(a.call.response.retry_after, 7);
    assert_string_equal(a.call.response.body.data, "no!");
    http_call_free(&a.call);
    peer_stop(p);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(
        answer_all, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n");
    run(&a, p->port, "GET", NULL);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 302);
    assert_int_equal(p->requests, 1);
    peer_stop(p);
}

static void connections_are_kept(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(answer_all, OK_ANSWER);
    for (int i = 0; i < 10; i++) {
        run(&a, p->port, "POST", "x");
        assert_ok(&a, "ok");
    }
    assert_int_equal(p->requests, 10);
    assert_int_equal(p->connections, 1);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

/* The first connection answers once; then it reads the next request, too,
 * and closes. Any further connection answers. */
static void close_after_reading_the_second(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, p->answer);
    peer_read(p, fd);
    close(fd);
    answer_all(p);
}

static void post_is_never_doubled(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(close_after_reading_the_second, OK_ANSWER);
    run(&a, p->port, "POST", "first");
    assert_ok(&a, "ok");
    run(&a, p->port, "POST", "second");
    assert_failed(&a, ERR_UNKNOWN, "connection closed without an answer");
    assert_int_equal(p->requests, 2);
    run(&a, p->port, "POST", "third");
    assert_ok(&a, "ok");
    assert_int_equal(p->requests, 3);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

static void large_post_is_never_doubled(void **state)
{
    (void)state;
    struct ask a;
    char *body = mem_zero(1, 60001);
    memset(body, 'x', 60000);
    struct peer *p = peer_start(close_after_reading_the_second, OK_ANSWER);
    run(&a, p->port, "POST", "first");
    assert_ok(&a, "ok");
    run(&a, p->port, "POST", body);
    assert_failed(&a, ERR_UNKNOWN, "127.0.0.1");
    assert_int_equal(p->requests, 2);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
    free(body);
}

static void empty_post_is_never_doubled(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(close_after_reading_the_second, OK_ANSWER);
    run(&a, p->port, "POST", "first");
    assert_ok(&a, "ok");
    start(&a, p->port, "POST", NULL);
    /* The peer waits on its first connection for a second request. */
    struct ask b;
    run(&b, p->port, "POST", "second");
    assert_failed(&b, ERR_UNKNOWN, "connection closed without an answer");
    finish(&a);
    assert_ok(&a, "ok");
    assert_int_equal(p->requests, 3);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

/* Answers one request, then closes without reading any other; the client
 * notices before it writes, or fails to write, or is told by a reset. */
static void close_before_reading_the_second(struct peer *p)
{
    struct linger reset = {.l_onoff = 1};
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        if (peer_read(p, fd))
            peer_write(fd, p->answer);
        struct pollfd more = {.fd = fd, .events = POLLIN};
        poll(&more, 1, p->connections % 2 ? 0 : PATIENCE_S * 1000);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
}

static void post_on_a_dead_connection_runs_at_most_once(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(close_before_reading_the_second, OK_ANSWER);
    for (int i = 0; i < 40; i++) {
        int before = p->requests;
        run(&a, p->port, "POST", "x");
        assert_true(p->requests - before <= 1);
        if (a.err.code == 0) {
            assert_int_equal(p->requests - before, 1);
            assert_ok(&a, "ok");
        } else {
            assert_int_equal(p->requests - before, 0);
            assert_true(a.err.code == ERR_UNKNOWN ||
                        a.err.code == ERR_NOT_SENT);
        }
    }
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

static void refused_connection_is_not_sent(void **state)
{
    (void)state;
    struct ask a;
    char text[100];
    struct peer *p = peer_start(answer_all, OK_ANSWER);
    int port = p->port;
    peer_stop(p);
    run(&a, port, "POST", "x");
    snprintf(text, sizeof(text),
             "cannot connect to 127.0.0.1:%d: Connection refused", port);
    assert_failed(&a, ERR_NOT_SENT, text);
    assert_int_equal(a.err.detail, ECONNREFUSED);
    run(&a, port, "GET", NULL);
    assert_failed(&a, ERR_NOT_SENT, text);
}

/* Stands in for the system's: no name is known, and slow.invalid keeps the
 * resolver's thread until it is let go. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered, let_go, left;
} resolver = {.lock = PTHREAD_MUTEX_INITIALIZER,
              .changed = PTHREAD_COND_INITIALIZER};

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **found)
{
    struct timespec end;
    (void)service;
    (void)hints;
    *found = NULL;
    if (strcmp(name, "slow.invalid") != 0)
        return EAI_NONAME;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&resolver.lock);
    resolver.entered = true;
    while (!resolver.let_go &&
           !pthread_cond_timedwait(&resolver.changed, &resolver.lock, &end))
        ;
    resolver.left = true;
    pthread_mutex_unlock(&resolver.lock);
    return EAI_NONAME;
}

static bool resolver_has(const bool *what)
{
    pthread_mutex_lock(&resolver.lock);
    bool value = *what;
    pthread_mutex_unlock(&resolver.lock);
    return value;
}

static void unresolved_name_is_not_sent(void **state)
{
    (void)state;
    struct ask a;
    prepare(&a, 0, "POST", "x");
    a.call.url = "http://user:pw@moonlet-test.invalid:99/bot1:SECRET/x";
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "cannot resolve moonlet-test.invalid:99");
    assert_null(strstr(a.err.message, "pw"));
}

/* A call that ends while its name is looked up may not wait for that. */
static void slow_resolver_holds_up_nobody(void **state)
{
    (void)state;
    struct ask cancelled;
    struct ask late;
    prepare(&cancelled, 0, "POST", "x");
    cancelled.call.url = "http://slow.invalid/";
    prepare(&late, 0, "POST", "x");
    late.call.url = "http://slow.invalid/";
    late.call.timeout_ms = 100;
    http_start(w->client, &cancelled.call);
    http_start(w->client, &late.call);
    WAIT_UNTIL(&w->f, resolver_has(&resolver.entered));
    http_cancel(w->client, &cancelled.call);
    finish(&late);
    assert_failed(&late, ERR_NOT_SENT, "slow.invalid: timed out after 0.1 s");
    assert_int_equal(cancelled.ends, 0);
    http_client_free(w->client);
    w->client = NULL;
    assert_false(resolver_has(&resolver.left));
    pthread_mutex_lock(&resolver.lock);
    resolver.let_go = true;
    pthread_cond_broadcast(&resolver.changed);
    pthread_mutex_unlock(&resolver.lock);
    WAIT_UNTIL(&w->f, resolver_has(&resolver.left));
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/passwd", "ftp://h/SECRET",
                                       "nonsense::SECRET", ""};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        struct ask a;
        prepare(&a, 0, "GET", NULL);
        a.call.url = urls[i];
        http_start(w->client, &a.call);
        finish(&a);
        assert_int_equal(a.err.code, ERR_NOT_SENT);
        assert_null(strstr(a.err.message, "SECRET/"));
        http_call_free(&a.call);
    }
}

static void assert_answer_fails(const char *answer, const char *text)
{
    struct ask a;
    struct peer *p = peer_start(answer_and_close, answer);
    run(&a, p->port, "POST", "x");
    assert_failed(&a, ERR_UNKNOWN, text);
    assert_int_equal(p->requests, 1);
    run(&a, p->port, "GET", NULL);
    assert_failed(&a, ERR_UNKNOWN, text);
    peer_stop(p);
}

static void broken_answers_are_unknown(void **state)
{
    (void)state;
    assert_answer_fails("", "connection closed without an answer");
    assert_answer_fails("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                        "connection closed within the answer");
    assert_answer_fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                        "\r\n5\r\nha",
                        "127.0.0.1");
    assert_answer_fails("SSH-2.0-OpenSSH_9.2\r\n\r\n", "is not HTTP");
    assert_answer_fails("HTTP/1.1 20x OK\r\n\r\n", "127.0.0.1");
}

static void plain_answer_to_tls_is_not_sent(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(answer_and_close, "");
    prepare(&a, p->port, "POST", "x");
    snprintf(a.url, sizeof(a.url), "https://127.0.0.1:%d/SECRET", p->port);
    http_start(w->client, &a.call);
    /* What TLS opens with holds no end of a head: the peer reads on. */
    WAIT_UNTIL(&w->f, p->connections == 1);
    a.call.response_max = 1;
    http_cancel(w->client, &a.call);
    peer_stop(p);

    p = peer_start(answer_and_close, "");
    shutdown(p->listen_fd, SHUT_RDWR);
    prepare(&a, p->port, "POST", "x");
    snprintf(a.url, sizeof(a.url), "https://127.0.0.1:%d/SECRET", p->port);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "cannot connect to 127.0.0.1");
    peer_stop(p);
}

static void assert_over_the_limit(const char *answer, size_t response_max)
{
    struct ask a;
    struct peer *p = peer_start(answer_and_close, answer);
    prepare(&a, p->port, "POST", "x");
    a.call.response_max = response_max;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_LIMIT, "the answer is over");
    peer_stop(p);
}

static void long_answers_are_cut_off(void **state)
{
    (void)state;
    struct ask a;
    assert_over_the_limit("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456",
                          5);
    assert_over_the_limit("HTTP/1.1 200 OK\r\n\r\n123456", 5);

    char *head = mem_zero(1, 100100);
    strcpy(head, "HTTP/1.1 200 OK\r\n");
    while (strlen(head) < 99000)
        strcat(head, "X-Header: 90123456789012345678901234567890\r\n");
    assert_over_the_limit(head, 100000);
    free(head);

    struct peer *p = peer_start(
        answer_and_close, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
    prepare(&a, p->port, "GET", NULL);
    a.call.response_max = 5;
    http_start(w->client, &a.call);
    finish(&a);
    assert_ok(&a, "12345");
    peer_stop(p);
}

/* Reads a request and leaves it at that until the client has closed. */
static void never_answer(struct peer *p)
{
    int fd = peer_accept(p);
    if (fd < 0)
        return;
    peer_read(p, fd);
    peer_linger(fd);
}

static void silence_times_out(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(never_answer, NULL);
    prepare(&a, p->port, "POST", "x");
    a.call.timeout_ms = 250;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "timed out after 0.25 s");
    assert_int_equal(p->requests, 1);
    peer_stop(p);
}

/* A listener whose backlog is full answers no SYN. */
static void connecting_times_out(void **state)
{
    (void)state;
    struct ask a;
    int fds[4];
    struct sockaddr_in addr = loopback(0);
    socklen_t size = sizeof(addr);
    int full = socket(AF_INET, SOCK_STREAM, 0);
    bind(full, (struct sockaddr *)&addr, size);
    listen(full, 0);
    getsockname(full, (struct sockaddr *)&addr, &size);
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&addr, size);
    }
    prepare(&a, ntohs(addr.sin_port), "POST", "x");
    a.call.timeout_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "timed out after 0.2 s");
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    close(full);
}

static void answer_slowly(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, p->answer);
    peer_linger(fd);
}

static void half_an_answer_times_out(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(
        answer_slowly, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    prepare(&a, p->port, "POST", "x");
    a.call.timeout_ms = 300;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "timed out after 0.3 s");
    peer_stop(p);
}

static void cancel_in_every_phase(void **state)
{
    (void)state;
    struct ask a = {.ends = 0};
    http_cancel(w->client, &a.call);

    struct peer *p = peer_start(
        answer_slowly, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    start(&a, p->port, "POST", "x");
    http_cancel(w->client, &a.call); /* not begun */
    start(&a, p->port, "POST", "x");
    fixture_turn(&w->f);
    http_cancel(w->client, &a.call); /* connecting or sending */
    peer_stop(p);

    p = peer_start(never_answer, NULL);
    start(&a, p->port, "POST", "x");
    WAIT_UNTIL(&w->f, p->requests == 1);
    http_cancel(w->client, &a.call); /* waiting for the answer */
    peer_stop(p);

    p = peer_start(answer_slowly,
                   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    start(&a, p->port, "POST", "x");
    WAIT_UNTIL(&w->f, a.call.response.body.len == 4);
    http_cancel(w->client, &a.call); /* within the answer */
    http_call_free(&a.call);
    peer_stop(p);

    p = peer_start(answer_and_close, LAST_ANSWER);
    run(&a, p->port, "POST", "x");
    http_cancel(w->client, &a.call); /* ended */
    assert_ok(&a, "ok");
    assert_int_equal(a.ends, 1);
    peer_stop(p);
}

static void huge_post_can_be_cancelled(void **state)
{
    (void)state;
    struct ask a;
    size_t len = 32u << 20;
    char *body = mem_zero(1, len);
    struct peer *p = peer_start(never_answer, NULL);
    prepare(&a, p->port, "POST", "x");
    a.call.body = body;
    a.call.body_len = len;
    http_start(w->client, &a.call);
    WAIT_UNTIL(&w->f, p->connections == 1);
    for (int i = 0; i < 20; i++)
        fixture_turn(&w->f);
    http_cancel(w->client, &a.call);
    assert_int_equal(a.ends, 0);
    free(body);
    peer_stop(p);
}

/* Reads the head only, answers and closes. */
static void answer_early(struct peer *p)
{
    char head[200];
    int fd = peer_accept(p);
    recv(fd, head, sizeof(head), 0);
    peer_write(fd, p->answer);
    shutdown(fd, SHUT_WR);
    peer_linger(fd);
}

static void early_answer_ends_an_upload(void **state)
{
    (void)state;
    struct ask a;
    size_t len = 8u << 20;
    char *body = mem_zero(1, len);
    struct peer *p = peer_start(
        answer_early, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n"
                      "Connection: close\r\n\r\nno");
    prepare(&a, p->port, "POST", "x");
    a.call.body = body;
    a.call.body_len = len;
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 413);
    http_call_free(&a.call);
    free(body);
    peer_stop(p);
}

/* `done` starts the next call, cancels a third and frees the client. */
static struct ask chain[3];

static void free_client(struct http_call *call, const struct err *e)
{
    on_done(call, e);
    http_client_free(w->client);
    w->client = NULL;
}

static void start_next(struct http_call *call, const struct err *e)
{
    on_done(call, e);
    http_cancel(w->client, &chain[2].call);
    prepare(&chain[1], 1, "POST", "x");
    strcpy(chain[1].url, chain[0].url);
    chain[1].call.done = free_client;
    http_start(w->client, &chain[1].call);
}

static void done_may_start_cancel_and_free(void **state)
{
    (void)state;
    struct peer *p = peer_start(answer_and_close, LAST_ANSWER);
    prepare(&chain[0], p->port, "POST", "x");
    chain[0].call.done = start_next;
    http_start(w->client, &chain[0].call);
    start(&chain[2], p->port, "POST", "x");
    WAIT_UNTIL(&w->f, chain[1].ends == 1);
    assert_null(w->client);
    assert_ok(&chain[0], "ok");
    assert_ok(&chain[1], "ok");
    assert_int_equal(chain[2].ends, 0);
    peer_stop(p);
}

static void echo(struct exchange *x, void *arg)
{
    size_t len;
    const char *body = exchange_body(x, &len);
    ++*(int *)arg;
    exchange_reply(x, 200, "text/plain", body, len);
}

#define PARALLEL 200
#define ROUNDS 5

static void many_calls_at_once_keep_their_answers(void **state)
{
    (void)state;
    static struct ask asks[PARALLEL];
    static char bodies[PARALLEL][20];
    int served = 0;
    struct err e;
    struct routes *routes = routes_new();
    struct http_server_options o = {.host = "127.0.0.1",
                                    .connections_max = PARALLEL + 10,
                                    .body_max = 1000,
                                    .idle_ms = 10000};
    routes_add(routes, "POST", "/**", echo, &served);
    struct http_server *server = http_server_new(w->f.loop, routes, &o, &e);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PARALLEL; i++) {
            snprintf(bodies[i], sizeof(bodies[i]), "%d/%d", round, i);
            start(&asks[i], http_server_port(server), "POST", bodies[i]);
        }
        for (int i = 0; i < PARALLEL; i++) {
            finish(&asks[i]);
            assert_ok(&asks[i], bodies[i]);
        }
    }
    assert_int_equal(served, PARALLEL * ROUNDS);
    http_client_free(w->client);
    w->client = NULL;
    http_server_free(server);
    loop_run(w->f.loop);
    routes_free(routes);
}

static void calls_beyond_the_connections_wait(void **state)
{
    (void)state;
    static struct ask asks[20];
    struct http_client_options o = {.connections_max = 1};
    struct http_client *wide = w->client;
    w->client = http_client_new_curl(w->f.loop, &o);
    struct peer *p = peer_start(answer_all, OK_ANSWER);
    for (int i = 0; i < 20; i++)
        start(&asks[i], p->port, "POST", "x");
    for (int i = 0; i < 20; i++) {
        finish(&asks[i]);
        assert_ok(&asks[i], "ok");
    }
    assert_int_equal(p->connections, 1);
    http_client_free(w->client);
    w->client = wide;
    peer_stop(p);
}

static void waiting_for_a_connection_times_out(void **state)
{
    (void)state;
    struct ask a;
    struct ask b;
    struct http_client_options o = {.connections_max = 1};
    struct http_client *wide = w->client;
    w->client = http_client_new_curl(w->f.loop, &o);
    struct peer *p = peer_start(never_answer, NULL);
    start(&a, p->port, "POST", "x");
    WAIT_UNTIL(&w->f, p->requests == 1);
    prepare(&b, p->port, "POST", "x");
    b.call.timeout_ms = 100;
    http_start(w->client, &b.call);
    finish(&b);
    assert_failed(&b, ERR_NOT_SENT, "timed out after 0.1 s");
    http_cancel(w->client, &a.call);
    http_client_free(w->client);
    w->client = wide;
    peer_stop(p);
}

static void proxy_is_used(void **state)
{
    (void)state;
    struct ask a;
    char proxy[60];
    struct peer *p = peer_start(answer_and_close, LAST_ANSWER);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", p->port);
    struct http_client_options o = {.connections_max = 1, .proxy = proxy};
    struct http_client *straight = w->client;
    w->client = http_client_new_curl(w->f.loop, &o);
    prepare(&a, 0, "POST", "x");
    a.call.url = "http://example.invalid/bot1:SECRET/m";
    http_start(w->client, &a.call);
    finish(&a);
    assert_ok(&a, "ok");
    assert_int_equal(
        strncmp(p->last, "POST http://example.invalid/bot1:SECRET/m ", 42), 0);
    http_client_free(w->client);
    w->client = straight;
    peer_stop(p);
}

/* Variables such as http_proxy are not read. */
static void environment_is_ignored(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(answer_and_close, LAST_ANSWER);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    run(&a, p->port, "POST", "x");
    unsetenv("http_proxy");
    assert_ok(&a, "ok");
    peer_stop(p);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(post_is_sent_as_it_is),
        TEST(errors_of_the_server_are_answers),
        TEST(redirects_are_not_followed),
        TEST(connections_are_kept),
        TEST(post_is_never_doubled),
        TEST(large_post_is_never_doubled),
        TEST(empty_post_is_never_doubled),
        TEST(post_on_a_dead_connection_runs_at_most_once),
        TEST(refused_connection_is_not_sent),
        TEST(unresolved_name_is_not_sent),
        TEST(slow_resolver_holds_up_nobody),
        TEST(other_protocols_are_refused),
        TEST(broken_answers_are_unknown),
        TEST(plain_answer_to_tls_is_not_sent),
        TEST(long_answers_are_cut_off),
        TEST(silence_times_out),
        TEST(connecting_times_out),
        TEST(half_an_answer_times_out),
        TEST(cancel_in_every_phase),
        TEST(huge_post_can_be_cancelled),
        TEST(early_answer_ends_an_upload),
        TEST(done_may_start_cancel_and_free),
        TEST(many_calls_at_once_keep_their_answers),
        TEST(calls_beyond_the_connections_wait),
        TEST(waiting_for_a_connection_times_out),
        TEST(proxy_is_used),
        TEST(environment_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
