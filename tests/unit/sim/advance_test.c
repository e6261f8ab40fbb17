/* The clock is put forward by a request. The loop runs as in the programs, so
 * that the clock goes as far as it may and stands still then. */
#include "fixture.h"

#include "loop/timer.h"
#include "net/routes.h"

#define MS UINT64_C(1000000)

static struct answer *forward(struct fixture *f, const char *seconds)
{
    char body[64];
    snprintf(body, sizeof(body), "{\"advance\":%s}", seconds);
    return post(f, "/sim/clock", body);
}

struct watcher {
    uv_timer_t timer;
    struct loop *loop;
    bool (*over)(void *arg);
    void *arg;
};

static void look(uv_timer_t *timer)
{
    struct watcher *w = timer->data;
    if (w->over(w->arg))
        loop_stop(w->loop);
}

static void run_until(struct fixture *f, bool (*over)(void *arg), void *arg)
{
    struct watcher w = {.loop = f->loop, .over = over, .arg = arg};
    uv_timer_init(loop_uv(f->loop), &w.timer);
    w.timer.data = &w;
    uv_timer_start(&w.timer, look, 1, 1);
    loop_run(f->loop);
    uv_close((uv_handle_t *)&w.timer, NULL);
    loop_turn(f->loop);
}

static bool is_answered(void *arg)
{
    const struct answer *a = arg;
    return a->status != 0;
}

static double now_of(struct fixture *f, struct answer *a)
{
    run_until(f, is_answered, a);
    return json_real_value(json_object_get(fine(a), "now")) - EPOCH_MS / 1000;
}

static int advance_setup(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    loop_jump(f->loop, 0);
    return 0;
}

#define ADVANCE_TEST(function)                                                 \
    cmocka_unit_test_setup_teardown(function, advance_setup, fixture_teardown)

static void the_clock_goes_so_far_and_no_further(void **state)
{
    struct fixture *f = *state;
    assert_true(now_of(f, forward(f, "0")) == 0);
    assert_true(now_of(f, forward(f, "86400")) == 86400);
    assert_true(now_of(f, forward(f, "0.25")) == 86400.25);
    assert_int_equal(clock_ns(&f->clock), 86400250 * MS);
}

struct tick {
    struct timer timer;
    struct fixture *f;
    struct buf *seen;
    uint64_t every_ms;
};

static void on_tick(struct timer *t)
{
    struct tick *k = LIST_ENTRY(t, struct tick, timer);
    buf_printf(k->seen, "%llu ",
               (unsigned long long)(clock_ns(&k->f->clock) / MS));
    timer_start(t, k->every_ms);
}

/* Also those that begin on the way, and those due at the very end. */
static void every_timer_on_the_way_fires_in_order(void **state)
{
    struct fixture *f = *state;
    struct buf seen = {0};
    struct tick a = {.f = f, .seen = &seen, .every_ms = 1000};
    struct tick b = {.f = f, .seen = &seen, .every_ms = 1500};
    timer_init(&a.timer, f->loop, on_tick);
    timer_init(&b.timer, f->loop, on_tick);
    timer_start(&a.timer, 1000);
    timer_start(&b.timer, 1500);
    struct answer *answer = forward(f, "3");
    now_of(f, answer);
    assert_string_equal(seen.data, "1000 1500 2000 3000 3000 ");
    timer_stop(&a.timer);
    timer_stop(&b.timer);
    buf_free(&seen);
}

static void what_waits_is_answered_before(void **state)
{
    struct fixture *f = *state;
    struct answer *poll = api(f, "getUpdates", "{\"timeout\":50}");
    struct answer *a = forward(f, "49");
    now_of(f, a);
    assert_int_equal(poll->status, 0);
    now_of(f, forward(f, "1"));
    assert_int_equal(json_array_size(result(poll)), 0);
}

static void requests_run_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    struct answer *first = forward(f, "10");
    struct answer *gone = forward(f, "100");
    struct answer *last = forward(f, "1");
    hang_up(gone);
    assert_true(now_of(f, last) == 111);
    assert_true(now_of(f, first) == 10);
}

static void there_are_not_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct answer *last = NULL;
    for (int i = 0; i < 64; i++)
        last = forward(f, "1");
    refused(forward(f, "1"), 400, "64 such requests wait already");
    assert_true(now_of(f, last) == 64);
}

static void other_bodies_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"{}", "advance: is required"},
        {"{\"advance\":-1}", "advance: must be a number"},
        {"{\"advance\":\"1h\"}", "advance: must be a number"},
        {"{\"advance\":31622401}", "advance: must be at most 31622400"},
        {"{\"advance\":1,\"to\":2}", "to: no such field"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(post(f, "/sim/clock", rows[i][0]), 400, rows[i][1]);
    assert_true(now_of(f, forward(f, "0")) == 0);
}

static void the_end_of_the_simulator_ends_them(void **state)
{
    struct fixture *f = *state;
    struct answer *a = forward(f, "10");
    struct answer *b = forward(f, "10");
    sim_free(f->sim);
    refused(a, 503, "the simulator ends");
    refused(b, 503, "the simulator ends");
    open_sim(f, NULL);
    assert_int_equal(clock_ns(&f->clock), 0);
}

static void hold(struct exchange *x, void *arg)
{
    *(struct exchange **)arg = x;
}

static bool is_held(void *arg)
{
    return *(struct exchange **)arg != NULL;
}

/* Peers in real time: the clock waits for the answer of a webhook. */
static void far_webhooks_are_waited_for(void **state)
{
    struct fixture *f = *state;
    struct exchange *x = NULL;
    const struct sim_options options = {
        .client = f->client, .client_is_far = true, .may_advance = true};
    sim_free(f->sim);
    f->sim = sim_new(f->loop, &options);
    routes_free(f->routes);
    f->routes = routes_new();
    sim_mount(f->sim, f->routes);
    routes_add(f->hooks, "POST", "/hook", hold, &x);
    fine(post(f, "/sim/users", FIXTURE_ANN));
    result(api(f, "setWebhook", "{\"url\":\"http://bot.example/hook\"}"));
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\"}"));
    struct answer *a = forward(f, "3600");
    run_until(f, is_held, &x);
    for (int i = 0; i < 20; i++)
        loop_turn(f->loop);
    assert_int_equal(clock_ns(&f->clock), 0);
    assert_int_equal(a->status, 0);
    exchange_reply(x, 200, NULL, "", 0);
    x = NULL;
    assert_true(now_of(f, a) == 3600);
    /* But not for one that says nothing. */
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\"}"));
    a = forward(f, "59");
    run_until(f, is_held, &x);
    assert_true(now_of(f, a) == 3659);
    exchange_reply(x, 200, NULL, "", 0);
    loop_turn(f->loop);
    loop_turn(f->loop);
    json_t *info = result(api(f, "getWebhookInfo", "{}"));
    assert_int_equal(int_at(info, "pending_update_count"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADVANCE_TEST(the_clock_goes_so_far_and_no_further),
        ADVANCE_TEST(every_timer_on_the_way_fires_in_order),
        ADVANCE_TEST(what_waits_is_answered_before),
        ADVANCE_TEST(requests_run_one_after_the_other),
        ADVANCE_TEST(there_are_not_many_at_once),
        ADVANCE_TEST(other_bodies_are_refused),
        ADVANCE_TEST(the_end_of_the_simulator_ends_them),
        ADVANCE_TEST(far_webhooks_are_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
