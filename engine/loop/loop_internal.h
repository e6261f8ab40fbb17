#ifndef MOONLET_LOOP_LOOP_INTERNAL_H
#define MOONLET_LOOP_LOOP_INTERNAL_H

/*
 * What the files of this floor share. A turn is: libuv's callbacks, then the
 * timers that are due, then one batch of deferred work. libuv's own timer
 * only bounds the wait; it never runs ours, so that both clocks fire timers
 * on one path.
 */

#include "loop/loop.h"
#include "loop/timer.h"

struct loop {
    uv_loop_t uv;
    uv_timer_t wake; /* ends a wait when the next timer is due */
    struct clock *clock;
    struct log *log;
    struct rng *rng;
    struct list deferred;
    struct timer **heap; /* the first is the next to fire */
    uint32_t timer_count, timer_room;
    uint64_t timer_order;     /* of the timer that starts next */
    uint64_t jump_ns;         /* how far the clock may jump */
    struct deferred *arrived; /* queued there; NULL: nothing */
    uint32_t held;            /* jobs on other threads */
    bool polling;             /* inside uv_run */
    bool stopping;
};

/* There is work for the next turn: the wait of this one must not begin. */
void loop__wake(struct loop *loop);

/* Logs and aborts if rc is an error of libuv. Only for calls that fail for
 * want of memory, threads or file descriptors when a part is set up. */
void loop__require(struct loop *loop, int rc, const char *call);

/* Runs the timers that are due now and were started before this call. */
void loop__timers_fire(struct loop *loop);

/* False if no timer is running. */
bool loop__timer_next(const struct loop *loop, uint64_t *deadline_ns);

#endif
