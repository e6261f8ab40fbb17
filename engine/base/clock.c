#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

#define NS_IN_S UINT64_C(1000000000)
#define NS_IN_MS UINT64_C(1000000)

void clock_init_real(struct clock *c)
{
    c->is_virtual = false;
    atomic_init(&c->moved_ns, 0);
    c->virtual_epoch_ms = 0;
}

void clock_init_virtual(struct clock *c, int64_t epoch_unix_ms)
{
    c->is_virtual = true;
    atomic_init(&c->moved_ns, 0);
    c->virtual_epoch_ms = epoch_unix_ms;
}

static uint64_t system_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_IN_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(const struct clock *c)
{
    uint64_t moved = atomic_load(&c->moved_ns);
    return c->is_virtual ? moved : system_ns(CLOCK_MONOTONIC) + moved;
}

int64_t clock_unix_ms(const struct clock *c)
{
    uint64_t moved = atomic_load(&c->moved_ns);
    if (c->is_virtual)
        return c->virtual_epoch_ms + (int64_t)(moved / NS_IN_MS);
    return (int64_t)((system_ns(CLOCK_REALTIME) + moved) / NS_IN_MS);
}

void clock_advance_to(struct clock *c, uint64_t ns)
{
    uint64_t now = clock_ns(c);
    if (ns > now)
        atomic_fetch_add(&c->moved_ns, ns - now);
}
