#include "telegram/limiter.h"

#include "base/buf.h"
#include "base/mem.h"
#include "telegram/limiter_internal.h"

#include <math.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
/* Replies beyond the rate delay bulk by no more than this; and it always gets
 * one message a second. */
#define DEBT_MAX_US (5 * SECOND_US)
#define NEVER INT64_MAX

static void on_serve(struct deferred *d);
static void on_bulk_due(struct timer *timer);

struct limiter *limiter_new(struct loop *loop, const struct limiter_options *o)
{
    struct limiter *l = MEM_NEW(struct limiter);
    l->loop = loop;
    l->rate = l->rate_max = o->bulk_rate > 0 ? o->bulk_rate : LIMITER_BULK_RATE;
    l->chats_max = o->chats_max > 0 ? o->chats_max : LIMITER_CHATS_MAX;
    l->last_bulk = LIMITER_BROADCAST;
    list_init(&l->chats);
    list_init(&l->named);
    for (int i = 0; i < LIMITER_CLASSES; i++)
        list_init(&l->due[i]);
    for (int i = 0; i < LINES; i++)
        list_init(&l->line[i]);
    deferred_init(&l->serve, on_serve);
    timer_init(&l->bulk_timer, loop, on_bulk_due);
    timer_init(&l->sweep, loop, limiter__sweep);
    l->bulk_sent_us = -SECOND_US;
    return l;
}

void limiter_free(struct limiter *l)
{
    timer_stop(&l->bulk_timer);
    timer_stop(&l->sweep);
    loop_undefer(&l->serve);
    limiter__chats_free(l);
    free(l);
}

static void start_at(struct timer *timer, int64_t due_us, int64_t now_us)
{
    int64_t us = due_us > now_us ? due_us - now_us : 0;
    timer_start(timer, (uint64_t)(us + 999) / 1000);
}

/* --- connections */

static bool has_room(const struct limiter *l, const struct limiter_ask *a)
{
    if (l->active >= LIMITER_IN_FLIGHT_MAX)
        return false;
    if (a->transfer && l->transfers >= LIMITER_TRANSFERS_MAX)
        return false;
    return a->class == LIMITER_REPLY ||
           l->active_bulk < LIMITER_BULK_IN_FLIGHT_MAX;
}

static enum limiter_line line_of(const struct limiter_ask *a)
{
    if (!a->transfer)
        return LINE_REPLIES;
    return a->class == LIMITER_REPLY ? LINE_REPLY_TRANSFERS
                                     : LINE_BULK_TRANSFERS;
}

static void begin(struct limiter *l, struct limiter_ask *a)
{
    a->state = LIMITER_ACTIVE;
    l->active++;
    l->active_bulk += a->class != LIMITER_REPLY;
    l->transfers += a->transfer;
}

/* True: it is active. False: it stands in line for a connection. */
static bool begin_or_queue(struct limiter *l, struct limiter_ask *a)
{
    struct list *line = &l->line[line_of(a)];
    if (list_empty(line) && has_room(l, a)) {
        begin(l, a);
        return true;
    }
    a->state = LIMITER_PLACE;
    l->waiting[a->class]++;
    list_push(line, &a->link);
    return false;
}

static void serve_lines(struct limiter *l)
{
    for (int i = 0; i < LINES; i++) {
        struct limiter_ask *a;
        while ((a = limiter__first(&l->line[i])) && has_room(l, a)) {
            list_remove(&a->link);
            l->waiting[a->class]--;
            begin(l, a);
            a->turn(a, NULL);
        }
    }
}

/* --- rates */

static int64_t step_us(struct limiter *l, const struct limiter_ask *a,
                       int64_t now)
{
    if (a->paid)
        return SECOND_US / LIMITER_PAID_RATE;
    return (int64_t)((double)SECOND_US / limiter__rate(l, now));
}

static void charge(struct limiter *l, struct limiter_ask *a, int64_t now)
{
    struct gcra *clock = a->paid ? &l->paid : &l->bulk;
    pace_take(&a->at->pace, now, a->messages, &a->mark);
    if (a->messages == 0)
        return;
    gcra_take(clock, now, step_us(l, a, now), a->messages);
    if (a->class == LIMITER_REPLY && clock->full_us > now + DEBT_MAX_US)
        clock->full_us = now + DEBT_MAX_US;
    if (a->class != LIMITER_REPLY && !a->paid)
        l->bulk_sent_us = now;
}

/* When the whole of bulk lets this one go. */
static int64_t bulk_due(const struct limiter *l, const struct limiter_ask *a)
{
    int64_t due = 0;
    if (a->messages > 0)
        due = a->paid ? l->paid.full_us : l->bulk.full_us;
    if (!a->paid && due > l->bulk_sent_us + SECOND_US)
        due = l->bulk_sent_us + SECOND_US;
    return due > l->bulk_blocked_us ? due : l->bulk_blocked_us;
}

