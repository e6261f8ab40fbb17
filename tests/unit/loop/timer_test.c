#include "fixture.h"

#include "base/mem.h"
#include "loop/timer.h"

#include <stdlib.h>

#define NAMES_MAX 32

/* Writes its name down when it fires, then does what `then` says. */
struct probe {
    struct timer timer;
    struct trace *trace;
    char name;
    void (*then)(struct probe *p);
    struct probe *other;
    int again;
};

struct trace {
    char names[NAMES_MAX];
    size_t count;
};

static void on_fire(struct timer *t)
{
    struct probe *p = LIST_ENTRY(t, struct probe, timer);
    assert_false(timer_active(t));
    assert_true(p->trace->count < NAMES_MAX - 1);
    p->trace->names[p->trace->count++] = p->name;
    if (p->then)
        p->then(p);
}

static void probe_init(struct probe *p, struct world *w, struct trace *trace,
                       char name)
{
    *p = (struct probe){.trace = trace, .name = name};
    timer_init(&p->timer, w->loop, on_fire);
}

static void timers_fire_by_deadline_and_then_by_start(void **state)
{
    struct world w;
    struct trace trace = {0};
    struct probe p[5];
    const uint64_t ms[] = {30, 10, 20, 10, 0};
    (void)state;

    world_open(&w, true);
    for (int i = 0; i < 5; i++) {
        probe_init(&p[i], &w, &trace, (char)('a' + i));
        timer_start(&p[i].timer, ms[i]);
    }
    loop_run(w.loop);
    assert_string_equal(trace.names, "ebdca");
    assert_int_equal(loop_now_ms(w.loop), 30);
    world_close(&w);
}

static void a_start_anew_moves_the_deadline_and_the_order(void **state)
{
    struct world w;
    struct trace trace = {0};
    struct probe a, b;
    (void)state;

    world_open(&w, true);
    probe_init(&a, &w, &trace, 'a');
    probe_init(&b, &w, &trace, 'b');
    timer_start(&a.timer, 10);
    timer_start(&b.timer, 10);
    timer_start(&a.timer, 10);
    loop_run(w.loop);
    assert_string_equal(trace.names, "ba");
    world_close(&w);
}

static void restart_self(struct probe *p)
{
    if (p->again-- > 0)
        timer_start(&p->timer, 0);
}

static void zero_ms_is_the_next_turn_never_the_same_call(void **state)
{
    (void)state;
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        struct world w;
        struct trace trace = {0};
        struct probe p;

        world_open(&w, is_virtual);
        probe_init(&p, &w, &trace, 'a');
        p.then = restart_self;
        p.again = 2;
        timer_start(&p.timer, 0);
        assert_string_equal(trace.names, "");
        loop_turn(w.loop);
        assert_string_equal(trace.names, "a");
        loop_turn(w.loop);
        assert_string_equal(trace.names, "aa");
        loop_turn(w.loop);
        assert_string_equal(trace.names, "aaa");
        assert_false(timer_active(&p.timer));
        world_close(&w);
    }
}

static void stop_other(struct probe *p)
{
    timer_stop(&p->other->timer);
}

static void start_other(struct probe *p)
{
    timer_start(&p->other->timer, 5);
}

/* a, b and c are due in one batch; what a does to b decides. */
static void run_batch(void (*then)(struct probe *p), const char *expected)
{
    struct world w;
    struct trace trace = {0};
    struct probe a, b, c;

    world_open(&w, true);
    probe_init(&a, &w, &trace, 'a');
    probe_init(&b, &w, &trace, 'b');
    probe_init(&c, &w, &trace, 'c');
    a.then = then;
    a.other = &b;
    timer_start(&a.timer, 1);
    timer_start(&b.timer, 2);
    timer_start(&c.timer, 3);
    clock_advance_to(&w.clock, 3000000);
    loop_turn(w.loop);
    loop_run(w.loop);
    assert_string_equal(trace.names, expected);
    world_close(&w);
}

static void a_callback_may_stop_or_restart_one_of_its_batch(void **state)
{
    (void)state;
    run_batch(NULL, "abc");
    run_batch(stop_other, "ac");
    run_batch(start_other, "acb");
}

static void stop_is_harmless_twice_and_before_a_start(void **state)
{
    struct world w;
    struct trace trace = {0};
    struct probe p;
    (void)state;

    world_open(&w, true);
    probe_init(&p, &w, &trace, 'a');
    timer_stop(&p.timer);
    timer_start(&p.timer, 1);
    assert_true(timer_active(&p.timer));
    timer_stop(&p.timer);
    timer_stop(&p.timer);
    assert_false(timer_active(&p.timer));
    loop_run(w.loop);
    assert_string_equal(trace.names, "");
    assert_int_equal(loop_now_ms(w.loop), 0);
    world_close(&w);
}

static void an_endless_delay_does_not_wrap_round(void **state)
{
    struct world w;
    struct trace trace = {0};
    struct probe never, soon;
    (void)state;

    world_open(&w, false);
    probe_init(&never, &w, &trace, 'n');
    probe_init(&soon, &w, &trace, 's');
    never.other = &soon;
    soon.other = &never;
    soon.then = stop_other;
    timer_start(&never.timer, UINT64_MAX);
    timer_start(&soon.timer, 1);
    loop_run(w.loop);
    assert_string_equal(trace.names, "s");
    world_close(&w);
}

struct crowd {
    struct loop *loop;
    uint64_t last_ns, last_order;
    int fired;
};

struct member {
    struct timer timer;
    struct crowd *crowd;
    bool stopped;
};

