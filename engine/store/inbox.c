#include "store/inbox.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/datadir.h"
#include "store/inbox_internal.h"
#include "store/marks.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000

static struct inbox_node *node_of(struct inbox_entry *entry)
{
    return LIST_ENTRY(entry, struct inbox_node, entry);
}

static void wake(struct deferred *d)
{
    struct inbox *in = LIST_ENTRY(d, struct inbox, wake);
    bool ready = in->tell_ready;
    bool drained = in->tell_drained && !inbox_full(in);
    in->tell_ready = in->tell_drained = false;
    if (drained)
        in->options.drained(in->options.arg);
    if (ready)
        in->options.ready(in->options.arg);
}

static void tell_ready(struct inbox *in)
{
    in->tell_ready = true;
    loop_defer(in->loop, &in->wake);
}

static void note_depth(struct inbox *in)
{
    if (inbox_full(in)) {
        in->was_full = true;
    } else if (in->was_full) {
        in->was_full = false;
        in->tell_drained = true;
        loop_defer(in->loop, &in->wake);
    }
}

static void file_failed(struct inbox *in, const char *event,
                        const struct err *e)
{
    LOG_AT(loop_log(in->loop), LOG_ERROR, event, LOG_S("error", e->message));
    if (!in->closing)
        timer_start(&in->retry, RETRY_MS);
}

static void add_ready(struct inbox *in, struct inbox_node *n)
{
    in->loaded_seq = n->entry.seq;
    in->ready_count++;
    list_push(&in->ready, &n->link);
}

static void take_read(struct inbox *in, struct inbox_read_op *op)
{
    bool at_end = op->count < op->limit;
    struct list *l;
    while ((l = list_shift(&op->nodes)) != NULL)
        add_ready(in, LIST_ENTRY(l, struct inbox_node, link));
    if (at_end)
        in->loaded_seq = in->stored_seq;
    if (op->count > 0)
        tell_ready(in);
}

static void refill(struct inbox *in);

static void read_done(struct strand_job *job)
{
    struct inbox_read_op *op =
        LIST_ENTRY(job, struct inbox_read_op, op.request.job);
    struct inbox *in = op->op.inbox;
    in->reading = false;
    if (op->op.request.result.code != ERR_OK)
        file_failed(in, "inbox.read_failed", &op->op.request.result);
    else
        take_read(in, op);
    op->op.free(&op->op);
    refill(in);
}

static void refill(struct inbox *in)
{
    if (in->reading || in->closing || timer_active(&in->retry) ||
        in->loaded_seq == in->stored_seq ||
        in->ready_count > INBOX_IN_MEMORY / 2)
        return;
    struct inbox_read_op *op = inbox_read_op_new(in);
    op->after = in->loaded_seq;
    op->limit = INBOX_IN_MEMORY - in->ready_count;
    op->op.request.job.done = read_done;
    in->reading = true;
    sqlite_submit(in->writer, &op->op.request);
}

static void take_stored(struct inbox *in, struct inbox_node *n)
{
    bool straight =
        in->loaded_seq == in->stored_seq && in->ready_count < INBOX_IN_MEMORY;
    in->depth++;
    in->stored_seq = n->entry.seq;
    if (straight) {
        add_ready(in, n);
        tell_ready(in);
    } else {
        free(n);
    }
}

void inbox__stored(struct inbox *in, struct inbox_node *n)
{
    take_stored(in, n);
    note_depth(in);
    refill(in);
}

static void take_put(struct inbox *in, struct inbox_put_op *op)
{
    struct list *l;
    while ((l = list_shift(&op->nodes)) != NULL) {
        struct inbox_node *n = LIST_ENTRY(l, struct inbox_node, link);
        if (n->entry.seq != 0)
            take_stored(in, n);
        else
            free(n);
    }
}

