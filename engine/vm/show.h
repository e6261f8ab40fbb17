#ifndef MOONLET_VM_SHOW_H
#define MOONLET_VM_SHOW_H

/*
 * Values as texts. In a simulation no address shows: tables, functions,
 * coroutines and userdata are numbered in the order in which they are first
 * shown, "table: 1".
 */

#include <lua.h>
#include <stddef.h>

/* luaL_tolstring, without addresses in a simulation: pushes the text. len may
 * be NULL. */
const char *vm_tolstring(lua_State *L, int index, size_t *len);

/* Replaces tostring and string.format of a simulation; before they are
 * sealed. */
void show_open(lua_State *L);

#endif
