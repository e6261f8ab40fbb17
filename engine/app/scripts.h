#ifndef MOONLET_APP_SCRIPTS_H
#define MOONLET_APP_SCRIPTS_H

/*
 * The current generation of the scripts and its succession: loads beside the
 * loop, switches between two updates, keeps the old one when the new one
 * does not load. Watches SCRIPTS_DIR if asked to.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct generation;
struct loop;
struct notices;
struct script_error;
struct scripts;
struct vm_host;

struct scripts_options {
    struct loop *loop;
    const struct vm_host *host;     /* borrowed */
    const struct notices *notices;  /* borrowed */
    bool watch;                     /* HOT_RELOAD */
    /* The new generation takes over now; `reason` is "start" or "reload". */
    void (*switched)(void *arg, struct generation *g, const char *reason);
    void *arg;
};

/* Loads the first generation on the calling thread. NULL and *error if it
 * does not load. `switched` comes with scripts_begin. */
struct scripts *scripts_new(const struct scripts_options *o,
                            struct script_error *error);
void scripts_begin(struct scripts *s);

/* Loads anew; a request during a load makes one further load. */
void scripts_reload(struct scripts *s);

struct generation *scripts_current(const struct scripts *s);

/* No further reload; `closed` comes from the loop once no load is running
 * and all generations are gone. Their running tasks are cancelled. */
void scripts_close(struct scripts *s, void (*closed)(void *arg), void *arg);

#endif
