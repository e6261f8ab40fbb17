#ifndef MOONLET_CLI_ENGINE_H
#define MOONLET_CLI_ENGINE_H

/*
 * The engine: the one struct that owns every part, puts them together and
 * takes them apart again. Nothing else composes.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct coverage;
struct engine;
struct http_client;
struct log;
struct loop;
struct rng;
struct routes;
struct settings;
struct vm_source;

/* What a simulation gives to the engines that live in it one after another;
 * all borrowed, on a virtual clock. Such an engine opens no socket and hears
 * no signals. */
struct engine_home {
    struct clock *clock;
    struct rng *rng;
    struct log *log;
    struct loop *loop;
    struct http_client *telegram; /* for Bot API calls */
    struct http_client *web;      /* for those of scripts to anybody else */
    const struct vm_source *library;
    struct coverage *coverage;   /* hears which handlers run; or NULL */
    const char *coverage_folder; /* the scripts as people name it */
    void (*notice)(void *arg, const char *json); /* reloads, script errors */
    void *arg;
};

struct engine_start {
    bool with_sim;     /* the simulator lives in the engine, for Telegram */
    bool standby;      /* if another engine has DATA_DIR, wait for its end */
    bool drop_pending; /* what waits at Telegram is thrown away first */
    const struct engine_home *home; /* NULL: the world outside */
    int deaths; /* how often the process has restarted itself of late */
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

/* The parts of engine_run for an engine in a simulation, whose loop somebody
 * else turns: its start; the beginning of its end, which is over with
 * engine_ended; a death, which frees everything at once: what was not yet
 * committed is lost, no completion runs, and of scripts only what a __gc does
 * while their memory is freed, which can neither wait nor store anything. */
void engine_begin(struct engine *engine);
void engine_stop(struct engine *engine);
bool engine_ended(const struct engine *engine);
uint64_t engine_shutdown_ms(const struct engine *engine);
void engine_kill(struct engine *engine);

/* What its HTTP server would serve, and its Unix socket. */
struct routes *engine_routes(const struct engine *engine);
struct routes *engine_control_routes(const struct engine *engine);

#endif