/* --- the queues of a chat */

static void release_reply(struct limiter *l, struct limiter_ask *a, int64_t now)
{
    limiter__leave_queue(l, a);
    a->waited_us += now - a->asked_us;
    charge(l, a, now);
    if (begin_or_queue(l, a))
        a->turn(a, NULL);
}

/* Puts the chat among those whose bulk may go, or gives the time at which it
 * may. */
static int64_t line_up_bulk(struct limiter *l, struct limiter_chat *c,
                            enum limiter_class class, int64_t now)
{
    const struct limiter_ask *a = limiter__first(&c->queue[class]);
    if (!a || !list_empty(&c->due[class]))
        return NEVER;
    int64_t due = pace_bulk_due(&c->pace, now, a->messages);
    if (due > now)
        return due;
    list_push(&l->due[class], &c->due[class]);
    loop_defer(l->loop, &l->serve);
    return NEVER;
}

static void run_queues(struct limiter *l, struct limiter_chat *c)
{
    struct limiter_ask *a;
    int64_t now = limiter__now_us(l);
    timer_stop(&c->timer);
    while ((a = limiter__first(&c->queue[LIMITER_REPLY]))) {
        int64_t due = pace_due(&c->pace, now, 0, a->messages);
        if (due > now) {
            start_at(&c->timer, due, now);
            return;
        }
        release_reply(l, a, now);
    }
    int64_t job = line_up_bulk(l, c, LIMITER_JOB, now);
    int64_t broadcast = line_up_bulk(l, c, LIMITER_BROADCAST, now);
    int64_t next = job < broadcast ? job : broadcast;
    if (next != NEVER)
        start_at(&c->timer, next, now);
}

void limiter__run_chat(struct timer *timer)
{
    struct limiter_chat *c = LIST_ENTRY(timer, struct limiter_chat, timer);
    limiter__shed(c->limiter, c);
    run_queues(c->limiter, c);
}

/* --- bulk */

/* Replies that stand in line for a connection come first. */
static bool bulk_has_room(const struct limiter *l)
{
    return list_empty(&l->line[LINE_REPLIES]) &&
           l->active < LIMITER_IN_FLIGHT_MAX &&
           l->active_bulk < LIMITER_BULK_IN_FLIGHT_MAX;
}

/* The other class than last time, if it has something. */
static struct limiter_chat *next_bulk(struct limiter *l,
                                      enum limiter_class *class)
{
    *class = l->last_bulk == LIMITER_JOB ? LIMITER_BROADCAST : LIMITER_JOB;
    if (list_empty(&l->due[*class]))
        *class = l->last_bulk;
    if (list_empty(&l->due[*class]))
        return NULL;
    struct list *link = l->due[*class].next;
    return *class == LIMITER_JOB
               ? LIST_ENTRY(link, struct limiter_chat, due[LIMITER_JOB])
               : LIST_ENTRY(link, struct limiter_chat, due[LIMITER_BROADCAST]);
}

static bool may_go(const struct limiter_chat *c, const struct limiter_ask *a,
                   int64_t now)
{
    return list_empty(&c->queue[LIMITER_REPLY]) &&
           pace_bulk_due(&c->pace, now, a->messages) <= now;
}

static void serve_bulk(struct limiter *l)
{
    struct limiter_chat *c;
    enum limiter_class class;
    timer_stop(&l->bulk_timer);
    while (bulk_has_room(l) && (c = next_bulk(l, &class))) {
        struct limiter_ask *a = limiter__first(&c->queue[class]);
        int64_t now = limiter__now_us(l);
        if (bulk_due(l, a) > now) {
            start_at(&l->bulk_timer, bulk_due(l, a), now);
            return;
        }
        list_remove(&c->due[class]);
        if (may_go(c, a, now)) {
            l->last_bulk = class;
            limiter__leave_queue(l, a);
            charge(l, a, now);
            if (begin_or_queue(l, a))
                a->turn(a, NULL);
        }
        run_queues(l, c);
    }
}

static void on_serve(struct deferred *d)
{
    struct limiter *l = LIST_ENTRY(d, struct limiter, serve);
    limiter__shed_bulk(l);
    serve_lines(l);
    serve_bulk(l);
}

static void on_bulk_due(struct timer *timer)
{
    serve_bulk(LIST_ENTRY(timer, struct limiter, bulk_timer));
}

/* --- asks */

