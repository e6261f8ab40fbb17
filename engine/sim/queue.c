#include "sim/queue.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sim/call.h"
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX (4u * 1024 * 1024)
#define FUTURE_MAX 10
#define PAST_MAX 100000

static const char *const state_names[] = {"waiting", "fetched", "confirmed"};

static uint64_t default_filter(void)
{
    return ((UINT64_C(1) << botapi_kinds_count) - 1) &
           ~(UINT64_C(1) << botapi_kind("chat_member")) &
           ~(UINT64_C(1) << botapi_kind("message_reaction")) &
           ~(UINT64_C(1) << botapi_kind("message_reaction_count"));
}

static struct queued *row_at(const struct queue *q, size_t i)
{
    return &q->rows[q->first + i];
}

size_t queue_live(const struct queue *q)
{
    return q->count - q->confirmed;
}

static struct queued *head(const struct queue *q)
{
    return queue_live(q) > 0 ? row_at(q, q->confirmed) : NULL;
}

static void serve_poll(struct queue *q);

static void wake(struct deferred *d)
{
    serve_poll(LIST_ENTRY(d, struct queue, wake));
}

void queue_init(struct queue *q, struct sim *sim, struct bot *bot)
{
    q->sim = sim;
    q->bot = bot;
    q->allowed = default_filter();
    q->last_offset = INT64_MIN;
    q->next_id = 2000001 + (int64_t)rng_below(loop_rng(sim->loop), 998000000);
    deferred_init(&q->wake, wake);
}

void queue_free(struct queue *q)
{
    loop_undefer(&q->wake);
    for (size_t i = 0; i < q->count; i++)
        free(row_at(q, i)->text);
    free(q->rows);
}

void queue_row_json(const struct queue *q, const struct queued *row,
                    struct buf *out)
{
    buf_printf(out, "{\"n\":%lld,\"at\":%.3f,\"bot\":%lld,\"update\":",
               (long long)row->n, row->at, (long long)q->bot->id);
    buf_append(out, row->text, row->len);
    buf_printf(out, ",\"state\":\"%s\"}", state_names[row->state]);
}

static void set_state(struct queue *q, struct queued *row,
                      enum queued_state state)
{
    struct buf b = {0};
    row->state = state;
    queue_row_json(q, row, &b);
    events_emit(&q->sim->events, "update", text_new(b.data, b.len));
    buf_free(&b);
}

static void forget_oldest(struct queue *q)
{
    struct queued *row = &q->rows[q->first++];
    q->confirmed_bytes -= row->len;
    free(row->text);
    q->count--;
    q->confirmed--;
}

static void make_space(struct queue *q)
{
    while (q->confirmed > QUEUE_CONFIRMED_MAX ||
           q->confirmed_bytes > QUEUE_CONFIRMED_BYTES_MAX)
        forget_oldest(q);
    if (q->first + q->count < q->cap)
        return;
    if (q->first > q->count) {
        memmove(q->rows, q->rows + q->first, q->count * sizeof(*q->rows));
        q->first = 0;
        return;
    }
    q->cap = q->cap == 0 ? 64 : q->cap * 2;
    q->rows = mem_grow(q->rows, q->cap, sizeof(*q->rows));
}

static int64_t append(struct queue *q, int64_t id, const struct buf *text)
{
    make_space(q);
    struct queued *row = row_at(q, q->count++);
    *row = (struct queued){.n = ++q->sim->updates_n, .id = id};
    row->at = sim_now(q->sim);
    row->text = mem_dup(text->data, text->len);
    row->len = text->len;
    q->live_bytes += row->len;
    set_state(q, row, QUEUED_WAITING);
    return row->n;
}

/* What the real server would drop without a word. */
static bool takes(const struct queue *q, size_t len)
{
    return queue_live(q) < QUEUE_LIVE_MAX &&
           q->live_bytes < QUEUE_LIVE_BYTES_MAX && len <= QUEUE_ONE_BYTES_MAX;
}

static int64_t deliver(struct queue *q, int64_t chat_id, const struct buf *text)
{
    int64_t id = q->next_id++;
    int64_t n = append(q, id, text);
    struct fault f = faults_take(&q->sim->faults, NULL, chat_id);
    if (f.mode == FAULT_DUPLICATE)
        append(q, id, text);
    if (q->poll != NULL)
        loop_defer(q->sim->loop, &q->wake);
    return n;
}

int64_t queue_push(struct queue *q, const char *kind, json_t *payload,
                   int64_t chat_id, bool raw)
{
    struct buf b = {0};
    int64_t n = 0;
    if (raw || ((q->allowed >> botapi_kind(kind)) & 1) != 0) {
        buf_printf(&b, "{\"update_id\":%lld,\"%s\":", (long long)q->next_id,
                   kind);
        sim_dump(payload, &b);
        buf_putc(&b, '}');
        n = takes(q, b.len) ? deliver(q, chat_id, &b) : 0;
    }
    buf_free(&b);
    json_decref(payload);
    return n;
}

static void confirm_head(struct queue *q)
{
    struct queued *row = head(q);
    q->live_bytes -= row->len;
    q->confirmed_bytes += row->len;
    set_state(q, row, QUEUED_CONFIRMED);
    q->confirmed++;
}

void queue_drop(struct queue *q, size_t keep)
{
    while (queue_live(q) > keep)
        confirm_head(q);
}

