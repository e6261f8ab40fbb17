#ifndef MOONLET_BASE_RETRY_H
#define MOONLET_BASE_RETRY_H

/*
 * Counts the repeats of one piece of work and says how long to wait before
 * the next. Pure: no timer, no clock. Zeroed but for what the owner sets it
 * has tried nothing yet.
 */

#include "base/err.h"

#include <stdint.h>

struct rng;

struct retry {
    /* Set by the owner. */
    unsigned max;    /* repeats after the first try; RETRY_FOREVER: any */
    double base;     /* seconds: wait n is min(3600, base^(n-1)) +- 20 % */
    uint64_t cap_ms; /* no wait of its own is longer; 0: no such bound */
    bool always;     /* repeats also what err.retryable does not promise */
    /* --- */
    unsigned repeats; /* asked for until now */
};

#define RETRY_FOREVER (~0u)

/* Call after a failure: milliseconds until the next try, or -1 if there is to
 * be none. A time that the peer asked for (e->retry_after) is waited in full,
 * in place of the backoff. */
int64_t retry_next(struct retry *r, struct rng *rng, const struct err *e);
/* After a success: the next failure is a first one. */
void retry_reset(struct retry *r);

#endif
