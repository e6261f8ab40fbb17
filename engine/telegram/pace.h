#ifndef MOONLET_TELEGRAM_PACE_H
#define MOONLET_TELEGRAM_PACE_H

/*
 * When a chat may get its next message: after a 429's deadline, 20 in any 60
 * seconds for a group, one a second for bulk traffic. Knows no calls, no
 * clock and no timers: it is told the time, in microseconds of the loop.
 */

#include <stdbool.h>
#include <stdint.h>

#define PACE_GROUP_MAX 20
#define PACE_GROUP_US INT64_C(60000000)
#define PACE_CHAT_US INT64_C(1000000) /* between two messages of bulk */
#define PACE_CHAT_BURST 3

/* A bucket as one number: the time at which it is full again. */
struct gcra {
    int64_t full_us;
};

/* When it has one, of a bucket that holds `burst` and fills in `step`. */
int64_t gcra_due(const struct gcra *g, int64_t step_us, unsigned burst);
/* Takes `count`, which may put it into debt. A take that is late by a timer's
 * resolution counts as one in time. */
void gcra_take(struct gcra *g, int64_t now_us, int64_t step_us, unsigned count);

/* Zeroed but for `group` and `chat`; ended by pace_free. */
struct pace {
    bool chat;  /* else a method, for calls that name no chat */
    bool group; /* has a window */
    bool paced; /* what was held up goes out one by one */
    /* --- */
    int64_t blocked_us; /* nothing before; only time clears it */
    int64_t gate_us;    /* no message before */
    struct gcra bulk;
    int64_t *sent; /* when the group got its last messages, oldest first */
};

/* One call's messages, to be settled. */
struct pace_mark {
    unsigned count;
    int64_t sent_us;
    bool began; /* the bucket was full */
};

void pace_free(struct pace *p);

/* When `messages` (0: what counts for nothing) may go that have `ahead` of
 * them in the queue. */
int64_t pace_due(const struct pace *p, int64_t now_us, unsigned ahead,
                 unsigned messages);
/* The same for bulk traffic, which has nothing ahead. */
int64_t pace_bulk_due(const struct pace *p, int64_t now_us, unsigned messages);

/* They go. */
void pace_take(struct pace *p, int64_t now_us, unsigned messages,
               struct pace_mark *mark);
/* Their call has ended: Telegram has counted them somewhere between. The later
 * end is taken, or its window would be fuller than ours. */
void pace_settle(struct pace *p, const struct pace_mark *mark, int64_t now_us);

/* They made no message, which is known before their call is settled: the
 * window has room again. False: it does not know them. */
bool pace_take_back(struct pace *p, struct pace_mark *mark);

/* A 429: nothing before until_us, then one a second. */
void pace_block(struct pace *p, int64_t until_us);
/* Nobody waits: what comes later than the last gate goes at once again. */
void pace_calm(struct pace *p, int64_t now_us);
/* The chat has another id: what is known of both holds for the new one. */
void pace_merge(struct pace *to, struct pace *from);
/* It holds nothing that matters. */
bool pace_idle(const struct pace *p, int64_t now_us);

#endif
