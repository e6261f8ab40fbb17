#include "vm/seal.h"

#include "vm/order.h"
#include "vm/script_error.h"
#include "vm/show.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <string.h>

static const char SEAL_KEY = 's'; /* marks the metatables of sealed tables */

/* Upvalues: the real table, the name in errors or nil. */
static int write_sealed(lua_State *L)
{
    if (!vm_loading(L)) {
        const char *table = lua_tostring(L, lua_upvalueindex(2));
        const char *key = vm_tolstring(L, 2, NULL);
        if (table)
            script_error_misuse(L,
                                "%s.%s: the library is read-only once the "
                                "scripts have loaded",
                                table, key);
        script_error_misuse(L,
                            "global \"%s\": globals are read-only once "
                            "the scripts have loaded; use a local "
                            "variable of the script",
                            key);
    }
    lua_settop(L, 3);
    lua_rawset(L, lua_upvalueindex(1));
    return 0;
}

/* Upvalues: the real table, the module's name. */
static int refuse_write(lua_State *L)
{
    const char *key = vm_tolstring(L, 2, NULL);
    return script_error_misuse(L, "%s.%s: the library is read-only",
                               lua_tostring(L, lua_upvalueindex(2)), key);
}

static int next_pair(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_next(L, 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

/* pairs sees the real table's content through a copy: handing out the real
 * one would hand out the right to write it. */
static int pairs_sealed(lua_State *L)
{
    if (vm__generation(L)->host->simulated)
        order_push_iterator(L);
    else
        lua_pushcfunction(L, next_pair);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, lua_upvalueindex(1))) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_pushnil(L);
    return 3;
}

/* What is called like a function stays so: the seal itself is then the first
 * argument, as the real table was. */
static void copy_call(lua_State *L, int real, int meta)
{
    if (luaL_getmetafield(L, real, "__call") != LUA_TNIL)
        lua_setfield(L, meta, "__call");
}

static void seal(lua_State *L, const char *name, lua_CFunction write)
{
    int real = lua_absindex(L, -1);
    lua_newtable(L);
    lua_createtable(L, 0, 6);
    lua_pushvalue(L, real);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, real);
    lua_pushstring(L, name);
    lua_pushcclosure(L, write, 2);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, real);
    lua_pushcclosure(L, pairs_sealed, 1);
    lua_setfield(L, -2, "__pairs");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &SEAL_KEY);
    copy_call(L, real, lua_absindex(L, -1));
    lua_setmetatable(L, -2);
    lua_remove(L, real);
}

void seal_table(lua_State *L, const char *name)
{
    seal(L, name, write_sealed);
}

void seal_module(lua_State *L, const char *name)
{
    const char *dot = strrchr(name, '.');
    if (lua_istable(L, -1))
        seal(L, dot ? dot + 1 : name, refuse_write);
}

static bool is_sealed(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    bool sealed = lua_rawgetp(L, -1, &SEAL_KEY) != LUA_TNIL;
    lua_pop(L, 2);
    return sealed;
}

/* rawset would write behind the seal. */
static int guarded_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (is_sealed(L, 1))
        lua_settable(L, 1);
    else
        lua_rawset(L, 1);
    lua_settop(L, 1);
    return 1;
}

static void seal_library(lua_State *L, const char *name)
{
    lua_getglobal(L, name);
    seal_table(L, name);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    lua_setglobal(L, name);
}

/* ("x"):method() goes to the real table; its metatable shows itself to
 * nobody. */
static void lock_string_metatable(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

void seal_state(lua_State *L)
{
    static const char *const libraries[] = {
        "string", "table", "math", "utf8", "coroutine", "os", NULL};
    lock_string_metatable(L);
    lua_pushcfunction(L, guarded_rawset);
    lua_setglobal(L, "rawset");
    for (const char *const *name = libraries; *name; name++)
        seal_library(L, *name);
    lua_pushglobaltable(L);
    lua_pushvalue(L, -1);
    seal_table(L, NULL);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "_G"); /* _G._G is the sealed one */
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, LUA_GNAME);
    lua_pop(L, 1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pop(L, 1);
}
