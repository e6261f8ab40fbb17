#ifndef MOONLET_STORE_FILE_TURN_H
#define MOONLET_STORE_FILE_TURN_H

/*
 * One block's worth of blocking work of a stream, on the pool. All streams of
 * a `struct files` share one thread of it, in turn: together with those that
 * FILES_AT_ONCE allows there is always one left for name resolution and the
 * loading of scripts. Loop thread only; store/file_stream is made of it.
 */

#include "loop/semaphore.h"
#include "loop/work.h"

#include <stdbool.h>

struct files;

enum file_turn_state { TURN_IDLE, TURN_WAITS, TURN_RUNS };

/* Embedded in the stream. The first three are set by its owner. */
struct file_turn {
    struct files *files;
    void (*run)(struct file_turn *t);  /* pool thread */
    void (*done)(struct file_turn *t); /* loop; may begin another turn */
    enum file_turn_state state;
    struct semaphore_waiter place;
    struct work work;
};

/* It must be idle. done comes later, never from within. */
void file_turn_start(struct file_turn *t);

/* True: it is idle, and nothing is called any more. False: the pool is at
 * it, done follows. */
bool file_turn_stop(struct file_turn *t);

/* Does `run` without `done`: at once on a virtual clock, where the work has
 * no thread of its own, and the owner may be gone when the loop turns again.
 * False on a real clock, where nothing was done. */
bool file_turn_inline(struct file_turn *t);

#endif
