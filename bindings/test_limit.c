#include "bindings/test_limit.h"

#include <lauxlib.h>
#include <string.h>

#define INSTRUCTIONS 1000000
#define NS_PER_S UINT64_C(1000000000)

static bool is_over(const struct test_limit *l)
{
    return l->until_ns > 0 && clock_ns(&l->clock) > l->until_ns;
}

void test_limit_check(lua_State *L, const struct test_limit *l)
{
    if (is_over(l))
        luaL_error(L,
                   "the case takes longer than %d s of real time (option "
                   "--timeout)",
                   (int)l->seconds);
}

static struct test_limit *limit_of(lua_State *L)
{
    struct test_limit *l;
    memcpy(&l, lua_getextraspace(L), sizeof l); /* a coroutine has a copy */
    return l;
}

/* Once it is over, each instruction raises, so that no pcall of the spec goes
 * on for ever. */
static void on_count(lua_State *L, lua_Debug *where)
{
    struct test_limit *l = limit_of(L);
    bool over = is_over(l);
    (void)where;
    if (over != (lua_gethookcount(L) == 1))
        lua_sethook(L, on_count, LUA_MASKCOUNT, over ? 1 : INSTRUCTIONS);
    test_limit_check(L, l);
}

void test_limit_open(lua_State *L, struct test_limit *l, uint64_t seconds)
{
    clock_init_real(&l->clock);
    l->seconds = seconds;
    l->until_ns = 0;
    memcpy(lua_getextraspace(L), &l, sizeof l);
    lua_sethook(L, on_count, LUA_MASKCOUNT, INSTRUCTIONS);
}

/* The message handler, a C function: it may take its time. Upvalue: what makes
 * a report of what was raised. */
static int on_failure(lua_State *L)
{
    limit_of(L)->until_ns = 0;
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

int test_limit_guard(lua_State *L, struct test_limit *l)
{
    lua_settop(L, 2);
    lua_pushcclosure(L, on_failure, 1);
    lua_insert(L, 1);
    l->until_ns = clock_ns(&l->clock) + l->seconds * NS_PER_S;
    bool ok = lua_pcall(L, 0, 0, 1) == LUA_OK;
    l->until_ns = 0;
    lua_pushboolean(L, ok);
    lua_replace(L, 1);
    return lua_gettop(L);
}