static void on_member(struct timer *t)
{
    struct member *m = LIST_ENTRY(t, struct member, timer);
    struct crowd *c = m->crowd;
    bool later = t->deadline_ns > c->last_ns ||
                 (t->deadline_ns == c->last_ns && t->order > c->last_order);

    assert_false(m->stopped);
    assert_true(c->fired == 0 || later);
    assert_int_equal(t->deadline_ns, clock_ns(loop_clock(c->loop)));
    c->last_ns = t->deadline_ns;
    c->last_order = t->order;
    c->fired++;
}

static void a_hundred_thousand_timers_keep_their_order(void **state)
{
    enum { MEMBERS = 100000 };
    struct world w;
    struct crowd crowd = {0};
    struct member *m = mem_zero(MEMBERS, sizeof(*m));
    int stopped = 0;
    (void)state;

    world_open(&w, true);
    crowd.loop = w.loop;
    for (int i = 0; i < MEMBERS; i++) {
        m[i].crowd = &crowd;
        timer_init(&m[i].timer, w.loop, on_member);
        timer_start(&m[i].timer, rng_below(&w.rng, 5000));
    }
    for (int i = 0; i < MEMBERS; i += 3) {
        struct member *one = &m[rng_below(&w.rng, MEMBERS)];
        stopped += timer_active(&one->timer);
        one->stopped = true;
        timer_stop(&one->timer);
    }
    loop_run(w.loop);
    assert_true(stopped > MEMBERS / 5);
    assert_int_equal(crowd.fired, MEMBERS - stopped);
    world_close(&w);
    free(m);
}

static void on_due(struct timer *t)
{
    struct crowd *c = LIST_ENTRY(t, struct member, timer)->crowd;
    assert_true(clock_ns(loop_clock(c->loop)) >= t->deadline_ns);
    c->fired++;
}

static void on_the_real_clock_no_timer_is_early(void **state)
{
    struct world w;
    struct crowd crowd = {0};
    struct member m[8];
    (void)state;

    world_open(&w, false);
    crowd.loop = w.loop;
    for (unsigned i = 0; i < 8; i++) {
        m[i].crowd = &crowd;
        timer_init(&m[i].timer, w.loop, on_due);
        timer_start(&m[i].timer, i * 3);
    }
    loop_run(w.loop);
    assert_int_equal(crowd.fired, 8);
    assert_false(uv_loop_alive(loop_uv(w.loop)));
    world_close(&w);
}

struct late_start {
    uv_prepare_t prepare;
    struct timer timer;
    int fired;
};

static void start_in_prepare(uv_prepare_t *prepare)
{
    struct late_start *l = LIST_ENTRY(prepare, struct late_start, prepare);
    uv_prepare_stop(prepare);
    timer_start(&l->timer, 0);
}

static void on_late(struct timer *t)
{
    struct late_start *l = LIST_ENTRY(t, struct late_start, timer);
    l->fired++;
    loop_stop(t->loop);
}

static void never(uv_async_t *async)
{
    (void)async;
}

static void a_start_right_before_the_wait_shortens_it(void **state)
{
    struct world w;
    struct late_start l = {0};
    uv_async_t endless;
    (void)state;

    world_open(&w, false);
    uv_async_init(loop_uv(w.loop), &endless, never);
    uv_prepare_init(loop_uv(w.loop), &l.prepare);
    uv_prepare_start(&l.prepare, start_in_prepare);
    timer_init(&l.timer, w.loop, on_late);
    loop_run(w.loop);
    assert_int_equal(l.fired, 1);
    uv_close((uv_handle_t *)&l.prepare, NULL);
    uv_close((uv_handle_t *)&endless, NULL);
    world_close(&w);
}

struct mixed {
    struct deferred deferred;
    struct timer timer;
    uint64_t deferred_ns, timer_ns;
};

static void on_mixed_deferred(struct deferred *d)
{
    struct mixed *m = LIST_ENTRY(d, struct mixed, deferred);
    m->deferred_ns = clock_ns(loop_clock(m->timer.loop));
}

static void on_mixed_timer(struct timer *t)
{
    struct mixed *m = LIST_ENTRY(t, struct mixed, timer);
    m->timer_ns = clock_ns(loop_clock(t->loop));
}

static void the_virtual_clock_stands_still_while_work_is_deferred(void **state)
{
    struct world w;
    struct mixed m = {0};
    (void)state;

    world_open(&w, true);
    timer_init(&m.timer, w.loop, on_mixed_timer);
    deferred_init(&m.deferred, on_mixed_deferred);
    m.deferred_ns = 1;
    timer_start(&m.timer, 86400000);
    loop_defer(w.loop, &m.deferred);
    loop_run(w.loop);
    assert_int_equal(m.deferred_ns, 0);
    assert_int_equal(m.timer_ns, 86400000ull * 1000000);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_by_deadline_and_then_by_start),
        cmocka_unit_test(a_start_anew_moves_the_deadline_and_the_order),
        cmocka_unit_test(zero_ms_is_the_next_turn_never_the_same_call),
        cmocka_unit_test(a_callback_may_stop_or_restart_one_of_its_batch),
        cmocka_unit_test(stop_is_harmless_twice_and_before_a_start),
        cmocka_unit_test(an_endless_delay_does_not_wrap_round),
        cmocka_unit_test(a_hundred_thousand_timers_keep_their_order),
        cmocka_unit_test(on_the_real_clock_no_timer_is_early),
        cmocka_unit_test(a_start_right_before_the_wait_shortens_it),
        cmocka_unit_test(the_virtual_clock_stands_still_while_work_is_deferred),
    };
    return FIXTURE_RUN(tests);
}
