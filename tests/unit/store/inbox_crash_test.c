/*
 * A child works on an inbox and is killed by SIGKILL: at named points, and
 * in a storm at a step drawn from a seed. Then the folder is opened again.
 */

#include "inbox_fixture.h"

#include <signal.h>
#include <sys/mman.h>

enum point {
    PUT_SUBMITTED,
    PUT_DONE,
    HANDED_OUT,
    BEGUN,
    FINISHED,        /* inbox_finish has returned */
    FINISHED_STORED, /* a put behind it is on disk */
    POINTS
};

static int setup(void **state)
{
    struct box *b = MEM_NEW(struct box);
    world_make_folder(&b->world);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct box *b = *state;
    world_remove_folder(&b->world);
    free(b);
    return 0;
}

static void start(struct box *b)
{
    struct err e;
    world_open_loop(&b->world, false);
    assert_int_equal(datadir_open(&b->dir, b->world.folder, &e), 0);
    box_open(b);
}

static void stop(struct box *b)
{
    inbox_close(b->inbox);
    datadir_close(&b->dir);
    world_close_loop(&b->world);
}

static void die_at(enum point here, enum point wanted)
{
    if (here == wanted)
        raise(SIGKILL);
}

/* Ids 1 and 2 are put; 1 goes as far as the point, 2 only waits. */
static void work_until(struct box *b, enum point wanted)
{
    box_submit(b, 1, 2, 3);
    die_at(PUT_SUBMITTED, wanted);
    world_wait(&b->world, &b->stored);
    die_at(PUT_DONE, wanted);
    struct inbox_entry *entry = box_next(b);
    die_at(HANDED_OUT, wanted);
    assert_true(inbox_begin(b->inbox, entry));
    die_at(BEGUN, wanted);
    inbox_finish(b->inbox, entry);
    die_at(FINISHED, wanted);
    loop_turn(b->world.loop);
    box_put(b, 3, 1);
    die_at(FINISHED_STORED, wanted);
}

static void kill_child_at(struct box *b, enum point wanted)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        start(b);
        work_until(b, wanted);
        _exit(0);
    }
    world_await_killed(child);
}

static void before_the_commit_all_or_nothing(void **state)
{
    struct box *b = *state;
    kill_child_at(b, PUT_SUBMITTED);
    start(b);
    size_t depth = inbox_depth(b->inbox);
    assert_true(depth == 0 || depth == 2);
    assert_int_equal(inbox_next_offset(b->inbox), depth ? 3 : 0);
    if (depth == 0)
        box_put(b, 1, 2);
    box_expect(b, 1, false);
    box_expect(b, 2, false);
    stop(b);
}

static void assert_waiting(struct box *b, bool first_redelivered)
{
    start(b);
    assert_int_equal(inbox_depth(b->inbox), 2);
    assert_int_equal(inbox_next_offset(b->inbox), 3);
    box_put(b, 1, 2);
    assert_int_equal(inbox_depth(b->inbox), 2);
    box_expect(b, 1, first_redelivered);
    box_expect(b, 2, false);
    stop(b);
}

static void what_was_stored_comes_back(void **state)
{
    kill_child_at(*state, PUT_DONE);
    assert_waiting(*state, false);
}

static void handed_out_is_not_begun(void **state)
{
    kill_child_at(*state, HANDED_OUT);
    assert_waiting(*state, false);
}

static void begun_is_marked(void **state)
{
    kill_child_at(*state, BEGUN);
    assert_waiting(*state, true);
}

static void an_end_not_stored_is_marked(void **state)
{
    kill_child_at(*state, FINISHED);
    assert_waiting(*state, true);
}

static void a_stored_end_is_final(void **state)
{
    struct box *b = *state;
    kill_child_at(b, FINISHED_STORED);
    start(b);
    assert_int_equal(inbox_depth(b->inbox), 2);
    box_put(b, 1, 1);
    box_expect(b, 2, false);
    box_expect(b, 3, false);
    assert_int_equal(inbox_depth(b->inbox), 0);
    stop(b);
}

#define IDS 4000
#define BATCH 7

/* What the children say of each id; shared memory outlives them. */
struct ledger {
    bool stored[IDS];
    bool begun[IDS]; /* set before inbox_begin */
    bool ended[IDS]; /* set before inbox_finish */
    bool gone[IDS];  /* a put that came surely behind its end was stored */
    int confirmed;   /* ids below were stored at some time */
};

struct storm {
    struct box box;
    struct ledger *ledger;
    struct rng rng;
    long steps_left;
    int at; /* first id of the batch under way */
    struct inbox_entry *held[64];
    int held_count;
    int ends[IDS * 2]; /* ids in the order of their ends */
    int end_count;
    int ends_before[3]; /* end_count at the last three completed puts */
};

static void step(struct storm *s)
{
    if (--s->steps_left <= 0)
        raise(SIGKILL);
}

