#include "store/inbox_sql.h"

#include "base/crash_point.h"
#include "base/mem.h"
#include "store/dead_sql.h"
#include "store/marks.h"
#include "store/seen_sql.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* Left free on the disk, of a small one a part: as much as the log before a
 * checkpoint, and as much again in the file after it. */
#define SPARE_BYTES (UINT64_C(8) << 20)
#define SPARE_PART 4

/* AUTOINCREMENT: a seq is never given twice, so a mark that outlived its
 * entry names no other one. begun stands before body so that reading it
 * leaves the pages of a long body alone. */
static const char first_schema[] =
    "CREATE TABLE IF NOT EXISTS inbox("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  begun INTEGER NOT NULL DEFAULT 0,"
    "  update_id INTEGER NOT NULL,"
    "  source INTEGER NOT NULL,"
    "  received INTEGER NOT NULL,"
    "  lane TEXT NOT NULL,"
    "  body TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS seen("
    "  update_id INTEGER PRIMARY KEY,"
    "  at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS meta("
    "  key TEXT PRIMARY KEY,"
    "  value INTEGER NOT NULL) STRICT, WITHOUT ROWID";
static const char *const schema[] = {first_schema, dead_schema, seen_schema};

static const char begin_sql[] = "BEGIN IMMEDIATE";
static const char commit_sql[] = "COMMIT";
static const char rollback_sql[] = "ROLLBACK";
static const char get_meta_sql[] = "SELECT value FROM meta WHERE key = ?1";
static const char set_meta_sql[] =
    "INSERT INTO meta(key, value) VALUES(?1, ?2) "
    "ON CONFLICT(key) DO UPDATE SET value = excluded.value";
static const char free_sql[] = "SELECT freelist_count * page_size "
                               "FROM pragma_freelist_count, pragma_page_size";
static const char scan_sql[] = "SELECT seq, begun FROM inbox ORDER BY seq";
static const char begun_sql[] = "UPDATE inbox SET begun = 1 WHERE seq = ?1";
static const char insert_sql[] =
    "INSERT INTO inbox(update_id, source, received, lane, body) "
    "VALUES(?1, ?2, ?3, ?4, ?5)";
#define SELECT_ENTRY                                                           \
    "SELECT seq, begun, update_id, source, received, lane, body FROM inbox "
static const char read_sql[] =
    SELECT_ENTRY "WHERE seq > ?1 ORDER BY seq LIMIT ?2";
static const char fetch_sql[] = SELECT_ENTRY "WHERE seq = ?1";
static const char delete_sql[] = "DELETE FROM inbox WHERE seq = ?1";

struct inbox_node *inbox_node_new(const char *lane, size_t lane_len,
                                  const char *body, size_t body_len)
{
    struct inbox_node *n = mem_alloc(sizeof(*n) + lane_len + 1 + body_len + 1);
    char *body_copy = n->text + lane_len + 1;
    memcpy(n->text, lane, lane_len);
    n->text[lane_len] = '\0';
    memcpy(body_copy, body, body_len);
    body_copy[body_len] = '\0';
    n->entry = (struct inbox_entry){
        .mark = -1, .lane = n->text, .body = body_copy, .body_len = body_len};
    list_init(&n->link);
    return n;
}

void inbox_node_free_all(struct list *nodes)
{
    struct list *l;
    while ((l = list_shift(nodes)) != NULL)
        free(LIST_ENTRY(l, struct inbox_node, link));
}

static int run_plain(struct sqlite_writer *w, const char *sql, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, sql, e);
    return s ? sqlite_run(w, s, sql, e) : e->code;
}

static int set_meta(struct sqlite_writer *w, const char *key, int64_t value,
                    struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, set_meta_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, value);
    return sqlite_run(w, s, "set meta", e);
}

/* Leaves *value alone if the key is not there. */
static int get_meta(struct sqlite_writer *w, const char *key, int64_t *value,
                    struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, get_meta_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    int step = sqlite3_step(s);
    int code = 0;
    if (step == SQLITE_ROW)
        *value = sqlite3_column_int64(s, 0);
    else if (step != SQLITE_DONE)
        code = sqlite_error(w, e, "get meta");
    sqlite3_reset(s);
    return code;
}

