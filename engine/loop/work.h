#ifndef MOONLET_LOOP_WORK_H
#define MOONLET_LOOP_WORK_H

/*
 * Short blocking work on libuv's thread pool (files, loading scripts). On a
 * virtual clock it runs inline in the next turn.
 */

#include "loop/loop.h"

struct work {
    struct loop *loop;
    void (*run)(struct work *w);  /* pool thread */
    void (*done)(struct work *w); /* loop thread */
    uv_work_t req;
    struct deferred inline_run;
};

/* The caller keeps w alive until done. It cannot be cancelled. */
void work_start(struct work *w, struct loop *loop, void (*run)(struct work *w),
                void (*done)(struct work *w));

/* Takes back work that has not begun and will not tell of it: true. False if
 * it is with the pool, which only a real clock has. */
bool work_revoke(struct work *w);

#endif
