#include "inbox_fixture.h"

#include "store/marks.h"

#include <sys/stat.h>

static void an_entry_is_what_was_put(void **state)
{
    struct box *b = *state;
    struct inbox_item items[] = {
        {900, INBOX_TELEGRAM, "chat -1001234567890123", "{\"a\":\"\\u00e4\"}",
         14},
        {3, INBOX_REPLAY, "", "{}", 2},
    };
    inbox_put(b->inbox, items, 2, 901, box_stored, b);
    assert_false(b->stored);
    assert_null(inbox_next(b->inbox));
    world_wait(&b->world, &b->stored);
    struct inbox_entry *first = box_next(b);
    struct inbox_entry *second = box_next(b);
    assert_true(second->seq > first->seq && first->seq > 0);
    assert_int_equal(first->update_id, 900);
    assert_int_equal(first->received_ms, EPOCH_MS);
    assert_int_equal(first->source, INBOX_TELEGRAM);
    assert_false(first->redelivered);
    assert_int_equal(first->mark, -1);
    assert_string_equal(first->lane, "chat -1001234567890123");
    assert_string_equal(first->body, "{\"a\":\"\\u00e4\"}");
    assert_int_equal(first->body_len, 14);
    assert_int_equal(second->source, INBOX_REPLAY);
    assert_string_equal(second->lane, "");
    assert_string_equal(second->body, "{}");
    assert_int_equal(inbox_depth(b->inbox), 2);
    inbox_finish(b->inbox, first);
    inbox_release(second);
    assert_int_equal(inbox_depth(b->inbox), 1);
}

static void what_comes_back_is_what_was_put(void **state)
{
    struct box *b = *state;
    struct inbox_item item = {900, INBOX_TIMER, "user 5", "{\"a\":\"\\u00e4\"}",
                              14};
    inbox_put(b->inbox, &item, 1, 0, box_stored, b);
    world_wait(&b->world, &b->stored);
    box_reopen(b);
    assert_int_equal(inbox_depth(b->inbox), 1);
    struct inbox_entry *entry = box_next(b);
    assert_int_equal(entry->update_id, 900);
    assert_int_equal(entry->received_ms, EPOCH_MS);
    assert_int_equal(entry->source, INBOX_TIMER);
    assert_string_equal(entry->lane, "user 5");
    assert_string_equal(entry->body, "{\"a\":\"\\u00e4\"}");
    assert_int_equal(entry->body_len, 14);
    inbox_finish(b->inbox, entry);
}

struct waiter {
    struct inbox_settle settle;
    struct box *box;
    bool done;
};

static void waiter_done(struct inbox_settle *s)
{
    struct waiter *w = LIST_ENTRY(s, struct waiter, settle);
    w->done = true;
    loop_stop(w->box->world.loop);
}

static void ends_can_be_waited_for(void **state)
{
    struct box *b = *state;
    struct waiter kept = {.settle = {.done = waiter_done}, .box = b};
    struct waiter gone = kept;
    box_put(b, 900, 2);
    assert_true(inbox_settled(b->inbox));
    inbox_finish(b->inbox, box_next(b));
    assert_false(inbox_settled(b->inbox));
    inbox_settle(b->inbox, &gone.settle);
    inbox_settle(b->inbox, &kept.settle);
    list_remove(&gone.settle.link);
    assert_false(kept.done);
    world_wait(&b->world, &kept.done);
    assert_false(gone.done);
    assert_int_equal(box_query(b, "SELECT count(*) FROM inbox"), 1);
    assert_true(inbox_settled(b->inbox));
    inbox_finish(b->inbox, box_next(b));
}

static void finished_ones_are_gone(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 5);
    for (int i = 0; i < 3; i++)
        inbox_finish(b->inbox, box_next(b));
    box_reopen(b);
    assert_int_equal(inbox_depth(b->inbox), 2);
    box_expect(b, 4, false);
    box_expect(b, 5, false);
    assert_null(inbox_next(b->inbox));
    box_reopen(b);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void ready_is_called_from_the_loop(void **state)
{
    struct box *b = *state;
    box_submit(b, 1, 1, 0);
    assert_false(b->ready);
    world_wait(&b->world, &b->ready);
    assert_true(b->stored);
    b->ready = false;
    inbox_finish(b->inbox, box_next(b));
    assert_false(b->ready);
}

