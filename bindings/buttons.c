/*
 * Buttons among the parameters of API calls whose data is longer than Telegram
 * takes: the library stores it and puts a key in its place (payload.lua). Not
 * for scripts of authors.
 */
#include "bindings/support.h"

#include "vm/vm.h"

#define DATA_MAX 64 /* bytes */

/* The field of the table on top of the stack, pushed if it is a table. */
static bool push_table(lua_State *L, const char *name)
{
    if (lua_getfield(L, -1, name) == LUA_TTABLE)
        return true;
    lua_pop(L, 1);
    return false;
}

/* The same of an element. */
static bool push_element(lua_State *L, lua_Integer i)
{
    if (lua_geti(L, -1, i) == LUA_TTABLE)
        return true;
    lua_pop(L, 1);
    return false;
}

static bool row_is_long(lua_State *L)
{
    bool found = false;
    for (lua_Integer i = 1; !found && push_element(L, i); i++) {
        found = lua_getfield(L, -1, "callback_data") == LUA_TSTRING &&
                lua_rawlen(L, -1) > DATA_MAX;
        lua_pop(L, 2);
    }
    return found;
}

/* Of the table on top of the stack, which stays there. */
static bool markup_is_long(lua_State *L)
{
    int top = lua_gettop(L);
    bool found = false;
    if (push_table(L, "reply_markup") && push_table(L, "inline_keyboard")) {
        for (lua_Integer i = 1; !found && push_element(L, i); i++) {
            found = row_is_long(L);
            lua_pop(L, 1);
        }
    }
    lua_settop(L, top);
    return found;
}

bool binding_has_long_data(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    bool found = markup_is_long(L);
    if (!found && push_table(L, "result")) {
        found = markup_is_long(L);
        lua_pop(L, 1);
    }
    if (!found && push_table(L, "results")) {
        for (lua_Integer i = 1; !found && push_element(L, i); i++) {
            found = markup_is_long(L);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return found;
}

static int stored(lua_State *L, int status, lua_KContext below)
{
    (void)status;
    return lua_gettop(L) - (int)below;
}

int binding_store_data(lua_State *L, const char *method)
{
    vm_require(L, "moonlet.payload");
    lua_getfield(L, -1, "call");
    lua_replace(L, -2);
    lua_insert(L, -2);
    lua_pushstring(L, method);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 4, LUA_MULTRET, 2, stored);
    return stored(L, LUA_OK, 2);
}
