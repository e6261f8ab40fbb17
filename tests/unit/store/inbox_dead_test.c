/* Dead letters: how updates become some, and what can be done with them. */

#include "inbox_fixture.h"

#define DAY_MS (INT64_C(86400000))

/* What the last request about letters has answered. */
struct heard {
    struct box *box;
    bool done;
    int code;
    size_t count;
    int64_t ids[16];
    char line[400]; /* of the first letter */
    char body[80];
};

static void on_heard(void *arg, const struct inbox_dead_answer *a)
{
    struct heard *h = arg;
    h->done = true;
    h->code = a->error->code;
    h->count = a->count;
    for (size_t i = 0; a->letters && i < a->count && i < 16; i++)
        h->ids[i] = a->letters[i].id;
    if (a->letters && a->count > 0) {
        const struct inbox_letter *l = &a->letters[0];
        snprintf(h->line, sizeof h->line, "%lld %d %s %s %s %s %s:%d %s",
                 (long long)l->update_id, (int)l->source, l->lane, l->reason,
                 l->kind, l->message, l->script, l->line,
                 l->traceback ? l->traceback : "-");
        snprintf(h->body, sizeof h->body, "%.*s", (int)l->body_len,
                 l->body ? l->body : "");
    }
    loop_stop(h->box->world.loop);
}

static size_t listed(struct box *b, struct heard *h, int64_t before,
                     size_t limit)
{
    *h = (struct heard){.box = b};
    inbox_dead_list(b->inbox, before, limit, on_heard, h);
    world_wait(&b->world, &h->done);
    assert_int_equal(h->code, ERR_OK);
    return h->count;
}

typedef void request(struct inbox *in, int64_t id, inbox_dead_done *done,
                     void *arg);

static size_t asked(struct box *b, struct heard *h, request *what, int64_t id)
{
    *h = (struct heard){.box = b};
    what(b->inbox, id, on_heard, h);
    world_wait(&b->world, &h->done);
    assert_int_equal(h->code, ERR_OK);
    return h->count;
}

static const struct inbox_cause boom = {
    .reason = INBOX_ERROR,
    .line = 3,
    .kind = "script",
    .message = "boom",
    .script = "main.lua",
    .traceback = "here\nthere",
};

static void die(struct box *b, const struct inbox_cause *cause)
{
    struct inbox_entry *entry = box_next(b);
    assert_true(inbox_begin(b->inbox, entry));
    inbox_finish_dead(b->inbox, entry, cause);
}

/* What was submitted before is on disk and its completions have run. */
static void settle(struct box *b)
{
    struct heard h;
    loop_turn(b->world.loop);
    listed(b, &h, 0, 1);
}

static void an_error_is_kept_with_its_update(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 41, 3);
    box_expect(b, 41, false);
    die(b, &boom);
    settle(b);
    assert_int_equal(inbox_dead_count(b->inbox), 1);
    assert_int_equal(inbox_depth(b->inbox), 1);
    assert_int_equal(asked(b, &h, inbox_dead_show, 1), 1);
    assert_string_equal(h.line, "42 0 chat 7 error script boom main.lua:3 "
                                "here\nthere");
    assert_string_equal(h.body, "{\"update_id\":42}");
    box_reopen(b);
    assert_int_equal(inbox_dead_count(b->inbox), 1);
    box_expect(b, 43, false);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void reasons_have_names(void **state)
{
    static const char *const names[] = {"crash", "error", "limit", "timeout"};
    struct box *b = *state;
    struct heard h;
    box_put(b, 1, 4);
    for (int i = 0; i < 4; i++) {
        struct inbox_cause cause = boom;
        cause.reason = (enum inbox_reason)i;
        die(b, &cause);
    }
    settle(b);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(asked(b, &h, inbox_dead_show, i + 1), 1);
        assert_non_null(strstr(h.line, names[i]));
    }
}

