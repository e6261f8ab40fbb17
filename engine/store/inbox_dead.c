#include "store/inbox_internal.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define PRUNE_MS 3600000
#define PRUNE_AGAIN_MS 1000 /* between the batches of a backlog */

static const char list_sql[] =
    "SELECT id, update_id, source, received, died_at, line, reason, lane, "
    "kind, message, script FROM dead WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
static const char show_sql[] =
    "SELECT id, update_id, source, received, died_at, line, reason, lane, "
    "kind, message, script, traceback, body FROM dead WHERE id = ?1";
static const char remove_sql[] = "DELETE FROM dead WHERE id = ?1";
static const char insert_sql[] =
    "INSERT INTO inbox(begun, update_id, source, received, lane, body) "
    "VALUES(1, ?1, ?2, ?3, ?4, ?5)";

/* One request about letters; which one is its `run`. */
struct dead_op {
    struct inbox_op op;
    int64_t id; /* list: below this one */
    size_t limit;
    int64_t now_ms;
    struct inbox_letter *letters;
    char **texts; /* those of a letter are in one piece, here to be freed */
    size_t count;
    struct inbox_node *node; /* replayed */
    struct dead_pruned pruned;
    inbox_dead_done *done;
    void *arg;
};

static struct dead_op *dead_op_of(struct sqlite_request *r)
{
    return LIST_ENTRY(r, struct dead_op, op.request);
}

static void free_op(struct inbox_op *base)
{
    struct dead_op *op = LIST_ENTRY(base, struct dead_op, op);
    for (size_t i = 0; op->texts && i < op->count; i++)
        free(op->texts[i]);
    free(op->texts);
    free(op->letters);
    free(op->node);
    free(op);
}

enum { FIRST_TEXT = 6, TEXTS = 7 };

/* Copies the texts of a row into one piece of memory and returns it. */
static char *copy_texts(struct sqlite3_stmt *s, const char *texts[TEXTS])
{
    size_t total = 0;
    int n = sqlite3_column_count(s) - FIRST_TEXT;
    for (int i = 0; i < n; i++)
        total += (size_t)sqlite3_column_bytes(s, FIRST_TEXT + i) + 1;
    char *all = mem_zero(total, 1);
    char *at = all;
    for (int i = 0; i < n; i++) {
        size_t len = (size_t)sqlite3_column_bytes(s, FIRST_TEXT + i);
        memcpy(at, sqlite3_column_text(s, FIRST_TEXT + i), len);
        texts[i] = at;
        at += len + 1;
    }
    return all;
}

static char *read_letter(struct sqlite3_stmt *s, struct inbox_letter *l)
{
    const char *texts[TEXTS] = {NULL};
    char *all = copy_texts(s, texts);
    *l = (struct inbox_letter){
        .id = sqlite3_column_int64(s, 0),
        .update_id = sqlite3_column_int64(s, 1),
        .source = (enum inbox_source)sqlite3_column_int(s, 2),
        .received_ms = sqlite3_column_int64(s, 3),
        .died_ms = sqlite3_column_int64(s, 4),
        .line = sqlite3_column_int(s, 5),
        .reason = texts[0],
        .lane = texts[1],
        .kind = texts[2],
        .message = texts[3],
        .script = texts[4],
        .traceback = texts[5],
        .body = texts[6],
    };
    if (l->body)
        l->body_len = (size_t)sqlite3_column_bytes(s, FIRST_TEXT + 6);
    return all;
}

/* The statement is bound; it gives at most op->limit rows. */
static int read_letters(struct dead_op *op, struct sqlite_writer *w,
                        struct sqlite3_stmt *s)
{
    int step;
    op->letters = mem_zero(op->limit + 1, sizeof(*op->letters));
    op->texts = mem_zero(op->limit + 1, sizeof(*op->texts));
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        op->texts[op->count] = read_letter(s, &op->letters[op->count]);
        op->count++;
    }
    int code = step == SQLITE_DONE ? 0
                                   : sqlite_error(w, &op->op.request.result,
                                                  "read dead letters");
    sqlite3_reset(s);
    return code;
}

static int run_list(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct dead_op *op = dead_op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, list_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->id);
    sqlite3_bind_int64(s, 2, (int64_t)op->limit);
    return read_letters(op, w, s);
}

static int run_show(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct dead_op *op = dead_op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, show_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->id);
    return read_letters(op, w, s);
}

static int run_drop(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct dead_op *op = dead_op_of(r);
    struct sqlite3_stmt *s = sqlite_prepare(w, remove_sql, &r->result);
    if (!s)
        return r->result.code;
    sqlite3_bind_int64(s, 1, op->id);
    if (sqlite_run(w, s, "remove dead letter", &r->result) != 0)
        return r->result.code;
    op->count = (size_t)sqlite3_changes(sqlite_handle(w));
    CRASH_POINT("dead.dropped");
    return dead_count(w, &op->pruned.left, &r->result);
}

static struct inbox_node *node_of_letter(const struct inbox_letter *l,
                                         int64_t now_ms)
{
    struct inbox_node *n =
        inbox_node_new(l->lane, strlen(l->lane), l->body, l->body_len);
    n->entry.update_id = l->update_id;
    n->entry.source = INBOX_REPLAY;
    n->entry.received_ms = now_ms;
    n->entry.redelivered = true;
    return n;
}

