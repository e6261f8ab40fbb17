#include "store/sqlite.h"

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BATCH_MAX 1000
/* Pages in the log from which a checkpoint is tried, and from which it waits
 * for readers so that the log starts over. */
#define CHECKPOINT_PASSIVE 1000
#define CHECKPOINT_RESTART 16000
#define BUSY_MS 5000
#define RESTART_MS 200 /* the longest wait for readers */

struct cached {
    const char *sql;
    struct sqlite3_stmt *stmt;
};

struct sqlite_writer {
    struct loop *loop;
    struct strand *strand;
    struct sqlite3 *db;
    struct cached *cache; /* as many as there are SQL texts in the code */
    size_t cache_count;
    bool full;         /* PRAGMA synchronous is FULL now, else NORMAL */
    int log_pages;     /* after the last commit */
    int checkpoint_at; /* log_pages that start the next checkpoint */
    bool crowded;      /* sqlite_make_room */
    void (*drop)(struct sqlite_request *r);
};

static bool may_pass(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
        return true;
    }
    return false;
}

static int database_error(struct sqlite3 *db, struct err *e, const char *what)
{
    int code = sqlite3_extended_errcode(db);
    err_set(e, ERR_DB, code, "%s: %s", what, sqlite3_errmsg(db));
    e->retryable = may_pass(code);
    return ERR_DB;
}

int sqlite_error(struct sqlite_writer *w, struct err *e, const char *what)
{
    return database_error(w->db, e, what);
}

struct sqlite3 *sqlite_handle(struct sqlite_writer *w)
{
    return w->db;
}

int sqlite_disk(struct sqlite_writer *w, uint64_t *left, uint64_t *size,
                struct err *e)
{
    const char *path = sqlite3_db_filename(w->db, "main");
    struct statvfs fs;
    if (statvfs(path, &fs) != 0)
        return err_errno(e, errno, "%s", path);
    *left = (uint64_t)fs.f_bavail * fs.f_frsize;
    *size = (uint64_t)fs.f_blocks * fs.f_frsize;
    return 0;
}

void sqlite_make_room(struct sqlite_writer *w)
{
    w->crowded = true;
}

static struct sqlite3_stmt *add_statement(struct sqlite_writer *w,
                                          const char *sql, struct err *e)
{
    struct sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(w->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
                           NULL) != SQLITE_OK) {
        sqlite_error(w, e, "prepare");
        return NULL;
    }
    w->cache = mem_grow(w->cache, w->cache_count + 1, sizeof(*w->cache));
    w->cache[w->cache_count++] = (struct cached){.sql = sql, .stmt = stmt};
    return stmt;
}

struct sqlite3_stmt *sqlite_prepare(struct sqlite_writer *w, const char *sql,
                                    struct err *e)
{
    for (size_t i = 0; i < w->cache_count; i++) {
        if (w->cache[i].sql != sql)
            continue;
        sqlite3_reset(w->cache[i].stmt);
        sqlite3_clear_bindings(w->cache[i].stmt);
        return w->cache[i].stmt;
    }
    return add_statement(w, sql, e);
}

int sqlite_run(struct sqlite_writer *w, struct sqlite3_stmt *stmt,
               const char *what, struct err *e)
{
    int code = sqlite3_step(stmt) == SQLITE_DONE ? 0 : sqlite_error(w, e, what);
    sqlite3_reset(stmt);
    return code;
}

static int run_statement(struct sqlite_writer *w, const char *sql,
                         struct err *e)
{
    struct sqlite3_stmt *stmt = sqlite_prepare(w, sql, e);
    return stmt ? sqlite_run(w, stmt, sql, e) : e->code;
}

static int execute(struct sqlite3 *db, const char *sql, const char *what,
                   struct err *e)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return database_error(db, e, what);
}

static struct sqlite_request *request_of(struct list *link)
{
    return LIST_ENTRY(link, struct sqlite_request, job.link);
}

/* SQLite lets synchronous change only outside a transaction. */
static int set_synchronous(struct sqlite_writer *w, bool full, struct err *e)
{
    if (w->full == full)
        return 0;
    const char *sql =
        full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
    if (execute(w->db, sql, sql, e) != 0)
        return e->code;
    w->full = full;
    return 0;
}

static int begin_batch(struct sqlite_writer *w, struct list *batch,
                       struct err *e)
{
    bool durable = false;
    for (struct list *l = batch->next; l != batch; l = l->next)
        durable = durable || request_of(l)->durable;
    if (set_synchronous(w, durable, e) != 0)
        return e->code;
    return run_statement(w, "BEGIN IMMEDIATE", e);
}

