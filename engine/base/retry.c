#include "base/retry.h"

#include "base/rng.h"

#include <math.h>

/* A peer that asks for more has asked for ever: 10 years. */
#define TOLD_MAX_S 315360000.0

int64_t retry_next(struct retry *r, struct rng *rng, const struct err *e)
{
    if (!r->always && !e->retryable)
        return -1;
    if (r->max != RETRY_FOREVER && r->repeats >= r->max)
        return -1;
    if (r->repeats < RETRY_FOREVER - 1)
        r->repeats++;
    if (e->retry_after > 0)
        return (int64_t)ceil(fmin(e->retry_after, TOLD_MAX_S) * 1000);
    uint64_t ms = rng_backoff_ms(rng, r->base, r->repeats);
    if (r->cap_ms > 0 && ms > r->cap_ms)
        ms = r->cap_ms;
    return (int64_t)ms;
}

void retry_reset(struct retry *r)
{
    r->repeats = 0;
}