static void order_is_arrival(void **state)
{
    struct box *b = *state;
    box_submit(b, 50, 3, 0);
    box_submit(b, 10, 3, 0);
    int64_t expected[] = {50, 51, 52, 10, 11, 12};
    for (int i = 0; i < 6; i++)
        box_expect(b, expected[i], false);
}

static void seen_ids_are_dropped(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 3);
    box_put(b, 2, 3);
    box_expect(b, 1, false);
    box_expect(b, 2, false);
    box_expect(b, 3, false);
    box_reopen(b);
    box_put(b, 1, 5);
    box_expect(b, 4, false);
    box_expect(b, 5, false);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void a_batch_may_repeat_itself(void **state)
{
    struct box *b = *state;
    char text[64];
    struct inbox_item items[2] = {item_of(5, text), item_of(5, text)};
    inbox_put(b->inbox, items, 2, 0, box_stored, b);
    box_expect(b, 5, false);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void ids_may_restart_lower(void **state)
{
    struct box *b = *state;
    box_put(b, 900, 2);
    box_put(b, 7, 2);
    box_expect(b, 900, false);
    box_expect(b, 901, false);
    box_expect(b, 7, false);
    box_expect(b, 8, false);
}

static void only_telegrams_ids_are_compared(void **state)
{
    struct box *b = *state;
    char text[64];
    struct inbox_item item = item_of(5, text);
    box_put(b, 5, 1);
    item.source = INBOX_TIMER;
    inbox_put(b->inbox, &item, 1, 0, box_stored, b);
    inbox_put(b->inbox, &item, 1, 0, box_stored, b);
    for (int i = 0; i < 3; i++)
        box_expect(b, 5, false);
}

static void advance_days(struct box *b, int64_t days)
{
    clock_advance_to(&b->world.clock,
                     clock_ns(&b->world.clock) +
                         (uint64_t)days * UINT64_C(86400000000000));
}

static void ids_are_seen_for_days(void **state)
{
    struct box *b = *state;
    box_put(b, 5, 1);
    box_expect(b, 5, false);
    advance_days(b, INBOX_SEEN_DAYS);
    box_put(b, 5, 1);
    assert_int_equal(inbox_depth(b->inbox), 0);
    advance_days(b, 1);
    box_put(b, 5, 1);
    box_expect(b, 5, false);
    advance_days(b, 1);
    box_put(b, 5, 1);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void old_seen_ids_are_swept(void **state)
{
    struct box *b = *state;
    for (int64_t i = 0; i < 10; i++)
        box_put(b, 1000 * i, 100);
    box_drain(b);
    assert_int_equal(box_query(b, "SELECT count(*) FROM seen"), 1000);
    advance_days(b, INBOX_SEEN_DAYS + 1);
    for (int64_t i = 0; i < 10; i++)
        box_put(b, 20000 + 100 * i, 100);
    box_drain(b);
    assert_int_equal(box_query(b, "SELECT count(*) FROM seen"), 1000);
    assert_int_equal(box_query(b, "SELECT min(update_id) FROM seen"), 20000);
}

/* Puts and ends so many new ids, ten at a time, each ten a second later. */
static void see(struct box *b, int64_t first, int64_t count)
{
    for (int64_t i = 0; i < count; i += 10) {
        box_put(b, first + i, 10);
        box_drain(b);
        clock_advance_to(&b->world.clock,
                         clock_ns(&b->world.clock) + UINT64_C(1000000000));
    }
}

static bool is_seen(struct box *b, int64_t id)
{
    box_put(b, id, 1);
    bool seen = inbox_depth(b->inbox) == 0;
    box_drain(b);
    return seen;
}

/* The ids restart lower on the way, so that not the smallest must go; and the
 * process starts anew, also without having ended. */
static void too_many_seen_ids_are_forgotten(void **state)
{
    struct box *b = *state;
    b->seen_max = 1000;
    box_reopen(b);
    see(b, 50000, 1000);
    assert_true(is_seen(b, 50000));
    see(b, 1000, 600);
    box_reopen(b);
    assert_true(is_seen(b, 50600));
    see(b, 1600, 300);
    inbox_kill(b->inbox);
    box_open(b);
    see(b, 1900, 200);
    assert_true(is_seen(b, 1100));
    assert_false(is_seen(b, 50900));
    see(b, 2100, 5000);
    assert_in_range(box_query(b, "SELECT count(*) FROM seen"), 1000, 1500);
    assert_int_equal(
        box_query(b, "SELECT count(*) FROM seen WHERE update_id >= 50000"), 0);
    assert_in_range(box_query(b, "SELECT count(*) FROM seen_step"), 100, 102);
    assert_true(is_seen(b, 6100));
    assert_false(is_seen(b, 5900));
}

static void a_clock_put_back_forgets_nothing(void **state)
{
    struct box *b = *state;
    b->seen_max = 100;
    box_reopen(b);
    see(b, 1000, 500);
    inbox_close(b->inbox);
    b->world.clock.virtual_epoch_ms -= 3600 * 1000;
    box_open(b);
    assert_false(is_seen(b, 9000));
    assert_true(is_seen(b, 9000));
}

static void the_offset_is_stored_with_its_batch(void **state)
{
    struct box *b = *state;
    assert_int_equal(inbox_next_offset(b->inbox), 0);
    box_submit(b, 1, 2, 3);
    box_submit(b, 5, 1, 0);
    box_submit(b, 0, 0, 9);
    assert_int_equal(inbox_next_offset(b->inbox), 0);
    world_wait(&b->world, &b->stored);
    assert_int_equal(inbox_next_offset(b->inbox), 9);
    box_reopen(b);
    assert_int_equal(inbox_next_offset(b->inbox), 9);
    box_drain(b);
    box_put(b, 20, 1);
    box_drain(b);
    box_reopen(b);
    assert_int_equal(inbox_next_offset(b->inbox), 9);
}

static void another_bots_folder_is_refused(void **state)
{
    struct box *b = *state;
    struct err e;
    char name[32];
    inbox_close(b->inbox);
    b->inbox = box_try_open(b, BOT + 1, &e);
    assert_null(b->inbox);
    assert_int_equal(e.code, ERR_MISUSE);
    snprintf(name, sizeof(name), "bot %lld", (long long)BOT);
    assert_non_null(strstr(e.message, name));
    box_open(b);
}

static void files_that_cannot_be_opened(void **state)
{
    struct box *b = *state;
    struct err e;
    char path[128];
    inbox_close(b->inbox);
    world_path(&b->world, "running.map", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    b->inbox = box_try_open(b, BOT, &e);
    assert_null(b->inbox);
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.message, path));
    assert_int_equal(rmdir(path), 0);
    world_path(&b->world, "inbox.db", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(box_try_open(b, BOT, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.message, path));
}

static void begun_ones_come_back_marked(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 3);
    struct inbox_entry *first = box_next(b), *second = box_next(b);
    assert_true(inbox_begin(b->inbox, second));
    inbox_release(first);
    inbox_release(second);
    box_reopen(b);
    box_expect(b, 1, false);
    box_expect(b, 2, true);
    box_expect(b, 3, false);
}

static void begun_is_kept_through_an_idle_process(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 2);
    struct inbox_entry *entry = box_next(b);
    assert_true(inbox_begin(b->inbox, entry));
    inbox_release(entry);
    box_reopen(b);
    box_reopen(b);
    box_expect(b, 1, true);
    box_expect(b, 2, false);
}

