/* Bounds, a disk that fails, and inbox_kill. */

#include "inbox_fixture.h"

#include "store/marks.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

static void full_and_drained(void **state)
{
    struct box *b = *state;
    inbox_close(b->inbox);
    b->limit = 4;
    box_open(b);
    box_put(b, 1, 3);
    assert_false(inbox_full(b->inbox));
    box_submit(b, 4, 1, 0);
    assert_true(inbox_full(b->inbox));
    box_expect(b, 1, false);
    assert_false(b->drained);
    world_wait(&b->world, &b->drained);
    assert_false(inbox_full(b->inbox));
    box_drain(b);
}

static void a_dropped_batch_makes_room(void **state)
{
    struct box *b = *state;
    inbox_close(b->inbox);
    b->limit = 4;
    box_open(b);
    box_put(b, 1, 2);
    box_submit(b, 1, 2, 0);
    assert_true(inbox_full(b->inbox));
    world_wait(&b->world, &b->drained);
    assert_int_equal(inbox_depth(b->inbox), 2);
    box_drain(b);
}

static void a_folder_may_open_full(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 5);
    b->limit = 4;
    box_reopen(b);
    assert_true(inbox_full(b->inbox));
    box_drain(b);
    world_wait(&b->world, &b->drained);
}

static void memory_is_bounded_and_order_kept(void **state)
{
    enum { TOTAL = 3 * INBOX_IN_MEMORY + 50 };
    struct box *b = *state;
    static struct inbox_entry *held[INBOX_IN_MEMORY];
    for (int64_t i = 0; i < TOTAL; i += 50)
        box_put(b, i, 50);
    for (int i = 0; i < INBOX_IN_MEMORY; i++)
        held[i] = inbox_next(b->inbox);
    assert_null(inbox_next(b->inbox));
    for (int i = 0; i < INBOX_IN_MEMORY; i++) {
        assert_int_equal(held[i]->update_id, i);
        inbox_finish(b->inbox, held[i]);
    }
    for (int64_t i = INBOX_IN_MEMORY; i < TOTAL; i++) {
        if (i % 7 == 0)
            box_submit(b, TOTAL + i, 1, 0);
        box_expect(b, i, false);
    }
    for (int64_t i = INBOX_IN_MEMORY; i < TOTAL; i++)
        if (i % 7 == 0)
            box_expect(b, TOTAL + i, false);
    assert_int_equal(inbox_depth(b->inbox), 0);
    box_reopen(b);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void a_long_file_is_read_in_order(void **state)
{
    enum { TOTAL = 2 * INBOX_IN_MEMORY + 500 };
    struct box *b = *state;
    for (int64_t i = 0; i < TOTAL; i += 100)
        box_put(b, i, 100);
    box_reopen(b);
    assert_int_equal(inbox_depth(b->inbox), TOTAL);
    box_put(b, TOTAL, 10);
    for (int64_t i = 0; i < TOTAL + 10; i++)
        box_expect(b, i, false);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

struct fetched {
    struct box *box;
    struct inbox_entry *entries[4];
    size_t count;
    bool done;
};

static void on_fetched(void *arg, struct inbox_fetched *f)
{
    struct fetched *got = arg;
    struct inbox_entry *entry;
    while ((entry = inbox_fetched_next(f)))
        got->entries[got->count++] = entry;
    got->done = true;
    loop_stop(got->box->world.loop);
}

static void released_ones_are_fetched_by_number(void **state)
{
    struct box *b = *state;
    struct fetched got = {.box = b};
    int64_t seqs[3];
    box_put(b, 1, 3);
    for (int i = 2; i >= 0; i--) {
        struct inbox_entry *entry = box_next(b);
        seqs[i] = entry->seq;
        if (i == 1)
            inbox_finish(b->inbox, entry);
        else
            inbox_release(entry);
    }
    loop_turn(b->world.loop); /* ends the second */
    inbox_fetch(b->inbox, seqs, 3, on_fetched, &got);
    world_wait(&b->world, &got.done);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.entries[0]->update_id, 3);
    assert_string_equal(got.entries[0]->body, "{\"update_id\":3}");
    assert_string_equal(got.entries[0]->lane, "chat 7");
    assert_int_equal(got.entries[1]->update_id, 1);
    assert_true(inbox_begin(b->inbox, got.entries[1]));
    inbox_finish(b->inbox, got.entries[0]);
    inbox_finish(b->inbox, got.entries[1]);
    assert_int_equal(inbox_depth(b->inbox), 0);
    assert_null(inbox_next(b->inbox));
}

static void a_fetch_under_way_ends_with_the_inbox(void **state)
{
    struct box *b = *state;
    struct fetched got = {.box = b};
    box_put(b, 1, 1);
    struct inbox_entry *entry = box_next(b);
    int64_t seq = entry->seq;
    inbox_release(entry);
    inbox_fetch(b->inbox, &seq, 1, on_fetched, &got);
    box_reopen(b);
    assert_false(got.done);
    box_expect(b, 1, false);
}

/* The marks of finished entries are held until their rows are gone. */
static void begin_waits_for_a_mark(void **state)
{
    struct box *b = *state;
    static struct inbox_entry *held[INBOX_IN_MEMORY];
    box_put(b, 0, INBOX_IN_MEMORY);
    for (int i = 0; i < INBOX_IN_MEMORY; i++) {
        held[i] = box_next(b);
        assert_true(inbox_begin(b->inbox, held[i]));
    }
    box_submit(b, INBOX_IN_MEMORY, 100, 0);
    for (int i = 0; i < INBOX_IN_MEMORY; i++)
        inbox_finish(b->inbox, held[i]);
    world_wait(&b->world, &b->stored);
    for (int i = 0; i < MARKS_MAX - INBOX_IN_MEMORY; i++) {
        held[i] = inbox_next(b->inbox);
        assert_true(inbox_begin(b->inbox, held[i]));
    }
    struct inbox_entry *starved = inbox_next(b->inbox);
    assert_false(inbox_begin(b->inbox, starved));
    assert_int_equal(starved->mark, -1);
    loop_turn(b->world.loop); /* tells of the put */
    assert_true(b->ready);
    b->ready = false;
    world_wait(&b->world, &b->ready);
    assert_true(inbox_begin(b->inbox, starved));
    inbox_finish(b->inbox, starved);
    for (int i = 0; i < MARKS_MAX - INBOX_IN_MEMORY; i++)
        inbox_finish(b->inbox, held[i]);
    box_drain(b);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void a_failed_put_stores_nothing(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 1);
    limit_files(1);
    box_submit(b, 2, 100, 102);
    world_wait(&b->world, &b->stored);
    limit_files(RLIM_INFINITY);
    assert_int_equal(b->put_error.code, ERR_DB);
    assert_true(b->put_error.retryable);
    assert_int_equal(inbox_next_offset(b->inbox), 0);
    assert_int_equal(inbox_depth(b->inbox), 1);
    box_expect(b, 1, false);
    assert_null(inbox_next(b->inbox));
    box_put(b, 2, 100);
    for (int64_t i = 2; i < 102; i++)
        box_expect(b, i, false);
    box_reopen(b);
    assert_int_equal(inbox_next_offset(b->inbox), 0);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void sentinel(struct timer *t)
{
    loop_stop(t->loop);
}

static void let_pass(struct box *b, uint64_t ms)
{
    struct timer t;
    timer_init(&t, b->world.loop, sentinel);
    timer_start(&t, ms);
    while (timer_active(&t))
        loop_run(b->world.loop);
}

static void run_sql(struct box *b, const char *sql)
{
    sqlite3 *db;
    char path[128];
    world_path(&b->world, "inbox.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_failed_fetch_is_tried_again(void **state)
{
    struct box *b = *state;
    struct fetched got = {.box = b};
    box_put(b, 1, 1);
    struct inbox_entry *entry = box_next(b);
    int64_t seq = entry->seq;
    inbox_release(entry);
    run_sql(b, "ALTER TABLE inbox RENAME TO away");
    inbox_fetch(b->inbox, &seq, 1, on_fetched, &got);
    let_pass(b, 2500);
    assert_false(got.done);
    run_sql(b, "ALTER TABLE away RENAME TO inbox");
    world_wait(&b->world, &got.done);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.entries[0]->update_id, 1);
    inbox_finish(b->inbox, got.entries[0]);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void a_fetch_that_failed_ends_with_the_inbox(void **state)
{
    struct box *b = *state;
    struct fetched got = {.box = b};
    int64_t seq = 1;
    box_put(b, 1, 1);
    inbox_release(box_next(b));
    run_sql(b, "ALTER TABLE inbox RENAME TO away");
    inbox_fetch(b->inbox, &seq, 1, on_fetched, &got);
    let_pass(b, 500);
    run_sql(b, "ALTER TABLE away RENAME TO inbox");
    box_reopen(b);
    assert_false(got.done);
    box_expect(b, 1, false);
}

static void a_failed_end_is_tried_again(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 2);
    struct inbox_entry *entry = box_next(b);
    assert_true(inbox_begin(b->inbox, entry));
    limit_files(1);
    inbox_finish(b->inbox, entry);
    let_pass(b, 500);
    assert_int_equal(box_query(b, "SELECT count(*) FROM inbox"), 2);
    limit_files(RLIM_INFINITY);
    let_pass(b, 1000);
    assert_int_equal(box_query(b, "SELECT count(*) FROM inbox"), 1);
    assert_int_equal(inbox_depth(b->inbox), 1);
    box_drain(b);
}

static void an_end_that_failed_comes_back_marked(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 1);
    struct inbox_entry *entry = box_next(b);
    assert_true(inbox_begin(b->inbox, entry));
    limit_files(1);
    inbox_finish(b->inbox, entry);
    let_pass(b, 100);
    inbox_kill(b->inbox);
    limit_files(RLIM_INFINITY);
    box_open(b);
    box_expect(b, 1, true);
}

static int count_fds(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Without waiting for the loop: handed out, begun, ended and being stored. */
static void kill_in_the_middle(struct box *b)
{
    box_put(b, 1, 4);
    struct inbox_entry *ended = box_next(b);
    assert_true(inbox_begin(b->inbox, ended));
    struct inbox_entry *begun = box_next(b);
    assert_true(inbox_begin(b->inbox, begun));
    inbox_finish(b->inbox, ended);
    inbox_release(begun);
    inbox_release(box_next(b));
    box_submit(b, 5, 1, 6);
    inbox_kill(b->inbox);
    assert_false(b->stored);
}

static void kill_is_like_a_crash(void **state)
{
    struct box *b = *state;
    int fds = count_fds();
    kill_in_the_middle(b);
    box_open(b);
    assert_int_equal(inbox_depth(b->inbox), 4);
    assert_int_equal(inbox_next_offset(b->inbox), 0);
    box_expect(b, 1, true);
    box_expect(b, 2, true);
    box_expect(b, 3, false);
    box_expect(b, 4, false);
    loop_turn(b->world.loop);
    assert_int_equal(count_fds(), fds);
}

/* With a thread the put may have been committed, but nobody was told. */
static void kill_with_a_thread(void **state)
{
    struct box *b = *state;
    for (int round = 0; round < 20; round++) {
        box_put(b, 1 + 10 * round, 3);
        inbox_release(box_next(b));
        box_submit(b, 4 + 10 * round, 2, 0);
        inbox_kill(b->inbox);
        assert_false(b->stored);
        box_open(b);
        size_t depth = inbox_depth(b->inbox);
        assert_true(depth == 3 || depth == 5);
        for (size_t i = 0; i < depth; i++)
            box_expect(b, 1 + 10 * round + (int64_t)i, false);
        box_reopen(b); /* so that the ends are stored */
    }
}

static void close_delivers_what_was_put(void **state)
{
    struct box *b = *state;
    box_submit(b, 1, 2, 3);
    inbox_close(b->inbox);
    assert_true(b->stored);
    assert_int_equal(b->put_error.code, ERR_OK);
    box_open(b);
    assert_int_equal(inbox_next_offset(b->inbox), 3);
    box_expect(b, 1, false);
    box_expect(b, 2, false);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)
#define THREADS(f)                                                             \
    cmocka_unit_test_setup_teardown(f, box_setup_threads, box_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_and_drained),
        TEST(a_dropped_batch_makes_room),
        TEST(a_folder_may_open_full),
        TEST(memory_is_bounded_and_order_kept),
        THREADS(memory_is_bounded_and_order_kept),
        TEST(a_long_file_is_read_in_order),
        THREADS(a_long_file_is_read_in_order),
        TEST(released_ones_are_fetched_by_number),
        THREADS(released_ones_are_fetched_by_number),
        TEST(a_fetch_under_way_ends_with_the_inbox),
        THREADS(a_fetch_under_way_ends_with_the_inbox),
        TEST(begin_waits_for_a_mark),
        TEST(a_failed_put_stores_nothing),
        TEST(a_failed_fetch_is_tried_again),
        TEST(a_fetch_that_failed_ends_with_the_inbox),
        TEST(a_failed_end_is_tried_again),
        TEST(an_end_that_failed_comes_back_marked),
        TEST(kill_is_like_a_crash),
        THREADS(kill_with_a_thread),
        TEST(close_delivers_what_was_put),
        THREADS(close_delivers_what_was_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
