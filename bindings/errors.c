/*
 * moonlet.errors: errors that a script has caught and wants people to see.
 */
#include "bindings/support.h"

#include "app/errors.h"
#include "app/notices.h"
#include "base/buf.h"
#include "base/log.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>

static void report(lua_State *L, const struct script_error *e,
                   const char *fields)
{
    const struct services *services = vm_services(L);
    struct error_place place = {.generation = vm_generation_id(L)};
    const struct error_place *of_update =
        services->errors ? errors_place(services->errors) : NULL;

    if (of_update)
        place = *of_update;
    LOG_AT(vm_log(L), LOG_ERROR, "handler.captured", LOG_S("script", e->script),
           LOG_I("line", e->line), LOG_S("kind", e->kind),
           LOG_S("message", e->message), LOG_I("update_id", place.update_id),
           LOG_S("lane", place.lane), LOG_S("fields", fields),
           LOG_S("traceback", e->traceback));
    if (services->errors)
        errors_add(services->errors, e, &place, fields);
    if (services->notices)
        notices_captured(services->notices, e, place.update_id, place.lane);
}

/* errors.capture(err [, fields]): reports an error as if it had ended the
 * handler, and goes on. err: an error table, a text, anything; fields: a
 * table of what else is known. */
static int errors_capture(lua_State *L)
{
    struct script_error e;
    struct buf fields = {0};

    if (lua_isnone(L, 1))
        script_error_misuse(L, "errors.capture needs an error");
    if (!lua_isnoneornil(L, 2))
        binding_want(L, 2, LUA_TTABLE, "errors.capture: the fields");
    lua_settop(L, 2);
    lua_pushcfunction(L, script_error_handler);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (!lua_isnil(L, 2)) {
        const char *why = lua_json_encode(L, 2, &fields);
        if (why) {
            buf_free(&fields);
            script_error_misuse(L, "errors.capture: fields: %s", why);
        }
    }
    script_error_take(L, &e);
    report(L, &e, fields.data);
    script_error_clear(&e);
    buf_free(&fields);
    return 0;
}

static const luaL_Reg functions[] = {
    {"capture", errors_capture},
    {NULL, NULL},
};

static const char *const not_built[] = {NULL};

int binding_errors(lua_State *L)
{
    luaL_newlib(L, functions);
    binding_close_module(L, "errors", not_built);
    return 1;
}