/* The prepared statements of one batch. */
struct put_run {
    struct sqlite_writer *w;
    struct inbox_put_op *op;
    struct sqlite3_stmt *insert;
    struct err *e;
};

/* Only Telegram's ids mean something. */
static int note_seen(struct put_run *p, const struct inbox_node *n,
                     bool *is_new)
{
    *is_new = true;
    if (n->entry.source != INBOX_TELEGRAM)
        return 0;
    return seen_note(p->op->seen, p->w, n->entry.update_id, p->op->now_ms,
                     is_new, p->e);
}

static int store_node(struct put_run *p, struct inbox_node *n)
{
    bool is_new;
    n->entry.seq = 0;
    if (note_seen(p, n, &is_new) != 0)
        return p->e->code;
    if (!is_new)
        return 0;
    CRASH_POINT("inbox.seen_written");
    sqlite3_bind_int64(p->insert, 1, n->entry.update_id);
    sqlite3_bind_int(p->insert, 2, (int)n->entry.source);
    sqlite3_bind_int64(p->insert, 3, n->entry.received_ms);
    sqlite3_bind_text(p->insert, 4, n->entry.lane, -1, SQLITE_STATIC);
    sqlite3_bind_text64(p->insert, 5, n->entry.body, n->entry.body_len,
                        SQLITE_STATIC, SQLITE_UTF8);
    if (sqlite_run(p->w, p->insert, "store update", p->e) != 0)
        return p->e->code;
    n->entry.seq = sqlite3_last_insert_rowid(sqlite_handle(p->w));
    return 0;
}

/* Bytes in the file that the next rows take before it grows. */
static int free_bytes(struct sqlite_writer *w, uint64_t *bytes, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, free_sql, e);
    if (!s)
        return e->code;
    int code = 0;
    if (sqlite3_step(s) == SQLITE_ROW)
        *bytes = (uint64_t)sqlite3_column_int64(s, 0);
    else
        code = sqlite_error(w, e, "read free pages");
    sqlite3_reset(s);
    return code;
}

/* Ends need room too: an inbox that has filled the disk with what waits could
 * not even be emptied. The rows go into the log, then into the file. */
static int check_room(const struct put_run *p)
{
    uint64_t left, size;
    uint64_t within = 0;
    if (sqlite_disk(p->w, &left, &size, p->e) != 0)
        return p->e->code;
    uint64_t part = size / SPARE_PART;
    uint64_t spare = part < SPARE_BYTES ? part : SPARE_BYTES;
    uint64_t wanted = spare + 2 * (uint64_t)p->op->bytes;
    if (*p->op->no_room)
        wanted += spare / 4; /* not now yes, now no, with each update */
    if (left < wanted && free_bytes(p->w, &within, p->e) != 0)
        return p->e->code;
    if (left + within >= wanted) {
        *p->op->no_room = false;
        return 0;
    }
    if (!*p->op->no_room)
        sqlite_make_room(p->w);
    *p->op->no_room = true;
    return err_set(p->e, ERR_IO, ENOSPC,
                   "the disk of DATA_DIR is full but for what the ends of "
                   "handlers need (%llu KiB): make room",
                   (unsigned long long)(spare >> 10));
}

static int run_put(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct inbox_put_op *op = LIST_ENTRY(r, struct inbox_put_op, op.request);
    struct put_run p = {.w = w, .op = op, .e = &r->result};
    if (check_room(&p) != 0)
        return 0; /* alone: it has written nothing that could harm the rest */
    p.insert = sqlite_prepare(w, insert_sql, p.e);
    if (!p.insert)
        return p.e->code;
    for (struct list *l = op->nodes.next; l != &op->nodes; l = l->next)
        if (store_node(&p, LIST_ENTRY(l, struct inbox_node, link)) != 0)
            return p.e->code;
    if (op->next_offset != 0 &&
        set_meta(w, "next_offset", op->next_offset, p.e) != 0)
        return p.e->code;
    CRASH_POINT("inbox.put_written");
    return seen_sweep(op->seen, w, op->count, op->now_ms, p.e);
}

static void free_put(struct inbox_op *base)
{
    struct inbox_put_op *op = LIST_ENTRY(base, struct inbox_put_op, op);
    inbox_node_free_all(&op->nodes);
    free(op);
}

