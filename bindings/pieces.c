/*
 * Pieces of moonlet.format among the parameters of API calls. Not for scripts
 * of authors.
 */
#include "bindings/support.h"

#include "base/botapi.h"

#include <lauxlib.h>
#include <string.h>

#define PIECE "moonlet.format piece" /* __metatable in pieces.lua */
#define DEPTH_MAX 4 /* of parameters that have texts, such as album items */

static bool is_piece(lua_State *L, int index)
{
    if (!lua_istable(L, index) ||
        luaL_getmetafield(L, index, "__metatable") == LUA_TNIL)
        return false;
    bool same = lua_type(L, -1) == LUA_TSTRING &&
                strcmp(lua_tostring(L, -1), PIECE) == 0;
    lua_pop(L, 1);
    return same;
}

static bool has_param(const char *method, const char *name)
{
    const struct botapi_method *m = botapi_method(method);
    return m && botapi_param(m, name);
}

/* Pushes the name of the list that belongs to a text: "caption_entities" of
 * "caption", but "entities" of the text of a message. method is NULL within
 * a parameter. False, and nothing is pushed, if the method takes none. */
static bool push_entities_name(lua_State *L, const char *method,
                               const char *key)
{
    const char *own = lua_pushfstring(L, "%s_entities", key);
    bool is_message = strcmp(key, "message_text") == 0 ||
                      (method && strcmp(key, "text") == 0);
    if (is_message && !(method && has_param(method, own))) {
        lua_pop(L, 1);
        own = lua_pushliteral(L, "entities");
    }
    if (!method || !botapi_method(method) || has_param(method, own))
        return true;
    lua_pop(L, 1);
    return false;
}

/* Sets text and entities of the piece on top in the table; the key is below
 * it. */
static void put_piece(lua_State *L, int table, const char *method)
{
    int piece = lua_gettop(L);
    lua_pushvalue(L, piece - 1);
    lua_pushliteral(L, "text");
    lua_rawget(L, piece);
    lua_rawset(L, table);
    lua_pushliteral(L, "entities");
    lua_rawget(L, piece);
    if (lua_type(L, piece - 1) == LUA_TSTRING && lua_istable(L, -1) &&
        lua_rawlen(L, -1) > 0 &&
        push_entities_name(L, method, lua_tostring(L, piece - 1))) {
        lua_insert(L, -2);
        lua_rawset(L, table);
    }
    lua_settop(L, piece);
}

/* Replaces the value at `result` by a copy if it is the table itself. */
static void make_own(lua_State *L, int table, int result)
{
    if (!lua_rawequal(L, table, result))
        return;
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    if (lua_getmetatable(L, table)) /* an array that is marked as one */
        lua_setmetatable(L, -2);
    lua_replace(L, result);
}

/* Buttons have no entities, and are many. */
static bool may_hold_texts(lua_State *L, int key)
{
    return lua_type(L, key) != LUA_TSTRING ||
           strcmp(lua_tostring(L, key), "reply_markup") != 0;
}

/* Pushes the table at index, or a copy without pieces if it has any. */
static void push_flat(lua_State *L, int index, const char *method, int depth)
{
    luaL_checkstack(L, 12, "API call");
    lua_pushvalue(L, index);
    int result = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        int key = result + 1, value = result + 2;
        if (is_piece(L, value)) {
            make_own(L, index, result);
            put_piece(L, result, method);
        } else if (lua_istable(L, value) && depth < DEPTH_MAX &&
                   may_hold_texts(L, key)) {
            push_flat(L, value, NULL, depth + 1);
            if (!lua_rawequal(L, value, -1)) {
                make_own(L, index, result);
                lua_pushvalue(L, key);
                lua_insert(L, -2);
                lua_rawset(L, result);
            }
        }
        lua_settop(L, key);
    }
}

void binding_flatten_pieces(lua_State *L, int index, const char *method)
{
    push_flat(L, index, method, 1);
    lua_replace(L, index);
}
