/* Clients that would only take up room: without a right to be here, or
 * without a request. */
#include "net/http_server.h"

#include "net/routes.h"

#include "fixture.h"

#define BODY_MAX 100000
#define LIMIT_MS 1000

struct world {
    struct fixture f;
    struct routes *routes;
    struct http_server *server;
    int port;
    int runs;
    struct received in;
};

static struct world *w;

static void echo(struct exchange *x, void *arg)
{
    size_t len;
    const char *body = exchange_body(x, &len);
    (void)arg;
    w->runs++;
    exchange_reply(x, 200, "text/plain", body, len);
}

static bool refuse_strangers(struct exchange *x, void *arg)
{
    const char *header = exchange_header(x, "x-test");
    (void)arg;
    if (header && strcmp(header, "friend") == 0)
        return true;
    exchange_fail(x, 401, "who are you?");
    return false;
}

static int open_world(void **state)
{
    const struct http_server_options o = {.host = "127.0.0.1",
                                          .connections_max = 100,
                                          .body_max = BODY_MAX,
                                          .idle_ms = LIMIT_MS};
    struct err e;
    (void)state;
    w = MEM_NEW(struct world);
    fixture_open(&w->f);
    w->routes = routes_new();
    routes_add(w->routes, NULL, "/echo", echo, NULL);
    w->server = http_server_new(w->f.loop, w->routes, &o, &e);
    assert_non_null(w->server);
    w->port = http_server_port(w->server);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    http_server_free(w->server);
    fixture_close(&w->f);
    routes_free(w->routes);
    free(w);
    return 0;
}

static int ask(const char *request)
{
    int fd = client_connect(w->port);
    client_send(fd, request);
    memset(&w->in, 0, sizeof(w->in));
    return fd;
}

/* They find no body, and the answer comes when it has been thrown away. */
static bool refuse_unread(struct exchange *x, void *arg)
{
    size_t len;
    (void)arg;
    exchange_body(x, &len);
    assert_int_equal(len, 0);
    return refuse_strangers(x, NULL);
}

static void guards_come_before_a_large_body(void **state)
{
    (void)state;
    char *body = mem_zero(1, BODY_MAX + 1);
    routes_guard(w->routes, refuse_unread, NULL);
    memset(body, 'z', BODY_MAX);
    int fd = ask("POST /echo HTTP/1.1\r\nHost: a\r\n"
                 "Content-Length: 100000\r\n\r\n");
    client_send(fd, body);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "who are you?"));
    assert_non_null(strstr(w->in.text, " 401 "));
    memset(&w->in, 0, sizeof(w->in));
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n0\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "who are you?"));
    assert_int_equal(w->runs, 0);
    close(fd);
    free(body);
}

/* A refused small body does not cost the connection; a large one of a friend
 * is read. */
static void guards_let_friends_pass(void **state)
{
    (void)state;
    routes_guard(w->routes, refuse_strangers, NULL);
    int fd = ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
                 "ab");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "who are you?"));
    char *body = mem_zero(1, BODY_MAX + 1);
    memset(body, 'z', BODY_MAX);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nX-Test: friend\r\n"
                    "Content-Length: 100000\r\n\r\n");
    client_send(fd, body);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, body));
    assert_int_equal(w->runs, 1);
    free(body);
    close(fd);
}

/* A byte now and then is not silence, but no request either. */
static void dripping_connections_are_closed(void **state)
{
    (void)state;
    int fds[] = {ask("GET /"),
                 ask("POST /echo HTTP/1.1\r\nContent-Length: 9999\r\n\r\n")};
    uint64_t next = 0;
    for (size_t i = 0; i < 2; i++) {
        memset(&w->in, 0, sizeof(w->in));
        while (!client_ended(fds[i], &w->in)) {
            if (loop_now_ms(w->f.loop) >= next) {
                next = loop_now_ms(w->f.loop) + LIMIT_MS / 10;
                send(fds[0], "a", 1, MSG_NOSIGNAL);
                send(fds[1], "a", 1, MSG_NOSIGNAL);
            }
            fixture_turn(&w->f);
        }
        close(fds[i]);
    }
}

static void asking_again_and_again_is_fine(void **state)
{
    (void)state;
    uint64_t end = loop_now_ms(w->f.loop) + 3 * LIMIT_MS;
    int fd = ask("");
    while (loop_now_ms(w->f.loop) < end) {
        uint64_t next = loop_now_ms(w->f.loop) + LIMIT_MS / 10;
        memset(&w->in, 0, sizeof(w->in));
        client_send(fd, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        WAIT_UNTIL(&w->f, client_has(fd, &w->in, "200 OK"));
        WAIT_UNTIL(&w->f, loop_now_ms(w->f.loop) >= next);
    }
    assert_false(client_ended(fd, &w->in));
    close(fd);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(guards_come_before_a_large_body),
        TEST(guards_let_friends_pass),
        TEST(dripping_connections_are_closed),
        TEST(asking_again_and_again_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
