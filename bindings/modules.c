#include "bindings/support.h"

#include "loop/config.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <string.h>

const struct vm_module bindings_modules[] = {
    {"moonlet.api", binding_api},
    {"moonlet.config", binding_config},
    {"moonlet.core", binding_core},
    {"moonlet.crypto", binding_crypto},
    {"moonlet.json", binding_json},
    {"moonlet.log", binding_log},
    {"moonlet.core.task", binding_task},
    {"moonlet.errors", binding_errors},
    {"moonlet.re", binding_re},
    {"moonlet.fs", binding_fs},
    {"moonlet.core.state", binding_state},
    {"moonlet.core.web", binding_web},
    {"moonlet.core.transfer", binding_transfer},
    {"moonlet.core.http", binding_http},
    {NULL, NULL},
};

int binding_set_entry(lua_State *L, enum vm_entry entry)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    vm_set_entry(L, entry);
    return 0;
}

void binding_want(lua_State *L, int index, int type, const char *what)
{
    bool fits = lua_type(L, index) == type ||
                (type == LUA_TSTRING && lua_type(L, index) == LUA_TNUMBER);
    if (!fits)
        script_error_misuse(L, "%s must be a %s, got %s", what,
                            type == LUA_TSTRING ? "text"
                                                : lua_typename(L, type),
                            luaL_typename(L, index));
}

uint64_t binding_duration(lua_State *L, int index, const char *what)
{
    int64_t ms;
    const char *text = lua_tostring(L, index);
    if (!text || !config_duration(text, &ms))
        script_error_misuse(L,
                            "%s must be a number of seconds or a text such "
                            "as \"500ms\", \"30s\", \"5m\", got %s",
                            what, text ? text : luaL_typename(L, index));
    return (uint64_t)ms;
}

/* Upvalues: prefix, names as a light userdata. */
static int missing_field(lua_State *L)
{
    const char *prefix = lua_tostring(L, lua_upvalueindex(1));
    const char *const *name = lua_touserdata(L, lua_upvalueindex(2));
    const char *asked =
        lua_isstring(L, 2) ? lua_tostring(L, 2) : luaL_typename(L, 2);
    for (; *name; name++)
        if (strcmp(*name, asked) == 0)
            script_error_misuse(L, "not built yet: %s.%s", prefix, asked);
    return script_error_misuse(L, "%s has no function \"%s\"", prefix, asked);
}

void binding_close_module(lua_State *L, const char *prefix,
                          const char *const *not_built)
{
    lua_createtable(L, 0, 1);
    lua_pushstring(L, prefix);
    lua_pushlightuserdata(L, (void *)not_built);
    lua_pushcclosure(L, missing_field, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}