static void put_done(struct strand_job *job)
{
    struct inbox_put_op *op =
        LIST_ENTRY(job, struct inbox_put_op, op.request.job);
    struct inbox *in = op->op.inbox;
    const struct err *e = &op->op.request.result;
    CRASH_POINT("inbox.after_commit");
    in->storing -= op->count;
    if (e->code == ERR_OK)
        take_put(in, op);
    if (e->code == ERR_OK && op->next_offset != 0)
        in->next_offset = op->next_offset;
    note_depth(in);
    refill(in);
    CRASH_POINT("inbox.before_stored");
    op->done(op->arg, e);
    op->op.free(&op->op);
}

static struct inbox_node *copy_item(const struct inbox_item *item,
                                    int64_t now_ms)
{
    struct inbox_node *n = inbox_node_new(item->lane, strlen(item->lane),
                                          item->body, item->body_len);
    n->entry.update_id = item->update_id;
    n->entry.source = item->source;
    n->entry.received_ms = now_ms;
    return n;
}

void inbox_put(struct inbox *in, const struct inbox_item *items, size_t n,
               int64_t next_offset,
               void (*done)(void *arg, const struct err *e), void *arg)
{
    struct inbox_put_op *op = inbox_put_op_new(in);
    op->count = n;
    op->next_offset = next_offset;
    op->now_ms = clock_unix_ms(loop_clock(in->loop));
    op->seen = &in->seen;
    op->no_room = &in->no_room;
    op->done = done;
    op->arg = arg;
    op->op.request.job.done = put_done;
    for (size_t i = 0; i < n; i++) {
        list_push(&op->nodes, &copy_item(&items[i], op->now_ms)->link);
        op->bytes += items[i].body_len;
    }
    in->storing += n;
    note_depth(in);
    sqlite_submit(in->writer, &op->op.request);
    CRASH_POINT("inbox.put_queued");
}

int64_t inbox_next_offset(const struct inbox *in)
{
    return in->next_offset;
}

bool inbox_full(const struct inbox *in)
{
    return in->depth + in->storing >= in->options.limit;
}

size_t inbox_depth(const struct inbox *in)
{
    return in->depth;
}

struct inbox_entry *inbox_next(struct inbox *in)
{
    struct list *l = list_shift(&in->ready);
    if (!l)
        return NULL;
    in->ready_count--;
    refill(in);
    return &LIST_ENTRY(l, struct inbox_node, link)->entry;
}

bool inbox_begin(struct inbox *in, struct inbox_entry *entry)
{
    entry->mark = marks_begin(in->marks, entry->seq);
    CRASH_POINT("inbox.begun");
    in->starved = in->starved || entry->mark < 0;
    return entry->mark >= 0;
}

void inbox_on_loop(struct inbox *in, const struct inbox_entry *entry)
{
    marks_on_loop(in->marks, entry ? entry->seq : 0);
}

static void add_ended(struct inbox *in, const struct inbox_ended *row)
{
    if (in->ended_count == in->ended_cap) {
        in->ended_cap = in->ended_cap ? 2 * in->ended_cap : 16;
        in->ended = mem_grow(in->ended, in->ended_cap, sizeof(*in->ended));
    }
    in->ended[in->ended_count++] = *row;
}

/* A mark outlives its row, so that whatever comes back is marked. */
static void end_marks(struct inbox *in, const struct inbox_end_op *op)
{
    for (size_t i = 0; i < op->count; i++)
        if (op->rows[i].mark >= 0)
            marks_end(in->marks, op->rows[i].mark);
    if (in->starved) {
        in->starved = false;
        tell_ready(in);
    }
}

static void tell_deaths(struct inbox *in, const struct inbox_end_op *op)
{
    bool any = false;
    for (size_t i = 0; i < op->count; i++) {
        any = any || op->rows[i].cause;
        if (op->rows[i].cause)
            inbox__tell_dead(in, op->rows[i].cause);
    }
    if (any)
        inbox__pruned(in, &op->pruned);
}