static void lists_newest_first_and_in_pages(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 1, 5);
    for (int i = 0; i < 5; i++)
        die(b, &boom);
    settle(b);
    assert_int_equal(listed(b, &h, 0, 2), 2);
    assert_int_equal(h.ids[0], 5);
    assert_int_equal(h.ids[1], 4);
    assert_string_equal(h.line, "5 0 chat 7 error script boom main.lua:3 -");
    assert_string_equal(h.body, "");
    assert_int_equal(listed(b, &h, 4, 10), 3);
    assert_int_equal(h.ids[0], 3);
    assert_int_equal(listed(b, &h, 1, 10), 0);
    assert_int_equal(listed(b, &h, 0, 0), 0);
    assert_int_equal(asked(b, &h, inbox_dead_show, 6), 0);
}

static void long_texts_are_cut(void **state)
{
    struct box *b = *state;
    char *text = mem_zero(100001, 1);
    struct inbox_cause cause = boom;
    memset(text, 'x', 100000);
    cause.kind = cause.message = cause.script = cause.traceback = text;
    box_put(b, 1, 1);
    die(b, &cause);
    settle(b);
    assert_int_equal(box_query(b, "SELECT length(kind) + length(message) + "
                                  "length(script) + length(traceback) "
                                  "FROM dead"),
                     100 + 4000 + 1000 + 16000);
    free(text);
}

static void replay_runs_it_again_marked(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 7, 1);
    die(b, &boom);
    settle(b);
    assert_int_equal(asked(b, &h, inbox_dead_replay, 1), 1);
    assert_int_equal(inbox_dead_count(b->inbox), 0);
    assert_int_equal(inbox_depth(b->inbox), 1);
    struct inbox_entry *entry = box_next(b);
    assert_int_equal(entry->update_id, 7);
    assert_int_equal(entry->source, INBOX_REPLAY);
    assert_true(entry->redelivered);
    assert_string_equal(entry->lane, "chat 7");
    assert_string_equal(entry->body, "{\"update_id\":7}");
    inbox_release(entry);
    /* Also in the next process, and as one that never comes twice. */
    box_reopen(b);
    box_expect(b, 7, true);
    assert_int_equal(asked(b, &h, inbox_dead_replay, 1), 0);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

static void a_replay_that_fails_is_a_letter_again(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 7, 1);
    die(b, &boom);
    settle(b);
    asked(b, &h, inbox_dead_replay, 1);
    die(b, &boom);
    settle(b);
    assert_int_equal(listed(b, &h, 0, 10), 1);
    assert_int_equal(h.ids[0], 2);
    assert_non_null(strstr(h.line, "7 2 chat 7"));
}

static void a_replay_waits_on_disk_behind_a_full_memory(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 1, 1);
    die(b, &boom);
    settle(b);
    box_put(b, 2, INBOX_IN_MEMORY + 10);
    assert_int_equal(asked(b, &h, inbox_dead_replay, 1), 1);
    for (int64_t id = 2; id < INBOX_IN_MEMORY + 12; id++)
        box_expect(b, id, false);
    box_expect(b, 1, true);
}

static void drop_removes(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 1, 2);
    die(b, &boom);
    die(b, &boom);
    settle(b);
    assert_int_equal(asked(b, &h, inbox_dead_drop, 1), 1);
    assert_int_equal(asked(b, &h, inbox_dead_drop, 1), 0);
    assert_int_equal(inbox_dead_count(b->inbox), 1);
    box_reopen(b);
    assert_int_equal(listed(b, &h, 0, 10), 1);
    assert_int_equal(h.ids[0], 2);
    assert_int_equal(inbox_depth(b->inbox), 0);
}

/* Requests under way at the end are answered by inbox_close. */
static void a_clean_end_answers_all(void **state)
{
    struct box *b = *state;
    struct heard list = {.box = b};
    struct heard replay = {.box = b};
    box_put(b, 1, 1);
    die(b, &boom);
    settle(b);
    inbox_dead_list(b->inbox, 0, 10, on_heard, &list);
    inbox_dead_replay(b->inbox, 1, on_heard, &replay);
    box_reopen(b);
    assert_true(list.done && replay.done);
    assert_int_equal(list.count, 1);
    assert_int_equal(replay.count, 1);
    box_expect(b, 1, true);
}

