#ifndef MOONLET_BASE_CLOCK_H
#define MOONLET_BASE_CLOCK_H

/*
 * Where all time comes from. A clock is real, or virtual: then it stands
 * still until someone moves it (the loop, when nothing else can happen). A
 * real one goes on by itself and can be put forward, for simulations.
 * Any thread may read a clock; only the loop thread moves one.
 */

#include <stdbool.h>
#include <stdint.h>

struct clock {
    bool is_virtual;
    _Atomic uint64_t moved_ns; /* monotonic if virtual, else the lead that a
                                  real clock has over the system's */
    int64_t virtual_epoch_ms;  /* Unix time at moved_ns == 0 */
};

void clock_init_real(struct clock *c);
void clock_init_virtual(struct clock *c, int64_t epoch_unix_ms);

uint64_t clock_ns(const struct clock *c);     /* monotonic */
int64_t clock_unix_ms(const struct clock *c); /* since 1970 UTC */

/* Never moves back. */
void clock_advance_to(struct clock *c, uint64_t ns);

#endif
