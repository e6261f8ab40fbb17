#ifndef MOONLET_TELEGRAM_LIMITER_INTERNAL_H
#define MOONLET_TELEGRAM_LIMITER_INTERNAL_H

/*
 * What the files of the limiter share: limiter.c queues calls, and
 * limiter_chats.c keeps the chats and what is told of them.
 */

#include "base/map.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "telegram/limiter.h"

enum limiter_line { /* for a connection, in order of service */
                    LINE_REPLIES,
                    LINE_REPLY_TRANSFERS,
                    LINE_BULK_TRANSFERS,
                    LINES
};

/* A chat, or a method of calls that name none. */
struct limiter_chat {
    struct limiter *limiter;
    struct list link; /* in limiter.chats */
    char *key;
    uint64_t id;
    struct pace pace;
    struct list queue[LIMITER_CLASSES]; /* asks, by order */
    struct list due[LIMITER_CLASSES];   /* link in limiter.due */
    struct timer timer;                 /* its first ask may go */
    size_t in_use;                      /* asks that wait or are active */
};

struct limiter {
    struct loop *loop;
    struct map by_key;
    struct list chats;
    size_t chats_max;
    struct limiter_chat *crowd; /* the place of those beyond; NULL: none */
    struct timer sweep;
    uint64_t last_id;
    uint64_t last_order;
    struct list due[LIMITER_CLASSES]; /* chats with bulk that may go */
    enum limiter_class last_bulk;     /* whose turn it was */
    struct list line[LINES];
    size_t waiting[LIMITER_CLASSES];
    size_t active;
    size_t active_bulk;
    size_t transfers;
    struct deferred serve;
    struct timer bulk_timer;
    struct gcra bulk;
    struct gcra paid;
    double rate_max;
    double rate;
    int64_t bulk_sent_us;    /* the last message of bulk */
    int64_t clean_us;        /* the rate grows from here on */
    int64_t bulk_blocked_us; /* no bulk before */
    uint64_t told_id;        /* the last chat that a 429 was about */
    int64_t told_until_us;   /* another one's until then is a pattern */
};

int64_t limiter__now_us(const struct limiter *l);
/* Finds the chat of an ask, or makes it. */
struct limiter_chat *limiter__chat(struct limiter *l,
                                   const struct limiter_ask *a);
void limiter__chats_free(struct limiter *l);
/* Messages a second, by what has been told of late. */
double limiter__rate(struct limiter *l, int64_t now_us);
/* A 429 about this chat. */
void limiter__slow(struct limiter *l, const struct limiter_chat *c, int64_t us);
/* Releases what may go; the timer's callback. */
void limiter__run_chat(struct timer *timer);
void limiter__sweep(struct timer *timer);

#endif
