#ifndef MOONLET_SIM_LONG_POLL_H
#define MOONLET_SIM_LONG_POLL_H

/*
 * getUpdates of one bot: what an offset confirms, how much one answer holds,
 * the one call that may wait, and who loses if there are two.
 */

#include "loop/timer.h"

#include <stdbool.h>
#include <stdint.h>

struct bot;
struct call;
struct sim;

struct long_poll {
    struct sim *sim;
    struct bot *bot;
    struct call *call; /* that waits; NULL: none */
    int64_t offset;
    int64_t limit;
    struct timer wake;
    bool woken;
    uint64_t woken_ns; /* by the first update */
    int64_t last_offset;
    uint64_t last_start_ms;
    uint64_t calm_after_ms; /* conflicts before that are answered late */
};

void long_poll_init(struct long_poll *p, struct sim *sim, struct bot *bot);
void long_poll_free(struct long_poll *p);

/* Answers now or lets the call wait. */
void long_poll_call(struct long_poll *p, struct call *call);
/* There is an update more. */
void long_poll_wake(struct long_poll *p);
/* A webhook was set: the waiting call is refused. */
void long_poll_end(struct long_poll *p);
/* The waiting call is gone or was ended. */
void long_poll_forget(struct long_poll *p, const struct call *call);

#endif
