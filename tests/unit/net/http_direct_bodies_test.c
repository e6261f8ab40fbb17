/* Bodies that stream in direct calls, on a virtual clock. */
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

static void on_done(struct http_call *call, const struct err *e)
{
    struct ask *a = LIST_ENTRY(call, struct ask, call);
    assert_null(call->transport);
    a->ends++;
    a->err = *e;
}

static void on_gone(struct exchange *x, void *arg)
{
    assert_ptr_equal(x, w->held);
    (void)arg;
    w->gone++;
    w->held = NULL;
}

static size_t take(struct exchange *x, void *arg, const char *data, size_t len)
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

static void take_end(struct exchange *x, void *arg)
{
    (void)arg;
    w->ends++;
    exchange_resume(x); /* there is nothing to go on with */
    if (w->takes_late)
        return;
    w->held = NULL;
    exchange_reply(x, 200, "text/plain", "taken", 5);
}

static void take_body(struct exchange *x, void *arg)
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

static void refuse(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_fail(x, 401, "no");
}

static void check_body(struct exchange *x, void *arg)
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
static void give_file(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_add_header(x, "ETag", "e");
    exchange_reply_file(x, 200, "x/y", dup(fileno(w->file)), 3, 200000);
}

static void give_too_much(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_reply_file(x, 200, "x/y", dup(fileno(w->file)), 3, MB);
}

static void stream(struct exchange *x, void *arg)
{
    (void)arg;
    w->held = x;
    exchange_on_gone(x, on_gone, w);
    exchange_stream_begin(x, 200, "text/event-stream");
}

static void redirect(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_add_header(x, "Location", "../end?of=way");
    exchange_reply(x, 307, NULL, "moved", 5);
}

static void redirect_for_ever(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_add_header(x, "location", "http://elsewhere/loop");
    exchange_reply(x, 302, NULL, NULL, 0);
}

static void end_of_way(struct exchange *x, void *arg)
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

static int open_world(void **state)
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

static int close_world(void **state)
{
    (void)state;
    http_client_free(w->client);
    assert_int_equal(loop_free(w->loop), 0);
    routes_free(w->routes);
    fclose(w->file);
    free(w);
    return 0;
}

static void prepare(struct ask *a, const char *method, const char *url)
{
    memset(a, 0, sizeof(*a));
    a->call = (struct http_call){.method = method,
                                 .url = url,
                                 .response_max = MB,
                                 .timeout_ms = 30000,
                                 .done = on_done};
}

static void prepare_upload(struct ask *a, const char *url, struct giver *g,
                           size_t len)
{
    prepare(a, "POST", url);
    a->call.content_type = "x/y";
    a->call.source = &g->source;
    a->call.body_len = len;
}

static void run(struct ask *a)
{
    http_start(w->client, &a->call);
    assert_int_equal(a->ends, 0);
    loop_run(w->loop);
    assert_int_equal(a->ends, 1);
}

static void assert_answer(struct ask *a, int status, const char *body)
{
    if (a->err.code)
        fail_msg("%s", a->err.message);
    assert_int_equal(a->call.response.status, status);
    assert_string_equal(a->call.response.body.data, body);
    http_call_free(&a->call);
}

static void assert_failed(struct ask *a, enum err_code code, const char *text)
{
    assert_int_equal(a->err.code, code);
    assert_string_equal(a->err.message, text);
    assert_null(a->call.response.body.data);
    http_call_free(&a->call);
}

static void turns(int n)
{
    for (int i = 0; i < n; i++)
        loop_turn(w->loop);
}

static void streamed_route_takes_pieces(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    prepare_upload(&a, "http://h/take", &g, 100 * MB + 1);
    http_start(w->client, &a.call);
    while (!a.ends) {
        loop_turn(w->loop);
        assert_true(g.given - w->taken <= BLOCK);
    }
    assert_answer(&a, 200, "taken");
    assert_int_equal(w->taken, 100 * MB + 1);
    assert_false(w->differs);
    assert_int_equal(w->ends, 1);
    assert_int_equal(w->gone, 0);
}

