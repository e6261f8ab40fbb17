#include "sim/long_poll.h"

#include "sim/call.h"
#include "sim/core.h"

#define ANSWER_BYTES_MAX (4u * 1024 * 1024)
#define TIMEOUT_MAX_S 50
#define FUTURE_MAX 10
#define PAST_MAX 100000
/* Updates that come together are answered together. */
#define WAKE_MS 1
#define WAKE_MAX_MS 2
#define NS_IN_MS UINT64_C(1000000)
#define SAME_OFFSET_MS 3000
#define SAME_OFFSET_SOON_MS 500
#define CONFLICT_PAUSE_MS 3000

static struct queue *queue_of(const struct long_poll *p)
{
    return &p->bot->queue;
}

/* Confirms what lies before the offset, unless that is far off. */
static void confirm(struct queue *q, int64_t offset)
{
    if (offset < 0) {
        queue_drop(q, (size_t)-offset);
        return;
    }
    struct queued *row = queue_head(q);
    int64_t oldest = row != NULL ? row->id : q->next_id;
    if (offset == 0 || offset > q->next_id + FUTURE_MAX ||
        offset < oldest - PAST_MAX)
        return;
    while ((row = queue_head(q)) != NULL && row->id < offset)
        queue_end(q, row, QUEUED_CONFIRMED);
}

static void give(struct queue *q, int64_t limit, struct call *call)
{
    struct buf *out = &call->result;
    size_t bytes = 0;
    int64_t given = 0;
    buf_putc(out, '[');
    buf_putc(&call->shown, '[');
    for (struct queued *row = queue_head(q); row != NULL && given < limit;
         row = queue_next(q, row), given++) {
        bytes += row->len + 50;
        if (bytes >= ANSWER_BYTES_MAX)
            break;
        buf_puts(out, given > 0 ? "," : "");
        queued_json(row, out);
        buf_printf(&call->shown, "%s{\"update_id\":%lld}", given > 0 ? "," : "",
                   (long long)row->id);
        queue_fetched(q, row);
    }
    buf_putc(out, ']');
    buf_putc(&call->shown, ']');
}

/* The call's time is over, or it was woken. What it confirms is decided by
 * what is there now. */
static void answer(struct long_poll *p)
{
    struct call *call = p->call;
    struct queue *q = queue_of(p);
    long_poll_forget(p, call);
    queue_expire(q);
    confirm(q, p->offset);
    give(q, p->limit, call);
    call_end(call);
}

static void on_wake(struct timer *t)
{
    answer(LIST_ENTRY(t, struct long_poll, wake));
}

static void on_timeout(struct call *call)
{
    answer(&call->bot->poll);
}

void long_poll_init(struct long_poll *p, struct sim *sim, struct bot *bot)
{
    p->sim = sim;
    p->bot = bot;
    p->last_offset = INT64_MIN;
    timer_init(&p->wake, sim->loop, on_wake);
}

void long_poll_free(struct long_poll *p)
{
    timer_stop(&p->wake);
}

void long_poll_forget(struct long_poll *p, const struct call *call)
{
    if (p->call != call)
        return;
    p->call = NULL;
    timer_stop(&p->wake);
}

void long_poll_wake(struct long_poll *p)
{
    uint64_t now = clock_ns(loop_clock(p->sim->loop));
    if (p->call == NULL)
        return;
    if (!p->woken)
        p->woken_ns = now;
    else if (now + WAKE_MS * NS_IN_MS > p->woken_ns + WAKE_MAX_MS * NS_IN_MS)
        return;
    p->woken = true;
    timer_start(&p->wake, WAKE_MS);
}

/* Conflicts are answered at once, but not twice within three seconds. */
static bool is_conflict_soon(struct long_poll *p)
{
    uint64_t now = loop_now_ms(p->sim->loop);
    if (now < p->calm_after_ms)
        return true;
    p->calm_after_ms = now + CONFLICT_PAUSE_MS;
    return false;
}

/* It has its error already. */
static void end(struct long_poll *p)
{
    struct call *call = p->call;
    long_poll_forget(p, call);
    if (is_conflict_soon(p))
        call_end_later(call, CONFLICT_PAUSE_MS);
    else
        call_end(call);
}

void long_poll_end(struct long_poll *p)
{
    if (p->call == NULL)
        return;
    call_refuse(p->call, 409, "Conflict: terminated by setWebhook request");
    end(p);
}

static void refuse(struct long_poll *p, struct call *call)
{
    call_refuse(call, 409,
                "Conflict: can't use getUpdates method while webhook is "
                "active; use deleteWebhook to delete the webhook first");
    if (is_conflict_soon(p))
        call_end_later(call, CONFLICT_PAUSE_MS);
}

/* Polls that repeat an offset too quickly are slowed down. */
static void calm(struct long_poll *p, int64_t offset, int64_t *limit,
                 int64_t *timeout)
{
    uint64_t now = loop_now_ms(p->sim->loop);
    bool same = offset == p->last_offset;
    if (same && *timeout < 3 && now < p->last_start_ms + SAME_OFFSET_MS)
        *timeout = 3;
    if (same && now < p->last_start_ms + SAME_OFFSET_SOON_MS)
        *limit = 1;
    p->last_offset = offset;
    p->last_start_ms = now;
}

/* The one that waits already loses. */
static void wait(struct long_poll *p, struct call *call, int64_t timeout)
{
    if (p->call != NULL) {
        call_fail(p->call, BOTAPI_CONFLICT_POLL);
        end(p);
    }
    p->call = call;
    p->woken = false;
    call_wait(call, (uint64_t)timeout * 1000, on_timeout);
}

void long_poll_call(struct long_poll *p, struct call *call)
{
    const struct params *given = &call->params;
    struct queue *q = queue_of(p);
    if (p->bot->hook.url != NULL) {
        refuse(p, call);
        return;
    }
    int64_t offset = params_int(given, "offset", 0, INT32_MIN, INT32_MAX);
    int64_t limit = params_int(given, "limit", 100, 1, 100);
    int64_t timeout = params_int(given, "timeout", 0, 0, TIMEOUT_MAX_S);
    queue_allow(q, params_text(given, "allowed_updates"));
    calm(p, offset, &limit, &timeout);
    queue_expire(q);
    confirm(q, offset);
    if (queue_head(q) != NULL || timeout == 0) {
        give(q, limit, call);
        return;
    }
    wait(p, call, timeout);
    p->offset = offset > 0 ? offset : 0;
    p->limit = limit;
}
