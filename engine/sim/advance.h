#ifndef MOONLET_SIM_ADVANCE_H
#define MOONLET_SIM_ADVANCE_H

/*
 * POST /sim/clock: puts the loop's clock forward and answers once everything
 * that was due on the way has been done. Requests run one after the other.
 *
 * Peers of webhooks that live outside of this process answer in real time:
 * the clock does not jump while one of them has a post, but no longer than
 * ADVANCE_PATIENCE_MS without any answer. */

#include "base/list.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

#define ADVANCE_SECONDS_MAX 31622400 /* 366 days */
#define ADVANCE_REQUESTS_MAX 64
#define ADVANCE_PATIENCE_MS 2000

struct patient;
struct sim;
struct sim_options;

struct advance {
    bool allowed;
    struct list requests; /* the first one is under way */
    size_t count;
    struct deferred arrived;
    struct patient *patient; /* NULL: there are no such peers */
    unsigned posts;          /* to them */
    bool held;
};

void advance_init(struct sim *sim, const struct sim_options *o);
void advance_free(struct sim *sim); /* ends the requests */

/* A post begins; it has ended. */
void advance_hold(struct sim *sim);
void advance_release(struct sim *sim);

#endif
