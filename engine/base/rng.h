#ifndef MOONLET_BASE_RNG_H
#define MOONLET_BASE_RNG_H

/*
 * The one source of chance (xoshiro256**): the same seed gives the same
 * numbers. Not for secrets. One rng belongs to one thread.
 */

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
double rng_unit(struct rng *r);                    /* 0 <= x < 1 */
uint64_t rng_below(struct rng *r, uint64_t bound); /* bound > 0 */

/* Delay before repeat n (1, 2, ...) in ms: min(3600 s, base^(n-1) s) with
 * 20 % jitter either way (DESIGN section 4, RETRY_BACKOFF_BASE). */
uint64_t rng_backoff_ms(struct rng *r, double base, unsigned n);

#endif
