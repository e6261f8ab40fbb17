#ifndef MOONLET_LOOP_STRAND_H
#define MOONLET_LOOP_STRAND_H

/*
 * A thread of its own that runs jobs in order and in batches. What one turn
 * of the loop pushes is handed over at its end, so that a batch holds it all,
 * and what gathers while one batch runs is the next one. Completions run on
 * the loop thread, in order, never before the push that started them has
 * returned. On a virtual clock no thread is made; batches run inline in the
 * next turn.
 */

#include "base/list.h"

#include <stddef.h>

struct loop;
struct strand;

/* Embedded in the caller's job; the caller keeps it alive until done. */
struct strand_job {
    struct list link;
    void (*done)(struct strand_job *job); /* loop thread */
};

/* Runs a whole batch on the strand's thread: a list of strand_job. It leaves
 * every job in the list; results are put into the jobs. */
typedef void strand_run(void *arg, struct list *batch);

/* name: at most 15 characters, shown in debuggers. */
struct strand *strand_new(struct loop *loop, const char *name, size_t batch_max,
                          strand_run *run, void *arg);

void strand_push(struct strand *s, struct strand_job *job);
size_t strand_waiting(const struct strand *s); /* pushed and not done */

/* Runs what is queued, ends the thread, delivers the completions (from
 * within this call), frees the strand. Blocks; for shutdown only. */
void strand_finish(struct strand *s);

/* engine_kill: drops queued jobs without running them or their completions
 * (a batch that is running ends first, its completions are dropped too).
 * drop(job) is called for each so that its memory can be freed. */
void strand_kill(struct strand *s, void (*drop)(struct strand_job *job));

#endif