/* A failure stays within the request, unless its savepoint is gone too:
 * SQLite rolls the whole transaction back when the disk fails. */
static int run_in_savepoint(struct sqlite_writer *w, struct sqlite_request *r,
                            struct err *e)
{
    if (run_statement(w, "SAVEPOINT request", e) != 0)
        return e->code;
    r->result.code = ERR_OK;
    if (r->run(r, w) != 0) {
        if (sqlite3_get_autocommit(w->db)) {
            *e = r->result;
            return e->code;
        }
        if (run_statement(w, "ROLLBACK TO request", e) != 0)
            return e->code;
    }
    return run_statement(w, "RELEASE request", e);
}

/* Returns why the batch as a whole must fail, or 0. */
static int run_request(struct sqlite_writer *w, struct sqlite_request *r,
                       struct err *e)
{
    if (r->may_fail)
        return run_in_savepoint(w, r, e);
    if (r->run(r, w) == 0)
        return 0;
    *e = r->result;
    return e->code;
}

/* A statement that is still under way would keep COMMIT from ending and
 * checkpoints from starting the log over. */
static void reset_statements(struct sqlite_writer *w)
{
    for (size_t i = 0; i < w->cache_count; i++)
        sqlite3_reset(w->cache[i].stmt);
}

static int run_transaction(struct sqlite_writer *w, struct list *batch,
                           struct err *e)
{
    if (begin_batch(w, batch, e) != 0)
        return e->code;
    for (struct list *l = batch->next; l != batch; l = l->next)
        if (run_request(w, request_of(l), e) != 0)
            return e->code;
    reset_statements(w);
    CRASH_POINT("sqlite.before_commit");
    if (run_statement(w, "COMMIT", e) != 0)
        return e->code;
    CRASH_POINT("sqlite.after_commit");
    return 0;
}

static void fail_batch(struct sqlite_writer *w, struct list *batch,
                       const struct err *why)
{
    reset_statements(w);
    if (!sqlite3_get_autocommit(w->db))
        sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    for (struct list *l = batch->next; l != batch; l = l->next)
        if (request_of(l)->result.code == ERR_OK)
            request_of(l)->result = *why;
}

static void checkpoint(struct sqlite_writer *w)
{
    int mode = w->log_pages > CHECKPOINT_RESTART ? SQLITE_CHECKPOINT_RESTART
                                                 : SQLITE_CHECKPOINT_PASSIVE;
    int in_log = 0;
    int moved = 0;
    CRASH_POINT("sqlite.before_checkpoint");
    sqlite3_busy_timeout(w->db, RESTART_MS);
    int code = sqlite3_wal_checkpoint_v2(w->db, NULL, mode, &in_log, &moved);
    sqlite3_busy_timeout(w->db, BUSY_MS);
    CRASH_POINT("sqlite.after_checkpoint");
    if (code == SQLITE_OK && moved == in_log) {
        w->checkpoint_at = CHECKPOINT_PASSIVE;
        return;
    }
    /* Readers or a full disk: not again at every commit. */
    w->checkpoint_at = w->log_pages + CHECKPOINT_PASSIVE;
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        LOG_AT(loop_log(w->loop), LOG_WARN, "sqlite.checkpoint_failed",
               LOG_S("error", sqlite3_errstr(code)),
               LOG_I("log_pages", w->log_pages));
}

/* If it fails, the next commit that does tells why. */
static void make_room(struct sqlite_writer *w)
{
    sqlite3_busy_timeout(w->db, RESTART_MS);
    sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                              NULL);
    sqlite3_busy_timeout(w->db, BUSY_MS);
    w->crowded = false;
}

static void run_batch(void *arg, struct list *batch)
{
    struct sqlite_writer *w = arg;
    struct err e = {.code = ERR_OK};
    if (run_transaction(w, batch, &e) != 0)
        fail_batch(w, batch, &e);
    else if (w->log_pages > w->checkpoint_at)
        checkpoint(w);
    if (w->crowded || (e.code == ERR_DB && (e.detail & 0xff) == SQLITE_FULL))
        make_room(w);
}

/* SQLite would make it readable for everyone; its log takes its mode. */
static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, errno, "%s", path);
    close(fd);
    CRASH_POINT("sqlite.file_made");
    return 0;
}

static int read_version(struct sqlite_writer *w, int *version, struct err *e)
{
    struct sqlite3_stmt *stmt = sqlite_prepare(w, "PRAGMA user_version", e);
    if (!stmt)
        return e->code;
    int code = 0;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *version = sqlite3_column_int(stmt, 0);
    else
        code = sqlite_error(w, e, "user_version");
    sqlite3_reset(stmt);
    return code;
}