static void a_kill_forgets_what_was_asked(void **state)
{
    struct box *b = *state;
    struct heard h = {.box = b};
    box_put(b, 1, 2);
    die(b, &boom);
    settle(b);
    inbox_dead_replay(b->inbox, 1, on_heard, &h);
    die(b, &boom);
    inbox_kill(b->inbox);
    box_open(b);
    assert_false(h.done);
    assert_int_equal(inbox_dead_count(b->inbox), 1);
    box_expect(b, 2, true);
}

/* As a crash with the code of the first waiting entry on the loop. */
static void crash(struct box *b, int64_t expected)
{
    struct inbox_entry *entry = box_next(b);
    assert_int_equal(entry->update_id, expected);
    assert_true(inbox_begin(b->inbox, entry));
    inbox_on_loop(b->inbox, entry);
    inbox_release(entry);
    inbox_kill(b->inbox);
    box_open(b);
}

static void three_deaths_make_a_letter_of_that_one_alone(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 1, 3);
    for (int i = 0; i < INBOX_DEATHS; i++) {
        assert_int_equal(inbox_dead_count(b->inbox), 0);
        assert_int_equal(inbox_depth(b->inbox), 3);
        crash(b, 1);
    }
    assert_int_equal(inbox_dead_count(b->inbox), 1);
    assert_int_equal(inbox_depth(b->inbox), 2);
    box_expect(b, 2, false);
    box_expect(b, 3, false);
    asked(b, &h, inbox_dead_show, 1);
    assert_non_null(strstr(h.line, "1 0 chat 7 crash crash the process has"));
    assert_string_equal(h.body, "{\"update_id\":1}");
    /* A replay starts with no deaths. */
    asked(b, &h, inbox_dead_replay, 1);
    crash(b, 1);
    assert_int_equal(inbox_depth(b->inbox), 1);
}

static void a_death_counts_once(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 1);
    crash(b, 1);
    for (int i = 0; i < 3; i++)
        box_reopen(b);
    inbox_kill(b->inbox);
    box_open(b);
    assert_int_equal(box_query(b, "SELECT deaths FROM inbox"), 1);
}

static void other_deaths_and_clean_ends_do_not_count(void **state)
{
    struct box *b = *state;
    box_put(b, 1, 2);
    for (int i = 0; i < 5; i++) {
        struct inbox_entry *entry = box_next(b);
        assert_true(inbox_begin(b->inbox, entry));
        inbox_on_loop(b->inbox, entry);
        inbox_on_loop(b->inbox, NULL);
        inbox_release(entry);
        inbox_kill(b->inbox);
        box_open(b);
    }
    struct inbox_entry *entry = box_next(b);
    assert_true(inbox_begin(b->inbox, entry));
    inbox_on_loop(b->inbox, entry);
    inbox_release(entry);
    box_reopen(b);
    assert_int_equal(box_query(b, "SELECT sum(deaths) FROM inbox"), 0);
    assert_int_equal(inbox_dead_count(b->inbox), 0);
}

