#ifndef MOONLET_APP_SCRIPTS_H
#define MOONLET_APP_SCRIPTS_H

/*
 * The current generation of the scripts and its succession: loads beside the
 * loop, switches between two updates, keeps the old one when the new one
 * does not load. Old generations live until their last handler has ended;
 * when there are more than SCRIPTS_OLD_MAX, the handlers of the oldest are
 * ended. Watches SCRIPTS_DIR if asked to.
 */

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPTS_OLD_MAX 4

struct admins;
struct generation;
struct loop;
struct notices;
struct script_error;
struct scripts;
struct vm_host;

struct scripts_options {
    struct loop *loop;
    const struct vm_host *host;    /* borrowed */
    const struct notices *notices; /* borrowed */
    struct admins *admins;         /* borrowed */
    bool watch;                    /* HOT_RELOAD */
    const char *data_dir; /* borrowed; if it is among them, it is no script */
    /* The new generation takes over now; `reason` is "start" or "reload". */
    void (*switched)(void *arg, struct generation *g, const char *reason);
    void *arg;
};

/* Loads the first generation on the calling thread. NULL and *error if it
 * does not load. `switched` comes with scripts_begin. */
struct scripts *scripts_new(const struct scripts_options *o,
                            struct script_error *error);
void scripts_begin(struct scripts *s);

/* How a load has ended. */
struct scripts_outcome {
    const struct script_error *error; /* NULL: loaded */
    uint64_t generation;              /* that runs now */
    int64_t took_ms;
};

/* One who waits for the end of a load; embedded by its owner. */
struct scripts_waiter {
    struct list link;
    /* Once, from the loop; w is in no list any more. */
    void (*done)(struct scripts_waiter *w, const struct scripts_outcome *o);
};

/* Loads anew; not after scripts_close. Requests during a load make one further
 * load, whose end is told to w (NULL: to nobody), because the running one may
 * have read the files too early. */
void scripts_reload(struct scripts *s, struct scripts_waiter *w);
void scripts_forget(struct scripts_waiter *w); /* done will not be called */

struct generation *scripts_current(const struct scripts *s);
size_t scripts_old(const struct scripts *s); /* that still run handlers */

/* No further reload; `closed` comes from the loop once no load is running
 * and all generations are gone. Their running tasks are cancelled. Waiters
 * are told at once that the engine is stopping (kind "cancelled"). */
void scripts_close(struct scripts *s, void (*closed)(void *arg), void *arg);

/* engine_kill: frees everything at once; waiters are forgotten and no code of
 * a script runs. Only on a virtual clock, where no load is on a thread. */
void scripts_kill(struct scripts *s);

#endif
