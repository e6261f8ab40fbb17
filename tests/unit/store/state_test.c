#include "fixture.h"

#include "store/datadir.h"
#include "store/state.h"

struct trial {
    struct world world;
    struct datadir dir;
    struct state *state;
    int64_t due_ms; /* the last that was told */
    int failures;   /* less those that are over */
    bool done;
    struct err error;
    int64_t version;
    char value[64];
    size_t rows; /* found due */
    char keys[64];
};

static void on_due(void *arg, int64_t due_ms)
{
    ((struct trial *)arg)->due_ms = due_ms;
}

static void on_failed(void *arg, const struct err *e)
{
    ((struct trial *)arg)->failures += e ? 1 : -1;
}

static void open_state(struct trial *t)
{
    struct err e;
    const struct state_options o = {
        .due = on_due, .failed = on_failed, .arg = t};
    char *path = datadir_file(&t->dir, "bot.db");
    t->due_ms = 0;
    t->state = state_open(t->world.loop, path, &o, &e);
    free(path);
    assert_non_null(t->state);
}

static int set_up(void **data)
{
    struct err e;
    struct trial *t = MEM_NEW(struct trial);
    world_make_folder(&t->world);
    world_open_loop(&t->world, true);
    assert_int_equal(datadir_open(&t->dir, t->world.folder, &e), 0);
    open_state(t);
    *data = t;
    return 0;
}

static int tear_down(void **data)
{
    struct trial *t = *data;
    state_close(t->state);
    datadir_close(&t->dir);
    world_close_loop(&t->world);
    world_remove_folder(&t->world);
    free(t);
    return 0;
}

static void on_done(void *arg, const struct err *e, const struct state_row *row)
{
    struct trial *t = arg;
    t->done = true;
    t->error = *e;
    t->version = row->version;
    snprintf(t->value, sizeof t->value, "%.*s", (int)row->len,
             row->value ? row->value : "");
    loop_stop(t->world.loop);
}

static void on_row(void *arg, const struct err *e, const struct state_row *row)
{
    struct trial *t = arg;
    assert_int_equal(e->code, ERR_OK);
    if (!row->kind) {
        t->done = true;
        loop_stop(t->world.loop);
        return;
    }
    t->rows++;
    strcat(t->keys, row->key);
    assert_string_equal(row->lane, "chat:1");
}

static void finish(struct trial *t)
{
    world_wait(&t->world, &t->done);
    t->done = false;
}

static int put(struct trial *t, const char *key, int64_t version,
               const char *value, int64_t due_ms)
{
    const struct state_row row = {.kind = "fsm.order",
                                  .key = key,
                                  .version = version,
                                  .value = value,
                                  .len = value ? strlen(value) : 0,
                                  .tag = "cart",
                                  .lane = "chat:1",
                                  .due_ms = due_ms};
    state_put(t->state, &row, on_done, t);
    finish(t);
    return t->error.code;
}

static const char *get(struct trial *t, const char *key)
{
    state_get(t->state, "fsm.order", key, on_done, t);
    finish(t);
    assert_int_equal(t->error.code, ERR_OK);
    return t->value;
}

static void a_value_comes_back_also_from_the_file(void **data)
{
    struct trial *t = *data;
    assert_string_equal(get(t, "1"), "");
    assert_int_equal(t->version, 0);
    assert_int_equal(put(t, "1", 0, "{\"a\":1}", 0), 0);
    int64_t version = t->version;
    assert_true(version > 0);
    assert_string_equal(get(t, "1"), "{\"a\":1}");
    assert_int_equal(t->version, version);
    state_kill(t->state); /* what was told is on disk */
    open_state(t);
    assert_string_equal(get(t, "1"), "{\"a\":1}");
    assert_string_equal(get(t, "2"), "");
}

