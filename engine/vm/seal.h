#ifndef MOONLET_VM_SEAL_H
#define MOONLET_VM_SEAL_H

/*
 * Tables that scripts may read and, only while they load, write: globals and
 * the standard library; and those of shipped modules, which they may only
 * read. A sealed table is an empty one that stands before the real one, so
 * that every write, of old names too, can be refused.
 */

#include <lua.h>

/* Replaces the table on top of the stack by its sealed form. `name` (static)
 * is used in errors: "string", or NULL for the globals. */
void seal_table(lua_State *L, const char *name);

/* Does the same with what require returns for a shipped module, if that is a
 * table: nobody may ever write it. `name` as for require. */
void seal_module(lua_State *L, const char *name);

/* Seals the standard tables and the globals of a new state; after that,
 * writes pass through while the generation is loading. */
void seal_state(lua_State *L);

#endif