struct inbox_put_op *inbox_put_op_new(struct inbox *in)
{
    struct inbox_put_op *op = MEM_NEW(struct inbox_put_op);
    op->op.request.run = run_put;
    op->op.request.durable = true;
    op->op.inbox = in;
    op->op.free = free_put;
    list_init(&op->nodes);
    return op;
}

static struct inbox_node *node_of_row(struct sqlite3_stmt *s)
{
    size_t lane_len = (size_t)sqlite3_column_bytes(s, 5);
    size_t body_len = (size_t)sqlite3_column_bytes(s, 6);
    struct inbox_node *n =
        inbox_node_new((const char *)sqlite3_column_text(s, 5), lane_len,
                       (const char *)sqlite3_column_text(s, 6), body_len);
    n->entry.seq = sqlite3_column_int64(s, 0);
    n->entry.redelivered = sqlite3_column_int(s, 1) != 0;
    n->entry.update_id = sqlite3_column_int64(s, 2);
    n->entry.source = (enum inbox_source)sqlite3_column_int(s, 3);
    n->entry.received_ms = sqlite3_column_int64(s, 4);
    return n;
}

static int run_read(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct inbox_read_op *op = LIST_ENTRY(r, struct inbox_read_op, op.request);
    struct sqlite3_stmt *s = sqlite_prepare(w, read_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->after);
    sqlite3_bind_int64(s, 2, (int64_t)op->limit);
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        list_push(&op->nodes, &node_of_row(s)->link);
        op->count++;
    }
    int code =
        step == SQLITE_DONE ? 0 : sqlite_error(w, &r->result, "read inbox");
    sqlite3_reset(s);
    return code;
}

static void free_read(struct inbox_op *base)
{
    struct inbox_read_op *op = LIST_ENTRY(base, struct inbox_read_op, op);
    inbox_node_free_all(&op->nodes);
    free(op);
}

struct inbox_read_op *inbox_read_op_new(struct inbox *in)
{
    struct inbox_read_op *op = MEM_NEW(struct inbox_read_op);
    op->op.request.run = run_read;
    op->op.request.may_fail = true;
    op->op.inbox = in;
    op->op.free = free_read;
    list_init(&op->nodes);
    return op;
}

static int run_fetch(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct inbox_fetch_op *op =
        LIST_ENTRY(r, struct inbox_fetch_op, op.request);
    struct sqlite3_stmt *s = sqlite_prepare(w, fetch_sql, &r->result);
    int step = SQLITE_DONE;
    inbox_node_free_all(&op->nodes); /* of a try whose batch failed */
    for (size_t i = 0; s && i < op->count; i++) {
        sqlite3_bind_int64(s, 1, op->seqs[i]);
        step = sqlite3_step(s);
        if (step == SQLITE_ROW)
            list_push(&op->nodes, &node_of_row(s)->link);
        else if (step != SQLITE_DONE)
            sqlite_error(w, &r->result, "fetch from inbox");
        sqlite3_reset(s);
        if (step != SQLITE_ROW && step != SQLITE_DONE)
            break;
    }
    return r->result.code;
}

static void free_fetch(struct inbox_op *base)
{
    struct inbox_fetch_op *op = LIST_ENTRY(base, struct inbox_fetch_op, op);
    inbox_node_free_all(&op->nodes);
    free(op);
}

struct inbox_fetch_op *inbox_fetch_op_new(struct inbox *in, const int64_t *seqs,
                                          size_t n)
{
    struct inbox_fetch_op *op = mem_zero(1, sizeof *op + n * sizeof *seqs);
    memcpy(op->seqs, seqs, n * sizeof *seqs);
    op->count = n;
    op->op.request.run = run_fetch;
    op->op.request.may_fail = true;
    op->op.inbox = in;
    op->op.free = free_fetch;
    list_init(&op->nodes);
    list_init(&op->link);
    return op;
}

static int run_end(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct inbox_end_op *op = LIST_ENTRY(r, struct inbox_end_op, op.request);
    struct sqlite3_stmt *s = sqlite_prepare(w, delete_sql, &r->result);
    size_t died = 0;
    for (size_t i = 0; s && i < op->count; i++) {
        struct inbox_ended *row = &op->rows[i];
        died += row->cause != NULL;
        if (row->cause && dead_write(w, row->seq, row->cause, &r->result) != 0)
            return r->result.code;
        sqlite3_bind_int64(s, 1, row->seq);
        if (sqlite_run(w, s, "end update", &r->result) != 0)
            return r->result.code;
    }
    CRASH_POINT("inbox.ends_written");
    if (s && died > 0)
        return dead_prune(w, op->now_ms, died, &op->pruned, &r->result);
    return s ? 0 : r->result.code;
}

