#include "store/state.h"

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/datadir.h"
#include "store/sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define PRUNE_MS 3600000
#define PRUNE_ROWS 1000 /* in one transaction */

static const char *const schema[] = {
    "CREATE TABLE moonlet_state("
    "  kind TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  tag TEXT NOT NULL,"
    "  lane TEXT NOT NULL,"
    "  due INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  value TEXT NOT NULL,"
    "  PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX moonlet_state_due ON moonlet_state(due) WHERE due > 0;"
    "CREATE INDEX moonlet_state_expires ON moonlet_state(expires)"
    "  WHERE expires > 0;"
    "CREATE INDEX moonlet_state_tag ON moonlet_state(kind, tag)"
    "  WHERE tag <> ''"};

#define COLUMNS "kind, key, version, tag, lane, due, expires, value "
static const char get_sql[] = "SELECT " COLUMNS "FROM moonlet_state "
                              "WHERE kind = ?1 AND key = ?2 "
                              "AND (expires = 0 OR expires > ?3)";
static const char put_sql[] =
    "INSERT INTO moonlet_state(" COLUMNS ") "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET "
    "version = excluded.version, tag = excluded.tag, lane = excluded.lane, "
    "due = excluded.due, expires = excluded.expires, value = excluded.value";
static const char remove_sql[] =
    "DELETE FROM moonlet_state WHERE kind = ?1 AND key = ?2";
static const char due_sql[] = "SELECT " COLUMNS "FROM moonlet_state "
                              "WHERE due > 0 AND due <= ?1 "
                              "ORDER BY due LIMIT ?2";
static const char seen_sql[] = "UPDATE moonlet_state SET due = 0 "
                               "WHERE kind = ?1 AND key = ?2 AND version = ?3";
static const char soonest_sql[] =
    "SELECT min(due) FROM moonlet_state WHERE due > 0";
static const char count_sql[] = "SELECT tag, count(*) FROM moonlet_state "
                                "WHERE kind = ?1 AND tag <> '' GROUP BY tag";
static const char prune_sql[] =
    "DELETE FROM moonlet_state WHERE (kind, key) IN (SELECT kind, key FROM "
    "moonlet_state WHERE expires > 0 AND expires <= ?1 LIMIT ?2)";

/* A row with texts of its own, behind each other in one piece. */
struct found {
    struct list link;
    struct state_row row;
    char text[];
};

struct state {
    struct loop *loop;
    struct sqlite_writer *writer;
    struct state_options options;
    struct timer prune;
    unsigned made; /* changes so far */
};

/* Only the writer's thread touches it between submit and done. */
struct state_op {
    struct sqlite_request request;
    struct state *state;
    state_done *done; /* NULL: nobody wants to hear */
    void *arg;
    struct state_row asked; /* texts are its own, in `text` */
    int64_t now_ms;
    int64_t first_version; /* of a row that was not there */
    size_t max;
    struct list found;
    struct deferred refused; /* in place of the request */
    char text[];
};

/* --- texts */

static size_t length(const char *text)
{
    return text ? strlen(text) + 1 : 1;
}

static char *copy(char **at, const char *text, size_t len)
{
    char *copied = *at;
    if (len > 1)
        memcpy(copied, text, len);
    copied[len - 1] = '\0';
    *at += len;
    return copied;
}

/* The texts of `from` go behind each other to `at`. */
static void copy_row(struct state_row *to, char *at,
                     const struct state_row *from)
{
    *to = *from;
    to->kind = copy(&at, from->kind, length(from->kind));
    to->key = copy(&at, from->key, length(from->key));
    to->tag = copy(&at, from->tag, length(from->tag));
    to->lane = copy(&at, from->lane, length(from->lane));
    if (!from->value)
        return;
    memcpy(at, from->value, from->len);
    at[from->len] = '\0';
    to->value = at;
}

static size_t row_bytes(const struct state_row *row)
{
    return length(row->kind) + length(row->key) + length(row->tag) +
           length(row->lane) + row->len + 1;
}

static void free_found(struct list *found)
{
    struct list *link;
    while ((link = list_shift(found)))
        free(LIST_ENTRY(link, struct found, link));
}

static struct found *add_found(struct state_op *op, const struct state_row *row)
{
    struct found *f = mem_alloc(sizeof *f + row_bytes(row));
    copy_row(&f->row, f->text, row);
    list_push(&op->found, &f->link);
    return f;
}

