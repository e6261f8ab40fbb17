#ifndef MOONLET_BINDINGS_BINDINGS_H
#define MOONLET_BINDINGS_BINDINGS_H

/*
 * The C modules that scripts and the shipped library can require, and what
 * they need of the engine. One file a module; everything that waits goes
 * through await.
 */

#include "vm/generation.h"

#include <lua.h>

struct api;

/* vm_host.services points to this. Borrowed parts; all of them outlive the
 * generations. */
struct services {
    struct api *api;
    char *me;             /* getMe's result as JSON; NULL: not known yet */
    const char *app_json; /* the table `app` of config.lua; NULL: none */
};

extern const struct vm_module bindings_modules[];

int binding_api(lua_State *L);
int binding_config(lua_State *L);
int binding_core(lua_State *L);
int binding_json(lua_State *L);
int binding_log(lua_State *L);
int binding_task(lua_State *L);

/* The duration at index (seconds, or text such as "5m") in ms; raises misuse
 * naming `what`. */
uint64_t binding_duration(lua_State *L, int index, const char *what);

/* Sets an __index on the module table on top of the stack that raises "not
 * built yet: PREFIX.NAME" for the names (ends with NULL) and names what is
 * wrong for all others. */
void binding_close_module(lua_State *L, const char *prefix,
                          const char *const *not_built);

#endif
