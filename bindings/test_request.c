#include "bindings/test_request.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "vm/lua_json.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MAX (64u * 1024 * 1024)
#define HEADERS_MAX 100
/* Turns without an answer: a bot that never rests. */
#define TURNS_MAX 1000000
#define REQUEST_MS 3600000

struct request {
    struct http_call call;
    struct err error;
    bool ended;
};

static void on_answer(struct http_call *call, const struct err *e)
{
    struct request *r = LIST_ENTRY(call, struct request, call);
    r->error = *e;
    r->ended = true;
}

static uint64_t now_ns(const struct test_world *w)
{
    return clock_ns(loop_clock(w->loop));
}

static int push_no_answer(lua_State *L, const struct request *r)
{
    lua_pushnil(L);
    lua_pushstring(L, r->ended ? r->error.message : "no answer");
    return 2;
}

/* This and the next two are called protected, so that nothing leaks if memory
 * runs out. */
static int push_json(lua_State *L)
{
    const struct request *r = lua_touserdata(L, 1);
    const struct buf *body = &r->call.response.body;
    if (!r->ended || r->error.code != ERR_OK)
        return push_no_answer(L, r);
    lua_pushinteger(L, r->call.response.status);
    if (strstr(r->call.response.content_type, "json") == NULL)
        lua_pushlstring(L, body->len > 0 ? body->data : "", body->len);
    else if (body->len > 0)
        lua_json_decode(L, body->data, body->len);
    else
        return 1;
    return 2;
}

static int push_bytes(lua_State *L)
{
    const struct request *r = lua_touserdata(L, 1);
    const struct buf *body = &r->call.response.body;
    if (!r->ended || r->error.code != ERR_OK)
        return push_no_answer(L, r);
    lua_pushinteger(L, r->call.response.status);
    lua_pushlstring(L, body->len > 0 ? body->data : "", body->len);
    return 2;
}

static int push_all(lua_State *L)
{
    const struct request *r = lua_touserdata(L, 1);
    const struct http_response *a = &r->call.response;
    if (!r->ended || r->error.code != ERR_OK)
        return push_no_answer(L, r);
    lua_pushinteger(L, a->status);
    lua_pushlstring(L, a->head.data ? a->head.data : "", a->head.len);
    lua_pushlstring(L, a->body.data ? a->body.data : "", a->body.len);
    if (strncasecmp(a->content_type, "application/json", 16) != 0)
        return 3;
    lua_json_decode(L, a->body.data ? a->body.data : "", a->body.len);
    return 4;
}

/* Makes the request and leaves what `push` makes of its answer. */
static int run(lua_State *L, struct test_world *w, struct http_client *client,
               struct request *r, lua_CFunction push)
{
    unsigned turns = 0;
    r->call.response_max = ANSWER_MAX;
    r->call.timeout_ms = REQUEST_MS;
    r->call.done = on_answer;
    http_start(client, &r->call);
    while (!r->ended && turns++ < TURNS_MAX)
        loop_step(w->loop, now_ns(w) + (uint64_t)REQUEST_MS * 1000000);
    if (!r->ended)
        http_cancel(client, &r->call);
    lua_settop(L, 0);
    lua_pushcfunction(L, push);
    lua_pushlightuserdata(L, r);
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    http_call_free(&r->call);
    return status;
}

static int finish(lua_State *L, int status)
{
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

int test_request_json(lua_State *L, struct test_world *w)
{
    bool to_engine = strcmp(luaL_checkstring(L, 1), "engine") == 0;
    const char *why = NULL;
    struct buf body = {0};
    struct request r = {.call = {.method = luaL_checkstring(L, 2)}};
    const char *path = luaL_checkstring(L, 3);
    if (!lua_isnoneornil(L, 4))
        why = lua_json_encode(L, 4, &body);
    if (why) {
        buf_free(&body);
        return luaL_error(L, "%s", why);
    }
    char *url = mem_printf("http://localhost%s", path);
    r.call.url = url;
    r.call.content_type = body.data ? "application/json" : NULL;
    r.call.body = body.data;
    r.call.body_len = body.len;
    int status = run(L, w, to_engine ? w->engine : w->control, &r, push_json);
    buf_free(&body);
    free(url);
    return finish(L, status);
}

int test_request_bytes(lua_State *L, struct test_world *w)
{
    struct request r = {.call = {.method = "GET"}};
    char *url = mem_printf("http://localhost%s", luaL_checkstring(L, 1));
    r.call.url = url;
    int status = run(L, w, w->control, &r, push_bytes);
    free(url);
    return finish(L, status);
}

/* Fills the rows from the flat list at `index`, whose texts it holds, and
 * takes the Content-Type out. Returns how many there are. */
static size_t read_headers(lua_State *L, int index, struct http_header *rows,
                           struct http_call *call)
{
    size_t n = 0;
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    luaL_argcheck(L, count <= 2 * HEADERS_MAX, index, "too many headers");
    for (lua_Integer i = 1; i < count; i += 2) {
        lua_rawgeti(L, index, i);
        lua_rawgeti(L, index, i + 1);
        const char *name = luaL_checkstring(L, -2);
        const char *value = luaL_checkstring(L, -1);
        lua_pop(L, 2);
        if (strcasecmp(name, "Content-Type") == 0)
            call->content_type = value;
        else
            rows[n++] = (struct http_header){name, value};
    }
    return n;
}

int test_request_http(lua_State *L, struct test_world *w)
{
    struct http_header rows[HEADERS_MAX];
    struct request r = {.call = {.method = luaL_checkstring(L, 1)}};
    const char *path = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    char *body = NULL;
    r.call.headers = rows;
    r.call.headers_count = read_headers(L, 3, rows, &r.call);
    r.call.keep_head = true;
    if (!lua_isnoneornil(L, 4)) {
        const char *text = luaL_checklstring(L, 4, &r.call.body_len);
        body = mem_dup(text, r.call.body_len);
        r.call.body = body;
    }
    char *url = mem_printf("http://localhost%s", path);
    r.call.url = url;
    int status = run(L, w, w->web, &r, push_all);
    free(body);
    free(url);
    return finish(L, status);
}