static void a_change_names_the_version_that_it_replaces(void **data)
{
    struct trial *t = *data;
    assert_int_equal(put(t, "1", 5, "x", 0), ERR_CONFLICT);
    assert_int_equal(t->failures, 0); /* the file is well */
    assert_int_equal(put(t, "1", 0, "x", 0), 0);
    int64_t first = t->version;
    assert_int_equal(put(t, "1", 0, "y", 0), ERR_CONFLICT);
    assert_string_equal(err_kind(t->error.code), "conflict");
    assert_int_equal(put(t, "1", first, "y", 0), 0);
    assert_int_equal(t->version, first + 1);
    assert_int_equal(put(t, "1", first, "z", 0), ERR_CONFLICT);
    assert_int_equal(put(t, "1", -1, "z", 0), 0);
    assert_string_equal(get(t, "1"), "z");
}

static void a_row_that_was_removed_begins_with_another_version(void **data)
{
    struct trial *t = *data;
    assert_int_equal(put(t, "1", 0, "x", 0), 0);
    int64_t first = t->version;
    assert_int_equal(put(t, "1", first, NULL, 0), 0);
    assert_string_equal(get(t, "1"), "");
    assert_int_equal(put(t, "1", first, "y", 0), ERR_CONFLICT);
    assert_int_equal(put(t, "1", 0, "y", 0), 0);
    assert_true(t->version > first);
    assert_int_equal(put(t, "none", -1, NULL, 0), 0);
}

static void a_row_that_has_expired_is_gone(void **data)
{
    struct trial *t = *data;
    const struct state_row row = {.kind = "fsm.order",
                                  .key = "1",
                                  .value = "x",
                                  .len = 1,
                                  .expires_ms = EPOCH_MS + 1000};
    state_put(t->state, &row, on_done, t);
    finish(t);
    assert_string_equal(get(t, "1"), "x");
    clock_advance_to(&t->world.clock,
                     clock_ns(&t->world.clock) + UINT64_C(1000) * 1000000);
    assert_string_equal(get(t, "1"), "");
    assert_int_equal(put(t, "1", 0, "y", 0), 0);
    assert_string_equal(get(t, "1"), "y");
}

static void find_due(struct trial *t, int64_t now_ms, size_t max)
{
    t->rows = 0;
    t->keys[0] = '\0';
    state_find_due(t->state, now_ms, max, on_row, t);
    finish(t);
}

static void rows_become_due_and_are_seen_to(void **data)
{
    struct trial *t = *data;
    put(t, "b", 0, "x", EPOCH_MS + 200);
    assert_int_equal(t->due_ms, EPOCH_MS + 200);
    int64_t version = t->version;
    put(t, "a", 0, "x", EPOCH_MS + 100);
    put(t, "c", 0, "x", 0);
    find_due(t, EPOCH_MS + 99, 10);
    assert_int_equal(t->rows, 0);
    find_due(t, EPOCH_MS + 300, 10);
    assert_string_equal(t->keys, "ab");
    find_due(t, EPOCH_MS + 300, 1);
    assert_string_equal(t->keys, "a");
    struct state_row row = {.kind = "fsm.order", .key = "b", .version = 1};
    state_seen_due(t->state, &row); /* another version than that in the file */
    find_due(t, EPOCH_MS + 300, 10);
    assert_string_equal(t->keys, "ab");
    row.version = version;
    state_seen_due(t->state, &row);
    find_due(t, EPOCH_MS + 300, 10);
    assert_string_equal(t->keys, "a");
    state_close(t->state);
    open_state(t);
    assert_int_equal(t->due_ms, EPOCH_MS + 100);
}

static void rows_are_counted_by_tag(void **data)
{
    struct trial *t = *data;
    put(t, "1", 0, "x", 0);
    put(t, "2", 0, "x", 0);
    state_count(t->state, "fsm.order", on_done, t);
    finish(t);
    assert_string_equal(t->value, "{\"cart\":2}");
    state_count(t->state, "fsm.other", on_done, t);
    finish(t);
    assert_string_equal(t->value, "{}");
}

static void move(struct trial *t, int64_t from, int64_t to, int64_t count)
{
    state_move_chat(t->state, "fsm.", from, to, on_done, t);
    finish(t);
    assert_int_equal(t->version, count);
}

