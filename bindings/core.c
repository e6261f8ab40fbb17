/*
 * moonlet.core: what the shipped library needs of the engine. Not for
 * scripts of authors.
 */
#include "bindings/support.h"

#include "base/botapi.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"
#include "bindings/coverage.h"
#include "loop/loop.h"
#include "vm/child.h"
#include "vm/limits.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* core.on_update(fn): fn(update, lane, redelivered) runs once an update. */
static int core_on_update(lua_State *L)
{
    return binding_set_entry(L, VM_ON_UPDATE);
}

/* core.on_start(fn): fn(nil, reason) runs when the generation takes over. */
static int core_on_start(lua_State *L)
{
    return binding_set_entry(L, VM_ON_START);
}

/* core.on_failed(fn): fn(update, error, redelivered) runs after a handler was
 * ended by a limit, in a task of its own. */
static int core_on_failed(lua_State *L)
{
    return binding_set_entry(L, VM_ON_FAILED);
}

/* core.on_order(fn): fn(update) tells the order of the registration that an
 * update will reach, at once, before it is stored. */
static int core_on_order(lua_State *L)
{
    return binding_set_entry(L, VM_ON_ORDER);
}

/* core.on_describe(fn): fn(request) gives a text about what the scripts have
 * registered, for the commands that tell of it. */
static int core_on_describe(lua_State *L)
{
    return binding_set_entry(L, VM_ON_DESCRIBE);
}

/* core.on_late_press(fn): fn(update) runs for a button press that still waits
 * for its turn 5 seconds after it came, outside of its lane. */
static int core_on_late_press(lua_State *L)
{
    return binding_set_entry(L, VM_ON_LATE_PRESS);
}

/* core.on_album(fn): fn(updates, nil, redelivered) runs once for each album;
 * without it the messages of an album come one by one. */
static int core_on_album(lua_State *L)
{
    return binding_set_entry(L, VM_ON_ALBUM);
}

/* core.want(kind): updates of this kind shall be asked for. */
static int core_want(lua_State *L)
{
    vm_want_kind(L, luaL_checkstring(L, 1));
    return 0;
}

