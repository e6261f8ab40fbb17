#include "vm/string_guard.h"

#include "vm/pattern.h"
#include "vm/script_error.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define REAL_FIND "moonlet.string.find"

void string_guard_push_find(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, REAL_FIND);
}

void string_guard_push_error(lua_State *L, const char *pattern, size_t len,
                             size_t text_len)
{
    char message[320];
    int shown = len < 100 ? (int)len : 100;
    while (shown > 0 && (pattern[shown] & 0xc0) == 0x80)
        shown--; /* a character is shown whole or not */
    snprintf(message, sizeof message,
             "the pattern \"%.*s%s\" would take too long on this text (%zu "
             "bytes): use moonlet.re, or a pattern with fewer of * + -",
             shown, pattern, (size_t)shown < len ? "..." : "", text_len);
    script_error_push(L, "limit", message);
}

/* The offset of an init argument, which may count from the end; beyond the
 * text if there is nothing to look at. */
static size_t start_offset(lua_Integer init, size_t len)
{
    if (init > 0)
        return (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len)
        return 0;
    return len - (size_t)-init;
}

/* Checks the arguments in the order in which Lua does, so that its errors
 * keep their words, and asks whether the call may be made. */
static void check(lua_State *L, enum pattern_use use, bool may_be_plain)
{
    struct pattern_call call = {.use = use};
    call.text = luaL_checklstring(L, 1, &call.len);
    call.pattern = luaL_checklstring(L, 2, &call.pattern_len);
    if (use == PATTERN_GSUB) {
        lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)call.len + 1);
        call.most = most > 0 ? (uint64_t)most : 0;
    } else {
        call.start = start_offset(luaL_optinteger(L, 3, 1), call.len);
    }
    bool plain =
        may_be_plain && (lua_toboolean(L, 4) ||
                         pattern_is_plain(call.pattern, call.pattern_len));
    if (call.start > call.len ||
        (plain ? pattern_plain_within(&call) : pattern_within(&call)))
        return;
    string_guard_push_error(L, call.pattern, call.pattern_len, call.len);
    lua_error(L);
}

/* Lua's function runs in the guard's own frame: its errors name what the
 * script has called. */
static int run(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int guarded_find(lua_State *L)
{
    check(L, PATTERN_FIND, true);
    return run(L);
}

static int guarded_match(lua_State *L)
{
    check(L, PATTERN_FIND, false);
    return run(L);
}

static int guarded_gmatch(lua_State *L)
{
    check(L, PATTERN_GMATCH, false);
    return run(L);
}

static int guarded_gsub(lua_State *L)
{
    check(L, PATTERN_GSUB, false);
    return run(L);
}

void string_guard_open(lua_State *L)
{
    static const luaL_Reg guards[] = {
        {"find", guarded_find},
        {"match", guarded_match},
        {"gmatch", guarded_gmatch},
        {"gsub", guarded_gsub},
        {NULL, NULL},
    };
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_setfield(L, LUA_REGISTRYINDEX, REAL_FIND);
    for (const luaL_Reg *row = guards; row->name; row++) {
        lua_getfield(L, -1, row->name);
        lua_pushcclosure(L, row->func, 1);
        lua_setfield(L, -2, row->name);
    }
    lua_pop(L, 1);
}