static int insert_node(struct sqlite_writer *w, struct inbox_node *n,
                       struct err *e)
{
    struct sqlite3_stmt *s = sqlite_prepare(w, insert_sql, e);
    if (!s)
        return e->code;
    sqlite3_bind_int64(s, 1, n->entry.update_id);
    sqlite3_bind_int(s, 2, (int)n->entry.source);
    sqlite3_bind_int64(s, 3, n->entry.received_ms);
    sqlite3_bind_text(s, 4, n->entry.lane, -1, SQLITE_STATIC);
    sqlite3_bind_text64(s, 5, n->entry.body, n->entry.body_len, SQLITE_STATIC,
                        SQLITE_UTF8);
    if (sqlite_run(w, s, "replay update", e) != 0)
        return e->code;
    n->entry.seq = sqlite3_last_insert_rowid(sqlite_handle(w));
    return 0;
}

static int run_replay(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct dead_op *op = dead_op_of(r);
    if (run_show(r, w) != 0)
        return r->result.code;
    if (op->count == 0)
        return dead_count(w, &op->pruned.left, &r->result);
    op->node = node_of_letter(&op->letters[0], op->now_ms);
    if (insert_node(w, op->node, &r->result) != 0)
        return r->result.code;
    CRASH_POINT("dead.replayed");
    return run_drop(r, w);
}

static int run_prune(struct sqlite_request *r, struct sqlite_writer *w)
{
    struct dead_op *op = dead_op_of(r);
    return dead_prune(w, op->now_ms, 0, &op->pruned, &r->result);
}

static struct dead_op *op_new(struct inbox *in,
                              int (*run)(struct sqlite_request *r,
                                         struct sqlite_writer *w),
                              void (*completed)(struct strand_job *job))
{
    struct dead_op *op = MEM_NEW(struct dead_op);
    op->op.request.run = run;
    op->op.request.may_fail = true;
    op->op.request.job.done = completed;
    op->op.inbox = in;
    op->op.free = free_op;
    op->limit = 1;
    op->now_ms = clock_unix_ms(loop_clock(in->loop));
    return op;
}

static void answer(struct dead_op *op, bool with_letters)
{
    const struct err *e = &op->op.request.result;
    const struct inbox_dead_answer a = {
        .error = e,
        .count = e->code == ERR_OK ? op->count : 0,
        .letters = with_letters && e->code == ERR_OK ? op->letters : NULL,
    };
    op->done(op->arg, &a);
    op->op.free(&op->op);
}

static void read_completed(struct strand_job *job)
{
    answer(LIST_ENTRY(job, struct dead_op, op.request.job), true);
}

/* A replayed update may start before the answer is given. */
static void changed(struct strand_job *job)
{
    struct dead_op *op = LIST_ENTRY(job, struct dead_op, op.request.job);
    struct inbox *in = op->op.inbox;
    if (op->op.request.result.code == ERR_OK) {
        in->dead = op->pruned.left;
        if (op->node)
            inbox__stored(in, op->node);
        op->node = NULL;
    }
    answer(op, false);
}

static void submit(struct dead_op *op, int64_t id, inbox_dead_done *done,
                   void *arg)
{
    op->id = id;
    op->done = done;
    op->arg = arg;
    sqlite_submit(op->op.inbox->writer, &op->op.request);
}

void inbox_dead_list(struct inbox *in, int64_t before, size_t limit,
                     inbox_dead_done *done, void *arg)
{
    struct dead_op *op = op_new(in, run_list, read_completed);
    op->limit = limit < INBOX_DEAD_LIST ? limit : INBOX_DEAD_LIST;
    submit(op, before > 0 ? before : INT64_MAX, done, arg);
}

void inbox_dead_show(struct inbox *in, int64_t id, inbox_dead_done *done,
                     void *arg)
{
    submit(op_new(in, run_show, read_completed), id, done, arg);
}

void inbox_dead_replay(struct inbox *in, int64_t id, inbox_dead_done *done,
                       void *arg)
{
    struct dead_op *op = op_new(in, run_replay, changed);
    op->op.request.durable = true;
    submit(op, id, done, arg);
}

void inbox_dead_drop(struct inbox *in, int64_t id, inbox_dead_done *done,
                     void *arg)
{
    struct dead_op *op = op_new(in, run_drop, changed);
    op->op.request.durable = true;
    submit(op, id, done, arg);
}

size_t inbox_dead_count(const struct inbox *in)
{
    return in->dead;
}

void inbox__pruned(struct inbox *in, const struct dead_pruned *p)
{
    in->dead = p->left;
    if (p->gone > 0)
        LOG_AT(loop_log(in->loop), LOG_WARN, "dead.pruned",
               LOG_I("count", (int64_t)p->gone));
    if (!in->closing)
        timer_start(&in->prune, p->again ? PRUNE_AGAIN_MS : PRUNE_MS);
}

static void prune_completed(struct strand_job *job)
{
    struct dead_op *op = LIST_ENTRY(job, struct dead_op, op.request.job);
    struct inbox *in = op->op.inbox;
    if (op->op.request.result.code == ERR_OK) {
        inbox__pruned(in, &op->pruned);
    } else {
        LOG_AT(loop_log(in->loop), LOG_ERROR, "dead.prune_failed",
               LOG_S("error", op->op.request.result.message));
        if (!in->closing)
            timer_start(&in->prune, PRUNE_MS);
    }
    op->op.free(&op->op);
}

void inbox__prune(struct timer *t)
{
    struct inbox *in = LIST_ENTRY(t, struct inbox, prune);
    struct dead_op *op = op_new(in, run_prune, prune_completed);
    sqlite_submit(in->writer, &op->op.request);
}

void inbox__tell_dead(struct inbox *in, const struct dead_cause *cause)
{
    LOG_AT(loop_log(in->loop), LOG_WARN, "dead.letter", LOG_I("id", cause->id),
           LOG_S("reason", dead_reason(cause->reason)),
           LOG_I("update_id", cause->update_id), LOG_S("lane", cause->lane));
}
