#include "store/dead_sql.h"

#include "base/crash_point.h"
#include "base/mem.h"
#include "store/sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MS (INT64_C(86400000) * INBOX_DEAD_DAYS)
#define PRUNE_BATCH 100
#define KIND_MAX 100
#define MESSAGE_MAX 4000
#define SCRIPT_MAX 1000
#define TRACEBACK_MAX 16000

/* Behind body, deaths is slow to read; it is, at most once a start. */
const char dead_schema[] =
    "ALTER TABLE inbox ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE dead("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  update_id INTEGER NOT NULL,"
    "  source INTEGER NOT NULL,"
    "  lane TEXT NOT NULL,"
    "  received INTEGER NOT NULL,"
    "  died_at INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  message TEXT NOT NULL,"
    "  script TEXT NOT NULL,"
    "  line INTEGER NOT NULL,"
    "  traceback TEXT NOT NULL,"
    "  body TEXT NOT NULL) STRICT;"
    "CREATE INDEX dead_died_at ON dead(died_at)";

static const char write_sql[] =
    "INSERT INTO dead(update_id, source, lane, received, died_at, reason, "
    "kind, message, script, line, traceback, body) "
    "SELECT update_id, source, lane, received, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
    "body FROM inbox WHERE seq = ?1";
static const char death_sql[] =
    "UPDATE inbox SET deaths = deaths + 1 WHERE seq = ?1";
static const char victim_sql[] =
    "SELECT update_id, lane FROM inbox WHERE seq = ?1 AND deaths >= ?2";
static const char count_sql[] = "SELECT count(*) FROM dead";
static const char old_sql[] =
    "DELETE FROM dead WHERE id IN (SELECT id FROM dead WHERE died_at < ?1 "
    "ORDER BY died_at LIMIT ?2)";
static const char many_sql[] =
    "DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id LIMIT ?1)";

static char *cut(const char *text, size_t max)
{
    return mem_dup(text, strnlen(text, max));
}

struct dead_cause *dead_cause_new(const struct inbox_cause *cause,
                                  int64_t update_id, const char *lane,
                                  int64_t now_ms)
{
    struct dead_cause *c = MEM_NEW(struct dead_cause);
    *c = (struct dead_cause){
        .reason = cause->reason,
        .kind = cut(cause->kind, KIND_MAX),
        .message = cut(cause->message, MESSAGE_MAX),
        .script = cut(cause->script, SCRIPT_MAX),
        .traceback = cut(cause->traceback, TRACEBACK_MAX),
        .line = cause->line,
        .died_ms = now_ms,
        .update_id = update_id,
        .lane = mem_strdup(lane),
    };
    return c;
}

void dead_cause_free(struct dead_cause *c)
{
    if (!c)
        return;
    free(c->kind);
    free(c->message);
    free(c->script);
    free(c->traceback);
    free(c->lane);
    free(c);
}

const char *dead_reason(enum inbox_reason reason)
{
    switch (reason) {
    case INBOX_CRASH:
        return "crash";
    case INBOX_ERROR:
        return "error";
    case INBOX_LIMIT:
        return "limit";
    case INBOX_TIMEOUT:
        return "timeout";
    }
    return "";
}

static void bind_text(struct sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

int dead_write(struct sqlite_writer *w, int64_t seq, struct dead_cause *cause,
               struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, write_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seq);
    sqlite3_bind_int64(s, 2, cause->died_ms);
    bind_text(s, 3, dead_reason(cause->reason));
    bind_text(s, 4, cause->kind);
    bind_text(s, 5, cause->message);
    bind_text(s, 6, cause->script);
    sqlite3_bind_int(s, 7, cause->line);
    bind_text(s, 8, cause->traceback);
    if (sqlite_run(w, s, "write dead letter", e) != 0)
        return e->code;
    cause->id = sqlite3_last_insert_rowid(sqlite_handle(w));
    CRASH_POINT("dead.written");
    return 0;
}

/* *cause stays NULL while it has not died often enough, or has ended. */
static int find_victim(struct sqlite_writer *w, int64_t seq, int64_t now_ms,
                       struct dead_cause **cause, struct err *e)
{
    static const struct inbox_cause crash = {
        .reason = INBOX_CRASH,
        .kind = "crash",
        .message = "the process has died three times while the code of this "
                   "update ran",
        .script = "",
        .traceback = "",
    };
    struct sqlite3_stmt *s = sqlite_prepare(w, victim_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seq);
    sqlite3_bind_int(s, 2, INBOX_DEATHS);
    int step = sqlite3_step(s);
    int code = 0;
    if (step == SQLITE_ROW)
        *cause =
            dead_cause_new(&crash, sqlite3_column_int64(s, 0),
                           (const char *)sqlite3_column_text(s, 1), now_ms);
    else if (step != SQLITE_DONE)
        code = sqlite_error(w, e, "find victim");
    sqlite3_reset(s);
    return code;
}

int dead_count_death(struct sqlite_writer *w, int64_t seq, int64_t now_ms,
                     struct dead_cause **cause, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, death_sql, e);
    *cause = NULL;
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seq);
    if (sqlite_run(w, s, "count death", e) != 0 ||
        find_victim(w, seq, now_ms, cause, e) != 0)
        return e->code;
    return *cause ? dead_write(w, seq, *cause, e) : 0;
}

int dead_count(struct sqlite_writer *w, size_t *count, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, count_sql, e);
    if (!s)
        return e->code;
    int code = 0;
    if (sqlite3_step(s) == SQLITE_ROW)
        *count = (size_t)sqlite3_column_int64(s, 0);
    else
        code = sqlite_error(w, e, "count dead letters");
    sqlite3_reset(s);
    return code;
}

static int drop_old(struct sqlite_writer *w, int64_t now_ms, size_t *gone,
                    struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, old_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, now_ms - KEEP_MS);
    sqlite3_bind_int(s, 2, PRUNE_BATCH);
    int code = sqlite_run(w, s, "drop old dead letters", e);
    *gone = (size_t)sqlite3_changes(sqlite_handle(w));
    return code;
}

static int drop_many(struct sqlite_writer *w, size_t n, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, many_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, (int64_t)n);
    return sqlite_run(w, s, "drop dead letters", e);
}

int dead_prune(struct sqlite_writer *w, int64_t now_ms, size_t added,
               struct dead_pruned *p, struct err *e)
{
    *p = (struct dead_pruned){0};
    if (drop_old(w, now_ms, &p->gone, e) != 0 ||
        dead_count(w, &p->left, e) != 0)
        return e->code;
    size_t over = p->left > INBOX_DEAD_MAX ? p->left - INBOX_DEAD_MAX : 0;
    size_t most = added + PRUNE_BATCH;
    size_t n = over < most ? over : most;
    p->again = p->gone == PRUNE_BATCH || n < over;
    p->gone += n;
    p->left -= n;
    return n > 0 ? drop_many(w, n, e) : 0;
}
