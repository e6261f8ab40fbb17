#include "telegram/pace.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Timers are late by up to a few milliseconds, which must not add up. */
#define LATE_US 5000
#define FREE_US (-PACE_GROUP_US) /* a place of the window */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t gcra_due(const struct gcra *g, int64_t step_us, unsigned burst)
{
    return g->full_us - (int64_t)(burst - 1) * step_us;
}

void gcra_take(struct gcra *g, int64_t now_us, int64_t step_us, unsigned count)
{
    if (now_us - g->full_us > LATE_US)
        g->full_us = now_us;
    g->full_us += (int64_t)count * step_us;
}

void pace_free(struct pace *p)
{
    free(p->sent);
    p->sent = NULL;
}

/* The latest are kept. */
static void note(struct pace *p, int64_t at_us)
{
    size_t i = 0;
    if (at_us <= p->sent[0])
        return;
    for (; i + 1 < PACE_GROUP_MAX && p->sent[i + 1] <= at_us; i++)
        p->sent[i] = p->sent[i + 1];
    p->sent[i] = at_us;
}

static void forget(struct pace *p, int64_t at_us)
{
    for (size_t i = 0; i < PACE_GROUP_MAX; i++) {
        if (p->sent[i] != at_us)
            continue;
        memmove(p->sent + 1, p->sent, i * sizeof *p->sent);
        p->sent[0] = FREE_US;
        return;
    }
}

static bool has(const struct pace *p, int64_t at_us)
{
    for (size_t i = 0; p->sent && i < PACE_GROUP_MAX; i++)
        if (p->sent[i] == at_us)
            return true;
    return false;
}

/* When the window has room behind so many. What goes beyond one window takes
 * the next. */
static int64_t window_due(const struct pace *p, int64_t now_us, unsigned ahead,
                          unsigned messages)
{
    if (!p->sent)
        return 0;
    unsigned own = messages < PACE_GROUP_MAX ? messages : PACE_GROUP_MAX;
    unsigned last = ahead + own - 1;
    if (last < PACE_GROUP_MAX)
        return p->sent[last] + PACE_GROUP_US;
    int64_t at = p->sent[PACE_GROUP_MAX - 1] + PACE_GROUP_US;
    return later(now_us, at) + last / PACE_GROUP_MAX * PACE_GROUP_US;
}

int64_t pace_due(const struct pace *p, int64_t now_us, unsigned ahead,
                 unsigned messages)
{
    int64_t due = p->blocked_us;
    if (p->paced && messages > 0)
        due = later(due, p->gate_us + ahead * PACE_CHAT_US);
    if (p->group && messages > 0)
        due = later(due, window_due(p, now_us, ahead, messages));
    return due;
}

int64_t pace_bulk_due(const struct pace *p, int64_t now_us, unsigned messages)
{
    int64_t due = pace_due(p, now_us, 0, messages);
    if (!p->chat || messages == 0)
        return due;
    return later(due, gcra_due(&p->bulk, PACE_CHAT_US, PACE_CHAT_BURST));
}

static void open_window(struct pace *p)
{
    if (p->sent)
        return;
    p->sent = mem_zero(PACE_GROUP_MAX, sizeof *p->sent);
    for (int i = 0; i < PACE_GROUP_MAX; i++)
        p->sent[i] = FREE_US;
}

void pace_take(struct pace *p, int64_t now_us, unsigned messages,
               struct pace_mark *mark)
{
    *mark = (struct pace_mark){
        .count = messages,
        .sent_us = now_us,
        .began = p->bulk.full_us <= now_us,
    };
    if (messages == 0 || !p->chat)
        return;
    if (p->paced)
        p->gate_us = later(p->gate_us, now_us) + messages * PACE_CHAT_US;
    gcra_take(&p->bulk, now_us, PACE_CHAT_US, messages);
    if (!p->group)
        return;
    open_window(p);
    for (unsigned i = 0; i < messages && i < PACE_GROUP_MAX; i++)
        note(p, now_us);
}

/* A bucket that was full is emptied when Telegram has the message, not when
 * it was sent: from then on both count the same. */
static void settle_bulk(struct pace *p, const struct pace_mark *mark,
                        int64_t now_us)
{
    int64_t late = now_us - mark->sent_us;
    if (mark->began)
        p->bulk.full_us += late < PACE_CHAT_US ? late : PACE_CHAT_US;
}

void pace_settle(struct pace *p, const struct pace_mark *mark, int64_t now_us)
{
    if (mark->count == 0 || !p->chat)
        return;
    settle_bulk(p, mark, now_us);
    if (!p->sent)
        return;
    for (unsigned i = 0; i < mark->count && i < PACE_GROUP_MAX; i++) {
        forget(p, mark->sent_us);
        note(p, now_us);
    }
}

bool pace_take_back(struct pace *p, struct pace_mark *mark)
{
    if (mark->count == 0 || !has(p, mark->sent_us))
        return false;
    for (unsigned i = 0; i < mark->count && i < PACE_GROUP_MAX; i++)
        forget(p, mark->sent_us);
    mark->count = 0;
    return true;
}

void pace_block(struct pace *p, int64_t until_us)
{
    p->paced = true;
    p->blocked_us = later(p->blocked_us, until_us);
    p->gate_us = later(p->gate_us, p->blocked_us);
    /* One is due at the deadline, not a burst. */
    p->bulk.full_us = later(
        p->bulk.full_us, p->blocked_us + PACE_CHAT_US * (PACE_CHAT_BURST - 1));
}

void pace_calm(struct pace *p, int64_t now_us)
{
    if (now_us >= p->gate_us)
        p->paced = false;
}

void pace_merge(struct pace *to, struct pace *from)
{
    to->paced = to->paced || from->paced;
    to->blocked_us = later(to->blocked_us, from->blocked_us);
    to->gate_us = later(to->gate_us, from->gate_us);
    to->bulk.full_us = later(to->bulk.full_us, from->bulk.full_us);
    if (!from->sent)
        return;
    open_window(to);
    for (int i = 0; i < PACE_GROUP_MAX; i++)
        note(to, from->sent[i]);
    pace_free(from);
}

bool pace_idle(const struct pace *p, int64_t now_us)
{
    int64_t last = later(p->blocked_us, later(p->gate_us, p->bulk.full_us));
    if (p->sent)
        last = later(last, p->sent[PACE_GROUP_MAX - 1] + PACE_GROUP_US);
    return last <= now_us;
}