static void storm_end(struct storm *s, int i)
{
    struct inbox_entry *entry = s->held[i];
    s->held[i] = s->held[--s->held_count];
    s->ledger->ended[entry->update_id] = true;
    s->ends[s->end_count++] = (int)entry->update_id;
    step(s);
    inbox_finish(s->box.inbox, entry);
    step(s);
}

static void storm_ready(void *arg)
{
    struct storm *s = arg;
    struct inbox_entry *entry;
    while ((entry = inbox_next(s->box.inbox)) != NULL) {
        step(s);
        s->ledger->begun[entry->update_id] = true;
        if (!inbox_begin(s->box.inbox, entry))
            _exit(3);
        step(s);
        s->held[s->held_count++] = entry;
        while (s->held_count > 0 &&
               (s->held_count == 64 || rng_below(&s->rng, 3) == 0))
            storm_end(s, (int)rng_below(&s->rng, (uint64_t)s->held_count));
    }
}

static void storm_put(struct storm *s);

/* Ends of before the last put but one were with the writer before this one:
 * they are collected once a turn. */
static void storm_stored(void *arg, const struct err *e)
{
    struct storm *s = arg;
    struct ledger *l = s->ledger;
    if (e->code != ERR_OK)
        _exit(4);
    for (int i = 0; i < s->ends_before[0]; i++)
        l->gone[s->ends[i]] = true;
    s->ends_before[0] = s->ends_before[1];
    s->ends_before[1] = s->ends_before[2];
    s->ends_before[2] = s->end_count;
    for (int i = 0; i < BATCH; i++)
        l->stored[s->at + i] = true;
    s->at += BATCH;
    if (s->at > l->confirmed)
        l->confirmed = s->at;
    step(s);
    storm_put(s);
}

static void storm_put(struct storm *s)
{
    struct inbox_item items[BATCH];
    char texts[BATCH][64];
    if (s->at + BATCH > IDS)
        _exit(5);
    for (int i = 0; i < BATCH; i++)
        items[i] = item_of(s->at + i, texts[i]);
    inbox_put(s->box.inbox, items, BATCH, s->at + BATCH, storm_stored, s);
    step(s);
}

static void ignore(void *arg)
{
    (void)arg;
}

static void storm_child(struct storm *s)
{
    struct err e;
    struct inbox_options o = {.bot_id = BOT,
                              .limit = 100000,
                              .ready = storm_ready,
                              .drained = ignore,
                              .arg = s};
    struct box *b = &s->box;
    world_open_loop(&b->world, false);
    if (datadir_open(&b->dir, b->world.folder, &e) != 0)
        _exit(1);
    b->inbox = inbox_open(b->world.loop, &b->dir, &o, &e);
    if (!b->inbox)
        _exit(2);
    /* The last confirmed batch is put once more, as Telegram would do. */
    if (s->ledger->confirmed > 0)
        s->at = s->ledger->confirmed - BATCH;
    storm_put(s);
    loop_run(b->world.loop);
}

static void check_entry(const struct ledger *l, const struct inbox_entry *entry)
{
    int64_t id = entry->update_id;
    assert_int_equal(entry->redelivered, l->begun[id]);
    assert_false(l->gone[id]);
    assert_true(id < l->confirmed + BATCH);
}

/* Hands everything out, ends nothing. */
static void check_folder(struct storm *s)
{
    bool present[IDS] = {false};
    struct ledger *l = s->ledger;
    start(&s->box);
    size_t depth = inbox_depth(s->box.inbox);
    for (size_t i = 0; i < depth; i++) {
        struct inbox_entry *entry = box_next(&s->box);
        check_entry(l, entry);
        assert_false(present[entry->update_id]);
        present[entry->update_id] = true;
        inbox_release(entry);
    }
    for (int id = 0; id < IDS; id++)
        if (l->stored[id] && !l->ended[id])
            assert_true(present[id]);
    assert_true(inbox_next_offset(s->box.inbox) >= l->confirmed);
    stop(&s->box);
}

static void storm_round(struct storm *s)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        storm_child(s);
        _exit(6);
    }
    world_await_killed(child);
    check_folder(s);
}

static void storm_with_seed(uint64_t seed)
{
    struct storm *s = MEM_NEW(struct storm);
    rng_seed(&s->rng, seed);
    world_make_folder(&s->box.world);
    s->ledger = mmap(NULL, sizeof(*s->ledger), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->ledger != MAP_FAILED);
    for (int round = 0; round < 12; round++) {
        s->steps_left = 1 + (long)rng_below(&s->rng, 500);
        storm_round(s);
    }
    int gone = 0;
    for (int id = 0; id < IDS; id++)
        gone += s->ledger->gone[id];
    assert_true(gone > 0);
    munmap(s->ledger, sizeof(*s->ledger));
    world_remove_folder(&s->box.world);
    free(s);
}

static void storm_of_kills(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        storm_with_seed(seed);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(before_the_commit_all_or_nothing),
        TEST(what_was_stored_comes_back),
        TEST(handed_out_is_not_begun),
        TEST(begun_is_marked),
        TEST(an_end_not_stored_is_marked),
        TEST(a_stored_end_is_final),
        cmocka_unit_test(storm_of_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
