/*
 * moonlet.json: JSON with exact integers: those up to 2^53 stay integers both
 * ways.
 */
#include "bindings/support.h"

#include "vm/lua_json.h"
#include "vm/script_error.h"

#include <lauxlib.h>

static const char *const not_built[] = {NULL};

/* json.decode(text): returns the value; null becomes json.null; an empty
 * array stays one when it is encoded again. Raises a text if it is not
 * JSON. */
static int json_decode(lua_State *L)
{
    size_t len;
    binding_want(L, 1, LUA_TSTRING, "json.decode: the JSON");
    const char *text = lua_tolstring(L, 1, &len);
    lua_json_decode(L, text, len);
    return 1;
}

/* json.encode(value): returns its JSON text. A table is an array if its keys
 * are 1..n; an empty one is an object unless json.array made it. Raises
 * "misuse" for what JSON cannot hold and beyond 16 MiB. */
static int json_encode(lua_State *L)
{
    if (lua_isnone(L, 1))
        script_error_misuse(L, "json.encode needs a value");
    const char *why = lua_json_push(L, 1);
    if (why)
        script_error_misuse(L, "json.encode: %s", why);
    return 1;
}

/* json.array([table]): marks the table (or a new one) as an array, so that
 * it is written as [] when empty; returns it. */
static int json_array(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    binding_want(L, 1, LUA_TTABLE, "json.array: the value");
    if (!lua_json_can_mark(L, 1))
        script_error_misuse(L, "json.array: this table has a metatable");
    lua_json_mark_array(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    {"decode", json_decode},
    {"encode", json_encode},
    {"array", json_array},
    {NULL, NULL},
};

int binding_json(lua_State *L)
{
    luaL_newlib(L, functions);
    /* json.null: JSON's null, where nil would leave a field out. */
    lua_json_push_null(L);
    lua_setfield(L, -2, "null");
    binding_close_module(L, "json", not_built);
    return 1;
}
