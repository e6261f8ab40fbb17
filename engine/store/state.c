#include "store/state.h"

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/state_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRUNE_MS 3600000
#define FAILING_MS                                                             \
    5000 /* so often it is asked whether the file is well again */
#define CHAT_LANE "chat:" /* telegram/update.c */
#define CHAT_LANE_MAX 32

struct state {
    struct loop *loop;
    struct sqlite_writer *writer;
    struct state_options options;
    struct timer prune;
    unsigned made; /* changes so far */
    bool failing;  /* as was told */
};

static void op_free(struct state_op *op)
{
    state_free_found(op);
    free(op);
}

static void finish(struct state_op *op, const struct state_row *row)
{
    if (op->done)
        op->done(op->arg, &op->request.result, row);
    op_free(op);
}

/* A wrong request says nothing about the file. */
static void tell_health(struct state *s, const struct err *e)
{
    bool failed = e->code == ERR_DB || e->code == ERR_IO;
    if (failed == s->failing || (!failed && e->code != ERR_OK))
        return;
    s->failing = failed;
    if (failed)
        timer_start(&s->prune, FAILING_MS);
    s->options.failed(s->options.arg, failed ? e : NULL);
}

static struct state_op *finished(struct strand_job *job)
{
    struct state_op *op = LIST_ENTRY(job, struct state_op, request.job);
    tell_health(op->state, &op->request.result);
    return op;
}

static void got(struct strand_job *job)
{
    struct state_op *op = finished(job);
    struct list *first = op->found.next;
    op->asked.version = 0;
    finish(op, first == &op->found
                   ? &op->asked
                   : &LIST_ENTRY(first, struct state_found, link)->row);
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
        struct state_found *f = LIST_ENTRY(link, struct state_found, link);
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
        const struct state_row *row =
            &LIST_ENTRY(l, struct state_found, link)->row;
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
    struct state *s = op->state;
    bool again =
        op->request.result.code == ERR_OK && op->max == STATE_PRUNE_ROWS;
    was_seen(job);
    timer_start(&s->prune, again ? 1 : s->failing ? FAILING_MS : PRUNE_MS);
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
    struct state_op *op = mem_zero(1, sizeof *op + state_row_bytes(row));
    state_row_copy(&op->asked, op->text, row);
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
                "%s of %s would take %zu bytes, more than %d are not kept",
                row->kind, row->key, row->len, STATE_VALUE_MAX);
    else if (sqlite_waiting(op->state->writer) >= STATE_WAITING_MAX)
        err_set(e, ERR_LIMIT, 0, "%d requests wait for the database",
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
    struct state_op *op = op_new(s, &row, state_sql_get, got);
    op->request.may_fail = true;
    return submit(op, done, arg);
}

struct state_op *state_put(struct state *s, const struct state_row *row,
                           state_done *done, void *arg)
{
    struct state_op *op = op_new(s, row, state_sql_put, was_put);
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
    struct state_op *op = op_new(s, &none, state_sql_due, found_due);
    op->request.may_fail = true;
    op->now_ms = now_ms;
    op->max = max;
    return submit(op, done, arg);
}

void state_seen_due(struct state *s, const struct state_row *row)
{
    const struct state_row key = {
        .kind = row->kind, .key = row->key, .version = row->version};
    struct state_op *op = op_new(s, &key, state_sql_seen, was_seen);
    op->request.may_fail = true;
    sqlite_submit(s->writer, &op->request);
}

struct state_op *state_count(struct state *s, const char *kind,
                             state_done *done, void *arg)
{
    const struct state_row row = {.kind = kind, .key = ""};
    struct state_op *op = op_new(s, &row, state_sql_count, counted);
    op->request.may_fail = true;
    return submit(op, done, arg);
}

static void moved(struct strand_job *job)
{
    struct state_op *op = finished(job);
    struct state *s = op->state;
    struct log *log = loop_log(s->loop);
    const struct err *e = &op->request.result;
    if (e->code != ERR_OK)
        LOG_AT(log, LOG_ERROR, "state.not_moved", LOG_S("from", op->asked.key),
               LOG_S("to", op->asked.tag), LOG_S("error", e->message));
    else if (op->asked.version > 0) {
        LOG_AT(log, LOG_INFO, "state.moved", LOG_S("from", op->asked.key),
               LOG_S("to", op->asked.tag), LOG_I("count", op->asked.version));
        s->options.due(s->options.arg, clock_unix_ms(loop_clock(s->loop)));
    }
    finish(op, &op->asked);
}

struct state_op *state_move_chat(struct state *s, const char *kinds,
                                 int64_t from, int64_t to, state_done *done,
                                 void *arg)
{
    char lanes[2][CHAT_LANE_MAX];
    snprintf(lanes[0], CHAT_LANE_MAX, CHAT_LANE "%" PRId64, from);
    snprintf(lanes[1], CHAT_LANE_MAX, CHAT_LANE "%" PRId64, to);
    const struct state_row row = {.kind = kinds,
                                  .key = lanes[0] + strlen(CHAT_LANE),
                                  .tag = lanes[1] + strlen(CHAT_LANE),
                                  .lane = lanes[0],
                                  .value = lanes[1],
                                  .len = strlen(lanes[1])};
    struct state_op *op = op_new(s, &row, state_sql_move, moved);
    op->request.may_fail = true;
    op->request.durable = true;
    return submit(op, done, arg);
}

static void prune(struct timer *t)
{
    static const struct state_row none = {.kind = "", .key = ""};
    struct state *s = LIST_ENTRY(t, struct state, prune);
    struct state_op *op = op_new(s, &none, state_sql_prune, pruned);
    op->request.may_fail = true;
    sqlite_submit(s->writer, &op->request);
}

/* --- life */

static int tell_soonest(struct state *s, struct err *e)
{
    int64_t due_ms;
    if (state_sql_soonest(s->writer, &due_ms, e) != 0)
        return e->code;
    if (due_ms > 0)
        s->options.due(s->options.arg, due_ms);
    return 0;
}

struct state *state_open(struct loop *loop, const char *path,
                         const struct state_options *o, struct err *e)
{
    struct state *s = MEM_NEW(struct state);
    s->loop = loop;
    s->options = *o;
    timer_init(&s->prune, loop, prune);
    s->writer = state_sql_open(loop, path, e);
    int code = s->writer ? tell_soonest(s, e) : e->code;
    if (s->writer && code != 0) {
        err_wrap(e, "%s", path);
        sqlite_writer_close(s->writer);
    }
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
    op_free(LIST_ENTRY(r, struct state_op, request));
}

void state_kill(struct state *s)
{
    timer_stop(&s->prune);
    sqlite_writer_kill(s->writer, drop);
    free(s);
}
