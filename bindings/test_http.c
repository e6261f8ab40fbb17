#include "bindings/test_http.h"

#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#define STACK 20

static const char teller_key; /* addresses in the registry */
static const char failure_key;

void test_http_enter(lua_State *L, struct test_http *w)
{
    if (w->asking)
        luaL_error(L, "while a function of t.http runs the world stands "
                      "still: return the answer first");
    w->at = L;
}

void test_http_settle(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &failure_key) == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failure_key);
    lua_error(L);
}

int test_http_set(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &teller_key);
    return 0;
}

/* Into the table on top, its name in lower case; the last one of a name
 * counts. */
static void set_header(lua_State *L, const char *name, const char *value)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (; *name; name++)
        luaL_addchar(&b, (char)tolower((unsigned char)*name));
    luaL_pushresult(&b);
    lua_pushstring(L, value);
    lua_rawset(L, -3);
}

static void push_request(lua_State *L, const struct http_asked *asked)
{
    lua_pushstring(L, asked->method);
    lua_pushstring(L, asked->url);
    lua_newtable(L);
    for (size_t i = 0; i < asked->headers_count; i++)
        set_header(L, asked->headers[i].name, asked->headers[i].value);
    if (asked->content_type)
        set_header(L, "content-type", asked->content_type);
    lua_pushlstring(L, asked->body, asked->body_len);
}

static void append(lua_State *L, int index, struct buf *out)
{
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    if (len > 0)
        buf_append(out, text, len);
}

/* Asks the spec. Returns what it has raised, or nil. */
static int ask(lua_State *L)
{
    const struct http_asked *asked = lua_touserdata(L, 1);
    struct http_told *out = lua_touserdata(L, 2);
    lua_settop(L, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &teller_key);
    push_request(L, asked);
    lua_call(L, 4, 6);
    if (lua_isnil(L, 1)) {
        lua_settop(L, 2);
        return 1;
    }
    out->status = (int)luaL_checkinteger(L, 1);
    append(L, 2, &out->head);
    append(L, 3, &out->body);
    out->delay_ms = (uint64_t)llround(luaL_checknumber(L, 4) * 1000);
    out->taken = lua_toboolean(L, 5);
    snprintf(out->reason, sizeof out->reason, "%s", luaL_optstring(L, 6, ""));
    return 0;
}

/* The first failure counts. */
static void keep_failure(lua_State *L)
{
    bool first = lua_rawgetp(L, LUA_REGISTRYINDEX, &failure_key) == LUA_TNIL;
    lua_pop(L, 1);
    if (first)
        lua_rawsetp(L, LUA_REGISTRYINDEX, &failure_key);
}

void test_http_tell(void *arg, const struct http_asked *asked,
                    struct http_told *out)
{
    struct test_http *w = arg;
    lua_State *L = w->at;
    snprintf(out->reason, sizeof out->reason, "the function of t.http failed");
    if (!L || !lua_checkstack(L, STACK))
        return;
    int top = lua_gettop(L);
    w->asking = true;
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, (void *)(uintptr_t)asked);
    lua_pushlightuserdata(L, out);
    bool ok = lua_pcall(L, 2, 1, 0) == LUA_OK;
    w->asking = false;
    if (!ok || !lua_isnil(L, -1)) {
        out->status = 0;
        keep_failure(L);
    }
    lua_settop(L, top);
}
