#include "fixture.h"

#include "loop/timer.h"

struct counter {
    struct deferred deferred;
    struct loop *loop;
    struct deferred *other;
    int runs, again;
};

static void count(struct deferred *d)
{
    struct counter *c = LIST_ENTRY(d, struct counter, deferred);
    c->runs++;
    if (c->again-- > 0)
        loop_defer(c->loop, d);
}

static void counter_init(struct counter *c, struct loop *loop, int again)
{
    *c = (struct counter){.loop = loop, .again = again};
    deferred_init(&c->deferred, count);
}

static void deferred_work_runs_in_the_next_turn_and_once(void **state)
{
    struct world w;
    struct counter a, b;
    (void)state;

    world_open(&w, false);
    counter_init(&a, w.loop, 0);
    counter_init(&b, w.loop, 0);
    loop_defer(w.loop, &a.deferred);
    loop_defer(w.loop, &b.deferred);
    loop_defer(w.loop, &a.deferred);
    assert_int_equal(a.runs + b.runs, 0);
    loop_turn(w.loop);
    loop_turn(w.loop);
    assert_int_equal(a.runs, 1);
    assert_int_equal(b.runs, 1);
    world_close(&w);
}

static void work_queued_while_draining_waits_for_the_turn_after(void **state)
{
    struct world w;
    struct counter c;
    (void)state;

    world_open(&w, false);
    counter_init(&c, w.loop, 2);
    loop_defer(w.loop, &c.deferred);
    for (int turns = 1; turns <= 3; turns++) {
        loop_turn(w.loop);
        assert_int_equal(c.runs, turns);
    }
    world_close(&w);
}

static void undefer_other(struct deferred *d)
{
    struct counter *c = LIST_ENTRY(d, struct counter, deferred);
    c->runs++;
    loop_undefer(c->other);
}

static void undeferred_work_of_the_same_batch_does_not_run(void **state)
{
    struct world w;
    struct counter a, b;
    (void)state;

    world_open(&w, false);
    counter_init(&a, w.loop, 0);
    counter_init(&b, w.loop, 0);
    a.deferred.run = undefer_other;
    a.other = &b.deferred;
    loop_defer(w.loop, &a.deferred);
    loop_defer(w.loop, &b.deferred);
    loop_run(w.loop);
    assert_int_equal(a.runs, 1);
    assert_int_equal(b.runs, 0);
    world_close(&w);
}

static void an_empty_loop_returns_on_both_clocks(void **state)
{
    (void)state;
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        struct world w;
        world_open(&w, is_virtual);
        loop_run(w.loop);
        assert_false(uv_loop_alive(loop_uv(w.loop)));
        world_close(&w);
    }
}

static void a_stop_before_the_run_is_remembered_for_one_run(void **state)
{
    struct world w;
    struct counter c;
    (void)state;

    world_open(&w, false);
    counter_init(&c, w.loop, 0);
    loop_defer(w.loop, &c.deferred);
    loop_stop(w.loop);
    loop_run(w.loop);
    assert_int_equal(c.runs, 0);
    loop_run(w.loop);
    assert_int_equal(c.runs, 1);
    world_close(&w);
}

/* A handle that would keep libuv waiting for ever. */
static void no_signal(uv_async_t *async)
{
    (void)async;
}

struct blocker {
    uv_async_t async;
    uv_timer_t timer;
    uv_prepare_t prepare;
    struct loop *loop;
    struct deferred stop;
    int closed;
};

static void stop_loop(struct deferred *d)
{
    struct blocker *b = LIST_ENTRY(d, struct blocker, stop);
    loop_stop(b->loop);
}

static void blocker_open(struct blocker *b, struct loop *loop)
{
    *b = (struct blocker){.loop = loop};
    uv_async_init(loop_uv(loop), &b->async, no_signal);
    uv_timer_init(loop_uv(loop), &b->timer);
    uv_prepare_init(loop_uv(loop), &b->prepare);
    b->async.data = b->timer.data = b->prepare.data = b;
    deferred_init(&b->stop, stop_loop);
}

static void on_closed(uv_handle_t *handle)
{
    struct blocker *b = handle->data;
    b->closed++;
}

static void blocker_close(struct blocker *b)
{
    uv_close((uv_handle_t *)&b->async, on_closed);
    uv_close((uv_handle_t *)&b->timer, on_closed);
    uv_close((uv_handle_t *)&b->prepare, on_closed);
}

