#ifndef MOONLET_VM_LUA_JSON_H
#define MOONLET_VM_LUA_JSON_H

/*
 * JSON between C text and Lua values. Decoding is lua-cjson followed by a
 * pass that turns integral floats up to 2^53 into integers (FACTS: cjson
 * makes every number a float). Encoding is ours, because cjson prints 14
 * digits.
 */

#include "base/buf.h"

#include <lua.h>
#include <stddef.h>

#define LUA_JSON_MAX_DEPTH 512 /* as deep as base/json reads */

/* Prepares the decoder of this state; inside a protected call. */
void lua_json_open(lua_State *L);

/* Pushes the value of the text: null as json.null, empty arrays marked as
 * arrays, bytes that are no UTF-8 as they are (encoding replaces them by
 * U+FFFD). Raises (a string) if it is not JSON. */
void lua_json_decode(lua_State *L, const char *text, size_t len);

/* Appends the value at index as JSON. Returns NULL, or why it cannot be
 * encoded (static text); out is then incomplete. Raises nothing. */
const char *lua_json_encode(lua_State *L, int index, struct buf *out);

/* Pushes json.null, and marks the table at index as an array even if it is
 * empty. */
void lua_json_push_null(lua_State *L);
void lua_json_mark_array(lua_State *L, int index);

#endif
