/* Bodies on their way to handlers, in direct calls. */
#include "http_direct_fixture.h"

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
        TEST(a_source_is_not_read_again),
        TEST(routes_may_change_while_a_body_is_collected),
        TEST(cancel_after_any_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
