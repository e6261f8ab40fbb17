/*
 * moonlet.log: lines in the engine's log. event is a name such as
 * "order.paid"; fields is a table of at most 16 texts, numbers or other
 * values, which are written as tostring gives them.
 */
#include "bindings/support.h"

#include "base/log.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <string.h>

#define FIELDS_MAX 16

static const char *const not_built[] = {NULL};

/* Fills one row from the key and value on top of the stack, which stay
 * there: the row borrows their texts. */
static void read_field(lua_State *L, struct log_field *row)
{
    if (lua_type(L, -2) != LUA_TSTRING)
        script_error_misuse(L, "log: the names of fields must be texts");
    row->key = lua_tostring(L, -2);
    if (lua_isinteger(L, -1)) {
        row->type = LOG_TYPE_INT;
        row->number = lua_tointeger(L, -1);
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
        row->type = LOG_TYPE_DOUBLE;
        row->real = lua_tonumber(L, -1);
    } else {
        row->type = LOG_TYPE_TEXT;
        row->text = luaL_tolstring(L, -1, NULL);
        lua_replace(L, -2);
    }
}

static int write_line(lua_State *L, enum log_level level)
{
    struct log_field fields[FIELDS_MAX + 1] = {0};
    size_t n = 0;
    luaL_checkstring(L, 1);
    if (!log_enabled(vm_log(L), level))
        return 0;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        luaL_checkstack(L, 2 * FIELDS_MAX + 6, NULL);
        lua_pushnil(L);
        while (lua_next(L, 2)) {
            if (n == FIELDS_MAX)
                script_error_misuse(L, "log: at most %d fields", FIELDS_MAX);
            read_field(L, &fields[n++]);
            lua_pushvalue(L, -2); /* the pair stays until the line is out */
        }
    }
    log_write(vm_log(L), level, lua_tostring(L, 1), fields);
    return 0;
}

/* log.debug(event [, fields]): writes a line of this level if LOG_LEVEL
 * allows it. */
static int log_debug(lua_State *L)
{
    return write_line(L, LOG_DEBUG);
}

/* log.info(event [, fields]): the same for level info. */
static int log_info(lua_State *L)
{
    return write_line(L, LOG_INFO);
}

/* log.warn(event [, fields]): the same for level warn. */
static int log_warn(lua_State *L)
{
    return write_line(L, LOG_WARN);
}

/* log.error(event [, fields]): the same for level error. */
static int log_error(lua_State *L)
{
    return write_line(L, LOG_ERROR);
}

static const luaL_Reg functions[] = {
    {"debug", log_debug}, {"info", log_info}, {"warn", log_warn},
    {"error", log_error}, {NULL, NULL},
};

int binding_log(lua_State *L)
{
    luaL_newlib(L, functions);
    binding_close_module(L, "log", not_built);
    return 1;
}
