#include "vm/show.h"

#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <string.h>

static const char NUMBERS_KEY = 'n'; /* object -> its number; weak keys */

/* A text has one too, for %p. */
static lua_Integer number_of(lua_State *L, int index)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &NUMBERS_KEY);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushvalue(L, index);
        lua_pushinteger(L, ++vm__generation(L)->shown);
        lua_rawset(L, -4);
    }
    lua_Integer number =
        lua_isnil(L, -1) ? vm__generation(L)->shown : lua_tointeger(L, -1);
    lua_pop(L, 2);
    return number;
}

static bool has_address(lua_State *L, int index)
{
    int type = lua_type(L, index);
    return type == LUA_TTABLE || type == LUA_TFUNCTION ||
           type == LUA_TUSERDATA || type == LUA_TTHREAD;
}

const char *vm_tolstring(lua_State *L, int index, size_t *len)
{
    index = lua_absindex(L, index);
    if (!vm__generation(L)->host->simulated || !has_address(L, index))
        return luaL_tolstring(L, index, len);
    if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        lua_pop(L, 1);
        return luaL_tolstring(L, index, len);
    }
    int named = luaL_getmetafield(L, index, "__name");
    const char *kind =
        named == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index);
    lua_pushfstring(L, "%s: %I", kind, (LUAI_UACINT)number_of(L, index));
    if (named != LUA_TNIL)
        lua_remove(L, -2);
    return lua_tolstring(L, -1, len);
}

static int numbered_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    vm_tolstring(L, 1, NULL);
    return 1;
}

/* The argument of a %p becomes the text that takes the address's place. */
static void number_pointer(lua_State *L, int index)
{
    if (lua_topointer(L, index))
        lua_pushfstring(L, "0x%I", (LUAI_UACINT)number_of(L, index));
    else
        lua_pushliteral(L, "(null)");
    lua_replace(L, index);
}

/* Replaces the arguments that would show an address; `format` gets %s for
 * %p. */
static void number_arguments(lua_State *L, char *format, size_t len)
{
    int count = lua_gettop(L);
    int index = 1;
    for (size_t i = 0; i < len; i++) {
        if (format[i] != '%')
            continue;
        i += 1 + strspn(format + i + 1, "-+ #0123456789.");
        if (i >= len || format[i] == '%')
            continue;
        if (++index > count)
            return;
        if (format[i] == 's' && has_address(L, index)) {
            vm_tolstring(L, index, NULL);
            lua_replace(L, index);
        } else if (format[i] == 'p') {
            number_pointer(L, index);
            format[i] = 's';
        }
    }
}

/* string.format. Upvalue: Lua's own, which runs in this frame, so that its
 * errors name what the script has called. */
static int numbered_format(lua_State *L)
{
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len);
    luaL_checkstack(L, 8, NULL);
    char *copy = lua_newuserdatauv(L, len + 1, 0);
    memcpy(copy, format, len + 1);
    lua_insert(L, 1); /* the copy stays below while arguments are replaced */
    lua_remove(L, 2);
    number_arguments(L, copy, len);
    lua_pushlstring(L, copy, len);
    lua_replace(L, 1);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void show_open(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &NUMBERS_KEY);
    lua_pushcfunction(L, numbered_tostring);
    lua_setglobal(L, "tostring");
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, numbered_format, 1);
    lua_setfield(L, -2, "format");
    lua_pop(L, 1);
}
