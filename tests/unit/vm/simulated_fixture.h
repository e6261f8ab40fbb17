#ifndef MOONLET_TESTS_VM_SIMULATED_FIXTURE_H
#define MOONLET_TESTS_VM_SIMULATED_FIXTURE_H

/*
 * A site whose generations are simulated ones.
 */

#include "fixture.h"

#include "vm/limits.h"

#define LIMIT_MS 2
#define MEMORY_LIMIT (4u << 20)

static inline void open_simulated(struct site *s, uint64_t seed)
{
    site_open(s);
    s->host.simulated = true;
    s->host.random_seed = seed;
    s->host.memory_limit = MEMORY_LIMIT;
    s->host.limits = limits_new_counted(LIMIT_MS);
}

static inline void close_simulated(struct site *s)
{
    generation_close(s->g);
    s->g = NULL;
    limits_free(s->host.limits);
    site_close(s);
}

#endif
