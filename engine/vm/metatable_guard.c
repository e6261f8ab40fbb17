#include "vm/metatable_guard.h"

#include "vm/script_error.h"

/* setmetatable. Upvalues: Lua's own, which runs in this frame, so that its
 * errors keep their words and lines; the text "__concat". */
static int guarded_setmetatable(lua_State *L)
{
    if (lua_istable(L, 1) && lua_istable(L, 2)) {
        lua_pushvalue(L, lua_upvalueindex(2));
        if (lua_rawget(L, 2) != LUA_TNIL)
            script_error_misuse(L,
                                "setmetatable: a metatable cannot have "
                                "__concat, since Lua 5.4.4 reads freed memory "
                                "after a call of it; use a method or a "
                                "function, such as join(a, b)");
        lua_pop(L, 1);
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void metatable_guard_open(lua_State *L)
{
    lua_getglobal(L, "setmetatable");
    lua_pushliteral(L, "__concat");
    lua_pushcclosure(L, guarded_setmetatable, 2);
    lua_setglobal(L, "setmetatable");
}