static void end_done(struct strand_job *job)
{
    struct inbox_end_op *op =
        LIST_ENTRY(job, struct inbox_end_op, op.request.job);
    struct inbox *in = op->op.inbox;
    if (op->op.request.result.code == ERR_OK) {
        CRASH_POINT("inbox.after_ends_commit");
        end_marks(in, op);
        CRASH_POINT("inbox.marks_cleared");
        tell_deaths(in, op);
        inbox__settled(in, op->count);
    } else {
        for (size_t i = 0; i < op->count; i++)
            add_ended(in, &op->rows[i]);
        op->count = 0;
        inbox__unsettled(in);
        file_failed(in, "inbox.end_failed", &op->op.request.result);
    }
    op->op.free(&op->op);
}

static void submit_ended(struct inbox *in)
{
    if (in->ended_count == 0)
        return;
    struct inbox_end_op *op = inbox_end_op_new(in);
    op->rows = in->ended;
    op->count = in->ended_count;
    op->now_ms = clock_unix_ms(loop_clock(in->loop));
    op->op.request.job.done = end_done;
    in->ended = NULL;
    in->ended_count = in->ended_cap = 0;
    sqlite_submit(in->writer, &op->op.request);
    CRASH_POINT("inbox.ends_queued");
}

struct inbox_fetched {
    struct list *nodes;
};

struct inbox_entry *inbox_fetched_next(struct inbox_fetched *f)
{
    struct list *l = list_shift(f->nodes);
    return l ? &LIST_ENTRY(l, struct inbox_node, link)->entry : NULL;
}

static void fetch_done(struct strand_job *job)
{
    struct inbox_fetch_op *op =
        LIST_ENTRY(job, struct inbox_fetch_op, op.request.job);
    struct inbox *in = op->op.inbox;
    struct inbox_fetched fetched = {&op->nodes};
    const struct err *e = &op->op.request.result;
    if (e->code != ERR_OK && !in->closing) {
        list_push(&in->unfetched, &op->link);
        file_failed(in, "inbox.fetch_failed", e);
        return;
    }
    if (!in->closing)
        op->done(op->arg, &fetched);
    op->op.free(&op->op);
}

void inbox_fetch(struct inbox *in, const int64_t *seqs, size_t n,
                 void (*done)(void *arg, struct inbox_fetched *f), void *arg)
{
    struct inbox_fetch_op *op = inbox_fetch_op_new(in, seqs, n);
    op->done = done;
    op->arg = arg;
    op->op.request.job.done = fetch_done;
    sqlite_submit(in->writer, &op->op.request);
}

static void flush(struct deferred *d)
{
    struct inbox *in = LIST_ENTRY(d, struct inbox, flush);
    if (!timer_active(&in->retry))
        submit_ended(in);
}

static void retry(struct timer *t)
{
    struct inbox *in = LIST_ENTRY(t, struct inbox, retry);
    struct list *l;
    struct list again;
    submit_ended(in);
    refill(in);
    list_init(&again);
    list_splice(&again, &in->unfetched);
    while ((l = list_shift(&again)) != NULL) {
        struct inbox_fetch_op *op = LIST_ENTRY(l, struct inbox_fetch_op, link);
        sqlite_submit(in->writer, &op->op.request);
    }
}

static void finish(struct inbox *in, struct inbox_entry *entry,
                   struct dead_cause *cause)
{
    add_ended(in, &(struct inbox_ended){entry->seq, entry->mark, cause});
    free(node_of(entry));
    in->depth--;
    in->finished++;
    loop_defer(in->loop, &in->flush);
    note_depth(in);
}

void inbox_finish(struct inbox *in, struct inbox_entry *entry)
{
    finish(in, entry, NULL);
}

void inbox_finish_dead(struct inbox *in, struct inbox_entry *entry,
                       const struct inbox_cause *cause)
{
    finish(in, entry,
           dead_cause_new(cause, entry->update_id, entry->lane,
                          clock_unix_ms(loop_clock(in->loop))));
}

void inbox_release(struct inbox_entry *entry)
{
    free(node_of(entry));
}

