#ifndef MOONLET_VM_LUA_JSON_H
#define MOONLET_VM_LUA_JSON_H

/*
 * JSON between C text and Lua values. Decoding is lua-cjson followed by a
 * pass that turns integral floats up to 2^53 into integers (FACTS: cjson
 * makes every number a float). Encoding is ours, because cjson prints 14
 * digits; it writes the keys of an object in order, so that the same value
 * gives the same text.
 */

#include "base/buf.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#define LUA_JSON_MAX_DEPTH 512   /* as deep as base/json reads */
#define LUA_JSON_MAX_KEYS 500000 /* of an object; they lie on Lua's stack */
#define LUA_JSON_MAX_SIZE (16u * 1024 * 1024) /* of what encode makes */

/* Prepares the decoder of this state; inside a protected call. */
void lua_json_open(lua_State *L);

/* Pushes the value of the text: null as json.null, empty arrays marked as
 * arrays, bytes that are no UTF-8 as they are (encoding replaces them by
 * U+FFFD). Raises (a string) if it is not JSON. */
void lua_json_decode(lua_State *L, const char *text, size_t len);

/* Appends the value at index as JSON. Returns NULL, or why it cannot be
 * encoded (static text); out is then incomplete. Raises nothing. */
const char *lua_json_encode(lua_State *L, int index, struct buf *out);

/* The same as a Lua string on top of the stack; nothing leaks if memory runs
 * out. NULL, or why (nothing is pushed then). */
const char *lua_json_push(lua_State *L, int index);

/* Pushes json.null, and marks the table at index as an array even if it is
 * empty. */
void lua_json_push_null(lua_State *L);
void lua_json_mark_array(lua_State *L, int index);
/* False for a table that has a metatable of its own. */
bool lua_json_can_mark(lua_State *L, int index);

#endif
