/*
 * The coroutine functions and xpcall of scripts: as Lua has them, but the CPU
 * limit knows which coroutine runs and stops message handlers too, and a
 * handler's own coroutine is out of reach.
 */
#include "vm/limits.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>

static void refuse_task(lua_State *L, lua_State *co, const char *what)
{
    if (task__is_one(co))
        script_error_misuse(L,
                            "coroutine.%s: this coroutine is a handler, "
                            "only the engine runs it",
                            what);
}

/* Calls the function below the n arguments on top, while co counts as what
 * is running. Protected, so that an error cannot leave co behind as that. */
static int call_on(lua_State *L, lua_State *co, int n)
{
    struct limits *m = vm__generation(L)->host->limits;
    limits_switch(m, co);
    int status = lua_pcall(L, n, LUA_MULTRET, 0);
    limits_switch(m, L);
    return status;
}

/* coroutine.resume. Upvalue: the original. */
static int resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    refuse_task(L, co, "resume");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (call_on(L, co, lua_gettop(L) - 1) != LUA_OK)
        lua_error(L);
    return lua_gettop(L);
}

/* coroutine.close. Upvalue: the original. */
static int close_coroutine(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    refuse_task(L, co, "close");
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (call_on(L, co, 1) != LUA_OK)
        lua_error(L);
    return lua_gettop(L);
}

/* What coroutine.wrap returns. Upvalues: Lua's own function, its thread. */
static int wrapped(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (call_on(L, lua_tothread(L, lua_upvalueindex(2)), lua_gettop(L) - 1) ==
        LUA_OK)
        return lua_gettop(L);
    if (lua_type(L, -1) == LUA_TSTRING) { /* Lua adds the caller's line */
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* coroutine.wrap. Upvalue: the original. */
static int wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    if (!lua_getupvalue(L, 1, 1))
        return luaL_error(L, "coroutine.wrap: unknown form");
    lua_pushcclosure(L, wrapped, 2);
    return 1;
}

/* A message handler of scripts. Over the limit it is not run: it would run
 * within the hook, where no hook can stop it. Upvalue: the handler. */
static int guarded_handler(lua_State *L)
{
    const struct generation *g = vm__generation(L);
    lua_settop(L, 1);
    if (limits_is_over(g->host->limits) || g->load_over)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int xpcall_ended(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* xpcall. Upvalue: the original. */
static int guarded_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (!lua_iscfunction(L, 2)) {
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, guarded_handler, 1);
        lua_replace(L, 2);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, xpcall_ended);
    return lua_gettop(L);
}

void vm__open_coroutines(lua_State *L)
{
    lua_getglobal(L, "xpcall");
    lua_pushcclosure(L, guarded_xpcall, 1);
    lua_setglobal(L, "xpcall");

    static const luaL_Reg replaced[] = {{"resume", resume},
                                        {"close", close_coroutine},
                                        {"wrap", wrap},
                                        {NULL, NULL}};
    lua_getglobal(L, "coroutine");
    for (const luaL_Reg *row = replaced; row->name; row++) {
        lua_getfield(L, -1, row->name);
        lua_pushcclosure(L, row->func, 1);
        lua_setfield(L, -2, row->name);
    }
    lua_pop(L, 1);
}
