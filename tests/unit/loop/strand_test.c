#include "fixture.h"

#include "base/mem.h"
#include "loop/strand.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#define BATCHES_MAX 64
#define THREAD_NAME "moonlet-strand" /* the longest but one */

/* One strand under test. What `run` writes is read only after a completion
 * or after the thread was joined. */
struct rig {
    struct world world;
    struct strand *strand;
    size_t batches[BATCHES_MAX];
    size_t batch_count;
    int ran;
    pthread_t run_on;
    char name[32];
    sigset_t blocked;
    bool gated; /* run waits for `gate` and posts `entered` */
    sem_t entered, gate;
    int done, dropped;
    bool pushing;
};

struct task {
    struct strand_job job;
    struct rig *rig;
    int number, ran_as;
    void (*then)(struct task *t);
    struct task *next;
};

static void run(void *arg, struct list *batch)
{
    struct rig *r = arg;
    size_t n = 0;

    if (r->gated) {
        sem_post(&r->entered);
        sem_wait(&r->gate);
    }
    for (struct list *l = batch->next; l != batch; l = l->next, n++)
        LIST_ENTRY(l, struct task, job.link)->ran_as = ++r->ran;
    r->batches[r->batch_count++ % BATCHES_MAX] = n;
    r->run_on = pthread_self();
    pthread_getname_np(pthread_self(), r->name, sizeof(r->name));
    pthread_sigmask(SIG_BLOCK, NULL, &r->blocked);
}

static void rig_open(struct rig *r, bool is_virtual, size_t batch_max)
{
    memset(r, 0, sizeof(*r));
    world_open(&r->world, is_virtual);
    sem_init(&r->entered, 0, 0);
    sem_init(&r->gate, 0, 0);
    r->strand = strand_new(r->world.loop, THREAD_NAME, batch_max, run, r);
}

static void rig_close(struct rig *r)
{
    world_close(&r->world);
    sem_destroy(&r->entered);
    sem_destroy(&r->gate);
}

static void on_done(struct strand_job *job)
{
    struct task *t = LIST_ENTRY(job, struct task, job);
    struct rig *r = t->rig;

    assert_false(r->pushing);
    assert_int_equal(t->ran_as, t->number);
    assert_int_equal(++r->done, t->number);
    if (t->then)
        t->then(t);
}

static void drop(struct strand_job *job)
{
    struct task *t = LIST_ENTRY(job, struct task, job);
    assert_int_equal(t->rig->done + ++t->rig->dropped, t->number);
}

static void push(struct task *t, struct rig *r, int number)
{
    t->rig = r;
    t->number = number;
    t->job.done = on_done;
    r->pushing = true;
    strand_push(r->strand, &t->job);
    r->pushing = false;
}

static void push_all(struct task *t, int count, struct rig *r)
{
    for (int i = 0; i < count; i++)
        push(&t[i], r, i + 1);
}

/* Every claim that holds on both clocks is tested on both. */
static void both(void (*test)(bool is_virtual))
{
    test(false);
    test(true);
}

static void order(bool is_virtual)
{
    enum { TASKS = 5000 };
    struct rig r;
    struct task *t = mem_zero(TASKS, sizeof(*t));

    rig_open(&r, is_virtual, 16);
    push_all(t, TASKS, &r);
    assert_int_equal(strand_waiting(r.strand), TASKS);
    loop_run(r.world.loop);
    assert_int_equal(r.done, TASKS);
    assert_int_equal(strand_waiting(r.strand), 0);
    for (size_t i = 0; i < BATCHES_MAX; i++)
        assert_in_range(r.batches[i], 1, 16);
    strand_finish(r.strand);
    rig_close(&r);
    free(t);
}

static void jobs_run_and_end_in_order(void **state)
{
    (void)state;
    both(order);
}

/* Pushes the first and has it wait at the gate, in its thread. */
static void hold_first(struct rig *r, struct task *t)
{
    r->gated = true;
    push(t, r, 1);
    loop_turn(r->world.loop);
    sem_wait(&r->entered);
}

static void turns(bool is_virtual)
{
    const size_t expected[] = {3, 2};
    struct rig r;
    struct task t[5] = {0};

    rig_open(&r, is_virtual, 16);
    push_all(t, 3, &r);
    assert_int_equal(r.batch_count, 0);
    loop_run(r.world.loop);
    for (int i = 3; i < 5; i++)
        push(&t[i], &r, i + 1);
    loop_run(r.world.loop);
    assert_int_equal(r.batch_count, 2);
    assert_memory_equal(r.batches, expected, sizeof(expected));
    strand_finish(r.strand);
    rig_close(&r);
}

