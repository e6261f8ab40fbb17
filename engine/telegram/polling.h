#ifndef MOONLET_TELEGRAM_POLLING_H
#define MOONLET_TELEGRAM_POLLING_H

/*
 * Long polling: getMe, removal of a webhook that is set, then getUpdates
 * for ever. The offset moves only after the inbox has committed; when the
 * inbox is full no call is made until it has drained. Network trouble and
 * errors back off and go on; a refused token ends it.
 */

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct inbox;
struct loop;
struct polling;

struct polling_options {
    struct loop *loop;
    struct api *api;
    struct inbox *inbox;
    uint64_t request_timeout_ms; /* added to the wait of getUpdates */
    /* getMe has answered; the slice is borrowed during the call. */
    void (*identified)(void *arg, struct jslice me);
    /* The first getUpdates is on its way. */
    void (*started)(void *arg);
    /* Telegram refuses the token: nothing can be done without the operator.
     * Polling has ended. */
    void (*refused)(void *arg, const struct err *e);
    /* Telegram is reachable or not: at first and at each change. */
    void (*state)(void *arg, bool up);
    /* The inbox stores updates or does not: at each change. */
    void (*storage)(void *arg, bool up);
    void *arg;
};

/* Copies the options. Owned by the caller. */
struct polling *polling_new(const struct polling_options *o);
/* The kinds to ask for, a JSON array as text; copied. A waiting getUpdates is
 * ended and made anew if they differ. */
void polling_set_kinds(struct polling *p, const char *kinds);
void polling_start(struct polling *p);
/* The inbox has room again. */
void polling_resume(struct polling *p);
/* Ends the call in flight and starts no other. */
void polling_stop(struct polling *p);
void polling_free(struct polling *p); /* after stop and the last put's done */
bool polling_storing(const struct polling *p); /* a put is not done yet */

#endif
