#ifndef MOONLET_LOOP_TIMER_H
#define MOONLET_LOOP_TIMER_H

/*
 * One-shot timers on the loop's clock, real or virtual: a heap over a single
 * libuv timer. Memory belongs to the owner, who must stop a timer before
 * freeing it; there is no close callback. Timers of one deadline fire in the
 * order in which they were started.
 */

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct timer {
    struct loop *loop;
    void (*fire)(struct timer *t);
    uint64_t deadline_ns;
    uint64_t order;
    uint32_t place; /* index in the heap + 1; 0: not running */
};

void timer_init(struct timer *t, struct loop *loop,
                void (*fire)(struct timer *t));
void timer_start(struct timer *t, uint64_t ms); /* starts anew if running */
void timer_stop(struct timer *t);
bool timer_active(const struct timer *t);

#endif
