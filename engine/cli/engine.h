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

/* Opens everything and loads the scripts; nothing runs yet. with_sim: the
 * simulator lives in the engine and stands for Telegram. deaths: how often the
 * process has restarted itself of late, for the log. Takes the settings
 * over on success. NULL and *e on failure. */
struct engine *engine_new(struct settings *settings, bool with_sim, int deaths,
                          struct err *e);

/* Runs until SIGTERM or SIGINT, or until nothing can be done without the
 * operator. Returns the exit code. */
int engine_run(struct engine *engine);

/* Everything is stopped, closed and freed, the settings too. */
void engine_free(struct engine *engine);

int engine_http_port(const struct engine *engine);

#endif