static void deferred_work_is_not_held_up_by_an_open_handle(void **state)
{
    struct world w;
    struct blocker b;
    struct counter c;
    (void)state;

    world_open(&w, false);
    blocker_open(&b, w.loop);
    counter_init(&c, w.loop, 3);
    loop_defer(w.loop, &c.deferred);
    while (c.runs < 4) {
        loop_defer(w.loop, &b.stop);
        loop_run(w.loop);
    }
    blocker_close(&b);
    world_close(&w);
    assert_int_equal(b.closed, 3);
}

static void defer_from_timer(uv_timer_t *timer)
{
    struct blocker *b = timer->data;
    loop_defer(b->loop, &b->stop);
}

static void a_due_uv_timer_that_defers_does_not_let_libuv_wait(void **state)
{
    struct world w;
    struct blocker b;
    (void)state;

    world_open(&w, false);
    blocker_open(&b, w.loop);
    uv_timer_start(&b.timer, defer_from_timer, 0, 0);
    loop_run(w.loop);
    assert_false(uv_is_active((uv_handle_t *)&b.timer));
    blocker_close(&b);
    world_close(&w);
}

static void stop_from_prepare(uv_prepare_t *prepare)
{
    struct blocker *b = prepare->data;
    uv_prepare_stop(prepare);
    loop_stop(b->loop);
}

static void a_stop_right_before_the_wait_ends_it(void **state)
{
    struct world w;
    struct blocker b;
    (void)state;

    world_open(&w, false);
    blocker_open(&b, w.loop);
    uv_prepare_start(&b.prepare, stop_from_prepare);
    loop_run(w.loop);
    assert_false(uv_is_active((uv_handle_t *)&b.prepare));
    blocker_close(&b);
    world_close(&w);
}

static void unref_handles_are_polled_while_work_repeats(void **state)
{
    struct world w;
    struct blocker b;
    (void)state;

    world_open(&w, false);
    blocker_open(&b, w.loop);
    uv_unref((uv_handle_t *)&b.async);
    uv_prepare_start(&b.prepare, stop_from_prepare);
    uv_unref((uv_handle_t *)&b.prepare);
    loop_turn(w.loop);
    assert_false(uv_is_active((uv_handle_t *)&b.prepare));
    blocker_close(&b);
    world_close(&w);
}

static void leftovers_are_named_and_counted(void **state)
{
    struct world w;
    struct blocker b;
    struct timer t;
    (void)state;

    world_open(&w, false);
    blocker_open(&b, w.loop);
    timer_init(&t, w.loop, NULL);
    timer_start(&t, 60000);
    assert_int_equal(loop_free(w.loop), 4);
    assert_int_equal(world_logged(&w, "loop.leftover"), 4);
    assert_int_equal(world_logged(&w, "type=async"), 1);
    assert_int_equal(world_logged(&w, "type=timer"), 1);
    assert_int_equal(world_logged(&w, "type=prepare"), 1);
    assert_int_equal(world_logged(&w, "struct timer"), 1);
    world_free(&w);
}

static void loop_free_runs_what_is_deferred_but_not_for_ever(void **state)
{
    struct world w;
    struct counter c;
    (void)state;

    world_open(&w, false);
    counter_init(&c, w.loop, 5);
    loop_defer(w.loop, &c.deferred);
    assert_int_equal(loop_free(w.loop), 0);
    assert_int_equal(c.runs, 6);
    world_free(&w);

    world_open(&w, false);
    counter_init(&c, w.loop, INT32_MAX);
    loop_defer(w.loop, &c.deferred);
    assert_int_equal(loop_free(w.loop), 1);
    assert_int_equal(world_logged(&w, "struct deferred"), 1);
    world_free(&w);
}

struct reader {
    uv_poll_t poll;
    struct loop *loop;
    struct timer timer;
    int fds[2];
    uint64_t read_at, fired_at;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct reader *r = poll->data;
    assert_int_equal(status, 0);
    assert_true(events & UV_READABLE);
    r->read_at = loop_now_ms(r->loop);
    uv_close((uv_handle_t *)poll, NULL);
}