static void after_a_power_cut_all_count_as_begun(void **state)
{
    struct box *b = *state;
    char path[128];
    box_put(b, 1, 2);
    inbox_close(b->inbox);
    world_path(&b->world, "running.map", path);
    assert_int_equal(unlink(path), 0);
    box_open(b);
    box_put(b, 3, 1);
    inbox_close(b->inbox);
    box_open(b);
    box_expect(b, 1, true);
    box_expect(b, 2, true);
    box_expect(b, 3, false);
}

static void on_loop_names_the_entry(void **state)
{
    struct box *b = *state;
    struct err e;
    box_put(b, 1, 1);
    struct inbox_entry *entry = box_next(b);
    int64_t seq = entry->seq;
    assert_true(inbox_begin(b->inbox, entry));
    inbox_on_loop(b->inbox, entry);
    inbox_release(entry);
    inbox_kill(b->inbox);
    char *path = datadir_file(&b->dir, "running.map");
    struct marks *m = marks_open(path, &e);
    assert_int_equal(marks_was_on_loop(m), seq);
    assert_true(marks_had_begun(m, seq));
    marks_close(m);
    free(path);
    box_open(b);
    box_drain(b);
    inbox_on_loop(b->inbox, NULL);
}

static sqlite3_io_methods log_methods;
static int (*sync_log)(sqlite3_file *file, int flags);
static int log_syncs;