/* --- on the writer's thread */

static void bind_text(struct sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

static void read_row(struct state_op *op, struct sqlite3_stmt *s)
{
    const struct state_row row = {
        .kind = (const char *)sqlite3_column_text(s, 0),
        .key = (const char *)sqlite3_column_text(s, 1),
        .version = sqlite3_column_int64(s, 2),
        .tag = (const char *)sqlite3_column_text(s, 3),
        .lane = (const char *)sqlite3_column_text(s, 4),
        .due_ms = sqlite3_column_int64(s, 5),
        .expires_ms = sqlite3_column_int64(s, 6),
        .value = (const char *)sqlite3_column_text(s, 7),
        .len = (size_t)sqlite3_column_bytes(s, 7),
    };
    add_found(op, &row);
}

static int read_rows(struct sqlite_writer *w, struct sqlite3_stmt *s,
                     struct state_op *op,
                     void (*read)(struct state_op *op, struct sqlite3_stmt *s))
{
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW)
        read(op, s);
    int code = step == SQLITE_DONE
                   ? 0
                   : sqlite_error(w, &op->request.result, "read state");
    sqlite3_reset(s);
    return code;
}

static struct state_op *op_of(struct sqlite_request *r)
{
    return LIST_ENTRY(r, struct state_op, request);
}

static int run_get(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, get_sql, &r->result);
    if (!s)
        return r->result.code;
    bind_text(s, 1, op->asked.kind);
    bind_text(s, 2, op->asked.key);
    sqlite3_bind_int64(s, 3, op->now_ms);
    return read_rows(w, s, op, read_row);
}

static int remove_row(struct state_op *op, struct sqlite_writer *w)
{
    struct err *e = &op->request.result;
    struct sqlite3_stmt *s = sqlite_prepare(w, remove_sql, e);
    if (!s)
        return e->code;
    bind_text(s, 1, op->asked.kind);
    bind_text(s, 2, op->asked.key);
    return sqlite_run(w, s, "remove state", e);
}

static int write_row(const struct state_row *row, struct sqlite_writer *w,
                     struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, put_sql, e);
    if (!s)
        return e->code;
    bind_text(s, 1, row->kind);
    bind_text(s, 2, row->key);
    sqlite3_bind_int64(s, 3, row->version);
    bind_text(s, 4, row->tag);
    bind_text(s, 5, row->lane);
    sqlite3_bind_int64(s, 6, row->due_ms);
    sqlite3_bind_int64(s, 7, row->expires_ms);
    sqlite3_bind_text(s, 8, row->value, (int)row->len, SQLITE_STATIC);
    return sqlite_run(w, s, "write state", e);
}

/* A key that is used again goes on counting only while its row is there; a
 * version of one that was removed is never taken for a new one's, since these
 * begin with the time. */
static int run_put(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct state_row *row = &op->asked;
    int64_t wanted = row->version;
    if (run_get(r, w) != 0)
        return r->result.code;
    struct list *first = op->found.next;
    int64_t there = first == &op->found
                        ? 0
                        : LIST_ENTRY(first, struct found, link)->row.version;
    free_found(&op->found);
    if (wanted >= 0 && wanted != there)
        return err_set(&r->result, ERR_CONFLICT, 0,
                       "%s of %s was changed meanwhile", row->kind, row->key);
    if (!row->value) {
        row->version = 0;
        return there ? remove_row(op, w) : 0;
    }
    row->version = there ? there + 1 : op->first_version;
    return write_row(row, w, &r->result);
}

static int run_due(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, due_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->now_ms);
    sqlite3_bind_int64(s, 2, (int64_t)op->max);
    return read_rows(w, s, op, read_row);
}

static int run_seen(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, seen_sql, &r->result);
    if (!s)
        return r->result.code;
    bind_text(s, 1, op->asked.kind);
    bind_text(s, 2, op->asked.key);
    sqlite3_bind_int64(s, 3, op->asked.version);
    return sqlite_run(w, s, "state is not due", &r->result);
}

static void read_count(struct state_op *op, struct sqlite3_stmt *s)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld",
                       (long long)sqlite3_column_int64(s, 1));
    const struct state_row row = {
        .tag = (const char *)sqlite3_column_text(s, 0),
        .value = text,
        .len = (size_t)len,
    };
    add_found(op, &row);
}