static void partial_takes_go_on_when_resumed(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1021, 65535, 65537};
    for (size_t i = 0; i < 8; i++) {
        struct ask a;
        struct giver g = giver();
        size_t len = sizes[i / 2] * 5 + 3;
        w->taken = 0;
        w->take_max = sizes[i / 2];
        w->resumes = i % 2;
        g.step = 70001 / (i + 1);
        g.pauses = i % 2;
        prepare_upload(&a, "http://h/take", &g, len);
        http_start(w->client, &a.call);
        while (!a.ends) {
            loop_turn(w->loop);
            nudge(w->client, &a.call, &g, NULL);
            if (!w->resumes && w->held)
                exchange_resume(w->held);
        }
        assert_answer(&a, 200, "taken");
        assert_int_equal(w->taken, len);
        assert_false(w->differs);
    }
}

static void plain_and_empty_bodies_stream_too(void **state)
{
    (void)state;
    struct ask a;
    char *body = mem_zero(1, 200000);
    fill_bytes(body, 0, 200000);
    prepare(&a, "PUT", "http://h/take");
    a.call.body = body;
    a.call.body_len = 200000;
    run(&a);
    assert_answer(&a, 200, "taken");
    assert_int_equal(w->taken, 200000);
    assert_false(w->differs);
    prepare(&a, "POST", "http://h/take");
    run(&a);
    assert_answer(&a, 200, "taken");
    assert_int_equal(w->taken, 200000);
    assert_int_equal(w->ends, 2);
    free(body);
}

static void other_routes_get_it_whole(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    prepare_upload(&a, "http://h/check", &g, 16 * MB);
    run(&a);
    assert_answer(&a, 200, "16777216");
    g = giver();
    prepare_upload(&a, "http://h/check", &g, 16 * MB + 1);
    run(&a);
    assert_answer(&a, 413,
                  "{\"error\":\"the body is larger than 16777216 bytes\"}");
    assert_int_equal(g.asked, 0);
    assert_int_equal(w->runs, 1);
}

static void early_answers_end_the_upload(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    prepare_upload(&a, "http://h/refuse", &g, MB);
    run(&a);
    assert_answer(&a, 401, "{\"error\":\"no\"}");
    assert_int_equal(g.asked, 0);

    w->end_at = 100000;
    prepare_upload(&a, "http://h/take", &g, MB);
    run(&a);
    assert_answer(&a, 413, "{\"error\":\"enough\"}");
    assert_int_equal(g.given, 2 * BLOCK);

    /* The source waits when the answer comes, and may be resumed later. */
    g = giver();
    g.wait_at = 10;
    w->taken = 0;
    w->end_at = SIZE_MAX;
    prepare_upload(&a, "http://h/take", &g, MB);
    http_start(w->client, &a.call);
    turns(10);
    assert_true(g.waits);
    exchange_fail(w->held, 408, "slow");
    http_resume(w->client, &a.call);
    loop_run(w->loop);
    assert_answer(&a, 408, "{\"error\":\"slow\"}");
    assert_int_equal(w->gone, 0);
}

static void broken_source_takes_the_handler_along(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://h/take", "http://h/check"};
    for (size_t i = 0; i < 2; i++) {
        struct ask a;
        struct giver g = giver();
        g.break_at = 100000;
        prepare_upload(&a, urls[i], &g, MB);
        run(&a);
        assert_failed(&a, ERR_IO, "h: the body to be sent broke off");
    }
    assert_int_equal(w->gone, 1);
    assert_int_equal(w->ends, 0);
    assert_int_equal(w->runs, 1);
}

