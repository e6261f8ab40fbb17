#ifndef MOONLET_CLI_ENGINE_H
#define MOONLET_CLI_ENGINE_H

/*
 * The engine: the one struct that owns every part, puts them together and
 * takes them apart again. Nothing else composes.
 */

#include "base/err.h"

#include <stdbool.h>

struct engine;
struct settings;

struct engine_start {
    bool with_sim;     /* the simulator lives in the engine, for Telegram */
    bool standby;      /* if another engine has DATA_DIR, wait for its end */
    bool drop_pending; /* what waits at Telegram is thrown away first */
    int deaths;        /* how often the process has restarted itself of late */
};

/* Opens everything and loads the scripts; nothing runs yet. Takes the settings
 * over. NULL and *e on failure; e->code is ERR_OK if it was told to end while
 * it waited as a standby. */
struct engine *engine_new(struct settings *settings,
                          const struct engine_start *start, struct err *e);

/* Runs until SIGTERM or SIGINT, or until nothing can be done without the
 * operator. Returns the exit code. */
int engine_run(struct engine *engine);

/* Everything is stopped, closed and freed, the settings too. */
void engine_free(struct engine *engine);

int engine_http_port(const struct engine *engine);

#endif