static int open_writer(struct inbox *in, const char *path, struct err *e)
{
    in->writer = inbox_sql_open(in->loop, path, e);
    return in->writer ? 0 : e->code;
}

static int open_marks(struct inbox *in, const char *path, struct err *e)
{
    in->marks = marks_open(path, e);
    return in->marks ? 0 : e->code;
}

/* The marks are reset only once the file has what they told. Not so the one
 * on the loop: a death before the commit may go uncounted, but after it the
 * same death must not count twice. */
static int recover(struct inbox *in, struct err *e)
{
    struct inbox_found found;
    marks_on_loop(in->marks, 0);
    if (inbox_sql_recover(in->writer, in->marks, in->options.bot_id,
                          clock_unix_ms(loop_clock(in->loop)), &found,
                          e) != 0) {
        dead_cause_free(found.crashed);
        return e->code;
    }
    CRASH_POINT("inbox.after_recover_commit");
    marks_reset(in->marks);
    CRASH_POINT("inbox.marks_reset");
    if (found.crashed)
        inbox__tell_dead(in, found.crashed);
    dead_cause_free(found.crashed);
    inbox__pruned(in, &found.pruned);
    in->next_offset = found.next_offset;
    in->stored_seq = found.last_seq;
    in->depth = found.depth;
    return 0;
}

static int load_seen(struct inbox *in, struct err *e)
{
    int64_t max = in->options.seen_max;
    return seen_load(&in->seen, in->writer, max ? max : INBOX_SEEN_MAX, e);
}

static int open_files(struct inbox *in, const struct datadir *dir,
                      struct err *e)
{
    char *file = datadir_file(dir, "inbox.db");
    char *map = datadir_file(dir, "running.map");
    int code = open_writer(in, file, e);
    if (code == 0)
        code = open_marks(in, map, e);
    if (code == 0 &&
        ((code = recover(in, e)) != 0 || (code = load_seen(in, e)) != 0))
        err_wrap(e, "%s", file);
    free(file);
    free(map);
    return code;
}

static void free_inbox(struct inbox *in)
{
    struct list *l;
    loop_undefer(&in->flush);
    loop_undefer(&in->wake);
    timer_stop(&in->retry);
    timer_stop(&in->prune);
    inbox_node_free_all(&in->ready);
    while ((l = list_shift(&in->unfetched)) != NULL) {
        struct inbox_fetch_op *op = LIST_ENTRY(l, struct inbox_fetch_op, link);
        op->op.free(&op->op);
    }
    if (in->marks)
        marks_close(in->marks);
    for (size_t i = 0; i < in->ended_count; i++)
        dead_cause_free(in->ended[i].cause);
    free(in->ended);
    free(in);
}

struct inbox *inbox_open(struct loop *loop, const struct datadir *dir,
                         const struct inbox_options *o, struct err *e)
{
    struct inbox *in = MEM_NEW(struct inbox);
    in->loop = loop;
    in->options = *o;
    list_init(&in->ready);
    list_init(&in->unfetched);
    list_init(&in->settling);
    deferred_init(&in->flush, flush);
    deferred_init(&in->wake, wake);
    timer_init(&in->retry, loop, retry);
    timer_init(&in->prune, loop, inbox__prune);
    if (open_files(in, dir, e) != 0) {
        if (in->writer)
            sqlite_writer_close(in->writer);
        free_inbox(in);
        return NULL;
    }
    note_depth(in);
    refill(in);
    return in;
}

void inbox_close(struct inbox *in)
{
    CRASH_POINT("inbox.closing");
    in->closing = true;
    submit_ended(in);
    sqlite_writer_close(in->writer);
    marks_on_loop(in->marks, 0);
    free_inbox(in);
}

static void drop_request(struct sqlite_request *r)
{
    struct inbox_op *op = LIST_ENTRY(r, struct inbox_op, request);
    op->free(op);
}

void inbox_kill(struct inbox *in)
{
    sqlite_writer_kill(in->writer, drop_request);
    free_inbox(in);
}