static int count_sync(sqlite3_file *file, int flags)
{
    log_syncs++;
    return sync_log(file, flags);
}

static int open_counted(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                        int flags, int *out_flags)
{
    sqlite3_vfs *base = vfs->pAppData;
    int code = base->xOpen(base, name, file, flags, out_flags);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
        log_methods = *file->pMethods;
        sync_log = log_methods.xSync;
        log_methods.xSync = count_sync;
        file->pMethods = &log_methods;
    }
    return code;
}

/* What was confirmed to the outside survives a power cut; an end that does
 * not is only repeated. */
static void puts_are_synced_and_ends_are_not(void **state)
{
    struct box *b = *state;
    sqlite3_vfs *base = sqlite3_vfs_find(NULL), vfs = *base;
    vfs.zName = "counting";
    vfs.pAppData = base;
    vfs.xOpen = open_counted;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
    box_reopen(b);
    box_put(b, 1, 2);
    log_syncs = 0;
    box_put(b, 3, 2);
    assert_true(log_syncs > 0);
    log_syncs = 0;
    inbox_finish(b->inbox, box_next(b));
    loop_turn(b->world.loop);
    loop_turn(b->world.loop);
    assert_int_equal(box_query(b, "SELECT count(*) FROM inbox"), 3);
    assert_int_equal(log_syncs, 0);
    inbox_close(b->inbox);
    sqlite3_vfs_unregister(&vfs);
    box_open(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)
#define THREADS(f)                                                             \
    cmocka_unit_test_setup_teardown(f, box_setup_threads, box_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entry_is_what_was_put),
        TEST(what_comes_back_is_what_was_put),
        TEST(ends_can_be_waited_for),
        TEST(finished_ones_are_gone),
        THREADS(finished_ones_are_gone),
        TEST(ready_is_called_from_the_loop),
        TEST(order_is_arrival),
        TEST(seen_ids_are_dropped),
        TEST(a_batch_may_repeat_itself),
        TEST(ids_may_restart_lower),
        TEST(only_telegrams_ids_are_compared),
        TEST(ids_are_seen_for_days),
        TEST(old_seen_ids_are_swept),
        TEST(too_many_seen_ids_are_forgotten),
        TEST(a_clock_put_back_forgets_nothing),
        TEST(the_offset_is_stored_with_its_batch),
        TEST(another_bots_folder_is_refused),
        TEST(files_that_cannot_be_opened),
        TEST(begun_ones_come_back_marked),
        TEST(begun_is_kept_through_an_idle_process),
        TEST(after_a_power_cut_all_count_as_begun),
        TEST(on_loop_names_the_entry),
        TEST(puts_are_synced_and_ends_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
