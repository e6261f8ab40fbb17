#include "base/rng.h"

#include <math.h>

#define BACKOFF_MAX_S 3600.0
#define BACKOFF_JITTER 0.2

/* splitmix64 spreads one word over the state, as the authors of xoshiro
 * advise; it never yields a state of zeros. */
void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += UINT64_C(0x9E3779B97F4A7C15));

        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        r->s[i] = z ^ (z >> 31);
    }
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    /* Values below 2^64 mod bound would make small results likelier. */
    uint64_t skip = (0 - bound) % bound;
    uint64_t x;

    do
        x = rng_next(r);
    while (x < skip);
    return x % bound;
}

uint64_t rng_backoff_ms(struct rng *r, double base, unsigned n)
{
    double s = fmin(BACKOFF_MAX_S, pow(base, n > 0 ? n - 1 : 0));
    double jitter = 1 + BACKOFF_JITTER * (2 * rng_unit(r) - 1);

    return (uint64_t)(s * 1000 * jitter);
}