static void what_a_turn_pushes_is_one_batch(void **state)
{
    (void)state;
    both(turns);
}

static void what_gathers_during_a_batch_is_the_next(void **state)
{
    const size_t expected[] = {1, 4, 4, 2};
    struct rig r;
    struct task t[11] = {0};
    (void)state;

    rig_open(&r, false, 4);
    hold_first(&r, t);
    for (int i = 1; i < 11; i++)
        push(&t[i], &r, i + 1);
    loop_turn(r.world.loop);
    for (int i = 0; i < 4; i++)
        sem_post(&r.gate);
    loop_run(r.world.loop);
    assert_int_equal(r.batch_count, 4);
    assert_memory_equal(r.batches, expected, sizeof(expected));
    strand_finish(r.strand);
    rig_close(&r);
}

static void it_runs_on_a_named_thread_that_blocks_signals(void **state)
{
    struct rig r;
    struct task t = {0};
    sigset_t mine;
    (void)state;

    rig_open(&r, false, 1);
    push(&t, &r, 1);
    loop_run(r.world.loop);
    assert_false(pthread_equal(r.run_on, pthread_self()));
    assert_string_equal(r.name, THREAD_NAME);
    assert_int_equal(sigismember(&r.blocked, SIGTERM), 1);
    assert_int_equal(sigismember(&r.blocked, SIGPROF), 1);
    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    assert_int_equal(sigismember(&mine, SIGTERM), 0);
    strand_finish(r.strand);
    rig_close(&r);
}

static void on_a_virtual_clock_one_batch_runs_each_turn(void **state)
{
    struct rig r;
    struct task t[5] = {0};
    (void)state;

    rig_open(&r, true, 2);
    push_all(t, 5, &r);
    assert_int_equal(r.ran, 0);
    for (int turns = 1; turns <= 3; turns++) {
        loop_turn(r.world.loop);
        assert_int_equal(r.done, turns < 3 ? turns * 2 : 5);
    }
    assert_true(pthread_equal(r.run_on, pthread_self()));
    strand_finish(r.strand);
    rig_close(&r);
}

static void idle(bool is_virtual)
{
    struct rig r;
    struct task t = {0};

    rig_open(&r, is_virtual, 4);
    loop_run(r.world.loop);
    push(&t, &r, 1);
    loop_run(r.world.loop);
    assert_int_equal(r.done, 1);
    loop_run(r.world.loop);
    strand_finish(r.strand);
    rig_close(&r);
}

static void only_waiting_jobs_keep_the_loop_running(void **state)
{
    (void)state;
    both(idle);
}

static void push_next(struct task *t)
{
    push(t->next, t->rig, t->number + 1);
}

static void chain(struct task *t, int count)
{
    for (int i = 0; i + 1 < count; i++) {
        t[i].then = push_next;
        t[i].next = &t[i + 1];
    }
}

static void chained(bool is_virtual)
{
    struct rig r;
    struct task t[50] = {0};

    rig_open(&r, is_virtual, 4);
    chain(t, 50);
    push(&t[0], &r, 1);
    loop_run(r.world.loop);
    assert_int_equal(r.done, 50);
    strand_finish(r.strand);
    rig_close(&r);
}

static void a_completion_may_push(void **state)
{
    (void)state;
    both(chained);
}

static void finish(bool is_virtual)
{
    struct rig r;
    struct task t[100] = {0};

    rig_open(&r, is_virtual, 3);
    chain(t + 89, 11);
    push_all(t, 90, &r);
    strand_finish(r.strand);
    assert_int_equal(r.done, 100);
    rig_close(&r);
}

static void finish_delivers_all_within_the_call(void **state)
{
    (void)state;
    both(finish);
}

static void finish_from_done(struct task *t)
{
    strand_finish(t->rig->strand);
    assert_int_equal(t->rig->done, 20);
}

static void finish_inside(bool is_virtual)
{
    struct rig r;
    struct task t[20] = {0};

    rig_open(&r, is_virtual, 8);
    t[4].then = finish_from_done;
    push_all(t, 20, &r);
    loop_run(r.world.loop);
    assert_int_equal(r.done, 20);
    rig_close(&r);
}

static void a_completion_may_finish_its_strand(void **state)
{
    (void)state;
    both(finish_inside);
}

