#ifndef MOONLET_SIM_CORE_H
#define MOONLET_SIM_CORE_H

/*
 * What the modules of the simulator share: the one struct that holds them
 * all, time, and JSON helpers. Private to engine/sim.
 */

#include "base/list.h"
#include "sim/advance.h"
#include "sim/archive.h"
#include "sim/calls.h"
#include "sim/events.h"
#include "sim/faults.h"
#include "sim/limits.h"
#include "sim/sim.h"
#include "sim/world.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Integers that every JSON reader keeps exact. */
#define SIM_INT_MAX 9007199254740992

struct sim {
    struct loop *loop;
    char *token;                /* NULL: any */
    struct http_client *client; /* that posts to webhooks; NULL: none */
    struct advance advance;
    struct world world;
    struct faults faults;
    struct limits limits;
    struct events events;
    struct calls calls;
    struct archive archive;
    struct list open;      /* calls without an answer yet */
    struct list receiving; /* requests whose body still comes */
    struct list posts;     /* the same of /sim/send */
    int64_t things;    /* albums, results, ... made up so far, for their ids */
    int64_t updates_n; /* the last row of /sim/updates */
};

double sim_now(const struct sim *sim); /* Unix seconds with fraction */

/* Appends the compact text of a value. */
void sim_dump(const json_t *value, struct buf *out);
/* The same as a text of its own; takes over the value. */
struct text *sim_text(json_t *value);
/* Sets key to a value that is taken over. */
void sim_set(json_t *object, const char *key, json_t *value);
/* An integer member; 0 if there is none. */
int64_t sim_int(const json_t *object, const char *key);

#endif
