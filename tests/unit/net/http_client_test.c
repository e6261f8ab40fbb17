#include "net/http_client.h"

#include "net/http_server.h"
#include "net/routes.h"

#include "http_client_fixture.h"

#include <semaphore.h>

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

static void own_headers_are_sent_with_their_call_alone(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"X-Secret", "a-B_9"},
                                                 {"Authorization", "Basic eA"}};
    struct ask a;
    struct peer *p = peer_start(answer_and_close, LAST_ANSWER);
    for (int with = 0; with < 3; with++) {
        prepare(&a, p->port, "POST", "x");
        a.call.headers = headers;
        a.call.headers_count = (size_t)with % 2 * 2;
        http_start(w->client, &a.call);
        finish(&a);
        assert_ok(&a, "ok");
        assert_int_equal(with == 1,
                         strstr(p->last, "\r\nX-Secret: a-B_9\r\n") != NULL);
        assert_int_equal(with == 1,
                         strstr(p->last, "\r\nAuthorization: Basic eA\r\n") !=
                             NULL);
        assert_non_null(
            strstr(p->last, "\r\nContent-Type: application/json\r\n"));
    }
    peer_stop(p);
}

static void the_type_of_the_answer_is_told(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p =
        peer_start(answer_and_close,
                   "HTTP/1.1 200 OK\r\nContent-Type: multipart/form-data; "
                   "boundary=b\r\nContent-Length: 0\r\n"
                   "Connection: close\r\n\r\n");
    run(&a, p->port, "POST", "x");
    assert_string_equal(a.call.response.content_type,
                        "multipart/form-data; boundary=b");
    http_call_free(&a.call);
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

static sem_t may_close;

/* Answers one request on each connection and closes it when told to. */
static void answer_and_close_when_told(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        peer_read(p, fd);
        peer_write(fd, p->answer);
        sem_wait(&may_close);
        close(fd);
    }
}

static int loop_has_events(int wait_ms)
{
    struct pollfd fd = {.fd = uv_backend_fd(loop_uv(w->f.loop)),
                        .events = POLLIN};
    return poll(&fd, 1, wait_ms);
}

/* The close wakes the loop, once. */
static void kept_connection_may_be_closed_by_its_server(void **state)
{
    (void)state;
    struct ask a;
    sem_init(&may_close, 0, 0);
    struct peer *p = peer_start(answer_and_close_when_told, OK_ANSWER);
    for (int i = 1; i <= 3; i++) {
        run(&a, p->port, "POST", "x");
        assert_ok(&a, "ok");
        assert_int_equal(p->requests, i);
        assert_int_equal(p->connections, i);
        loop_turn(w->f.loop);
        assert_int_equal(loop_has_events(0), 0);
        sem_post(&may_close);
        assert_int_equal(loop_has_events(PATIENCE_S * 1000), 1);
        loop_turn(w->f.loop);
        assert_int_equal(loop_has_events(0), 0);
    }
    peer_stop(p);
    sem_destroy(&may_close);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(post_is_sent_as_it_is),
        TEST(own_headers_are_sent_with_their_call_alone),
        TEST(the_type_of_the_answer_is_told),
        TEST(errors_of_the_server_are_answers),
        TEST(redirects_are_not_followed),
        TEST(connections_are_kept),
        TEST(kept_connection_may_be_closed_by_its_server),
        TEST(cancel_in_every_phase),
        TEST(huge_post_can_be_cancelled),
        TEST(early_answer_ends_an_upload),
        TEST(done_may_start_cancel_and_free),
        TEST(many_calls_at_once_keep_their_answers),
        TEST(calls_beyond_the_connections_wait),
        TEST(proxy_is_used),
        TEST(environment_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