/* Confirms what lies before the offset, by the rules of the real server. */
static void confirm(struct queue *q, int64_t offset)
{
    if (offset < 0) {
        queue_drop(q, (size_t)-offset);
        return;
    }
    int64_t oldest = head(q) != NULL ? head(q)->id : q->next_id;
    if (offset == 0 || offset > q->next_id + FUTURE_MAX ||
        offset < oldest - PAST_MAX)
        return;
    while (head(q) != NULL && head(q)->id < offset)
        confirm_head(q);
}

static void give(struct queue *q, int64_t limit, struct call *call)
{
    struct buf *out = &call->result;
    buf_putc(out, '[');
    buf_putc(&call->shown, '[');
    for (size_t i = 0; i < queue_live(q) && i < (size_t)limit; i++) {
        struct queued *row = row_at(q, q->confirmed + i);
        if (i > 0 && out->len + row->len + 50 > ANSWER_BYTES_MAX)
            break;
        buf_puts(out, i > 0 ? "," : "");
        buf_append(out, row->text, row->len);
        buf_printf(&call->shown, "%s{\"update_id\":%lld}", i > 0 ? "," : "",
                   (long long)row->id);
        if (row->state == QUEUED_WAITING)
            set_state(q, row, QUEUED_FETCHED);
    }
    buf_putc(out, ']');
    buf_putc(&call->shown, ']');
}

static void serve_poll(struct queue *q)
{
    struct call *call = q->poll;
    if (call == NULL || queue_live(q) == 0)
        return;
    q->poll = NULL;
    give(q, q->poll_limit, call);
    call_end(call);
}

static void poll_timed_out(struct call *call)
{
    call->bot->queue.poll = NULL;
    buf_puts(&call->result, "[]");
    call_end(call);
}

void queue_forget_poll(struct queue *q, struct call *call)
{
    if (q->poll == call)
        q->poll = NULL;
}

/* Conflicts are answered at once, but not twice within three seconds. */
static bool is_conflict_soon(struct queue *q)
{
    uint64_t now = loop_now_ms(q->sim->loop);
    bool soon = now < q->calm_after_ms;
    q->calm_after_ms = now + 3000;
    return soon;
}

/* It has its error already. */
static void end_poll(struct queue *q)
{
    struct call *poll = q->poll;
    q->poll = NULL;
    if (is_conflict_soon(q))
        call_end_later(poll, 3000);
    else
        call_end(poll);
}

static void end_older_poll(struct queue *q)
{
    if (q->poll == NULL)
        return;
    call_fail(q->poll, BOTAPI_CONFLICT_POLL);
    end_poll(q);
}

void queue_end_poll(struct queue *q)
{
    if (q->poll == NULL)
        return;
    call_refuse(q->poll, 409, "Conflict: terminated by setWebhook request");
    end_poll(q);
}

static void refuse_poll(struct queue *q, struct call *call)
{
    call_refuse(call, 409,
                "Conflict: can't use getUpdates method while webhook is "
                "active; use deleteWebhook to delete the webhook first");
    if (is_conflict_soon(q))
        call_end_later(call, 3000);
}

/* Polls that repeat an offset too quickly are slowed down. */
static void calm(struct queue *q, int64_t offset, int64_t *limit,
                 int64_t *timeout)
{
    uint64_t now = loop_now_ms(q->sim->loop);
    bool same = offset == q->last_offset;
    if (same && *timeout < 3 && now < q->last_start_ms + 3000)
        *timeout = 3;
    if (same && now < q->last_start_ms + 500)
        *limit = 1;
    q->last_offset = offset;
    q->last_start_ms = now;
}

void queue_get_updates(struct queue *q, struct call *call)
{
    const struct params *p = &call->params;
    if (q->bot->hook.url != NULL) {
        refuse_poll(q, call);
        return;
    }
    int64_t offset = params_int(p, "offset", 0, INT32_MIN, INT32_MAX);
    int64_t limit = params_int(p, "limit", 100, 1, 100);
    int64_t timeout = params_int(p, "timeout", 0, 0, 50);
    queue_allow(q, params_text(p, "allowed_updates"));
    calm(q, offset, &limit, &timeout);
    confirm(q, offset);
    if (queue_live(q) == 0 && timeout > 0) {
        end_older_poll(q);
        q->poll = call;
        q->poll_limit = limit;
        call_wait(call, (uint64_t)timeout * 1000, poll_timed_out);
        return;
    }
    give(q, limit, call);
}

void queue_allow(struct queue *q, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    uint64_t wanted = 0;
    size_t i;
    json_t *name;
    bool is_list = json_is_array(list);
    json_array_foreach(list, i, name)
    {
        is_list = is_list && json_is_string(name);
        int kind = is_list ? botapi_kind(json_string_value(name)) : -1;
        if (kind >= 0)
            wanted |= UINT64_C(1) << kind;
    }
    if (is_list)
        q->allowed = wanted != 0 ? wanted : default_filter();
    json_decref(list);
}

bool queue_default_filter(const struct queue *q)
{
    return q->allowed == default_filter();
}

json_t *queue_allowed(const struct queue *q)
{
    json_t *list = json_array();
    for (size_t i = 0; i < botapi_kinds_count; i++)
        if (((q->allowed >> i) & 1) != 0)
            json_array_append_new(list, json_string(botapi_kinds[i]));
    return list;
}

void queue_rows(const struct queue *q, int64_t since,
                void (*each)(const struct queue *q, const struct queued *row,
                             void *arg),
                void *arg)
{
    size_t i = q->count;
    while (i > 0 && row_at(q, i - 1)->n > since)
        i--;
    for (; i < q->count; i++)
        each(q, row_at(q, i), arg);
}
