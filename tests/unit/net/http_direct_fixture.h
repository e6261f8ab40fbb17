#ifndef MOONLET_TESTS_NET_HTTP_DIRECT_FIXTURE_H
#define MOONLET_TESTS_NET_HTTP_DIRECT_FIXTURE_H

/* Direct calls with bodies that stream, on a virtual clock, and handlers that
 * take and give them. */

#include "net/http_client.h"

#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_bodies_fixture.h"

#define MB ((size_t)1 << 20)
#define BLOCK ((size_t)64 * 1024)

struct world {
    struct clock clock;
    struct rng rng;
    struct loop *loop;
    struct routes *routes;
    struct http_client *client;
    struct exchange *held;
    /* The handler that takes a body. */
    size_t taken;
    size_t take_max; /* of a piece */
    size_t stop_at;  /* takes no more from there on */
    size_t end_at;   /* ends the exchange there */
    bool resumes;    /* at once, from within */
    bool differs;
    bool takes_late; /* the test answers */
    int ends;
    int gone;
    int runs;
    FILE *file;
};

static struct world *w;

struct ask {
    struct http_call call;
    int ends;
    struct err err;
};

static inline void on_done(struct http_call *call, const struct err *e)
{
    struct ask *a = LIST_ENTRY(call, struct ask, call);
    assert_null(call->transport);
    a->ends++;
    a->err = *e;
}

static inline void on_gone(struct exchange *x, void *arg)
{
    assert_ptr_equal(x, w->held);
    (void)arg;
    w->gone++;
    w->held = NULL;
}

static inline size_t take(struct exchange *x, void *arg, const char *data,
                          size_t len)
{
    (void)arg;
    size_t n = len < w->take_max ? len : w->take_max;
    if (w->taken >= w->stop_at)
        return 0;
    w->differs = w->differs || !are_bytes(data, w->taken, n);
    w->taken += n;
    if (w->taken >= w->end_at) {
        w->held = NULL;
        exchange_fail(x, 413, "enough");
        return n;
    }
    if (w->resumes)
        exchange_resume(x);
    return n;
}

static inline void take_end(struct exchange *x, void *arg)
{
    (void)arg;
    w->ends++;
    exchange_resume(x); /* there is nothing to go on with */
    if (w->takes_late)
        return;
    w->held = NULL;
    exchange_reply(x, 200, "text/plain", "taken", 5);
}

static inline void take_body(struct exchange *x, void *arg)
{
    static const struct exchange_taker taker = {.take = take, .end = take_end};
    size_t len = 1;
    (void)arg;
    w->runs++;
    w->held = x;
    exchange_body(x, &len);
    assert_int_equal(len, 0);
    exchange_on_gone(x, on_gone, w);
    exchange_receive(x, &taker, w);
}

static inline void refuse(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_fail(x, 401, "no");
}

static inline void check_body(struct exchange *x, void *arg)
{
    size_t len;
    const char *body = exchange_body(x, &len);
    char text[40];
    (void)arg;
    w->runs++;
    assert_true(are_bytes(body, 0, len));
    assert_int_equal(exchange_body_length(x), len);
    snprintf(text, sizeof(text), "%zu", len);
    exchange_reply(x, 200, "text/plain", text, strlen(text));
}

/* 200,000 bytes from the third on. */
static inline void give_file(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_add_header(x, "ETag", "e");
    exchange_reply_file(x, 200, "x/y", dup(fileno(w->file)), 3, 200000);
}

static inline void give_too_much(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_reply_file(x, 200, "x/y", dup(fileno(w->file)), 3, MB);
}

static inline void stream(struct exchange *x, void *arg)
{
    (void)arg;
    w->held = x;
    exchange_on_gone(x, on_gone, w);
    exchange_stream_begin(x, 200, "text/event-stream");
}

static inline void redirect(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_add_header(x, "Location", "../end?of=way");
    exchange_reply(x, 307, NULL, "moved", 5);
}

static inline void redirect_for_ever(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_add_header(x, "location", "http://elsewhere/loop");
    exchange_reply(x, 302, NULL, NULL, 0);
}

static inline void end_of_way(struct exchange *x, void *arg)
{
    size_t len;
    const char *body = exchange_body(x, &len);
    struct buf out = {0};
    (void)arg;
    buf_printf(&out, "%s %s?%s %.*s %s", exchange_method(x), exchange_path(x),
               exchange_query(x), (int)len, body,
               exchange_header(x, "Cookie") ? "cookie" : "");
    exchange_reply(x, 200, NULL, out.data, out.len);
    buf_free(&out);
}

static inline int open_world(void **state)
{
    (void)state;
    w = MEM_NEW(struct world);
    clock_init_virtual(&w->clock, 1700000000000);
    rng_seed(&w->rng, 1);
    w->loop = loop_new(&w->clock, NULL, &w->rng);
    w->take_max = w->stop_at = w->end_at = SIZE_MAX;
    w->routes = routes_new();
    routes_add_streamed(w->routes, NULL, "/take", take_body, NULL);
    routes_add_streamed(w->routes, NULL, "/refuse", refuse, NULL);
    routes_add(w->routes, NULL, "/check", check_body, NULL);
    routes_add(w->routes, NULL, "/file", give_file, NULL);
    routes_add(w->routes, NULL, "/short", give_too_much, NULL);
    routes_add(w->routes, NULL, "/stream", stream, NULL);
    routes_add(w->routes, NULL, "/a/redirect", redirect, NULL);
    routes_add(w->routes, NULL, "/loop", redirect_for_ever, NULL);
    routes_add(w->routes, NULL, "/end", end_of_way, NULL);
    w->client = http_client_new_direct(w->loop, w->routes);
    w->file = tmpfile();
    char *bytes = mem_zero(1, 300003);
    fill_bytes(bytes + 3, 0, 300000);
    fwrite(bytes, 1, 300003, w->file);
    fflush(w->file);
    free(bytes);
    return 0;
}

static inline int close_world(void **state)
{
    (void)state;
    http_client_free(w->client);
    assert_int_equal(loop_free(w->loop), 0);
    routes_free(w->routes);
    fclose(w->file);
    free(w);
    return 0;
}

static inline void prepare(struct ask *a, const char *method, const char *url)
{
    memset(a, 0, sizeof(*a));
    a->call = (struct http_call){.method = method,
                                 .url = url,
                                 .response_max = MB,
                                 .timeout_ms = 30000,
                                 .done = on_done};
}

static inline void prepare_upload(struct ask *a, const char *url,
                                  struct giver *g, size_t len)
{
    prepare(a, "POST", url);
    a->call.content_type = "x/y";
    a->call.source = &g->source;
    a->call.body_len = len;
}

static inline void run(struct ask *a)
{
    http_start(w->client, &a->call);
    assert_int_equal(a->ends, 0);
    loop_run(w->loop);
    assert_int_equal(a->ends, 1);
}

static inline void assert_answer(struct ask *a, int status, const char *body)
{
    if (a->err.code)
        fail_msg("%s", a->err.message);
    assert_int_equal(a->call.response.status, status);
    assert_string_equal(a->call.response.body.data, body);
    http_call_free(&a->call);
}

static inline void assert_failed(struct ask *a, enum err_code code,
                                 const char *text)
{
    assert_int_equal(a->err.code, code);
    assert_string_equal(a->err.message, text);
    assert_null(a->call.response.body.data);
    http_call_free(&a->call);
}

static inline void turns(int n)
{
    for (int i = 0; i < n; i++)
        loop_turn(w->loop);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