static void free_end(struct inbox_op *base)
{
    struct inbox_end_op *op = LIST_ENTRY(base, struct inbox_end_op, op);
    for (size_t i = 0; i < op->count; i++)
        dead_cause_free(op->rows[i].cause);
    free(op->rows);
    free(op);
}

struct inbox_end_op *inbox_end_op_new(struct inbox *in)
{
    struct inbox_end_op *op = MEM_NEW(struct inbox_end_op);
    op->op.request.run = run_end;
    op->op.inbox = in;
    op->op.free = free_end;
    return op;
}

struct sqlite_writer *inbox_sql_open(struct loop *loop, const char *path,
                                     struct err *e)
{
    return sqlite_writer_open(loop, path, schema,
                              sizeof(schema) / sizeof(*schema), e);
}

static int check_bot(struct sqlite_writer *w, int64_t bot_id, struct err *e)
{
    int64_t owner = 0;
    if (get_meta(w, "bot_id", &owner, e) != 0)
        return e->code;
    if (owner == bot_id || bot_id == 0)
        return 0;
    if (owner == 0)
        return set_meta(w, "bot_id", bot_id, e);
    return err_set(e, ERR_MISUSE, 0,
                   "the inbox belongs to bot %lld, the token to bot %lld",
                   (long long)owner, (long long)bot_id);
}

static int mark_begun(struct sqlite_writer *w, int64_t seq, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, begun_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seq);
    return sqlite_run(w, s, "mark begun", e);
}

/* Kept in the file and not in the marks alone, because an entry that waits
 * through this whole process still has begun in the one before. */
static int scan_entries(struct sqlite_writer *w, const struct marks *marks,
                        struct inbox_found *found, struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, scan_sql, e);
    if (!s)
        return e->code;
    int step;
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        found->last_seq = sqlite3_column_int64(s, 0);
        found->depth++;
        if (sqlite3_column_int(s, 1) == 0 &&
            marks_had_begun(marks, found->last_seq) &&
            mark_begun(w, found->last_seq, e) != 0)
            break;
    }
    int code = 0;
    if (step == SQLITE_ROW)
        code = e->code;
    else if (step != SQLITE_DONE)
        code = sqlite_error(w, e, "scan inbox");
    sqlite3_reset(s);
    return code;
}

/* The third death makes it a dead letter; *cause then tells of it. */
static int count_death(struct sqlite_writer *w, int64_t seq, int64_t now_ms,
                       struct dead_cause **cause, struct err *e)
{
    if (dead_count_death(w, seq, now_ms, cause, e) != 0)
        return e->code;
    CRASH_POINT("inbox.death_counted");
    if (!*cause)
        return 0;
    struct sqlite3_stmt *s = sqlite_prepare(w, delete_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, seq);
    return sqlite_run(w, s, "end update", e);
}

static int recover_dead(struct sqlite_writer *w, int64_t on_loop,
                        int64_t now_ms, struct inbox_found *found,
                        struct err *e)
{
    if (on_loop != 0 &&
        count_death(w, on_loop, now_ms, &found->crashed, e) != 0)
        return e->code;
    return dead_prune(w, now_ms, found->crashed ? 1 : 0, &found->pruned, e);
}

int inbox_sql_recover(struct sqlite_writer *w, const struct marks *marks,
                      int64_t bot_id, int64_t now_ms, struct inbox_found *found,
                      struct err *e)
{
    *found = (struct inbox_found){0};
    if (run_plain(w, begin_sql, e) != 0)
        return e->code;
    if (check_bot(w, bot_id, e) != 0 ||
        get_meta(w, "next_offset", &found->next_offset, e) != 0 ||
        recover_dead(w, marks_was_on_loop(marks), now_ms, found, e) != 0 ||
        scan_entries(w, marks, found, e) != 0) {
        struct err ignored;
        run_plain(w, rollback_sql, &ignored);
        return e->code;
    }
    CRASH_POINT("inbox.before_recover_commit");
    return run_plain(w, commit_sql, e);
}