static void unused(bool is_virtual)
{
    struct rig r;

    rig_open(&r, is_virtual, 8);
    strand_finish(r.strand);
    rig_close(&r);
    rig_open(&r, is_virtual, 8);
    strand_kill(r.strand, drop);
    rig_close(&r);
    assert_int_equal(r.ran + r.dropped, 0);
}

static void an_unused_strand_ends_at_once(void **state)
{
    (void)state;
    both(unused);
}

/* The main thread (its id is the process's) runs until strand_kill, with the
 * queue taken, waits for the batch: it sleeps nowhere else in that test. */
static bool main_thread_sleeps(void)
{
    char path[64], state = '?';
    FILE *f;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
    f = fopen(path, "r");
    if (f == NULL)
        return false;
    if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    fclose(f);
    return state == 'S';
}

static void *open_gate(void *arg)
{
    struct rig *r = arg;
    while (!main_thread_sleeps())
        sched_yield();
    sem_post(&r->gate);
    return NULL;
}

static void kill_lets_a_running_batch_end_and_drops_all(void **state)
{
    struct rig r;
    struct task t[10] = {0};
    pthread_t opener;
    (void)state;

    rig_open(&r, false, 4);
    hold_first(&r, t);
    for (int i = 1; i < 5; i++)
        push(&t[i], &r, i + 1);
    loop_turn(r.world.loop);
    for (int i = 5; i < 10; i++)
        push(&t[i], &r, i + 1);
    pthread_create(&opener, NULL, open_gate, &r);
    strand_kill(r.strand, drop);
    pthread_join(opener, NULL);
    rig_close(&r);
    assert_int_equal(r.done, 0);
    assert_int_equal(r.dropped, 10);
    assert_int_equal(r.ran, 1);
}

static void kill_drops_finished_batches_too(void **state)
{
    struct rig r;
    struct task t = {0};
    (void)state;

    rig_open(&r, false, 4);
    hold_first(&r, &t);
    sem_post(&r.gate);
    strand_kill(r.strand, drop);
    loop_run(r.world.loop);
    rig_close(&r);
    assert_int_equal(r.ran, 1);
    assert_int_equal(r.done, 0);
    assert_int_equal(r.dropped, 1);
}

struct bystander {
    struct deferred deferred;
    int runs;
};

static void on_bystander(struct deferred *d)
{
    LIST_ENTRY(d, struct bystander, deferred)->runs++;
}

static void kill_virtual_runs_nothing(void **state)
{
    struct rig r;
    struct task t[5] = {0};
    struct bystander other = {0};
    (void)state;

    rig_open(&r, true, 4);
    push_all(t, 5, &r);
    deferred_init(&other.deferred, on_bystander);
    loop_defer(r.world.loop, &other.deferred);
    strand_kill(r.strand, drop);
    loop_run(r.world.loop);
    assert_int_equal(other.runs, 1);
    rig_close(&r);
    assert_int_equal(r.ran + r.done, 0);
    assert_int_equal(r.dropped, 5);
}

static void kill_from_done(struct task *t)
{
    strand_kill(t->rig->strand, drop);
}

static void kill_inside(bool is_virtual)
{
    struct rig r;
    struct task t[20] = {0};

    rig_open(&r, is_virtual, 8);
    t[4].then = kill_from_done;
    push_all(t, 20, &r);
    loop_run(r.world.loop);
    rig_close(&r);
    assert_int_equal(r.done, 5);
    assert_int_equal(r.dropped, 15);
}

static void a_completion_may_kill_its_strand(void **state)
{
    (void)state;
    both(kill_inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_and_end_in_order),
        cmocka_unit_test(what_a_turn_pushes_is_one_batch),
        cmocka_unit_test(what_gathers_during_a_batch_is_the_next),
        cmocka_unit_test(it_runs_on_a_named_thread_that_blocks_signals),
        cmocka_unit_test(on_a_virtual_clock_one_batch_runs_each_turn),
        cmocka_unit_test(only_waiting_jobs_keep_the_loop_running),
        cmocka_unit_test(a_completion_may_push),
        cmocka_unit_test(finish_delivers_all_within_the_call),
        cmocka_unit_test(a_completion_may_finish_its_strand),
        cmocka_unit_test(an_unused_strand_ends_at_once),
        cmocka_unit_test(kill_lets_a_running_batch_end_and_drops_all),
        cmocka_unit_test(kill_drops_finished_batches_too),
        cmocka_unit_test(kill_virtual_runs_nothing),
        cmocka_unit_test(a_completion_may_kill_its_strand),
    };
    return FIXTURE_RUN(tests);
}