static void standing_still_ends_the_call(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    uint64_t before = loop_now_ms(w->loop);
    w->stop_at = BLOCK;
    prepare_upload(&a, "http://h/take", &g, MB);
    a.call.timeout_ms = 0;
    a.call.stall_ms = 5000;
    run(&a);
    assert_failed(&a, ERR_UNKNOWN, "h: no byte for 5 s");
    assert_int_equal(loop_now_ms(w->loop) - before, 5000);
    assert_int_equal(w->gone, 1);

    /* Its own source may take its time; the handler then may not. */
    w->stop_at = SIZE_MAX;
    w->takes_late = true;
    w->taken = 0;
    g = giver();
    g.wait_at = BLOCK;
    prepare_upload(&a, "http://h/take", &g, MB);
    a.call.timeout_ms = 0;
    a.call.stall_ms = 5000;
    http_start(w->client, &a.call);
    while (loop_step(w->loop, clock_ns(&w->clock) + 60000000000))
        ;
    assert_int_equal(a.ends, 0);
    g.wait_at = SIZE_MAX;
    before = loop_now_ms(w->loop);
    http_resume(w->client, &a.call);
    loop_run(w->loop);
    assert_int_equal(w->ends, 1);
    assert_int_equal(loop_now_ms(w->loop) - before, 5000);
    assert_failed(&a, ERR_UNKNOWN, "h: no byte for 5 s");
}

static void answers_go_into_sinks(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ask a;
        struct taker t = taker();
        t.pauses = i == 1;
        prepare(&a, i == 2 ? "HEAD" : "GET", "http://h/file");
        a.call.sink = &t.sink;
        a.call.response_max = 0;
        a.call.keep_head = true;
        http_start(w->client, &a.call);
        while (!a.ends) {
            loop_turn(w->loop);
            nudge(w->client, &a.call, NULL, &t);
        }
        assert_int_equal(a.err.code, 0);
        assert_int_equal(t.begins, 1);
        assert_int_equal(t.status, 200);
        assert_int_equal(t.length, 200000);
        assert_string_equal(t.type, "x/y");
        assert_int_equal(t.taken, i == 2 ? 0 : 200000);
        assert_false(t.differs);
        assert_int_equal(a.call.response.length, 200000);
        assert_string_equal(a.call.response.head.data,
                            "ETag: e\r\nContent-Type: x/y\r\n"
                            "Content-Length: 200000\r\n");
        assert_null(a.call.response.body.data);
        http_call_free(&a.call);
    }
}

static void files_can_be_bodies(void **state)
{
    (void)state;
    struct ask a;
    prepare(&a, "GET", "http://h/file");
    run(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.body.len, 200000);
    assert_true(are_bytes(a.call.response.body.data, 0, 200000));
    http_call_free(&a.call);
    prepare(&a, "GET", "http://h/file");
    a.call.response_max = 199999;
    run(&a);
    assert_failed(&a, ERR_LIMIT, "h: the answer is over 199999 bytes");
    prepare(&a, "GET", "http://h/short");
    run(&a);
    assert_answer(&a, 500, "{\"error\":\"the file is shorter than expected\"}");
}

/* The file loses its end after it was measured. */
static void cut_file_is_a_broken_answer(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    prepare(&a, "GET", "http://h/file");
    a.call.sink = &t.sink;
    t.pauses = true;
    http_start(w->client, &a.call);
    while (!t.waits)
        loop_turn(w->loop);
    assert_int_equal(ftruncate(fileno(w->file), 1000), 0);
    t.pauses = false;
    http_resume(w->client, &a.call);
    loop_run(w->loop);
    assert_failed(&a, ERR_UNKNOWN, "h: connection closed within the answer");
    assert_int_equal(t.taken, BLOCK);
}

