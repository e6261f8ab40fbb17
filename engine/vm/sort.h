#ifndef MOONLET_VM_SORT_H
#define MOONLET_VM_SORT_H

/*
 * table.sort of a simulation: Lua's own takes a random pivot, by the time of
 * day, when a large table divides badly, and then equal elements end in
 * another order.
 */

#include <lua.h>

/* Replaces the function; before the library is sealed. */
void sort_open(lua_State *L);

#endif