static bool reply_goes(const struct limiter_ask *a, int64_t now)
{
    struct limiter_chat *c = a->at;
    if (!list_empty(&c->queue[LIMITER_REPLY]))
        return false;
    pace_calm(&c->pace, now);
    return pace_due(&c->pace, now, 0, a->messages) <= now;
}

static bool bulk_goes(const struct limiter *l, const struct limiter_ask *a,
                      int64_t now)
{
    const struct limiter_chat *c = a->at;
    bool others = a->messages > 0 && (!list_empty(&l->due[LIMITER_JOB]) ||
                                      !list_empty(&l->due[LIMITER_BROADCAST]));
    return !others && bulk_has_room(l) && list_empty(&c->queue[a->class]) &&
           bulk_due(l, a) <= now && may_go(c, a, now);
}

static enum limiter_verdict go(struct limiter *l, struct limiter_ask *a,
                               int64_t now)
{
    charge(l, a, now);
    if (a->class != LIMITER_REPLY)
        l->last_bulk = a->class;
    return begin_or_queue(l, a) ? LIMITER_GO : LIMITER_WAIT;
}

static void too_many(const struct limiter *l, const struct limiter_ask *a,
                     int64_t now, struct err *e)
{
    int64_t us = a->class == LIMITER_REPLY ? 0 : bulk_due(l, a) - now;
    err_set(e, ERR_LIMIT, 0,
            "%d calls wait for Telegram's limits already: send more slowly",
            LIMITER_WAITING_MAX);
    e->retry_after = (double)(us > SECOND_US ? us : SECOND_US) / SECOND_US;
    e->retryable = true;
}

static enum limiter_verdict wait_for(struct limiter *l, struct limiter_ask *a,
                                     int64_t now, struct err *e)
{
    /* Only replies are bounded by what goes before them. */
    unsigned ahead = a->class == LIMITER_REPLY ? limiter__ahead(a) : 0;
    int64_t due = pace_due(&a->at->pace, now, ahead, a->messages);
    if (limiter__told_until(l, a) > due)
        due = limiter__told_until(l, a);
    if (limiter__waits_too_long(l, a, now, due)) {
        limiter__too_late(l, a, now, due, e);
        return LIMITER_REFUSED;
    }
    if (l->waiting[a->class] >= LIMITER_WAITING_MAX) {
        too_many(l, a, now, e);
        return LIMITER_REFUSED;
    }
    limiter__enter_queue(l, a);
    timer_start(&a->at->timer, 0);
    return LIMITER_WAIT;
}

enum limiter_verdict limiter_ask(struct limiter *l, struct limiter_ask *a,
                                 struct err *e)
{
    int64_t now = limiter__now_us(l);
    if (a->order == 0)
        a->order = ++l->last_order;
    a->asked_us = now;
    a->at = limiter__chat(l, a);
    list_init(&a->link);
    a->at->in_use++;
    if (a->class == LIMITER_REPLY ? reply_goes(a, now) : bulk_goes(l, a, now))
        return go(l, a, now);
    enum limiter_verdict verdict = wait_for(l, a, now, e);
    if (verdict == LIMITER_REFUSED)
        a->at->in_use--;
    return verdict;
}

static bool somebody_waits(const struct limiter *l)
{
    for (int i = 0; i < LIMITER_CLASSES; i++)
        if (l->waiting[i] > 0)
            return true;
    return false;
}

void limiter_end(struct limiter *l, struct limiter_ask *a)
{
    switch (a->state) {
    case LIMITER_IDLE:
        return;
    case LIMITER_WAITING:
        limiter__leave_queue(l, a);
        timer_start(&a->at->timer, 0); /* bulk may have waited for it */
        break;
    case LIMITER_PLACE:
        l->waiting[a->class]--;
        list_remove(&a->link);
        break;
    case LIMITER_LEAVING:
        list_remove(&a->link);
        break;
    case LIMITER_ACTIVE:
        l->active--;
        l->active_bulk -= a->class != LIMITER_REPLY;
        l->transfers -= a->transfer;
        pace_settle(&limiter__home(a)->pace, &a->mark, limiter__now_us(l));
        if (somebody_waits(l))
            loop_defer(l->loop, &l->serve);
        break;
    }
    a->at->in_use--;
    a->state = LIMITER_IDLE;
}

void limiter_told(struct limiter *l, struct limiter_ask *a, double seconds)
{
    const double most = 1e9; /* about 30 years */
    int64_t us = (int64_t)(fmin(seconds, most) * (double)SECOND_US);
    struct limiter_chat *c = limiter__home(a);
    a->told_us += us;
    pace_block(&c->pace, limiter__now_us(l) + us);
    c->put_off = true;
    limiter__slow(l, c, us);
    timer_start(&c->timer, 0);
}
