#include "net/http_client.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything runs on a virtual clock: no socket, no waiting. */
struct world {
    struct clock clock;
    struct rng rng;
    struct loop *loop;
    struct routes *routes;
    struct http_client *client;
    struct exchange *held;
    int runs;
    int gone;
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

static void echo(struct exchange *x, void *arg)
{
    struct buf out = {0};
    size_t len;
    const char *body = exchange_body(x, &len);
    (void)arg;
    w->runs++;
    assert_true(exchange_peer_is_loopback(x));
    buf_printf(&out, "%s %s?%s %s ", exchange_method(x), exchange_path(x),
               exchange_query(x), exchange_header(x, "content-type"));
    buf_append(&out, body, len);
    if (exchange_header_begins(x, "x-se"))
        buf_puts(&out, exchange_header(x, "x-secret"));
    assert_null(exchange_header(x, "X-Other"));
    assert_false(exchange_header_begins(x, "Forwarded"));
    exchange_add_header(x, "Retry-After", "2.5");
    exchange_reply(x, 429, "text/plain", out.data, out.len);
    buf_free(&out);
}

static void on_gone(struct exchange *x, void *arg)
{
    assert_ptr_equal(arg, w);
    assert_ptr_equal(x, w->held);
    w->gone++;
}

static void hold(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    w->held = x;
    exchange_on_gone(x, on_gone, w);
}

static void hold_blindly(struct exchange *x, void *arg)
{
    hold(x, arg);
    exchange_on_gone(x, NULL, NULL);
}

static void drop(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_drop(x);
}

static void stream(struct exchange *x, void *arg)
{
    hold(x, arg);
    exchange_stream_begin(x, 200, "text/event-stream");
    assert_false(exchange_stream_write(x, "x", 1));
}

static void stream_and_end(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_stream_begin(x, 200, "text/event-stream");
    exchange_stream_end(x);
}

static void big(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_reply(x, 200, NULL, "12345", 5);
}

static int open_world(void **state)
{
    (void)state;
    w = MEM_NEW(struct world);
    clock_init_virtual(&w->clock, 1700000000000);
    rng_seed(&w->rng, 1);
    w->loop = loop_new(&w->clock, NULL, &w->rng);
    w->routes = routes_new();
    routes_add(w->routes, NULL, "/bot1:A/*", echo, NULL);
    routes_add(w->routes, NULL, "/hold", hold, NULL);
    routes_add(w->routes, NULL, "/blind", hold_blindly, NULL);
    routes_add(w->routes, NULL, "/drop", drop, NULL);
    routes_add(w->routes, NULL, "/stream", stream, NULL);
    routes_add(w->routes, NULL, "/ended", stream_and_end, NULL);
    routes_add(w->routes, NULL, "/big", big, NULL);
    w->client = http_client_new_direct(w->loop, w->routes);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    http_client_free(w->client);
    assert_int_equal(loop_free(w->loop), 0);
    routes_free(w->routes);
    free(w);
    return 0;
}

static void start(struct ask *a, const char *url)
{
    memset(a, 0, sizeof(*a));
    a->call = (struct http_call){.method = "POST",
                                 .url = url,
                                 .content_type = "text/x",
                                 .body = "body",
                                 .body_len = 4,
                                 .response_max = 1000,
                                 .timeout_ms = 30000,
                                 .done = on_done};
    http_start(w->client, &a->call);
    assert_int_equal(a->ends, 0);
}

static void run(struct ask *a, const char *url)
{
    start(a, url);
    loop_run(w->loop);
    assert_int_equal(a->ends, 1);
}

static void call_becomes_an_exchange(void **state)
{
    (void)state;
    struct ask a;
    run(&a, "https://api.example/bot1:A/send%4d?x=1");
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 429);
    assert_true(a.call.response.retry_after == 2.5);
    assert_string_equal(a.call.response.body.data,
                        "POST /bot1:A/sendM?x=1 text/x body");
    http_call_free(&a.call);
}

static void own_headers_are_those_of_the_exchange(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"X-First", "1"},
                                                 {"X-Secret", "a-B_9"}};
    struct ask a;
    start(&a, "http://h/bot1:A/m");
    a.call.headers = headers;
    a.call.headers_count = 2;
    loop_run(w->loop);
    assert_string_equal(a.call.response.body.data,
                        "POST /bot1:A/m? text/x bodya-B_9");
    assert_string_equal(a.call.response.content_type, "text/plain");
    http_call_free(&a.call);
}

static void unknown_path_is_a_404(void **state)
{
    (void)state;
    struct ask a;
    run(&a, "http://h/nowhere");
    assert_int_equal(a.call.response.status, 404);
    http_call_free(&a.call);
}

/* The handler does not run within http_start, nor done within the handler. */
static void each_step_has_a_turn_of_its_own(void **state)
{
    (void)state;
    struct ask a;
    start(&a, "http://h/bot1:A/m");
    assert_int_equal(w->runs, 0);
    loop_turn(w->loop);
    assert_int_equal(w->runs, 1);
    assert_int_equal(a.ends, 0);
    loop_turn(w->loop);
    assert_int_equal(a.ends, 1);
    http_call_free(&a.call);
}

static void held_exchange_is_answered_later(void **state)
{
    (void)state;
    struct ask a;
    start(&a, "http://h/hold");
    loop_turn(w->loop);
    assert_non_null(w->held);
    loop_turn(w->loop);
    assert_int_equal(a.ends, 0);
    exchange_reply(w->held, 200, NULL, "later", 5);
    assert_int_equal(a.ends, 0);
    loop_run(w->loop);
    assert_int_equal(a.ends, 1);
    assert_string_equal(a.call.response.body.data, "later");
    assert_int_equal(w->gone, 0);
    http_call_free(&a.call);
}

