#include "fixture.h"

#include "loop/work.h"

#include <pthread.h>

struct sum {
    struct work work;
    pthread_t run_on, done_on;
    int runs, dones, again;
};

static void on_run(struct work *w)
{
    struct sum *s = LIST_ENTRY(w, struct sum, work);
    s->run_on = pthread_self();
    s->runs++;
}

static void on_done(struct work *w)
{
    struct sum *s = LIST_ENTRY(w, struct sum, work);
    s->done_on = pthread_self();
    s->dones++;
    assert_int_equal(s->runs, s->dones);
    if (s->again-- > 0)
        work_start(w, w->loop, on_run, on_done);
}

static void work_runs_on_the_pool_and_ends_on_the_loop(void **state)
{
    struct world w;
    struct sum s = {0};
    (void)state;

    world_open(&w, false);
    work_start(&s.work, w.loop, on_run, on_done);
    assert_int_equal(s.dones, 0);
    loop_run(w.loop);
    assert_int_equal(s.dones, 1);
    assert_false(pthread_equal(s.run_on, pthread_self()));
    assert_true(pthread_equal(s.done_on, pthread_self()));
    world_close(&w);
}

static void work_may_start_again_when_it_is_done(void **state)
{
    (void)state;
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        struct world w;
        struct sum s = {.again = 9};

        world_open(&w, is_virtual);
        work_start(&s.work, w.loop, on_run, on_done);
        loop_run(w.loop);
        assert_int_equal(s.dones, 10);
        world_close(&w);
    }
}

static void on_a_virtual_clock_it_runs_in_the_next_turn(void **state)
{
    struct world w;
    struct sum s = {0};
    (void)state;

    world_open(&w, true);
    work_start(&s.work, w.loop, on_run, on_done);
    assert_int_equal(s.runs, 0);
    loop_turn(w.loop);
    assert_int_equal(s.runs, 1);
    assert_int_equal(s.dones, 1);
    assert_true(pthread_equal(s.run_on, pthread_self()));
    world_close(&w);
}

static void on_a_virtual_clock_it_can_be_taken_back(void **state)
{
    (void)state;
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        struct world w;
        struct sum s = {0};

        world_open(&w, is_virtual);
        work_start(&s.work, w.loop, on_run, on_done);
        assert_int_equal(work_revoke(&s.work), is_virtual);
        loop_run(w.loop);
        assert_int_equal(s.runs, is_virtual ? 0 : 1);
        assert_int_equal(s.dones, is_virtual ? 0 : 1);
        world_close(&w);
    }
}

static void loop_free_waits_for_work(void **state)
{
    struct world w;
    struct sum s[8] = {0};
    (void)state;

    world_open(&w, false);
    for (int i = 0; i < 8; i++)
        work_start(&s[i].work, w.loop, on_run, on_done);
    world_close(&w);
    for (int i = 0; i < 8; i++)
        assert_int_equal(s[i].dones, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_runs_on_the_pool_and_ends_on_the_loop),
        cmocka_unit_test(work_may_start_again_when_it_is_done),
        cmocka_unit_test(on_a_virtual_clock_it_runs_in_the_next_turn),
        cmocka_unit_test(on_a_virtual_clock_it_can_be_taken_back),
        cmocka_unit_test(loop_free_waits_for_work),
    };
    return FIXTURE_RUN(tests);
}
