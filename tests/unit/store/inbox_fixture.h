#ifndef MOONLET_TESTS_STORE_INBOX_FIXTURE_H
#define MOONLET_TESTS_STORE_INBOX_FIXTURE_H

/* An inbox in a folder of its own, and short words for what is done to it. */

#include "fixture.h"

#include "store/datadir.h"
#include "store/inbox.h"

#include <sqlite3.h>

#define BOT INT64_C(4503599627370001)

struct box {
    struct world world;
    struct datadir dir;
    struct inbox *inbox;
    size_t limit;
    int64_t seen_max;
    bool ready; /* ready was called */
    bool drained;
    bool stored; /* the last put has completed */
    struct err put_error;
};

static inline void box_ready(void *arg)
{
    struct box *b = arg;
    b->ready = true;
    loop_stop(b->world.loop);
}

static inline void box_drained(void *arg)
{
    struct box *b = arg;
    b->drained = true;
    loop_stop(b->world.loop);
}

static inline void box_stored(void *arg, const struct err *e)
{
    struct box *b = arg;
    b->stored = true;
    b->put_error = *e;
    loop_stop(b->world.loop);
}

static inline struct inbox *box_try_open(struct box *b, int64_t bot,
                                         struct err *e)
{
    struct inbox_options o = {.bot_id = bot,
                              .limit = b->limit ? b->limit : 100000,
                              .seen_max = b->seen_max,
                              .ready = box_ready,
                              .drained = box_drained,
                              .arg = b};
    b->ready = b->drained = b->stored = false;
    return inbox_open(b->world.loop, &b->dir, &o, e);
}

static inline void box_open(struct box *b)
{
    struct err e;
    b->inbox = box_try_open(b, BOT, &e);
    assert_non_null(b->inbox);
}

static inline void box_reopen(struct box *b)
{
    inbox_close(b->inbox);
    box_open(b);
}

static inline struct inbox_item item_of(int64_t id, char text[64])
{
    snprintf(text, 64, "{\"update_id\":%lld}", (long long)id);
    return (struct inbox_item){.update_id = id,
                               .source = INBOX_TELEGRAM,
                               .lane = "chat 7",
                               .body = text,
                               .body_len = strlen(text)};
}

/* Puts ids first .. first + n - 1 without waiting. */
static inline void box_submit(struct box *b, int64_t first, size_t n,
                              int64_t offset)
{
    struct inbox_item *items = mem_zero(n + 1, sizeof(*items));
    char(*texts)[64] = mem_zero(n + 1, sizeof(*texts));
    for (size_t i = 0; i < n; i++)
        items[i] = item_of(first + (int64_t)i, texts[i]);
    b->stored = false;
    inbox_put(b->inbox, items, n, offset, box_stored, b);
    free(items);
    free(texts);
}

static inline void box_put(struct box *b, int64_t first, size_t n)
{
    box_submit(b, first, n, 0);
    world_wait(&b->world, &b->stored);
    assert_int_equal(b->put_error.code, ERR_OK);
}

/* The next entry, once there is one. */
static inline struct inbox_entry *box_next(struct box *b)
{
    struct inbox_entry *entry;
    while ((entry = inbox_next(b->inbox)) == NULL) {
        b->ready = false;
        world_wait(&b->world, &b->ready);
    }
    return entry;
}

static inline void box_expect(struct box *b, int64_t update_id,
                              bool redelivered)
{
    struct inbox_entry *entry = box_next(b);
    assert_int_equal(entry->update_id, update_id);
    assert_int_equal(entry->redelivered, redelivered);
    inbox_finish(b->inbox, entry);
}

/* A number from the file; readable also while the inbox is open. */
static inline int64_t box_query(struct box *b, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char path[128];
    world_path(&b->world, "inbox.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static inline int box_setup_clock(void **state, bool virtual)
{
    struct err e;
    struct box *b = MEM_NEW(struct box);
    world_make_folder(&b->world);
    world_open_loop(&b->world, virtual);
    assert_int_equal(datadir_open(&b->dir, b->world.folder, &e), 0);
    box_open(b);
    *state = b;
    return 0;
}

static inline int box_setup(void **state)
{
    return box_setup_clock(state, true);
}

static inline int box_setup_threads(void **state)
{
    return box_setup_clock(state, false);
}

static inline int box_teardown(void **state)
{
    struct box *b = *state;
    if (b->inbox)
        inbox_close(b->inbox);
    datadir_close(&b->dir);
    world_close_loop(&b->world);
    world_remove_folder(&b->world);
    free(b);
    return 0;
}

static inline void box_drain(struct box *b)
{
    while (inbox_depth(b->inbox) > 0)
        inbox_finish(b->inbox, box_next(b));
}

#endif
