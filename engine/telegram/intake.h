#ifndef MOONLET_TELEGRAM_INTAKE_H
#define MOONLET_TELEGRAM_INTAKE_H

/*
 * What polling and webhook share: their options, and calls to Telegram, one
 * at a time, each made again with growing pauses until it succeeds: getMe,
 * getWebhookInfo if its answer is needed, then what each adds. Whether
 * Telegram is reachable is told on the way; a refused token ends it.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/retry.h"
#include "loop/timer.h"
#include "telegram/api.h"

#include <stdbool.h>
#include <stdint.h>

struct inbox;
struct loop;
struct update_head;

struct intake_options {
    struct loop *loop;
    struct api *api;
    struct inbox *inbox;
    uint64_t request_timeout_ms;
    /* Updates that wait at Telegram are thrown away before the first one is
     * taken. */
    bool drop_pending;
    bool hurry; /* to find out about caught_up: do not wait for updates first */
    /* getMe has answered; the slice is borrowed during the call. */
    void (*identified)(void *arg, struct jslice me);
    /* drop_pending: so many were thrown away. */
    void (*dropped)(void *arg, int64_t count);
    /* Updates may come from now on. */
    void (*started)(void *arg);
    /* Telegram refuses the token: nothing can be done without the operator.
     * The intake has ended. */
    void (*refused)(void *arg, const struct err *e);
    /* Telegram is reachable or not: at first and at each change. */
    void (*state)(void *arg, bool up);
    /* An update is about to be put: the last word on its lane. */
    void (*order)(void *arg, struct jslice update, struct update_head *h);
    /* Nothing from before the start waits at Telegram any more: once. */
    void (*caught_up)(void *arg);
    /* The inbox stores updates or does not: at each change. */
    void (*storage)(void *arg, bool up);
    void *arg;
};

enum intake_stage {
    INTAKE_GET_ME,
    INTAKE_WEBHOOK_INFO,
    INTAKE_STARTED, /* the rest is the source's */
};

/* Embedded by polling and webhook, which set what stands above the line. */
struct intake {
    struct intake_options o;
    const char *failed; /* the log's event */
    /* getWebhookInfo has answered; NULL: ask it only if updates are dropped,
     * to tell how many. */
    void (*informed)(struct intake *in, struct jslice info);
    void (*step)(struct intake *in); /* makes the next call */
    void (*answered)(struct intake *in, struct jslice result);
    /* --- */
    enum intake_stage stage;
    struct api_call call;
    struct buf params; /* of the next call */
    struct timer pause;
    int64_t pending;    /* at Telegram, before they were thrown away */
    struct retry retry; /* of calls */
    bool in_flight;
    bool stopped;
    bool up;
    bool state_known; /* Telegram was tried */
    bool storage_down;
    bool started;
    bool caught_up;
};

void intake_init(struct intake *in);
/* Makes the next call, from getMe on; later calls `step`, with empty params,
 * unless the intake has stopped. */
void intake_step(struct intake *in);
/* Calls the method with in->params. wait_ms is added to the timeout. */
void intake_call(struct intake *in, const char *method, uint64_t wait_ms);
/* The webhook was set or deleted; if that threw updates away, tells so. */
void intake_note_dropped(struct intake *in);
void intake_note_started(struct intake *in);
void intake_note_caught_up(struct intake *in);
void intake_set_storage(struct intake *in, bool up);

/* For pauses that double, without end: a second at first, at most cap_ms. */
struct retry intake_retry(uint64_t cap_ms);
/* Another step after a failure: in a while, longer each time, or when the peer
 * said. Returns the milliseconds. */
int64_t intake_pause(struct intake *in, struct retry *r, const struct err *e);
/* The same for an answer that is of no use, with a line in the log. */
void intake_fail(struct intake *in, const struct err *e);

void intake_cancel(struct intake *in); /* the call in flight, if any */
void intake_stop(struct intake *in);   /* the same for good */
void intake_free(struct intake *in);   /* what it holds */

#endif
