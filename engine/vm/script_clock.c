/*
 * Time and chance of scripts: os.time, os.date and os.clock by the host's
 * clock, math.random from the host's seed.
 */
#include "vm/vm_internal.h"

#include "base/clock.h"

#include <lauxlib.h>

static const struct clock *clock_of(lua_State *L)
{
    return vm__generation(L)->host->clock;
}

static void push_now(lua_State *L)
{
    lua_pushinteger(L, clock_unix_ms(clock_of(L)) / 1000);
}

/* Upvalue of the functions below: Lua's own. It runs in this frame, so that
 * its errors name what the script has called. */
static int run(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int os_time(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        return run(L);
    push_now(L);
    return 1;
}

static int os_date(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        push_now(L);
        lua_replace(L, 2);
    }
    return run(L);
}

/* CPU time of the process; on a virtual clock the time that has passed. */
static int os_clock(lua_State *L)
{
    if (!clock_of(L)->is_virtual)
        return run(L);
    lua_pushnumber(L, (lua_Number)clock_ns(clock_of(L)) / 1e9);
    return 1;
}

static void push_seed(lua_State *L)
{
    struct rng *rng = &vm__generation(L)->rng;
    lua_pushinteger(L, (lua_Integer)rng_next(rng));
    lua_pushinteger(L, (lua_Integer)rng_next(rng));
}

/* math.randomseed, which Lua would seed by time and addresses if it is given
 * nothing. Upvalues: the numbers' state, where Lua's own looks for it, and
 * Lua's own. */
static int random_seed(lua_State *L)
{
    if (lua_isnone(L, 1))
        push_seed(L);
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
}

static void open_random(lua_State *L)
{
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    if (!lua_getupvalue(L, -1, 1))
        luaL_error(L, "math.randomseed: unknown form");
    lua_insert(L, -2);
    lua_pushcclosure(L, random_seed, 2);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "randomseed");
    lua_call(L, 0, 0);
    lua_pop(L, 1);
}

static void wrap(lua_State *L, const luaL_Reg *rows)
{
    for (; rows->name; rows++) {
        lua_getfield(L, -1, rows->name);
        lua_pushcclosure(L, rows->func, 1);
        lua_setfield(L, -2, rows->name);
    }
    lua_pop(L, 1);
}

void vm__open_clock(lua_State *L)
{
    static const luaL_Reg os_functions[] = {{"time", os_time},
                                            {"date", os_date},
                                            {"clock", os_clock},
                                            {NULL, NULL}};
    lua_getglobal(L, "os");
    wrap(L, os_functions);
    open_random(L);
}
