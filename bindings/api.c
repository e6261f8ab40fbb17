/*
 * moonlet.api: any Bot API method by its own name. It is the same as ctx.api,
 * for code that has no context.
 */
#include "bindings/support.h"

#include "base/list.h"
#include "base/mem.h"
#include "telegram/api.h"
#include "vm/await.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct api_op {
    struct await await;
    struct api *api;
    struct api_call call;
    struct buf params;
    char method[];
};

static void api_op_done(struct api_call *call, const struct err *e)
{
    struct api_op *op = LIST_ENTRY(call, struct api_op, call);
    struct await_result *result = await_result(&op->await);
    result->err = *e;
    if (e->code == ERR_OK)
        buf_append(&result->bytes, call->result.at, call->result.len);
    else
        buf_puts(&result->bytes, op->method);
    await_done(&op->await);
}

static void api_op_start(struct await *aw, const struct journal_row *row)
{
    struct api_op *op = (struct api_op *)aw;
    (void)row;
    op->call.method = op->method;
    op->call.params = op->params.data;
    op->call.params_len = op->params.len;
    op->call.done = api_op_done;
    api_start(op->api, &op->call);
}

static void api_op_cancel(struct await *aw)
{
    struct api_op *op = (struct api_op *)aw;
    api_cancel(&op->call);
    await_done(aw);
}

static void api_op_free(struct await *aw)
{
    struct api_op *op = (struct api_op *)aw;
    api_call_free(&op->call);
    buf_free(&op->params);
    free(op);
}

/* Errors that tell a caller nothing it could act on: the call returns false
 * and the error instead of raising (Bot API error texts, errors.json). */
static bool is_harmless(const struct err *e)
{
    return e->code == ERR_API && e->detail == 400 &&
           (strstr(e->message, "message is not modified") ||
            strstr(e->message, "query is too old"));
}

static int api_op_push(lua_State *L, const struct await_result *result)
{
    const struct buf *bytes = &result->bytes;
    if (is_harmless(&result->err)) {
        lua_pushboolean(L, 0);
        script_error_push_err(L, bytes->data, &result->err);
        return 2;
    }
    if (result->err.code != ERR_OK)
        return script_error_raise(L, bytes->data, &result->err);
    lua_json_decode(L, bytes->data, bytes->len);
    return 1;
}

static const struct await_ops api_ops = {
    .op = "api",
    .effect = EFFECT_SEND,
    .start = api_op_start,
    .push = api_op_push,
    .cancel = api_op_cancel,
    .free = api_op_free,
};

/* Milliseconds of the option `timeout`, 0 if it is not given. */
static uint64_t read_options(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index))
        return 0;
    if (!lua_istable(L, index))
        script_error_misuse(L, "the options of an API call must be a table");
    lua_pushnil(L);
    while (lua_next(L, index)) {
        const char *name = lua_tostring(L, -2);
        if (lua_type(L, -2) != LUA_TSTRING || strcmp(name, "timeout") != 0)
            script_error_misuse(L, "an API call takes only the option "
                                   "\"timeout\"");
        lua_pop(L, 1);
    }
    uint64_t timeout = 0;
    lua_pushliteral(L, "timeout");
    if (lua_rawget(L, index) != LUA_TNIL)
        timeout = binding_duration(L, lua_gettop(L), "timeout");
    lua_pop(L, 1);
    return timeout;
}

/* An empty table would be written as {} or []: it is always {} here. */
static bool has_params(lua_State *L)
{
    if (lua_isnoneornil(L, 1))
        return false;
    lua_pushnil(L);
    if (!lua_next(L, 1))
        return false;
    lua_pop(L, 2);
    return true;
}

/* api.METHOD(params [, options]): calls the method with its parameters by
 * name and waits for the answer. options.timeout: a duration for the whole
 * call, its repeats and waits included; without it each try may take
 * REQUEST_TIMEOUT. Returns `result` of the answer. For "message is not
 * modified" and "query is too old" it returns false and the error table.
 * Raises kind "api" (Telegram's error: `code` is error_code, `message` the
 * description, `retry_after` seconds), "http" (surely not sent, after
 * MAX_RETRIES repeats), "unknown" (sent, and no answer came), "timeout",
 * "limit" (an answer over 16 MiB) or "misuse". */
static int api_method(lua_State *L)
{
    struct services *services = vm_services(L);
    const char *method = lua_tostring(L, lua_upvalueindex(1));

    if (!lua_isnoneornil(L, 1) && !lua_istable(L, 1))
        script_error_misuse(L, "%s takes one table of parameters, got %s",
                            method, luaL_typename(L, 1));
    uint64_t timeout = read_options(L, 2);
    await_check(L);
    struct buf params = {0};
    const char *why = NULL;
    if (has_params(L))
        why = lua_json_encode(L, 1, &params);
    else
        buf_puts(&params, "{}");
    if (why) {
        buf_free(&params);
        script_error_misuse(L, "%s: %s", method, why);
    }
    struct api_op *op = mem_zero(1, sizeof *op + strlen(method) + 1);
    strcpy(op->method, method);
    op->params = params;
    op->api = services->api;
    op->await.ops = &api_ops;
    return await(L, &op->await, timeout);
}

/* Makes api.NAME at its first use. */
static int api_index(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    size_t len = strlen(name);
    if (len == 0 || len > 64 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
            len)
        script_error_misuse(L, "\"%s\" is no name of a Bot API method", name);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, api_method, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
    return 1;
}

int binding_api(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, api_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}
