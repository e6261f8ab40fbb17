/*
 * moonlet.log: lines in the engine's log. event is a name such as
 * "order.paid"; fields is a table of at most 16 texts, numbers or other
 * values, which are written as tostring gives them, in the order of their
 * names.
 */
#include "bindings/support.h"

#include "base/log.h"
#include "vm/script_error.h"
#include "vm/show.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <string.h>

#define FIELDS_MAX 16

static const char *const not_built[] = {NULL};

/* Pushes the keys of the table at 2 and fills the list of their places on the
 * stack, sorted, so that a line is the same each time. Returns their
 * number. */
static int read_keys(lua_State *L, int *keys)
{
    int n = 0;
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        lua_pop(L, 1);
        if (n == FIELDS_MAX)
            script_error_misuse(L, "log: at most %d fields", FIELDS_MAX);
        if (lua_type(L, -1) != LUA_TSTRING)
            script_error_misuse(L, "log: the names of fields must be texts");
        const char *key = lua_tostring(L, -1);
        int at = n++;
        for (; at > 0 && strcmp(lua_tostring(L, keys[at - 1]), key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = lua_gettop(L);
        lua_pushvalue(L, -1);
    }
    return n;
}

/* Fills one row from the value on top of the stack, which stays there: the
 * row borrows its text. */
static void read_value(lua_State *L, struct log_field *row)
{
    if (lua_isinteger(L, -1)) {
        row->type = LOG_TYPE_INT;
        row->number = lua_tointeger(L, -1);
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
        row->type = LOG_TYPE_DOUBLE;
        row->real = lua_tonumber(L, -1);
    } else {
        row->type = LOG_TYPE_TEXT;
        row->text = vm_tolstring(L, -1, NULL);
        lua_replace(L, -2);
    }
}

/* Keys and values stay on the stack until the line is out. */
static void read_fields(lua_State *L, struct log_field *rows)
{
    int keys[FIELDS_MAX];
    luaL_checkstack(L, 2 * FIELDS_MAX + 8, NULL);
    int n = read_keys(L, keys);
    for (int i = 0; i < n; i++) {
        rows[i].key = lua_tostring(L, keys[i]);
        lua_pushvalue(L, keys[i]);
        lua_rawget(L, 2);
        read_value(L, &rows[i]);
    }
}

static int write_line(lua_State *L, enum log_level level)
{
    struct log_field fields[FIELDS_MAX + 1] = {0};
    binding_want(L, 1, LUA_TSTRING, "log: the event");
    if (!lua_isnoneornil(L, 2))
        binding_want(L, 2, LUA_TTABLE, "log: the fields");
    if (!log_enabled(vm_log(L), level))
        return 0;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        read_fields(L, fields);
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