static void on_fire(struct timer *t)
{
    struct reader *r = LIST_ENTRY(t, struct reader, timer);
    r->fired_at = loop_now_ms(r->loop);
}

static void reader_open(struct reader *r, struct loop *loop)
{
    *r = (struct reader){.loop = loop};
    assert_int_equal(pipe(r->fds), 0);
    uv_poll_init(loop_uv(loop), &r->poll, r->fds[0]);
    r->poll.data = r;
    uv_poll_start(&r->poll, UV_READABLE, on_readable);
    timer_init(&r->timer, loop, on_fire);
}

static void reader_close(struct reader *r)
{
    close(r->fds[0]);
    close(r->fds[1]);
}

static void a_ready_handle_goes_before_a_jump_of_the_clock(void **state)
{
    struct world w;
    struct reader r;
    uint64_t start;
    (void)state;

    world_open(&w, true);
    reader_open(&r, w.loop);
    start = loop_now_ms(w.loop);
    assert_int_equal(write(r.fds[1], "x", 1), 1);
    timer_start(&r.timer, 3600000);
    loop_run(w.loop);
    assert_int_equal(r.read_at, start);
    assert_int_equal(r.fired_at, start + 3600000);
    world_close(&w);
    reader_close(&r);
}

static void write_later(uv_work_t *work)
{
    struct reader *r = work->data;
    assert_int_equal(write(r->fds[1], "x", 1), 1);
}

static void on_written(uv_work_t *work, int status)
{
    (void)work;
    assert_int_equal(status, 0);
}

static void a_virtual_loop_without_timers_waits_for_handles(void **state)
{
    struct world w;
    struct reader r;
    uv_work_t work;
    (void)state;

    world_open(&w, true);
    reader_open(&r, w.loop);
    work.data = &r;
    uv_queue_work(loop_uv(w.loop), &work, write_later, on_written);
    r.read_at = UINT64_MAX;
    loop_run(w.loop);
    assert_int_equal(r.read_at, loop_now_ms(w.loop));
    world_close(&w);
    reader_close(&r);
}

struct alarm_clock {
    struct timer timer;
    int rings;
};

static void ring(struct timer *t)
{
    LIST_ENTRY(t, struct alarm_clock, timer)->rings++;
}

static void a_step_jumps_to_the_next_timer_and_no_further(void **state)
{
    const uint64_t second_ns = 1000000000;
    struct world w;
    struct alarm_clock a = {0};
    (void)state;

    world_open(&w, true);
    timer_init(&a.timer, w.loop, ring);
    timer_start(&a.timer, 5000);
    assert_false(loop_step(w.loop, 4 * second_ns));
    assert_int_equal(clock_ns(&w.clock), 4 * second_ns);
    assert_int_equal(a.rings, 0);
    assert_true(loop_step(w.loop, 60 * second_ns));
    assert_int_equal(clock_ns(&w.clock), 5 * second_ns);
    assert_int_equal(a.rings, 1);
    assert_false(loop_step(w.loop, 60 * second_ns));
    world_close(&w);
}

static void a_step_runs_deferred_work_before_it_jumps(void **state)
{
    struct world w;
    struct counter c;
    (void)state;

    world_open(&w, true);
    counter_init(&c, w.loop, 1);
    loop_defer(w.loop, &c.deferred);
    assert_true(loop_step(w.loop, 1000));
    assert_true(loop_step(w.loop, 1000));
    assert_int_equal(clock_ns(&w.clock), 0);
    assert_false(loop_step(w.loop, 1000));
    assert_int_equal(c.runs, 2);
    world_close(&w);
}

struct jumper {
    struct alarm_clock hour;
    struct timer unhold;
    struct loop *loop;
    uint64_t freed_ms;
};

static void let_go(struct timer *t)
{
    struct jumper *j = LIST_ENTRY(t, struct jumper, unhold);
    assert_int_equal(j->hour.rings, 0);
    j->freed_ms = loop_now_ms(j->loop);
    loop_unhold(j->loop);
}

