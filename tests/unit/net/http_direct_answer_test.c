/* Answers on their way into sinks, in direct calls. */
#include "http_direct_fixture.h"

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

/* The head is still under way when the stream is written and ended. */
static void streams_travel_behind_their_heads(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    http_direct_travel(w->client, 5000);
    prepare(&a, "GET", "http://h/stream");
    a.call.sink = &t.sink;
    http_start(w->client, &a.call);
    while (!w->held)
        loop_step(w->loop, clock_ns(&w->clock) + 60000000000);
    assert_true(put(0, 10));
    turns(3);
    assert_int_equal(t.begins, 0);
    exchange_stream_end(w->held);
    loop_run(w->loop);
    assert_int_equal(a.ends, 1);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 10);
    assert_false(t.differs);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_go_into_sinks),
        TEST(files_can_be_bodies),
        TEST(cut_file_is_a_broken_answer),
        TEST(sinks_may_refuse_and_break),
        TEST(slow_sink_is_no_stall),
        TEST(streams_go_into_sinks),
        TEST(streams_travel_behind_their_heads),
        TEST(streams_may_end_badly),
        TEST(redirects_are_followed),
        TEST(cancel_while_the_pool_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
