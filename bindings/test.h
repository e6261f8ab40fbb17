#ifndef MOONLET_BINDINGS_TEST_H
#define MOONLET_BINDINGS_TEST_H

/*
 * The face of `moonlet test` to Lua: a state for specs, which drive a world
 * (a simulator and the engine of a bot on one virtual clock) from outside.
 * How a world is put together is the composer's business. A spec is no task
 * of the engine: its calls turn the loop until what they wait for is there.
 */

#include "base/err.h"
#include "loop/config.h"
#include "net/http_scripted.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct coverage;
struct http_client;
struct loop;
struct sim;

/* First member of the composer's own struct. */
struct test_world {
    struct loop *loop;
    struct sim *sim;
    struct http_client *control; /* reaches the simulator */
    struct http_client *engine;  /* reaches the engine's /api */
    struct http_client *web;     /* reaches the engine's port */
};

struct test_world_options {
    uint64_t seed;
    const char *bot;  /* the folder with main.lua; not used with `main` */
    const char *main; /* text of the bot's only script; NULL: there is none */
    bool webhook;     /* updates come by webhook, else by polling */
    bool copy;        /* the bot is a copy that the spec may write to */
    /* The settings of the case, up to a NULL name. */
    const struct config_fixed *settings;
    http_teller *teller; /* stands for all servers but Telegram's */
    void *teller_arg;
};

/* What the runner wants of whoever composes worlds. */
struct test_composer {
    void *arg;
    /* The world stands, its engine does not run yet. NULL and *e. */
    struct test_world *(*open)(void *arg, const struct test_world_options *o,
                               struct err *e);
    void (*close)(struct test_world *w);
    /* The engine is put together and starts; 0, or why it does not. */
    int (*start)(struct test_world *w, struct err *e);
    /* An orderly end, as by SIGTERM; the clock goes on meanwhile. */
    void (*stop)(struct test_world *w);
    void (*kill)(struct test_world *w); /* a death */
    /* What the engine has logged in this world; borrowed until the next call
     * of any of these. */
    const char *(*log)(struct test_world *w, size_t *len);
    /* Writes a file of the copied bot; 0, or why not. */
    int (*write)(struct test_world *w, const char *name, const char *text,
                 size_t len, struct err *e);
};

struct test_run_options {
    const struct test_composer *composer;
    struct coverage *coverage;
    uint64_t seed;
    const char *filter;      /* part of a case's name; NULL: all */
    const char *junit;       /* file for a report in JUnit's XML; NULL: none */
    const char *config;      /* --config; NULL: none was given */
    const char *bot;         /* --bot; NULL: the nearest main.lua upwards */
    const char *default_bot; /* if there is none upwards */
    uint64_t timeout_s;      /* real time of a case */
    bool webhook;            /* all cases by webhook, unless they say */
    bool colour;
    char *const *files; /* specs; ends with NULL */
};

/* Runs the specs and prints how they went; the last line is "N passed, N
 * failed". True if all passed and there was one. */
bool test_run(const struct test_run_options *o);

#endif
