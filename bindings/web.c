/*
 * moonlet.core.web: how the shipped library serves requests that come over
 * HTTP. Not for scripts of authors.
 */
#include "bindings/support.h"

#include "app/script_http.h"
#include "net/routes.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <string.h>

#define HEADERS_MAX 100 /* of an answer */

static struct script_http *server(lua_State *L)
{
    const struct services *services = vm_services(L);
    return services->script_http;
}

/* http.on_request(fn): fn(request) runs once a request, in a task of its own;
 * request is { id, method, path, raw_path, query, headers = { { name, value },
 * ... } }.
 */
static int web_on_request(lua_State *L)
{
    return binding_set_entry(L, VM_ON_HTTP);
}

/* http.place(): script and line of the author's code that is running. */
static int web_place(lua_State *L)
{
    script_error_push(L, "misuse", "");
    lua_getfield(L, -1, "script");
    lua_getfield(L, -2, "line");
    return 2;
}

/* http.fail(script, line, text): raises kind "misuse" at that place. */
static int web_fail(lua_State *L)
{
    lua_settop(L, 3);
    script_error_push(L, "misuse", luaL_checkstring(L, 3));
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "script");
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "line");
    return lua_error(L);
}

/* http.body(id): the body of a request that has not been answered. */
static int web_body(lua_State *L)
{
    size_t len;
    uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
    const char *body = script_http_body(server(L), id, &len);
    if (!body)
        return 0;
    lua_pushlstring(L, body, len);
    return 1;
}

/* A text that may stand in a head, where a line break would begin a header
 * of the peer's making. */
static bool fits_head(lua_State *L, int index)
{
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    for (size_t i = 0; text && i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return text != NULL;
}

/* Leaves the texts of the list at `index` on the stack; their number. */
static int push_headers(lua_State *L, int index)
{
    lua_Unsigned count = lua_rawlen(L, index);
    if (count > 2 * HEADERS_MAX)
        script_error_misuse(L, "an answer has at most %d headers", HEADERS_MAX);
    luaL_checkstack(L, (int)count, NULL);
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i);
        if (lua_type(L, -1) != LUA_TSTRING || !fits_head(L, -1))
            script_error_misuse(L, "a header of an answer is one line of text");
    }
    return (int)count;
}

/* http.answer(id, status, type, headers, body): answers the request; type:
 * its Content-Type, or nil; headers: a list of name, value, name, value and so
 * on. False: it has been answered. */
static int web_answer(lua_State *L)
{
    uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
    int status = (int)luaL_checkinteger(L, 2);
    size_t len;
    luaL_checktype(L, 4, LUA_TTABLE);
    const char *body = luaL_checklstring(L, 5, &len);
    lua_settop(L, 5);
    if (status < 200 || status > 599)
        script_error_misuse(L, "the status of an answer is from 200 to 599");
    if (!lua_isnil(L, 3) && !fits_head(L, 3))
        script_error_misuse(L, "a header of an answer is one line of text");
    int texts = push_headers(L, 4);
    struct exchange *x = script_http_take(server(L), id);
    lua_pushboolean(L, x != NULL);
    if (!x)
        return 1;
    for (int i = 6; i + 1 < 6 + texts; i += 2)
        exchange_add_header(x, lua_tostring(L, i), lua_tostring(L, i + 1));
    exchange_reply(x, status, lua_tostring(L, 3), body, len);
    return 1;
}

static const luaL_Reg functions[] = {
    {"on_request", web_on_request},
    {"place", web_place},
    {"fail", web_fail},
    {"body", web_body},
    {"answer", web_answer},
    {NULL, NULL},
};

int binding_web(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
