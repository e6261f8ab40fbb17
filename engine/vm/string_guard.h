#ifndef MOONLET_VM_STRING_GUARD_H
#define MOONLET_VM_STRING_GUARD_H

/*
 * string.find, match, gmatch and gsub as scripts get them: they raise kind
 * "limit" instead of taking longer than pattern.h allows. In all else they
 * are Lua's own.
 */

#include <lua.h>
#include <stddef.h>

/* Replaces the four in the global table `string`; once a state. */
void string_guard_open(lua_State *L);

/* Pushes Lua's own string.find, for a caller that has asked
 * pattern_within. */
void string_guard_push_find(lua_State *L);

/* Pushes the error of a pattern that would take too long. */
void string_guard_push_error(lua_State *L, const char *pattern, size_t len,
                             size_t text_len);

#endif
