#include "store/seen_sql.h"

#include "store/inbox.h"
#include "store/sqlite.h"

#include <sqlite3.h>

#define SEEN_MS (INT64_C(86400000) * INBOX_SEEN_DAYS)
#define STEPS 100      /* that are kept besides the current one */
#define WRITES 100     /* of the count, within a step */
#define SWEEP_EVERY 16 /* ids: posts bring them one by one */
#define SWEEP_MAX 512  /* ids looked at with one put */

const char seen_schema[] = "CREATE TABLE seen_step("
                           "  step INTEGER PRIMARY KEY,"
                           "  began INTEGER NOT NULL,"
                           "  ids INTEGER NOT NULL) STRICT";

/* A row that is too old to count is taken over, as if it were gone. */
static const char note_sql[] =
    "INSERT INTO seen(update_id, at) VALUES(?1, ?2) "
    "ON CONFLICT(update_id) DO UPDATE SET at = excluded.at WHERE at < ?3";
static const char sweep_sql[] =
    "SELECT update_id, at FROM seen WHERE update_id > ?1 "
    "ORDER BY update_id LIMIT ?2";
static const char forget_sql[] = "DELETE FROM seen WHERE update_id = ?1";
static const char last_step_sql[] =
    "SELECT step, began, ids FROM seen_step ORDER BY step DESC LIMIT 1";
static const char first_step_sql[] =
    "SELECT began FROM seen_step WHERE step <= ?1 ORDER BY step DESC LIMIT 1";
static const char write_step_sql[] =
    "INSERT INTO seen_step(step, began, ids) VALUES(?1, ?2, ?3) "
    "ON CONFLICT(step) DO UPDATE SET ids = excluded.ids";
static const char drop_steps_sql[] = "DELETE FROM seen_step WHERE step < ?1";

static int64_t step_size(const struct seen *seen)
{
    return seen->max / STEPS > 0 ? seen->max / STEPS : 1;
}

static int64_t oldest_ms(const struct seen *seen, int64_t now_ms)
{
    int64_t by_days = now_ms - SEEN_MS;
    /* A clock that was put back would make every id too old. */
    bool floor_counts = seen->floor_ms > by_days && seen->floor_ms <= now_ms;
    return floor_counts ? seen->floor_ms : by_days;
}

static int read_floor(struct seen *seen, struct sqlite_writer *w, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, first_step_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seen->step - STEPS);
    int step = sqlite3_step(s);
    if (step == SQLITE_ROW)
        seen->floor_ms = sqlite3_column_int64(s, 0);
    else if (step != SQLITE_DONE)
        sqlite_error(w, e, "read seen steps");
    sqlite3_reset(s);
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : e->code;
}

int seen_load(struct seen *seen, struct sqlite_writer *w, int64_t max,
              struct err *e)
{
    *seen = (struct seen){.max = max, .sweep = INT64_MIN};
    struct sqlite3_stmt *s = sqlite_prepare(w, last_step_sql, e);
    if (!s)
        return e->code;
    int step = sqlite3_step(s);
    if (step == SQLITE_ROW) {
        seen->step = sqlite3_column_int64(s, 0);
        seen->began_ms = sqlite3_column_int64(s, 1);
        seen->ids = seen->written = sqlite3_column_int64(s, 2);
    } else if (step != SQLITE_DONE) {
        sqlite_error(w, e, "read seen steps");
    }
    sqlite3_reset(s);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return e->code;
    return read_floor(seen, w, e);
}

int seen_note(struct seen *seen, struct sqlite_writer *w, int64_t update_id,
              int64_t now_ms, bool *is_new, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, note_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, update_id);
    sqlite3_bind_int64(s, 2, now_ms);
    sqlite3_bind_int64(s, 3, oldest_ms(seen, now_ms));
    if (sqlite_run(w, s, "note seen", e) != 0)
        return e->code;
    *is_new = sqlite3_changes(sqlite_handle(w)) == 1;
    seen->ids += *is_new;
    return 0;
}

static int write_step(struct seen *seen, struct sqlite_writer *w, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, write_step_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seen->step);
    sqlite3_bind_int64(s, 2, seen->began_ms);
    sqlite3_bind_int64(s, 3, seen->ids);
    seen->written = seen->ids;
    return sqlite_run(w, s, "write seen step", e);
}

static int drop_steps(const struct seen *seen, struct sqlite_writer *w,
                      struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, drop_steps_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seen->step - STEPS);
    return sqlite_run(w, s, "drop seen steps", e);
}

static int begin_step(struct seen *seen, struct sqlite_writer *w,
                      int64_t now_ms, struct err *e)
{
    seen->step++;
    seen->began_ms = now_ms;
    seen->ids = 0;
    if (write_step(seen, w, e) != 0 || read_floor(seen, w, e) != 0)
        return e->code;
    return drop_steps(seen, w, e);
}

static int count_step(struct seen *seen, struct sqlite_writer *w,
                      int64_t now_ms, struct err *e)
{
    int64_t size = step_size(seen);
    if (seen->step == 0 || seen->ids >= size)
        return begin_step(seen, w, now_ms, e);
    if (seen->ids - seen->written > size / WRITES)
        return write_step(seen, w, e);
    return 0;
}

static int forget(struct sqlite_writer *w, const int64_t *ids, size_t n,
                  struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, forget_sql, e);
    for (size_t i = 0; s && i < n; i++) {
        sqlite3_bind_int64(s, 1, ids[i]);
        if (sqlite_run(w, s, "forget seen", e) != 0)
            return e->code;
    }
    return s ? 0 : e->code;
}

/* Looks at three times as many ids as came in, going round and round. New
 * ids mostly come last, so a round meets those that came during it too: it
 * takes half as many as the set had, and the set stays within half again what
 * is to be kept, without an index and without a pause. */
static int sweep(struct seen *seen, struct sqlite_writer *w, size_t limit,
                 int64_t oldest, struct err *e)
{
    int64_t old[SWEEP_MAX];
    size_t looked = 0, olds = 0;
    struct sqlite3_stmt *s = sqlite_prepare(w, sweep_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seen->sweep);
    sqlite3_bind_int64(s, 2, (int64_t)limit);
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW && looked < limit) {
        seen->sweep = sqlite3_column_int64(s, 0);
        if (sqlite3_column_int64(s, 1) < oldest)
            old[olds++] = seen->sweep;
        looked++;
    }
    if (step != SQLITE_DONE)
        return sqlite_error(w, e, "sweep seen");
    if (looked < limit)
        seen->sweep = INT64_MIN;
    return forget(w, old, olds, e);
}

int seen_sweep(struct seen *seen, struct sqlite_writer *w, size_t n,
               int64_t now_ms, struct err *e)
{
    if (count_step(seen, w, now_ms, e) != 0)
        return e->code;
    seen->unswept += n;
    if (seen->unswept < SWEEP_EVERY)
        return 0;
    size_t limit = 3 * seen->unswept + 2;
    seen->unswept = 0;
    return sweep(seen, w, limit < SWEEP_MAX ? limit : SWEEP_MAX,
                 oldest_ms(seen, now_ms), e);
}