/* core.kinds(): a list of all update kinds of the Bot API. */
static int core_kinds(lua_State *L)
{
    lua_createtable(L, (int)botapi_kinds_count, 0);
    for (size_t i = 0; i < botapi_kinds_count; i++) {
        lua_pushstring(L, botapi_kinds[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* Walks the types that an object of this name may have: itself, or the members
 * of a union. */
static const struct botapi_type *next_form(const struct botapi_type *t,
                                           const char **cursor)
{
    char name[BOTAPI_NAME_MAX];
    if (!t->one_of)
        return *cursor ? NULL : (*cursor = "", t);
    if (!*cursor)
        *cursor = t->one_of;
    return botapi_each_type(cursor, name) ? botapi_type(name) : NULL;
}

/* core.part(type, name): what a name is in a type of the Bot API: "field" and
 * the field's types, "value" and the field that has it as a constant, or
 * nil. */
static int core_part(lua_State *L)
{
    const struct botapi_type *t = botapi_type(luaL_checkstring(L, 1));
    const char *name = luaL_checkstring(L, 2), *cursor = NULL;
    const struct botapi_type *form;
    while (t && (form = next_form(t, &cursor))) {
        const struct botapi_field *field = botapi_type_field(form, name);
        if (field) {
            lua_pushliteral(L, "field");
            lua_pushstring(L, field->types);
            return 2;
        }
        for (size_t i = 0; i < form->fields_count; i++) {
            field = &form->fields[i];
            if (field->value && strcmp(field->value, name) == 0) {
                lua_pushliteral(L, "value");
                lua_pushstring(L, field->name);
                return 2;
            }
        }
    }
    return 0;
}

static void push_name(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* core.parts(type): a list of all names for which core.part has an answer;
 * empty if there is no such type. */
static int core_parts(lua_State *L)
{
    const struct botapi_type *t = botapi_type(luaL_checkstring(L, 1));
    const struct botapi_type *form;
    const char *cursor = NULL;
    lua_newtable(L);
    while (t && (form = next_form(t, &cursor)))
        for (size_t i = 0; i < form->fields_count; i++) {
            push_name(L, form->fields[i].name);
            if (form->fields[i].value)
                push_name(L, form->fields[i].value);
        }
    return 1;
}

/* core.admins(): the list of ADMIN_IDS. */
static int core_admins(lua_State *L)
{
    const struct services *services = vm_services(L);
    lua_createtable(L, (int)services->admins_count, 0);
    for (size_t i = 0; i < services->admins_count; i++) {
        lua_pushinteger(L, services->admin_ids[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* core.misuse(text): raises kind "misuse" at the author's line. */
static int core_misuse(lua_State *L)
{
    return script_error_misuse(L, "%s", luaL_checkstring(L, 1));
}

/* core.raise(kind, text): raises an error table at the author's line. */
static int core_raise(lua_State *L)
{
    script_error_push(L, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    return lua_error(L);
}

/* core.seconds(duration, what): its seconds. */
static int core_seconds(lua_State *L)
{
    uint64_t ms = binding_duration(L, 1, luaL_checkstring(L, 2));
    lua_pushnumber(L, (lua_Number)ms / 1000);
    return 1;
}

/* core.loading(): true while scripts load, false in handlers. */
static int core_loading(lua_State *L)
{
    lua_pushboolean(L, vm_loading(L));
    return 1;
}

/* core.me(): getMe's result, or nil before it has answered. */
static int core_me(lua_State *L)
{
    const struct services *services = vm_services(L);
    if (!services->me)
        return 0;
    lua_json_decode(L, services->me, strlen(services->me));
    return 1;
}

/* core.cover(what): the number of a registration at the author's line, for
 * core.covered; nil if nobody counts. */
static int core_cover(lua_State *L)
{
    const struct services *services = vm_services(L);
    const char *script;
    int line;
    if (!services->coverage || !limits_place(L, &script, &line))
        return 0;
    const char *what = luaL_checkstring(L, 1);
    char *path = mem_printf("%s/%s", services->coverage_folder, script);
    size_t row = coverage_add(services->coverage, path, line, what);
    free(path);
    lua_pushinteger(L, (lua_Integer)row);
    return 1;
}

/* core.covered(number): it has run. */
static int core_covered(lua_State *L)
{
    const struct services *services = vm_services(L);
    coverage_ran(services->coverage, (size_t)luaL_checkinteger(L, 1));
    return 0;
}

/* core.duration(value, what): milliseconds; raises misuse naming `what`. */
static int core_duration(lua_State *L)
{
    uint64_t ms = binding_duration(L, 1, luaL_checkstring(L, 2));
    lua_pushinteger(L, (lua_Integer)ms);
    return 1;
}

/* core.retry_defaults(): how many tries, and the base of the waits. */
static int core_retry_defaults(lua_State *L)
{
    const struct services *services = vm_services(L);
    lua_pushinteger(L, (lua_Integer)services->max_retries + 1);
    lua_pushnumber(L, services->backoff_base);
    return 2;
}

/* core.retry_wait(failures, base, max_ms, told): milliseconds before the next
 * try; told: the seconds that the peer asked for, or nil. */
static int core_retry_wait(lua_State *L)
{
    struct err e = {.retry_after = lua_tonumber(L, 4)};
    struct retry r = {
        .max = RETRY_FOREVER,
        .base = luaL_checknumber(L, 2),
        .cap_ms = (uint64_t)luaL_checkinteger(L, 3),
        .always = true,
        .repeats = (unsigned)luaL_checkinteger(L, 1) - 1,
    };
    lua_pushinteger(L, retry_next(&r, loop_rng(vm_loop(L)), &e));
    return 1;
}

/* core.handler(): the coroutine that the running code was started for, the same
 * in its child tasks; nil while scripts load. */
static int core_handler(lua_State *L)
{
    child_push_root(L);
    return 1;
}

/* core.now(): Unix time in seconds with a fraction, by the engine's clock. */
static int core_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_unix_ms(vm_clock(L)) / 1e3);
    return 1;
}

/* core.uptime(): seconds with a fraction that never go back. */
static int core_uptime(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_ns(vm_clock(L)) / 1e9);
    return 1;
}

static const luaL_Reg functions[] = {
    {"on_update", core_on_update},
    {"on_start", core_on_start},
    {"on_failed", core_on_failed},
    {"on_order", core_on_order},
    {"on_describe", core_on_describe},
    {"on_late_press", core_on_late_press},
    {"on_album", core_on_album},
    {"want", core_want},
    {"part", core_part},
    {"parts", core_parts},
    {"admins", core_admins},
    {"kinds", core_kinds},
    {"misuse", core_misuse},
    {"raise", core_raise},
    {"seconds", core_seconds},
    {"loading", core_loading},
    {"me", core_me},
    {"cover", core_cover},
    {"covered", core_covered},
    {"duration", core_duration},
    {"retry_defaults", core_retry_defaults},
    {"retry_wait", core_retry_wait},
    {"handler", core_handler},
    {"now", core_now},
    {"uptime", core_uptime},
    /* core.locale_files(): names in the folder locales. */
    {"locale_files", binding_locale_files},
    /* core.locale_text(name): one of them. */
    {"locale_text", binding_locale_text},
    /* core.script_files(): names of all Lua files of the scripts. */
    {"script_files", binding_script_files},
    /* core.script_text(name): one of them. */
    {"script_text", binding_script_text},
    /* core.modules(): names of the library's modules. */
    {"modules", binding_modules_list},
    /* core.api_problem(method [, parameter]): what is wrong with them. */
    {"api_problem", binding_api_problem},
    /* core.api_required(method): parameters that must be there. */
    {"api_required", binding_api_required},
    /* core.webapp_is_genuine(text, hash): has Telegram signed it? */
    {"webapp_is_genuine", binding_webapp_is_genuine},
    /* core.matcher(what, pattern): finds a registration's pattern. */
    {"matcher", binding_matcher},
    /* core.error_of(value): message handler that makes an error table. */
    {"error_of", script_error_handler},
    {NULL, NULL},
};

int binding_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