static void sinks_may_refuse_and_break(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    t.refuses = true;
    prepare(&a, "GET", "http://h/file");
    a.call.sink = &t.sink;
    run(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 200);
    assert_null(a.call.response.body.data);
    assert_int_equal(t.taken, 0);
    http_call_free(&a.call);
    t = taker();
    t.break_at = BLOCK;
    prepare(&a, "GET", "http://h/file");
    a.call.sink = &t.sink;
    run(&a);
    assert_failed(&a, ERR_IO, "h: the answer could not be put away");
}

static void slow_sink_is_no_stall(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    t.wait_at = BLOCK;
    prepare(&a, "GET", "http://h/file");
    a.call.sink = &t.sink;
    a.call.timeout_ms = 0;
    a.call.stall_ms = 100;
    http_start(w->client, &a.call);
    while (loop_step(w->loop, clock_ns(&w->clock) + 60000000000))
        ;
    assert_int_equal(a.ends, 0);
    t.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    loop_run(w->loop);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 200000);
    http_call_free(&a.call);

    /* The whole call has its limit all the same. */
    t = taker();
    t.wait_at = BLOCK;
    prepare(&a, "GET", "http://h/file");
    a.call.sink = &t.sink;
    run(&a);
    assert_failed(&a, ERR_UNKNOWN, "h: timed out after 30 s");
}

static bool put(size_t place, size_t len)
{
    char *bytes = mem_zero(1, len);
    fill_bytes(bytes, place, len);
    bool fits = exchange_stream_write(w->held, bytes, len);
    free(bytes);
    return fits;
}

static void streams_go_into_sinks(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    prepare(&a, "GET", "http://h/stream");
    a.call.sink = &t.sink;
    http_start(w->client, &a.call);
    turns(5);
    assert_int_equal(t.begins, 1);
    assert_int_equal(t.length, -1);
    assert_true(put(0, 10));
    turns(5);
    assert_int_equal(t.taken, 10);
    t.wait_at = 10;
    assert_true(put(10, 200000));
    turns(5);
    assert_false(put(200010, 100000));
    t.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    turns(10);
    assert_int_equal(t.taken, 200010);
    assert_true(put(200010, 100000));
    exchange_stream_end(w->held);
    assert_int_equal(a.ends, 0);
    loop_run(w->loop);
    assert_int_equal(a.ends, 1);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 300010);
    assert_false(t.differs);
    assert_int_equal(w->gone, 0);
    http_call_free(&a.call);
}

static void streams_may_end_badly(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    prepare(&a, "GET", "http://h/stream");
    a.call.sink = &t.sink;
    http_start(w->client, &a.call);
    turns(5);
    assert_true(put(0, 10));
    exchange_drop(w->held);
    loop_run(w->loop);
    assert_failed(&a, ERR_UNKNOWN, "h: connection closed within the answer");
    assert_int_equal(t.taken, 10);

    t = taker();
    t.refuses = true;
    prepare(&a, "GET", "http://h/stream");
    a.call.sink = &t.sink;
    run(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(w->gone, 1);
    http_call_free(&a.call);

    t = taker();
    prepare(&a, "GET", "http://h/stream");
    a.call.sink = &t.sink;
    http_start(w->client, &a.call);
    turns(5);
    http_cancel(w->client, &a.call);
    assert_int_equal(w->gone, 2);
    loop_run(w->loop);
    assert_int_equal(a.ends, 0);
}

static void redirects_are_followed(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"Cookie", "c"}};
    struct ask a;
    prepare(&a, "POST", "http://h/a/redirect");
    a.call.content_type = "x/y";
    a.call.body = "body";
    a.call.body_len = 4;
    a.call.headers = headers;
    a.call.headers_count = 1;
    a.call.redirects_max = 1;
    a.call.keep_head = true;
    run(&a);
    assert_string_equal(a.call.response.head.data, "Content-Length: 28\r\n");
    assert_answer(&a, 200, "POST /end?of=way body cookie");
    prepare(&a, "POST", "http://h/a/redirect");
    run(&a);
    assert_answer(&a, 307, "moved");
    w->runs = 0;
    prepare(&a, "GET", "http://h/loop");
    a.call.redirects_max = 4;
    run(&a);
    assert_failed(&a, ERR_LIMIT, "h: over 4 redirects");
    assert_int_equal(w->runs, 5);
}