static int run_count(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, count_sql, &r->result);
    if (!s)
        return r->result.code;
    bind_text(s, 1, op->asked.kind);
    return read_rows(w, s, op, read_count);
}

static int run_prune(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, prune_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->now_ms);
    sqlite3_bind_int64(s, 2, PRUNE_ROWS);
    int code = sqlite_run(w, s, "prune state", &r->result);
    op->max = (size_t)sqlite3_changes(sqlite_handle(w));
    return code;
}

/* --- on the loop */

static void op_free(struct state_op *op)
{
    free_found(&op->found);
    free(op);
}

static void finish(struct state_op *op, const struct state_row *row)
{
    if (op->done)
        op->done(op->arg, &op->request.result, row);
    op_free(op);
}

static struct state_op *finished(struct strand_job *job)
{
    return LIST_ENTRY(job, struct state_op, request.job);
}

static void got(struct strand_job *job)
{
    struct state_op *op = finished(job);
    struct list *first = op->found.next;
    op->asked.version = 0;
    finish(op, first == &op->found
                   ? &op->asked
                   : &LIST_ENTRY(first, struct found, link)->row);
}

static void was_put(struct strand_job *job)
{
    struct state_op *op = finished(job);
    struct state *s = op->state;
    CRASH_POINT("state.after_commit");
    if (op->request.result.code == ERR_OK && op->asked.due_ms > 0)
        s->options.due(s->options.arg, op->asked.due_ms);
    finish(op, &op->asked);
}

static void found_due(struct strand_job *job)
{
    static const struct state_row end;
    struct state_op *op = finished(job);
    struct list *link;
    while (op->done && (link = list_shift(&op->found))) {
        struct found *f = LIST_ENTRY(link, struct found, link);
        op->done(op->arg, &op->request.result, &f->row);
        free(f);
    }
    finish(op, &end);
}

static void was_seen(struct strand_job *job)
{
    struct state_op *op = finished(job);
    if (op->request.result.code != ERR_OK)
        LOG_AT(loop_log(op->state->loop), LOG_ERROR, "state.write_failed",
               LOG_S("error", op->request.result.message));
    op_free(op);
}

static void counted(struct strand_job *job)
{
    struct state_op *op = finished(job);
    struct buf json = {0};
    buf_putc(&json, '{');
    for (struct list *l = op->found.next; l != &op->found; l = l->next) {
        const struct state_row *row = &LIST_ENTRY(l, struct found, link)->row;
        buf_puts(&json, json.len > 1 ? "," : "");
        js_put_string(&json, row->tag, strlen(row->tag));
        buf_printf(&json, ":%s", row->value);
    }
    buf_putc(&json, '}');
    op->asked.value = json.data;
    op->asked.len = json.len;
    finish(op, &op->asked);
    buf_free(&json);
}

static void pruned(struct strand_job *job)
{
    struct state_op *op = finished(job);
    bool again = op->request.result.code == ERR_OK && op->max == PRUNE_ROWS;
    timer_start(&op->state->prune, again ? 1 : PRUNE_MS);
    was_seen(job);
}

static void refuse(struct deferred *d)
{
    struct state_op *op = LIST_ENTRY(d, struct state_op, refused);
    finish(op, &op->asked);
}

static struct state_op *op_new(struct state *s, const struct state_row *row,
                               int (*run)(struct sqlite_request *r,
                                          struct sqlite_writer *w),
                               void (*done)(struct strand_job *job))
{
    struct state_op *op = mem_zero(1, sizeof *op + row_bytes(row));
    copy_row(&op->asked, op->text, row);
    list_init(&op->found);
    op->state = s;
    op->now_ms = clock_unix_ms(loop_clock(s->loop));
    op->request.run = run;
    op->request.job.done = done;
    deferred_init(&op->refused, refuse);
    return op;
}

static void check(struct state_op *op)
{
    struct err *e = &op->request.result;
    const struct state_row *row = &op->asked;
    if (strlen(row->kind) > STATE_KEY_MAX || strlen(row->key) > STATE_KEY_MAX)
        err_set(e, ERR_LIMIT, 0, "a key of state is longer than %d bytes",
                STATE_KEY_MAX);
    else if (row->len > STATE_VALUE_MAX)
        err_set(e, ERR_LIMIT, 0,
                "%s of %s would take %zu bytes, more than %u are not kept",
                row->kind, row->key, row->len, STATE_VALUE_MAX);
    else if (sqlite_waiting(op->state->writer) >= STATE_WAITING_MAX)
        err_set(e, ERR_LIMIT, 0, "%d requests wait for bot.db",
                STATE_WAITING_MAX);
}

