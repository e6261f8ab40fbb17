#ifndef MOONLET_BINDINGS_BINDINGS_H
#define MOONLET_BINDINGS_BINDINGS_H

/*
 * The C modules that scripts and the shipped library can require, and what
 * they need of the engine: the face for whoever composes it.
 */

#include "vm/generation.h"

struct api;
struct coverage;
struct errors;
struct files;
struct state;
struct script_http;
struct transfers;

/* vm_host.services points to this. Borrowed parts; all of them outlive the
 * generations. */
struct services {
    struct api *api;
    struct errors *errors;           /* NULL: only the log hears of them */
    struct files *files;             /* NULL where no task runs */
    struct state *state;             /* the same */
    uint64_t db_timeout_ms;          /* of each request to it */
    struct script_http *script_http; /* the same */
    struct transfers *transfers;     /* the same */
    uint64_t download_timeout_ms;
    char *me;                  /* getMe's result as JSON; NULL: not known yet */
    const char *app_json;      /* the table `app` of config.lua; NULL: none */
    struct coverage *coverage; /* NULL: nobody wants to know what runs */
    const char *coverage_folder;
};

extern const struct vm_module bindings_modules[];

#endif