static int write_schema(struct sqlite_writer *w, const char *const *steps,
                        int version, struct err *e)
{
    int found = 0;
    if (read_version(w, &found, e) != 0)
        return e->code;
    if (found == version)
        return 0;
    if (found > version)
        return err_set(e, ERR_MISUSE, 0,
                       "made by a newer moonlet (schema %d, this one knows %d)",
                       found, version);
    struct buf sql = {0};
    buf_puts(&sql, "BEGIN IMMEDIATE");
    for (int i = found; i < version; i++)
        buf_printf(&sql, ";%s", steps[i]);
    buf_printf(&sql, ";PRAGMA user_version=%d;COMMIT", version);
    CRASH_POINT("sqlite.before_schema");
    int code = execute(w->db, sql.data, "schema", e);
    CRASH_POINT("sqlite.after_schema");
    buf_free(&sql);
    return code;
}

static int note_log_pages(void *arg, struct sqlite3 *db, const char *name,
                          int pages)
{
    (void)db;
    (void)name;
    ((struct sqlite_writer *)arg)->log_pages = pages;
    return SQLITE_OK;
}

/* mmap is off because it turns a failing disk into a SIGBUS. secure_delete,
 * which some builds have on, would write each page of what is deleted to the
 * log: on a full disk, nothing could be deleted. */
static int set_pragmas(struct sqlite_writer *w, struct err *e)
{
    static const char pragmas[] = "PRAGMA journal_mode=WAL;"
                                  "PRAGMA synchronous=FULL;"
                                  "PRAGMA journal_size_limit=67108864;"
                                  "PRAGMA foreign_keys=ON;"
                                  "PRAGMA temp_store=MEMORY;"
                                  "PRAGMA cache_size=-8000;"
                                  "PRAGMA secure_delete=FAST;"
                                  "PRAGMA mmap_size=0";
    sqlite3_extended_result_codes(w->db, 1);
    sqlite3_busy_timeout(w->db, BUSY_MS);
    if (execute(w->db, pragmas, "pragmas", e) != 0)
        return e->code;
    w->full = true;
    w->checkpoint_at = CHECKPOINT_PASSIVE;
    /* Also switches SQLite's own checkpoints off, which hang on this hook. */
    sqlite3_wal_hook(w->db, note_log_pages, w);
    return 0;
}

static int open_database(struct sqlite_writer *w, const char *path,
                         const char *const *steps, int version, struct err *e)
{
    /* NOMUTEX: the connection is used by one thread at a time. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (make_file(path, e) != 0)
        return e->code;
    if (sqlite3_open_v2(path, &w->db, flags, NULL) != SQLITE_OK) {
        sqlite_error(w, e, "open");
    } else if (set_pragmas(w, e) == 0) {
        make_room(w); /* of a process that died on a full disk */
        write_schema(w, steps, version, e);
    }
    return e->code == ERR_OK ? 0 : err_wrap(e, "%s", path);
}

static void close_database(struct sqlite_writer *w)
{
    for (size_t i = 0; i < w->cache_count; i++)
        sqlite3_finalize(w->cache[i].stmt);
    sqlite3_close(w->db);
    free(w->cache);
    free(w);
}

struct sqlite_writer *sqlite_writer_open(struct loop *loop, const char *path,
                                         const char *const *steps, int version,
                                         struct err *e)
{
    struct sqlite_writer *w = MEM_NEW(struct sqlite_writer);
    w->loop = loop;
    e->code = ERR_OK;
    if (open_database(w, path, steps, version, e) != 0) {
        close_database(w);
        return NULL;
    }
    w->strand = strand_new(loop, "sqlite", BATCH_MAX, run_batch, w);
    return w;
}

void sqlite_submit(struct sqlite_writer *w, struct sqlite_request *r)
{
    r->writer = w;
    r->result = (struct err){.code = ERR_OK};
    strand_push(w->strand, &r->job);
}

size_t sqlite_waiting(const struct sqlite_writer *w)
{
    return strand_waiting(w->strand);
}

void sqlite_writer_close(struct sqlite_writer *w)
{
    strand_finish(w->strand);
    CRASH_POINT("sqlite.finished");
    sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                              NULL);
    CRASH_POINT("sqlite.truncated");
    close_database(w);
}

static void drop_request(struct strand_job *job)
{
    struct sqlite_request *r = LIST_ENTRY(job, struct sqlite_request, job);
    r->writer->drop(r);
}

void sqlite_writer_kill(struct sqlite_writer *w,
                        void (*drop)(struct sqlite_request *r))
{
    w->drop = drop;
    strand_kill(w->strand, drop_request);
    sqlite3_db_config(w->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    close_database(w);
}
