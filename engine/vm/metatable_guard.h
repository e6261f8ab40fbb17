#ifndef MOONLET_VM_METATABLE_GUARD_H
#define MOONLET_VM_METATABLE_GUARD_H

/*
 * setmetatable as scripts get it: Lua's own, but for metatables with
 * __concat, which raise kind "misuse". luaV_concat of Lua 5.4.4, the one that
 * Debian 12 ships, keeps its pointer to the top of the stack while it calls
 * that metamethod, and stores it afterwards; if the call has moved the stack,
 * freed memory is read and written. What a script adds to a metatable later
 * is not seen: no assignment to an ordinary table is.
 */

#include <lua.h>

/* Replaces the global `setmetatable`; once a state. */
void metatable_guard_open(lua_State *L);

#endif