static struct state_op *submit(struct state_op *op, state_done *done, void *arg)
{
    op->done = done;
    op->arg = arg;
    check(op);
    if (op->request.result.code == ERR_OK)
        sqlite_submit(op->state->writer, &op->request);
    else
        loop_defer(op->state->loop, &op->refused);
    return op;
}

struct state_op *state_get(struct state *s, const char *kind, const char *key,
                           state_done *done, void *arg)
{
    const struct state_row row = {.kind = kind, .key = key};
    struct state_op *op = op_new(s, &row, run_get, got);
    op->request.may_fail = true;
    return submit(op, done, arg);
}

struct state_op *state_put(struct state *s, const struct state_row *row,
                           state_done *done, void *arg)
{
    struct state_op *op = op_new(s, row, run_put, was_put);
    op->request.may_fail = true;
    op->request.durable = true;
    op->first_version = op->now_ms * 1000 + s->made++ % 1000;
    return submit(op, done, arg);
}

void state_forget(struct state_op *op)
{
    op->done = NULL;
}

struct state_op *state_find_due(struct state *s, int64_t now_ms, size_t max,
                                state_done *done, void *arg)
{
    static const struct state_row none = {.kind = "", .key = ""};
    struct state_op *op = op_new(s, &none, run_due, found_due);
    op->request.may_fail = true;
    op->now_ms = now_ms;
    op->max = max;
    return submit(op, done, arg);
}

void state_seen_due(struct state *s, const struct state_row *row)
{
    const struct state_row key = {
        .kind = row->kind, .key = row->key, .version = row->version};
    struct state_op *op = op_new(s, &key, run_seen, was_seen);
    op->request.may_fail = true;
    sqlite_submit(s->writer, &op->request);
}

struct state_op *state_count(struct state *s, const char *kind,
                             state_done *done, void *arg)
{
    const struct state_row row = {.kind = kind, .key = ""};
    struct state_op *op = op_new(s, &row, run_count, counted);
    op->request.may_fail = true;
    return submit(op, done, arg);
}

static void prune(struct timer *t)
{
    static const struct state_row none = {.kind = "", .key = ""};
    struct state *s = LIST_ENTRY(t, struct state, prune);
    struct state_op *op = op_new(s, &none, run_prune, pruned);
    op->request.may_fail = true;
    sqlite_submit(s->writer, &op->request);
}

/* --- life */

static int tell_soonest(struct state *s, struct err *e)
{
    struct sqlite3_stmt *stmt = sqlite_prepare(s->writer, soonest_sql, e);
    if (!stmt)
        return e->code;
    if (sqlite3_step(stmt) != SQLITE_ROW)
        return sqlite_error(s->writer, e, "read state");
    int64_t due_ms = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    if (due_ms > 0)
        s->options.due(s->options.arg, due_ms);
    return 0;
}

struct state *state_open(struct loop *loop, const struct datadir *dir,
                         const struct state_options *o, struct err *e)
{
    struct state *s = MEM_NEW(struct state);
    char *path = datadir_file(dir, "bot.db");
    s->loop = loop;
    s->options = *o;
    timer_init(&s->prune, loop, prune);
    s->writer = sqlite_writer_open(loop, path, schema, 1, e);
    int code = s->writer ? tell_soonest(s, e) : e->code;
    if (s->writer && code != 0) {
        err_wrap(e, "%s", path);
        sqlite_writer_close(s->writer);
    }
    free(path);
    if (code != 0) {
        free(s);
        return NULL;
    }
    timer_start(&s->prune, PRUNE_MS);
    return s;
}

void state_close(struct state *s)
{
    timer_stop(&s->prune);
    sqlite_writer_close(s->writer);
    timer_stop(&s->prune); /* the last completion may have started it */
    free(s);
}

static void drop(struct sqlite_request *r)
{
    op_free(op_of(r));
}

void state_kill(struct state *s)
{
    timer_stop(&s->prune);
    sqlite_writer_kill(s->writer, drop);
    free(s);
}