/* The timer of an hour rings at once, but not while work is under way. */
static void a_real_clock_jumps_as_far_as_it_may(void **state)
{
    struct world w;
    struct jumper j = {0};
    (void)state;

    world_open(&w, false);
    j.loop = w.loop;
    timer_init(&j.hour.timer, w.loop, ring);
    timer_init(&j.unhold, w.loop, let_go);
    timer_start(&j.hour.timer, 3600000);
    timer_start(&j.unhold, 20);
    uint64_t began_ms = loop_now_ms(w.loop);
    loop_hold(w.loop);
    loop_jump(w.loop, clock_ns(&w.clock) + UINT64_C(7200000000000));
    loop_run(w.loop);
    assert_int_equal(j.hour.rings, 1);
    assert_in_range(j.freed_ms, began_ms + 20, began_ms + 3000000);
    assert_true(loop_now_ms(w.loop) >= began_ms + 3600000);
    world_close(&w);
}

struct arrival {
    struct deferred deferred;
    struct loop *loop;
    struct alarm_clock *alarms;
    int rings;
};

static void arrive(struct deferred *d)
{
    struct arrival *a = LIST_ENTRY(d, struct arrival, deferred);
    a->rings = a->alarms[0].rings + a->alarms[1].rings;
    loop_stop(a->loop);
}

static void ring_again(struct timer *t)
{
    ring(t);
    if (LIST_ENTRY(t, struct alarm_clock, timer)->rings == 1)
        timer_start(t, 0);
}

/* An open handle must not be waited for, before or behind the last timer. */
static void the_end_of_a_jump_is_told_when_all_is_done(void **state)
{
    struct world w;
    struct alarm_clock alarms[2] = {0};
    struct arrival a = {.alarms = alarms};
    uv_async_t open;
    (void)state;

    world_open(&w, true);
    a.loop = w.loop;
    uv_async_init(loop_uv(w.loop), &open, NULL);
    timer_init(&alarms[0].timer, w.loop, ring);
    timer_init(&alarms[1].timer, w.loop, ring_again);
    deferred_init(&a.deferred, arrive);
    timer_start(&alarms[0].timer, 500);
    timer_start(&alarms[1].timer, 1000);
    loop_jump_to(w.loop, 1000000000, &a.deferred);
    loop_run(w.loop);
    assert_int_equal(a.rings, 3);
    assert_int_equal(clock_ns(&w.clock), 1000000000);
    loop_jump_to(w.loop, 5000000000, &a.deferred);
    loop_run(w.loop);
    assert_int_equal(clock_ns(&w.clock), 5000000000);
    uv_close((uv_handle_t *)&open, NULL);
    world_close(&w);
}

static void parts_are_those_that_were_given(void **state)
{
    struct world w;
    (void)state;

    world_open(&w, true);
    assert_ptr_equal(loop_clock(w.loop), &w.clock);
    assert_ptr_equal(loop_log(w.loop), w.log);
    assert_ptr_equal(loop_rng(w.loop), &w.rng);
    clock_advance_to(&w.clock, 1234567890);
    assert_int_equal(loop_now_ms(w.loop), 1234);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deferred_work_runs_in_the_next_turn_and_once),
        cmocka_unit_test(work_queued_while_draining_waits_for_the_turn_after),
        cmocka_unit_test(undeferred_work_of_the_same_batch_does_not_run),
        cmocka_unit_test(an_empty_loop_returns_on_both_clocks),
        cmocka_unit_test(a_stop_before_the_run_is_remembered_for_one_run),
        cmocka_unit_test(deferred_work_is_not_held_up_by_an_open_handle),
        cmocka_unit_test(a_due_uv_timer_that_defers_does_not_let_libuv_wait),
        cmocka_unit_test(a_stop_right_before_the_wait_ends_it),
        cmocka_unit_test(unref_handles_are_polled_while_work_repeats),
        cmocka_unit_test(leftovers_are_named_and_counted),
        cmocka_unit_test(loop_free_runs_what_is_deferred_but_not_for_ever),
        cmocka_unit_test(a_ready_handle_goes_before_a_jump_of_the_clock),
        cmocka_unit_test(a_virtual_loop_without_timers_waits_for_handles),
        cmocka_unit_test(a_step_jumps_to_the_next_timer_and_no_further),
        cmocka_unit_test(a_step_runs_deferred_work_before_it_jumps),
        cmocka_unit_test(a_real_clock_jumps_as_far_as_it_may),
        cmocka_unit_test(the_end_of_a_jump_is_told_when_all_is_done),
        cmocka_unit_test(parts_are_those_that_were_given),
    };
    return FIXTURE_RUN(tests);
}
