#ifndef MOONLET_TELEGRAM_LIMITER_INTERNAL_H
#define MOONLET_TELEGRAM_LIMITER_INTERNAL_H

/*
 * What the files of the limiter share: limiter.c says whose turn it is,
 * limiter_queue.c has the queue of a chat, limiter_chats.c the chats and what
 * is told of them, limiter_names.c those that have two keys.
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
    struct limiter_chat *same; /* keeps all for this one, a @name; NULL: none */
    bool put_off;              /* the deadline, since who waits was asked */
    struct list queue[LIMITER_CLASSES]; /* asks, by order */
    unsigned messages;                  /* of the replies in the queue */
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
    struct map names;           /* of limiter_name */
    struct list named;
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
    bool bulk_put_off;       /* that, since who waits was asked */
    uint64_t told_id;        /* the last chat that a 429 was about */
    int64_t told_until_us;   /* another one's until then is a pattern */
};

#define LIMITER_WAIT_MAX_US (LIMITER_WAIT_MAX_MS * INT64_C(1000))

int64_t limiter__now_us(const struct limiter *l);
/* The id that belongs to a @name; else the text itself. */
const char *limiter__id_of(struct limiter *l, const char *chat);
void limiter__names_free(struct limiter *l);
/* Finds the chat of an ask, or makes it. */
struct limiter_chat *limiter__chat(struct limiter *l,
                                   const struct limiter_ask *a);
void limiter__chats_free(struct limiter *l);
/* Messages a second, by what has been told of late. */
double limiter__rate(struct limiter *l, int64_t now_us);
/* A 429 about this chat. */
void limiter__slow(struct limiter *l, const struct limiter_chat *c, int64_t us);
/* Its chat, or the one that this has turned out to be. */
static inline struct limiter_chat *limiter__home(const struct limiter_ask *a)
{
    return a->at->same ? a->at->same : a->at;
}

/* NULL: the queue is empty. */
struct limiter_ask *limiter__first(const struct list *queue);
/* By arrival: a repeat goes before what came after it. */
void limiter__enter_queue(struct limiter *l, struct limiter_ask *a);
void limiter__leave_queue(struct limiter *l, struct limiter_ask *a);
/* Messages that go before a reply that is about to enter the queue. */
unsigned limiter__ahead(const struct limiter_ask *a);

/* What Telegram said holds it up until then. */
int64_t limiter__told_until(const struct limiter *l,
                            const struct limiter_ask *a);
/* Waits that Telegram asks for, and those of replies, are bounded; the rates
 * hold up bulk for as long as it takes. */
bool limiter__waits_too_long(const struct limiter *l,
                             const struct limiter_ask *a, int64_t now,
                             int64_t due);
void limiter__too_late(const struct limiter *l, const struct limiter_ask *a,
                       int64_t now, int64_t due, struct err *e);
/* If the deadline has been put off, tells those who cannot wait for it: of a
 * chat, and of all jobs and broadcasts. */
void limiter__shed(struct limiter *l, struct limiter_chat *c);
void limiter__shed_bulk(struct limiter *l);

/* Releases what may go; the timer's callback. */
void limiter__run_chat(struct timer *timer);
void limiter__sweep(struct timer *timer);

#endif
