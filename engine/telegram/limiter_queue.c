#include "telegram/limiter_internal.h"

#define SECOND_US INT64_C(1000000)

struct limiter_ask *limiter__first(const struct list *queue)
{
    return list_empty(queue)
               ? NULL
               : LIST_ENTRY(queue->next, struct limiter_ask, link);
}

void limiter__leave_queue(struct limiter *l, struct limiter_ask *a)
{
    struct limiter_chat *c = a->at;
    list_remove(&a->link);
    l->waiting[a->class]--;
    if (a->class == LIMITER_REPLY)
        c->messages -= a->messages;
    if (list_empty(&c->queue[a->class]))
        list_remove(&c->due[a->class]);
}

/* The first that has come later, or the head. What has not come last is a
 * repeat, which few stand before. */
static struct list *behind(const struct limiter_ask *a)
{
    struct list *queue = &a->at->queue[a->class], *link = queue;
    if (list_empty(queue) ||
        LIST_ENTRY(queue->prev, struct limiter_ask, link)->order < a->order)
        return queue;
    do
        link = link->next;
    while (LIST_ENTRY(link, struct limiter_ask, link)->order < a->order);
    return link;
}

void limiter__enter_queue(struct limiter *l, struct limiter_ask *a)
{
    list_push(behind(a), &a->link);
    a->state = LIMITER_WAITING;
    l->waiting[a->class]++;
    if (a->class == LIMITER_REPLY)
        a->at->messages += a->messages;
}

unsigned limiter__ahead(const struct limiter_ask *a)
{
    unsigned count = a->at->messages;
    const struct list *queue = &a->at->queue[LIMITER_REPLY];
    for (struct list *l = behind(a); l != queue; l = l->next)
        count -= LIST_ENTRY(l, struct limiter_ask, link)->messages;
    return count;
}

/* --- who cannot wait for so long */

int64_t limiter__told_until(const struct limiter *l,
                            const struct limiter_ask *a)
{
    int64_t chat = a->at->pace.blocked_us;
    if (a->class == LIMITER_REPLY || l->bulk_blocked_us < chat)
        return chat;
    return l->bulk_blocked_us;
}

void limiter__too_late(const struct limiter *l, const struct limiter_ask *a,
                       int64_t now, int64_t due, struct err *e)
{
    int64_t seconds = (due - now + SECOND_US - 1) / SECOND_US;
    /* But for a group's window, only what Telegram said holds replies up. */
    if (limiter__told_until(l, a) > now || !a->at->pace.group)
        err_set(e, ERR_API, 429, "Too Many Requests: retry after %lld",
                (long long)seconds);
    else
        err_set(e, ERR_LIMIT, 0,
                "the chat %s gets %d messages a minute: this one would wait "
                "for %lld s",
                a->at->key, PACE_GROUP_MAX, (long long)seconds);
    e->retry_after = (double)seconds;
    e->retryable = true;
}

bool limiter__waits_too_long(const struct limiter *l,
                             const struct limiter_ask *a, int64_t now,
                             int64_t due)
{
    if (a->told_us > LIMITER_WAIT_MAX_US)
        return true;
    if (a->class == LIMITER_REPLY)
        return a->waited_us + (due - a->asked_us) > LIMITER_WAIT_MAX_US;
    return limiter__told_until(l, a) - now > LIMITER_WAIT_MAX_US;
}

/* When it may go, as far as that is known of a call that waits. */
static int64_t due_of(const struct limiter *l, const struct limiter_ask *a,
                      int64_t now, unsigned ahead)
{
    if (a->class == LIMITER_REPLY)
        return pace_due(&a->at->pace, now, ahead, a->messages);
    return limiter__told_until(l, a);
}

/* Takes those who cannot wait for so long out of the queues of a chat. */
static void pick_late(struct limiter *l, struct limiter_chat *c, int64_t now,
                      struct list *gone)
{
    struct list *link;
    for (int class = 0; class < LIMITER_CLASSES; class ++) {
        unsigned ahead = 0;
        for (link = c->queue[class].next; link != &c->queue[class];) {
            struct limiter_ask *a = LIST_ENTRY(link, struct limiter_ask, link);
            int64_t due = due_of(l, a, now, ahead);
            link = link->next;
            if (due <= now || !limiter__waits_too_long(l, a, now, due)) {
                ahead += a->messages;
                continue;
            }
            limiter__leave_queue(l, a);
            list_push(gone, &a->link);
            a->state = LIMITER_LEAVING;
            a->due_us = due;
        }
    }
}

static void turn_away(struct limiter *l, struct list *gone, int64_t now)
{
    struct list *link;
    while ((link = list_shift(gone))) {
        struct limiter_ask *a = LIST_ENTRY(link, struct limiter_ask, link);
        struct err e;
        limiter__too_late(l, a, now, a->due_us, &e);
        limiter_end(l, a);
        a->turn(a, &e);
    }
}

void limiter__shed(struct limiter *l, struct limiter_chat *c)
{
    int64_t now = limiter__now_us(l);
    struct list gone;
    if (!c->put_off)
        return;
    c->put_off = false;
    list_init(&gone);
    pick_late(l, c, now, &gone);
    turn_away(l, &gone, now);
}

void limiter__shed_bulk(struct limiter *l)
{
    int64_t now = limiter__now_us(l);
    struct list gone, *link;
    if (!l->bulk_put_off)
        return;
    l->bulk_put_off = false;
    if (l->bulk_blocked_us - now <= LIMITER_WAIT_MAX_US ||
        l->waiting[LIMITER_JOB] + l->waiting[LIMITER_BROADCAST] == 0)
        return;
    list_init(&gone);
    for (link = l->chats.next; link != &l->chats; link = link->next)
        pick_late(l, LIST_ENTRY(link, struct limiter_chat, link), now, &gone);
    if (l->crowd)
        pick_late(l, l->crowd, now, &gone);
    turn_away(l, &gone, now);
}
