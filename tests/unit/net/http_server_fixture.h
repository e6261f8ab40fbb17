#ifndef MOONLET_TESTS_NET_HTTP_SERVER_FIXTURE_H
#define MOONLET_TESTS_NET_HTTP_SERVER_FIXTURE_H

/* A server with routes that echo, hold, drop and stream; for the tests of
 * http_server. */

#include "net/http_server.h"

#include "net/routes.h"

#include "fixture.h"

#define BODY_MAX 100000

struct world {
    struct fixture f;
    struct routes *routes;
    struct http_server *server;
    int port;
    struct exchange *held[8];
    int held_count;
    int gone;
    int runs;
    struct received in;
};

static struct world *w;

static inline void on_gone(struct exchange *x, void *arg)
{
    assert_ptr_equal(x, arg);
    w->gone++;
}

/* Answers with what it was asked. */
static inline void echo(struct exchange *x, void *arg)
{
    struct buf out = {0};
    size_t len;
    const char *body = exchange_body(x, &len);
    const char *header = exchange_header(x, "x-test");
    (void)arg;
    w->runs++;
    buf_printf(&out, "%s %s?%s %s %s ", exchange_method(x), exchange_path(x),
               exchange_query(x), header ? header : "-",
               exchange_peer_is_loopback(x) ? "loopback" : "far");
    buf_append(&out, body, len);
    exchange_add_header(x, "X-Answer", "yes");
    exchange_reply(x, 200, "text/plain", out.data, out.len);
    buf_free(&out);
}

static inline void hold(struct exchange *x, void *arg)
{
    (void)arg;
    w->held[w->held_count++] = x;
    exchange_on_gone(x, on_gone, x);
}

static inline void hold_blindly(struct exchange *x, void *arg)
{
    hold(x, arg);
    exchange_on_gone(x, NULL, NULL);
}

static inline void drop(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_drop(x);
}

static inline void stream(struct exchange *x, void *arg)
{
    hold(x, arg);
    exchange_stream_begin(x, 200, "text/event-stream");
}

static inline void serve(size_t connections_max, uint64_t idle_ms)
{
    struct http_server_options o = {.host = "127.0.0.1",
                                    .connections_max = connections_max,
                                    .body_max = BODY_MAX,
                                    .idle_ms = idle_ms};
    struct err e;
    w->server = http_server_new(w->f.loop, w->routes, &o, &e);
    assert_non_null(w->server);
    w->port = http_server_port(w->server);
    assert_true(w->port > 0);
}

static inline int open_world(void **state)
{
    (void)state;
    w = MEM_NEW(struct world);
    fixture_open(&w->f);
    w->routes = routes_new();
    routes_add(w->routes, NULL, "/echo/**", echo, NULL);
    routes_add(w->routes, "GET", "/hold", hold, NULL);
    routes_add(w->routes, "GET", "/blind", hold_blindly, NULL);
    routes_add(w->routes, "GET", "/drop", drop, NULL);
    routes_add(w->routes, "GET", "/stream", stream, NULL);
    serve(1200, 10000);
    return 0;
}

static inline void stop_serving(void)
{
    if (w->server)
        http_server_free(w->server);
    w->server = NULL;
}

static inline int close_world(void **state)
{
    (void)state;
    stop_serving();
    fixture_close(&w->f);
    routes_free(w->routes);
    free(w);
    return 0;
}

static inline int ask(const char *request)
{
    int fd = client_connect(w->port);
    client_send(fd, request);
    return fd;
}

#define HOLD "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
