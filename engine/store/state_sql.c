#include "store/state_sql.h"

#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
/* Below 0: it was due, and has been seen to. */
static const char seen_sql[] = "UPDATE moonlet_state SET due = -due "
                               "WHERE kind = ?1 AND key = ?2 AND version = ?3 "
                               "AND due > 0";
static const char soonest_sql[] =
    "SELECT min(due) FROM moonlet_state WHERE due > 0";
static const char count_sql[] = "SELECT tag, count(*) FROM moonlet_state "
                                "WHERE kind = ?1 AND tag <> '' GROUP BY tag";
#define MOVES                                                                  \
    "substr(kind, 1, length(?1)) = ?1 AND (key = ?2 OR "                       \
    "substr(key, 1, length(?2) + 1) IN (?2 || ':', ?2 || '/'))"
#define MOVED "?3 || substr(old.key, length(?2) + 1)"
static const char yield_sql[] =
    "DELETE FROM moonlet_state AS old WHERE " MOVES " AND EXISTS(SELECT 1 "
    "FROM moonlet_state AS new WHERE new.kind = old.kind AND new.key = " MOVED
    " AND new.version > old.version)";
static const char move_sql[] =
    "UPDATE OR REPLACE moonlet_state AS old SET key = " MOVED ", "
    "due = abs(due), "
    "lane = CASE lane WHEN ?4 THEN ?5 ELSE lane END WHERE " MOVES;
static const char prune_sql[] =
    "DELETE FROM moonlet_state WHERE (kind, key) IN (SELECT kind, key FROM "
    "moonlet_state WHERE expires > 0 AND expires <= ?1 LIMIT ?2)";

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
void state_row_copy(struct state_row *to, char *at,
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

size_t state_row_bytes(const struct state_row *row)
{
    return length(row->kind) + length(row->key) + length(row->tag) +
           length(row->lane) + row->len + 1;
}

void state_free_found(struct state_op *op)
{
    struct list *link;
    while ((link = list_shift(&op->found)))
        free(LIST_ENTRY(link, struct state_found, link));
}

static struct state_found *add_found(struct state_op *op,
                                     const struct state_row *row)
{
    struct state_found *f = mem_alloc(sizeof *f + state_row_bytes(row));
    state_row_copy(&f->row, f->text, row);
    list_push(&op->found, &f->link);
    return f;
}

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

int state_sql_get(struct sqlite_request *r, struct sqlite_writer *w)
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
int state_sql_put(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct state_row *row = &op->asked;
    int64_t wanted = row->version;
    if (state_sql_get(r, w) != 0)
        return r->result.code;
    struct list *first = op->found.next;
    int64_t there =
        first == &op->found
            ? 0
            : LIST_ENTRY(first, struct state_found, link)->row.version;
    state_free_found(op);
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

int state_sql_due(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, due_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->now_ms);
    sqlite3_bind_int64(s, 2, (int64_t)op->max);
    return read_rows(w, s, op, read_row);
}

int state_sql_seen(struct sqlite_request *r, struct sqlite_writer *w)
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

int state_sql_count(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, count_sql, &r->result);
    if (!s)
        return r->result.code;
    bind_text(s, 1, op->asked.kind);
    return read_rows(w, s, op, read_count);
}

static int run_move(struct state_op *op, struct sqlite_writer *w,
                    const char *sql)
{
    struct err *e = &op->request.result;
    struct sqlite3_stmt *s = sqlite_prepare(w, sql, e);
    if (!s)
        return e->code;
    bind_text(s, 1, op->asked.kind);
    bind_text(s, 2, op->asked.key);
    bind_text(s, 3, op->asked.tag);
    if (sql == move_sql) {
        bind_text(s, 4, op->asked.lane);
        bind_text(s, 5, op->asked.value);
    }
    return sqlite_run(w, s, "move state", e);
}

/* Reads all rows of the kinds; groups do not move often. */
int state_sql_move(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    if (run_move(op, w, yield_sql) != 0 || run_move(op, w, move_sql) != 0)
        return r->result.code;
    op->asked.version = sqlite3_changes(sqlite_handle(w));
    return 0;
}

int state_sql_prune(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct state_op *op = op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, prune_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->now_ms);
    sqlite3_bind_int64(s, 2, STATE_PRUNE_ROWS);
    int code = sqlite_run(w, s, "prune state", &r->result);
    op->max = (size_t)sqlite3_changes(sqlite_handle(w));
    return code;
}

struct sqlite_writer *state_sql_open(struct loop *loop, const char *path,
                                     struct err *e)
{
    return sqlite_writer_open(loop, path, schema,
                              sizeof schema / sizeof *schema, e);
}

int state_sql_soonest(struct sqlite_writer *w, int64_t *due_ms, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, soonest_sql, e);
    if (!s)
        return e->code;
    if (sqlite3_step(s) != SQLITE_ROW)
        return sqlite_error(w, e, "read state");
    *due_ms = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return 0;
}