static void a_source_is_not_read_again(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    prepare_upload(&a, "http://h/a/redirect", &g, 1000);
    a.call.redirects_max = 4;
    run(&a);
    assert_answer(&a, 307, "moved");
    assert_int_equal(w->runs, 1);
}

/* Those who would have got the whole are gone meanwhile. */
static void routes_may_change_while_a_body_is_collected(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    struct routes *other = routes_new();
    g.wait_at = BLOCK;
    prepare_upload(&a, "http://h/check", &g, MB);
    http_start(w->client, &a.call);
    turns(10);
    assert_true(g.waits);
    http_direct_connect(w->client, other);
    g.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    loop_run(w->loop);
    assert_failed(&a, ERR_UNKNOWN, "h: connection closed without an answer");
    assert_int_equal(w->runs, 0);
    routes_free(other);
}

static void cancel_after_any_turn(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://h/take", "http://h/check",
                                       "http://h/file", "http://h/stream",
                                       "http://h/a/redirect"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        for (int n = 0; n < 20; n++) {
            struct ask a;
            struct giver g = giver();
            struct taker t = taker();
            w->taken = 0;
            g.pauses = t.pauses = n % 2;
            prepare_upload(&a, urls[i], &g, 3 * BLOCK);
            a.call.sink = &t.sink;
            a.call.redirects_max = 2;
            a.call.keep_head = true;
            http_start(w->client, &a.call);
            for (int k = 0; k < n && !a.ends; k++) {
                loop_turn(w->loop);
                nudge(w->client, &a.call, &g, &t);
            }
            http_cancel(w->client, &a.call);
            int ends = a.ends;
            loop_run(w->loop);
            assert_int_equal(a.ends, ends);
            http_call_free(&a.call);
        }
    }
}

/* On a real clock the pool has the file when the call is cancelled. */
static void cancel_while_the_pool_reads(void **state)
{
    (void)state;
    struct clock clock;
    clock_init_real(&clock);
    struct loop *loop = loop_new(&clock, NULL, &w->rng);
    struct http_client *c = http_client_new_direct(loop, w->routes);
    /* Two turns until the first of four blocks, one for each at least. */
    for (int n = 0; n < 6; n++) {
        struct ask a;
        prepare(&a, "GET", "http://h/file");
        http_start(c, &a.call);
        for (int k = 0; k < n; k++)
            loop_turn(loop);
        http_cancel(c, &a.call);
        assert_int_equal(a.ends, 0);
        http_call_free(&a.call);
    }
    struct ask a;
    prepare(&a, "GET", "http://h/file");
    http_start(c, &a.call);
    loop_run(loop);
    assert_int_equal(a.call.response.body.len, 200000);
    http_call_free(&a.call);
    http_client_free(c);
    assert_int_equal(loop_free(loop), 0);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(streamed_route_takes_pieces),
        TEST(partial_takes_go_on_when_resumed),
        TEST(plain_and_empty_bodies_stream_too),
        TEST(other_routes_get_it_whole),
        TEST(early_answers_end_the_upload),
        TEST(broken_source_takes_the_handler_along),
        TEST(standing_still_ends_the_call),
        TEST(answers_go_into_sinks),
        TEST(files_can_be_bodies),
        TEST(cut_file_is_a_broken_answer),
        TEST(sinks_may_refuse_and_break),
        TEST(slow_sink_is_no_stall),
        TEST(streams_go_into_sinks),
        TEST(streams_may_end_badly),
        TEST(redirects_are_followed),
        TEST(a_source_is_not_read_again),
        TEST(routes_may_change_while_a_body_is_collected),
        TEST(cancel_after_any_turn),
        TEST(cancel_while_the_pool_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
