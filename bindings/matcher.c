/*
 * How the shipped library looks for a registration's pattern in the texts of
 * users: checked once while scripts load, bounded at each text, and an error
 * names the line of the registration, which is on no stack by then.
 */
#include "bindings/support.h"

#include "base/log.h"
#include "vm/pattern.h"
#include "vm/script_error.h"
#include "vm/string_guard.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdio.h>

/* Upvalues of a matcher. */
enum { PATTERN = 1, SCRIPT, LINE, FIND };

/* Raises the error table on top with the place of the registration. */
static int raise_placed(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(SCRIPT));
    lua_setfield(L, -2, "script");
    lua_pushvalue(L, lua_upvalueindex(LINE));
    lua_setfield(L, -2, "line");
    return lua_error(L);
}

static int match_re(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(PATTERN));
    int n = binding_re_find(L, 2, 1);
    return n < 0 ? raise_placed(L) : n;
}

static int match_pattern(lua_State *L)
{
    struct pattern_call call = {.use = PATTERN_FIND};
    call.text = luaL_checklstring(L, 1, &call.len);
    call.pattern =
        lua_tolstring(L, lua_upvalueindex(PATTERN), &call.pattern_len);
    bool within = pattern_is_plain(call.pattern, call.pattern_len)
                      ? pattern_plain_within(&call)
                      : pattern_within(&call);
    if (!within) {
        string_guard_push_error(L, call.pattern, call.pattern_len, call.len);
        return raise_placed(L);
    }
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(PATTERN));
    return lua_tocfunction(L, lua_upvalueindex(FIND))(L);
}

/* Pushes script and line of the author's code that is running. */
static void push_place(lua_State *L)
{
    script_error_push(L, "misuse", "");
    lua_getfield(L, -1, "script");
    lua_getfield(L, -2, "line");
    lua_remove(L, -3);
}

/* The registration's place is on top. */
static void warn_of(lua_State *L, const char *what, const char *pattern)
{
    char text[400];
    const char *script = lua_tostring(L, -2);
    snprintf(text, sizeof text,
             "%s:%d: %s: the pattern \"%.100s\" can take very long on a long "
             "text, which then raises \"limit\": begin it with ^, use fewer "
             "of * + -, or use moonlet.re",
             script ? script : "?", (int)lua_tointeger(L, -1), what, pattern);
    LOG_AT(vm_log(L), LOG_WARN, "pattern.danger", LOG_S("message", text));
}

/* core.matcher(what, pattern): a function that looks for the Lua pattern, or
 * for the re, in a text and returns what string.find does. Raises "misuse"
 * in the name of `what`; warns of a dangerous pattern. */
int binding_matcher(lua_State *L)
{
    const char *what = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    if (binding_is_re(L, 2)) {
        push_place(L);
        lua_pushcclosure(L, match_re, 3);
        return 1;
    }
    if (lua_type(L, 2) != LUA_TSTRING)
        script_error_misuse(L, "%s needs a Lua pattern or a re, got %s", what,
                            luaL_typename(L, 2));
    size_t len;
    const char *pattern = lua_tolstring(L, 2, &len);
    const char *problem = pattern_problem(pattern, len);
    if (problem && !pattern_is_plain(pattern, len))
        script_error_misuse(L, "%s: %s in \"%s\"", what, problem, pattern);
    push_place(L);
    if (pattern_is_dangerous(pattern, len))
        warn_of(L, what, pattern);
    string_guard_push_find(L);
    lua_pushcclosure(L, match_pattern, FIND);
    return 1;
}
