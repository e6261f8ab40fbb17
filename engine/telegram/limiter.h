#ifndef MOONLET_TELEGRAM_LIMITER_H
#define MOONLET_TELEGRAM_LIMITER_H

/*
 * Says when a call may go out. Replies go at once: they wait only for a 429
 * of their chat and for their group's window. Jobs and broadcasts wait for
 * their chat's and the overall rate too, and leave connections free. It sends
 * nothing itself: each try of a call asks for its turn, and gives it back when
 * it has ended. Loop thread only.
 */

#include "base/err.h"
#include "base/list.h"
#include "telegram/pace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct limiter;
struct loop;

enum limiter_class {
    LIMITER_REPLY, /* somebody may wait for it */
    LIMITER_JOB,
    LIMITER_BROADCAST,
    LIMITER_CLASSES
};

#define LIMITER_BULK_RATE 30      /* messages a second, paid ones aside */
#define LIMITER_PAID_RATE 1000    /* those */
#define LIMITER_WAIT_MAX_MS 90000 /* of a reply; of a 429's time for all */
/* Of the 256 connections of the client; getUpdates and the like have one. */
#define LIMITER_IN_FLIGHT_MAX 250
#define LIMITER_BULK_IN_FLIGHT_MAX 192
#define LIMITER_TRANSFERS_MAX 64
#define LIMITER_WAITING_MAX 10000 /* of each class; beyond: kind "limit" */
/* Chats beyond these share one place: the 429 of one is waited for by all of
 * them, and their windows and rates are not kept. */
#define LIMITER_CHATS_MAX 100000
/* @names whose id is known; the one used longest ago is forgotten. */
#define LIMITER_NAMES_MAX 1000

struct limiter_options {
    double bulk_rate; /* 0: LIMITER_BULK_RATE */
    size_t chats_max; /* 0: LIMITER_CHATS_MAX */
};

enum limiter_state {
    LIMITER_IDLE,
    LIMITER_WAITING, /* for its chat or its rate */
    LIMITER_PLACE,   /* for a connection */
    LIMITER_LEAVING, /* is about to be told that it waits too long */
    LIMITER_ACTIVE
};

/* Embedded in a call. Zeroed but for what the caller sets. */
struct limiter_ask {
    /* Borrowed while it is in use. */
    const char *chat; /* id or @name; "": the method stands for it */
    const char *method;
    enum limiter_class class;
    unsigned messages; /* 0: counts for no rate */
    bool paid;         /* allow_paid_broadcast */
    bool transfer;     /* an upload or a download */
    /* Its turn has come (e NULL), or it would wait for too long (e as from
     * limiter_ask). From the loop, never from within limiter_ask. */
    void (*turn)(struct limiter_ask *a, const struct err *e);
    /* --- */
    enum limiter_state state;
    struct list link;
    struct limiter_chat *at;
    uint64_t order; /* of arrival; kept over repeats */
    int64_t asked_us;
    int64_t waited_us; /* for its chat */
    int64_t told_us;   /* times of its own 429s, in all */
    int64_t due_us;    /* of one that is leaving */
    struct pace_mark mark;
};

enum limiter_verdict { LIMITER_GO, LIMITER_WAIT, LIMITER_REFUSED };

struct limiter *limiter_new(struct loop *loop, const struct limiter_options *o);
/* No ask may be in use. */
void limiter_free(struct limiter *l);

/* LIMITER_GO: send now. LIMITER_WAIT: `turn` follows. LIMITER_REFUSED: would
 * wait for more than LIMITER_WAIT_MAX_MS, or too many wait already; e is then
 * ERR_API 429 if Telegram said so, else ERR_LIMIT, with retry_after (if too
 * many wait: when the next of them may go, at the soonest). */
enum limiter_verdict limiter_ask(struct limiter *l, struct limiter_ask *a,
                                 struct err *e);
/* The try has ended, however; or the call ends while it waits. Safe when the
 * ask is idle. */
void limiter_end(struct limiter *l, struct limiter_ask *a);
/* After limiter_end: the answer was a 429. */
void limiter_told(struct limiter *l, struct limiter_ask *a, double seconds);
/* Before limiter_end: the call was refused because the chat `from` has the id
 * `to`, and made no message. What waits for the old one is not moved: it goes
 * now, to be refused first. */
void limiter_migrate(struct limiter *l, struct limiter_ask *a, const char *from,
                     const char *to);
/* An answer has told whose "@name" it is: both are one chat from now on, with
 * all that waits or is on its way. */
void limiter_named(struct limiter *l, const char *name, int64_t id);

/* Appends the members of a JSON object, without braces: rates, who waits,
 * blocked chats. */
void limiter_put(struct limiter *l, struct buf *b);

#endif