static void dropped_exchange_is_unknown(void **state)
{
    (void)state;
    struct ask a;
    run(&a, "http://user:pw@h:80/drop");
    assert_int_equal(a.err.code, ERR_UNKNOWN);
    assert_string_equal(a.err.message,
                        "h:80: connection closed without an answer");
}

static void silence_times_out_on_the_virtual_clock(void **state)
{
    (void)state;
    struct ask a;
    uint64_t before = loop_now_ms(w->loop);
    run(&a, "http://h/hold");
    assert_int_equal(loop_now_ms(w->loop) - before, 30000);
    assert_int_equal(a.err.code, ERR_UNKNOWN);
    assert_string_equal(a.err.message, "h: timed out after 30 s");
    assert_int_equal(w->gone, 1);
}

static void cancel_in_every_phase(void **state)
{
    (void)state;
    struct ask a;
    start(&a, "http://h/hold");
    http_cancel(w->client, &a.call); /* not run yet */
    loop_run(w->loop);
    assert_int_equal(w->runs, 0);

    start(&a, "http://h/hold");
    loop_turn(w->loop);
    http_cancel(w->client, &a.call); /* the handler has it */
    assert_int_equal(w->gone, 1);

    start(&a, "http://h/bot1:A/m");
    loop_turn(w->loop);
    assert_int_equal(w->runs, 2);
    http_cancel(w->client, &a.call); /* answered, not told */
    loop_run(w->loop);
    assert_int_equal(w->gone, 1);

    run(&a, "http://h/big");
    http_cancel(w->client, &a.call); /* ended */
    assert_int_equal(a.ends, 1);
    http_call_free(&a.call);
}

static void blind_handler_answers_into_the_void(void **state)
{
    (void)state;
    struct ask a;
    start(&a, "http://h/blind");
    loop_turn(w->loop);
    http_cancel(w->client, &a.call);
    assert_null(exchange_header(w->held, "Content-Type"));
    assert_string_equal(exchange_path(w->held), "/blind");
    exchange_reply(w->held, 200, NULL, "x", 1);
    loop_run(w->loop);
    assert_int_equal(a.ends, 0);
}

static void long_answers_end_the_call(void **state)
{
    (void)state;
    struct ask a;
    start(&a, "http://h/big");
    a.call.response_max = 4;
    loop_run(w->loop);
    assert_int_equal(a.err.code, ERR_LIMIT);
    assert_string_equal(a.err.message, "h: the answer is over 4 bytes");
    assert_null(a.call.response.body.data);
}

static void streams_are_refused(void **state)
{
    (void)state;
    struct ask a;
    run(&a, "http://h/stream");
    assert_int_equal(a.call.response.status, 501);
    assert_int_equal(w->gone, 1);
    http_call_free(&a.call);
    run(&a, "http://h/ended");
    assert_int_equal(a.call.response.status, 501);
    http_call_free(&a.call);
}

static void nobody_there_is_a_refused_connection(void **state)
{
    (void)state;
    struct ask a;
    http_direct_connect(w->client, NULL);
    run(&a, "http://h/big");
    assert_int_equal(a.err.code, ERR_NOT_SENT);
    assert_string_equal(a.err.message, "h: connection refused");
    http_direct_connect(w->client, w->routes);
    run(&a, "http://h/big");
    assert_int_equal(a.call.response.status, 200);
    http_call_free(&a.call);
}

#define TRAVELLERS 20

/* How long each call of a seed is under way, in both directions, in ms. */
static void travel(uint64_t seed, uint64_t took[TRAVELLERS])
{
    rng_seed(&w->rng, seed);
    http_direct_travel(w->client, 50);
    for (int i = 0; i < TRAVELLERS; i++) {
        struct ask a;
        uint64_t began = loop_now_ms(w->loop);
        run(&a, "http://h/big");
        took[i] = loop_now_ms(w->loop) - began;
        assert_in_range(took[i], 0, 100);
        http_call_free(&a.call);
    }
}

static void ways_take_times_that_the_seed_gives(void **state)
{
    (void)state;
    uint64_t first[TRAVELLERS], again[TRAVELLERS], other[TRAVELLERS];
    travel(7, first);
    travel(7, again);
    travel(8, other);
    assert_memory_equal(first, again, sizeof(first));
    assert_memory_not_equal(first, other, sizeof(first));
}

static void cancel_under_way(void **state)
{
    (void)state;
    http_direct_travel(w->client, 50);
    for (uint64_t ms = 0; ms < 100; ms += 5) {
        struct ask a;
        start(&a, "http://h/big");
        uint64_t until = clock_ns(&w->clock) + ms * 1000000;
        while (a.ends == 0 && loop_step(w->loop, until))
            ;
        http_cancel(w->client, &a.call);
        int ends = a.ends;
        loop_run(w->loop);
        assert_int_equal(a.ends, ends);
        http_call_free(&a.call);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(call_becomes_an_exchange),
        TEST(own_headers_are_those_of_the_exchange),
        TEST(unknown_path_is_a_404),
        TEST(each_step_has_a_turn_of_its_own),
        TEST(held_exchange_is_answered_later),
        TEST(dropped_exchange_is_unknown),
        TEST(silence_times_out_on_the_virtual_clock),
        TEST(cancel_in_every_phase),
        TEST(blind_handler_answers_into_the_void),
        TEST(long_answers_end_the_call),
        TEST(streams_are_refused),
        TEST(nobody_there_is_a_refused_connection),
        TEST(ways_take_times_that_the_seed_gives),
        TEST(cancel_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
