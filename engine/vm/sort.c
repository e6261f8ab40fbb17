#include "vm/sort.h"

#include <lauxlib.h>
#include <stdbool.h>

#define CERTAIN_MAX 127 /* elements that Lua's own sorts without chance */

/* Is the element on top but one less than the one on top? By the function at
 * 2 if there is one. */
static bool is_less(lua_State *L)
{
    if (lua_isnil(L, 2))
        return lua_compare(L, -2, -1, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 1);
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

/* Of the table at 1. */
static bool is_less_at(lua_State *L, lua_Integer a, lua_Integer b)
{
    lua_geti(L, 1, a);
    lua_geti(L, 1, b);
    bool less = is_less(L);
    lua_pop(L, 2);
    return less;
}

static void swap(lua_State *L, lua_Integer a, lua_Integer b)
{
    lua_geti(L, 1, a);
    lua_geti(L, 1, b);
    lua_seti(L, 1, a);
    lua_seti(L, 1, b);
}

/* Lets the element at `root` sink in the heap of the first n. */
static void sink(lua_State *L, lua_Integer root, lua_Integer n)
{
    for (lua_Integer child; (child = 2 * root) <= n; root = child) {
        if (child < n && is_less_at(L, child, child + 1))
            child++;
        if (!is_less_at(L, root, child))
            return;
        swap(L, root, child);
    }
}

/* table.sort. Upvalue: Lua's own, which runs in this frame. */
static int certain_sort(lua_State *L)
{
    lua_Integer n = lua_istable(L, 1) ? luaL_len(L, 1) : 0;
    if (n <= CERTAIN_MAX || n > LUA_MAXINTEGER / 2 ||
        !(lua_isnoneornil(L, 2) || lua_isfunction(L, 2)))
        return lua_tocfunction(L, lua_upvalueindex(1))(L);
    lua_settop(L, 2);
    for (lua_Integer root = n / 2; root >= 1; root--)
        sink(L, root, n);
    for (lua_Integer last = n; last > 1; last--) {
        swap(L, 1, last);
        sink(L, 1, last - 1);
    }
    return 0;
}

void sort_open(lua_State *L)
{
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushcclosure(L, certain_sort, 1);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
}
