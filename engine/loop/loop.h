#ifndef MOONLET_LOOP_LOOP_H
#define MOONLET_LOOP_LOOP_H

/*
 * The event loop: libuv plus work that runs once in the next turn, on a
 * clock that can be virtual. Everything here is for the loop thread alone.
 *
 * When neither deferred work, work on another thread nor a ready handle is
 * left, the clock may jump to the next timer, as far as loop_jump allows: on a
 * virtual clock without end, so that loop_run never sleeps, on a real one not
 * at all.
 */

#include "base/clock.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop;
struct log;
struct rng;

/* Work for the next turn; embedded by its owner, who may not free it while
 * it is queued. The callback may queue it again (for the turn after). */
struct deferred {
    struct list link;
    void (*run)(struct deferred *d);
};

/* Borrows clock, log and rng for its life. Owned by the caller. */
struct loop *loop_new(struct clock *clock, struct log *log, struct rng *rng);

/* Runs until loop_stop, or until no handle, timer or deferred work is left. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* One turn without waiting; for tests. */
void loop_turn(struct loop *loop);

/* One turn of a simulation: the clock jumps if nothing can happen before.
 * False, with the clock at until_ns, if nothing happens until then. */
bool loop_step(struct loop *loop, uint64_t until_ns);

/* How far the clock may jump (monotonic; 0: not at all). A virtual clock that
 * may not jump stands still. */
void loop_jump(struct loop *loop, uint64_t until_ns);
/* The same; once the clock is there and nothing is left to do, `arrived` is
 * queued (NULL: nothing). The last call counts. For loop_run. */
void loop_jump_to(struct loop *loop, uint64_t until_ns,
                  struct deferred *arrived);

/* Work on another thread begins or has ended: no jump until then. */
void loop_hold(struct loop *loop);
void loop_unhold(struct loop *loop);

/* Every handle must be closed by its owner before: runs the loop until it is
 * empty, without firing timers, and returns the number of handles and timers
 * that were still open (0: clean; they are named in the log). Frees the loop;
 * it leaks only if a request to the pool does not end within 10 s. */
int loop_free(struct loop *loop);

void deferred_init(struct deferred *d, void (*run)(struct deferred *d));
void loop_defer(struct loop *loop, struct deferred *d); /* twice is once */
void loop_undefer(struct deferred *d);

uv_loop_t *loop_uv(struct loop *loop);
struct clock *loop_clock(struct loop *loop);
struct log *loop_log(struct loop *loop);
struct rng *loop_rng(struct loop *loop);
uint64_t loop_now_ms(struct loop *loop); /* monotonic */

#endif