static void change_file(struct box *b, const char *sql)
{
    sqlite3 *db;
    char path[128];
    world_path(&b->world, "inbox.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* n letters that died at this Unix time, while the inbox is closed. */
static void plant(struct box *b, int n, int64_t died_ms)
{
    char *sql = mem_printf(
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
        "WHERE i < %d) INSERT INTO dead(update_id, source, lane, received, "
        "died_at, reason, kind, message, script, line, traceback, body) "
        "SELECT i, 0, 'l', 0, %lld, 'error', 'k', 'm', 's', 1, 't', '{}' "
        "FROM c",
        n, (long long)died_ms);
    inbox_close(b->inbox);
    change_file(b, sql);
    free(sql);
    box_open(b);
}

static void at_most_so_many_are_kept(void **state)
{
    struct box *b = *state;
    plant(b, INBOX_DEAD_MAX, EPOCH_MS);
    assert_int_equal(inbox_dead_count(b->inbox), INBOX_DEAD_MAX);
    assert_int_equal(box_query(b, "SELECT min(id) FROM dead"), 1);
    box_put(b, 1, 300);
    for (int i = 0; i < 300; i++)
        die(b, &boom);
    settle(b);
    assert_int_equal(inbox_dead_count(b->inbox), INBOX_DEAD_MAX);
    assert_int_equal(box_query(b, "SELECT count(*) FROM dead"), INBOX_DEAD_MAX);
    assert_int_equal(box_query(b, "SELECT min(id) FROM dead"), 301);
    assert_int_equal(box_query(b, "SELECT count(*) FROM dead "
                                  "WHERE message = 'boom'"),
                     300);
}

static void wait_ms(struct box *b, uint64_t ms);

/* Old ones go in batches of which none is long; young ones stay. */
static void the_old_go(void **state)
{
    struct box *b = *state;
    plant(b, 350, EPOCH_MS - (INBOX_DEAD_DAYS + 1) * DAY_MS);
    assert_int_equal(inbox_dead_count(b->inbox), 250);
    plant(b, 5, EPOCH_MS - (INBOX_DEAD_DAYS - 1) * DAY_MS);
    wait_ms(b, 10000);
    settle(b);
    assert_int_equal(inbox_dead_count(b->inbox), 5);
    wait_ms(b, (uint64_t)DAY_MS + 7200000);
    settle(b);
    assert_int_equal(inbox_dead_count(b->inbox), 0);
    assert_int_equal(box_query(b, "SELECT count(*) FROM dead"), 0);
}

struct alarm {
    struct timer timer;
    bool rung;
};

static void on_alarm(struct timer *t)
{
    LIST_ENTRY(t, struct alarm, timer)->rung = true;
    loop_stop(t->loop);
}

static void wait_ms(struct box *b, uint64_t ms)
{
    struct alarm alarm = {.rung = false};
    timer_init(&alarm.timer, b->world.loop, on_alarm);
    timer_start(&alarm.timer, ms);
    while (!alarm.rung)
        loop_run(b->world.loop);
}

/* A file as the first version made it, with an update in it. */
static void a_file_of_version_1_is_taken_over(void **state)
{
    struct box *b = *state;
    struct heard h;
    box_put(b, 1, 2);
    inbox_close(b->inbox);
    change_file(b, "DROP TABLE dead; ALTER TABLE inbox DROP COLUMN deaths;"
                   "DROP TABLE seen_step; PRAGMA user_version = 1");
    box_open(b);
    assert_int_equal(box_query(b, "PRAGMA user_version"), 3);
    for (int i = 0; i < INBOX_DEATHS; i++)
        crash(b, 1);
    assert_int_equal(listed(b, &h, 0, 10), 1);
    box_expect(b, 2, false);
}

static void without_a_bot_id_any_inbox_is_opened(void **state)
{
    struct box *b = *state;
    struct err e;
    box_put(b, 1, 1);
    die(b, &boom);
    inbox_close(b->inbox);
    b->inbox = box_try_open(b, 0, &e);
    assert_non_null(b->inbox);
    assert_int_equal(inbox_dead_count(b->inbox), 1);
    box_reopen(b);
    assert_int_equal(inbox_dead_count(b->inbox), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)
#define THREADS(f)                                                             \
    cmocka_unit_test_setup_teardown(f, box_setup_threads, box_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_error_is_kept_with_its_update),
        THREADS(reasons_have_names),
        TEST(lists_newest_first_and_in_pages),
        TEST(long_texts_are_cut),
        TEST(replay_runs_it_again_marked),
        THREADS(a_replay_that_fails_is_a_letter_again),
        THREADS(a_replay_waits_on_disk_behind_a_full_memory),
        TEST(drop_removes),
        THREADS(a_clean_end_answers_all),
        TEST(a_kill_forgets_what_was_asked),
        TEST(three_deaths_make_a_letter_of_that_one_alone),
        TEST(a_death_counts_once),
        TEST(other_deaths_and_clean_ends_do_not_count),
        TEST(at_most_so_many_are_kept),
        TEST(the_old_go),
        TEST(a_file_of_version_1_is_taken_over),
        TEST(without_a_bot_id_any_inbox_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