static void a_chat_gets_another_id(void **data)
{
    struct trial *t = *data;
    static const char *const keys[] = {"-1", "-1:7", "-1/0", "-12:7", "-1x"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(t, keys[i], 0, keys[i], 0);
    move(t, -1, -100, 3);
    assert_string_equal(get(t, "-100"), "-1");
    assert_string_equal(get(t, "-100:7"), "-1:7");
    assert_string_equal(get(t, "-100/0"), "-1/0");
    assert_string_equal(get(t, "-12:7"), "-12:7");
    assert_string_equal(get(t, "-1x"), "-1x");
    assert_string_equal(get(t, "-1"), "");
    move(t, -1, -100, 0); /* told twice */
    state_move_chat(t->state, "other.", -100, -1, on_done, t);
    finish(t);
    assert_string_equal(get(t, "-100"), "-1");
}

static void what_was_due_in_the_old_chat_is_due_in_the_new_one(void **data)
{
    struct trial *t = *data;
    put(t, "-1:7", 0, "x", EPOCH_MS + 100);
    struct state_row row = {
        .kind = "fsm.order", .key = "-1:7", .version = t->version};
    state_seen_due(t->state, &row);
    find_due(t, EPOCH_MS + 300, 10);
    assert_int_equal(t->rows, 0);
    t->due_ms = 0;
    move(t, -1, -100, 1);
    assert_true(t->due_ms > 0);
    find_due(t, EPOCH_MS + 300, 10);
    assert_string_equal(t->keys, "-100:7");
}

static void of_two_rows_the_newer_one_stays(void **data)
{
    struct trial *t = *data;
    put(t, "-1:7", 0, "older", 0);
    put(t, "-100:7", 0, "newer", 0);
    put(t, "-100:8", 0, "older", 0);
    put(t, "-1:8", 0, "newer", 0);
    move(t, -1, -100, 1);
    assert_string_equal(get(t, "-100:7"), "newer");
    assert_string_equal(get(t, "-100:8"), "newer");
    assert_string_equal(get(t, "-1:7"), "");
    assert_string_equal(get(t, "-1:8"), "");
}

static void the_lane_goes_with_its_chat(void **data)
{
    struct trial *t = *data;
    put(t, "1:7", 0, "x", EPOCH_MS + 100);
    move(t, 1, 2, 1); /* the rows' lane is chat:1 */
    move(t, 2, 1, 1);
    find_due(t, EPOCH_MS + 300, 10); /* on_row looks at the lane */
    assert_string_equal(t->keys, "1:7");
}

static void bounds_are_told(void **data)
{
    struct trial *t = *data;
    char *big = mem_zero(1, STATE_VALUE_MAX + 2);
    memset(big, 'x', STATE_VALUE_MAX + 1);
    assert_int_equal(put(t, "1", 0, big, 0), ERR_LIMIT);
    big[STATE_VALUE_MAX] = '\0';
    assert_int_equal(put(t, "1", 0, big, 0), 0);
    big[STATE_KEY_MAX + 1] = '\0';
    assert_int_equal(put(t, big, 0, "x", 0), ERR_LIMIT);
    free(big);
}

static void nobody_hears_of_what_was_forgotten(void **data)
{
    struct trial *t = *data;
    const struct state_row row = {
        .kind = "fsm.order", .key = "1", .value = "x", .len = 1};
    state_forget(state_put(t->state, &row, on_done, t));
    assert_string_equal(get(t, "1"), "x"); /* it was done all the same */
    state_forget(state_find_due(t->state, EPOCH_MS, 1, on_row, t));
    state_forget(state_get(t->state, "fsm.order", "1", on_done, t));
    state_kill(t->state);
    open_state(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_value_comes_back_also_from_the_file),
        TEST(a_change_names_the_version_that_it_replaces),
        TEST(a_row_that_was_removed_begins_with_another_version),
        TEST(a_row_that_has_expired_is_gone),
        TEST(rows_become_due_and_are_seen_to),
        TEST(rows_are_counted_by_tag),
        TEST(a_chat_gets_another_id),
        TEST(what_was_due_in_the_old_chat_is_due_in_the_new_one),
        TEST(of_two_rows_the_newer_one_stays),
        TEST(the_lane_goes_with_its_chat),
        TEST(bounds_are_told),
        TEST(nobody_hears_of_what_was_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
