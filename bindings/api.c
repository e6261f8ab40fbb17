/*
 * moonlet.api: any Bot API method by its own name. It is the same as ctx.api,
 * for code that has no context. Wherever the Bot API takes an InputFile, or a
 * file within InputMedia and the like, a table { path = "out/report.pdf" }
 * sends a file below DATA_DIR/files, as a stream, and { data = "..." } sends
 * bytes; both may have a `name`. A text there is a file_id or a URL.
 */
#include "bindings/support.h"
#include "bindings/transfer.h"

#include "base/botapi_check.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "telegram/api.h"
#include "vm/await.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED "?" /* before the method of a result: on_unknown = "skip" */

static const char api_key; /* its address is a key of the registry */

struct api_op {
    struct await await;
    struct api *api;
    struct api_call call;
    struct buf params;
    char method[];
};

void api_put_result(struct await *aw, const struct api_call *call,
                    const char *method, const struct err *e)
{
    struct await_result *result = await_result(aw);
    result->err = *e;
    if (e->code == ERR_OK)
        buf_append(&result->bytes, call->result.at, call->result.len);
    else
        buf_printf(&result->bytes, "%s%s%c%s", call->skipped ? SKIPPED : "",
                   method, '\0', call->chat);
}

static void api_op_done(struct api_call *call, const struct err *e)
{
    struct api_op *op = LIST_ENTRY(call, struct api_op, call);
    api_put_result(&op->await, call, op->method, e);
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

static int push_false(lua_State *L, const char *method, const struct err *e)
{
    lua_pushboolean(L, 0);
    script_error_push_err(L, method, e);
    return 2;
}

/* What was put behind the method: the chat that the call was about, if any. */
static int raise(lua_State *L, const struct await_result *result)
{
    const struct buf *bytes = &result->bytes;
    const char *chat = bytes->data + strlen(bytes->data) + 1;
    if (chat >= bytes->data + bytes->len || result->err.code != ERR_API)
        return binding_fs_raise(L, bytes->data, &result->err);
    script_error_push_err(L, bytes->data, &result->err);
    lua_pushstring(L, chat);
    lua_setfield(L, -2, "chat");
    return lua_error(L);
}

int api_push_result(lua_State *L, const struct await_result *result)
{
    const struct buf *bytes = &result->bytes;
    if (is_harmless(&result->err))
        return push_false(L, bytes->data, &result->err);
    if (result->err.code != ERR_OK && *bytes->data == *SKIPPED)
        return push_false(L, bytes->data + 1, &result->err);
    if (result->err.code != ERR_OK)
        return raise(L, result);
    lua_json_decode(L, bytes->data, bytes->len);
    return 1;
}

static const struct await_ops api_ops = {
    .op = "api",
    .effect = EFFECT_SEND,
    .start = api_op_start,
    .push = api_push_result,
    .cancel = api_op_cancel,
    .free = api_op_free,
};

/* What the second argument of a call says. */
struct options {
    uint64_t timeout_ms;
    enum api_on_unknown on_unknown;
    bool unchecked;
    bool follow; /* progress is a function of the script */
    struct progress_box *progress;
    bool quiet;
};

static void read_timeout(lua_State *L, int index, struct options *o)
{
    o->timeout_ms = binding_duration(L, index, "timeout");
}

static void read_on_unknown(lua_State *L, int index, struct options *o)
{
    static const char *const names[] = {"", "error", "resend", "skip"};
    const char *given =
        lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    for (int i = API_UNKNOWN_ERROR; i <= API_UNKNOWN_SKIP; i++) {
        if (strcmp(given, names[i]) == 0) {
            o->on_unknown = (enum api_on_unknown)i;
            return;
        }
    }
    script_error_misuse(L, "on_unknown must be \"error\", \"resend\" or "
                           "\"skip\"");
}

static void read_unchecked(lua_State *L, int index, struct options *o)
{
    o->unchecked = lua_toboolean(L, index);
}

/* The library's call on behalf of a progress function brings a box (see
 * bindings/progress.c), which stays in the options. */
static void read_progress(lua_State *L, int index, struct options *o)
{
    o->progress = progress_at(L, index);
    if (o->progress)
        return;
    if (lua_isfunction(L, index))
        o->follow = true;
    else
        script_error_misuse(L, "progress must be a function, got %s",
                            luaL_typename(L, index));
}

static void read_action(lua_State *L, int index, struct options *o)
{
    if (!lua_isboolean(L, index))
        script_error_misuse(L, "action must be true or false, got %s",
                            luaL_typename(L, index));
    o->quiet = !lua_toboolean(L, index);
}

static const struct option {
    const char *name;
    void (*read)(lua_State *L, int index, struct options *o);
} known_options[] = {
    {"timeout", read_timeout},     {"on_unknown", read_on_unknown},
    {"unchecked", read_unchecked}, {"progress", read_progress},
    {"action", read_action},
};

static void read_option(lua_State *L, int index, struct options *o)
{
    const char *name =
        lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    for (size_t i = 0; i < sizeof known_options / sizeof *known_options; i++) {
        if (strcmp(name, known_options[i].name) == 0) {
            known_options[i].read(L, index + 1, o);
            return;
        }
    }
    script_error_misuse(L, "an API call takes only the options \"timeout\", "
                           "\"on_unknown\", \"unchecked\", \"progress\" and "
                           "\"action\"");
}

static struct options read_options(lua_State *L, int index)
{
    struct options o = {0};
    if (lua_isnoneornil(L, index))
        return o;
    if (!lua_istable(L, index))
        script_error_misuse(L, "the options of an API call must be a table");
    lua_pushnil(L);
    while (lua_next(L, index)) {
        read_option(L, lua_gettop(L) - 1, &o);
        lua_pop(L, 1);
    }
    return o;
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

/* Frees both and raises; the text is copied first, to where it needs no
 * freeing. */
static void misuse(lua_State *L, struct buf *params, struct buf *why)
{
    char text[512];
    snprintf(text, sizeof text,
             "%s ({ unchecked = true } as the second argument sends it all the "
             "same)",
             why->data);
    buf_free(params);
    buf_free(why);
    script_error_misuse(L, "%s", text);
}

/* Raises unless the call can be made. */
static void check_call(lua_State *L, const char *method, struct buf *params)
{
    struct buf why = {0};
    const struct jslice object = {params->data, params->len};
    const struct botapi_method *m = botapi_check_method(method, &why);
    if (!m || !botapi_check_params(m, object, &why))
        misuse(L, params, &why);
}

/* The server would take null for the text "null": it is left out. */
static void drop_nulls(struct buf *params)
{
    const struct jslice object = {params->data, params->len};
    struct buf rest = {0};
    size_t cursor = 0;
    struct jslice key, value;

    /* Most calls have none; one within a text or further down does no harm. */
    if (!strstr(params->data, ":null") || js_type(object) != JS_OBJECT)
        return;
    buf_putc(&rest, '{');
    while (js_each(object, &cursor, &key, &value)) {
        if (js_type(value) == JS_NULL)
            continue;
        buf_puts(&rest, rest.len > 1 ? ",\"" : "\"");
        buf_append(&rest, key.at, key.len);
        buf_puts(&rest, "\":");
        buf_append(&rest, value.at, value.len);
    }
    buf_putc(&rest, '}');
    buf_free(params);
    *params = rest;
}

static void encode_params(lua_State *L, const char *method, struct buf *params)
{
    const char *why = NULL;
    if (has_params(L))
        why = lua_json_encode(L, 1, params);
    else
        buf_puts(params, "{}");
    if (why) {
        buf_free(params);
        script_error_misuse(L, "%s: %s", method, why);
    }
    drop_nulls(params);
}

enum limiter_class api_class_of(lua_State *L)
{
    switch (vm_task_class(L)) {
    case TASK_OF_UPDATE:
        return LIMITER_REPLY;
    case TASK_OF_NOBODY:
        return LIMITER_JOB;
    }
    return LIMITER_JOB;
}

static int await_files(lua_State *L, struct upload_list *files,
                       const char *method, struct buf params,
                       const struct api_call *call, const struct options *o)
{
    const struct upload_args args = {
        .list = files,
        .method = method,
        .params = params,
        .call = *call,
        .timeout_ms = o->timeout_ms,
        .quiet = o->quiet,
        .progress = o->progress,
    };
    return upload_await(L, &args);
}

/* With a colon the module itself is the first argument, or rather what scripts
 * see of it. */
static bool is_api(lua_State *L, int index)
{
    if (!lua_istable(L, index) ||
        luaL_getmetafield(L, index, "__index") == LUA_TNIL)
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &api_key);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static int api_method(lua_State *L);

static void check_arguments(lua_State *L, const char *method)
{
    if (is_api(L, 1))
        script_error_misuse(L,
                            "%s is called with a dot, not with a colon: "
                            "api.%s{...}",
                            method, method);
    if (!lua_isnoneornil(L, 1) && !lua_istable(L, 1))
        script_error_misuse(L, "%s takes one table of parameters, got %s",
                            method, luaL_typename(L, 1));
}

/* Leaves the arguments, and this very function behind them. */
static void push_again(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, api_method, 1);
}

/* api.METHOD(params [, options]): calls the method with its parameters by
 * name and waits for the answer. A text or caption may be a piece
 * (moonlet.format), and json.null is as if it were not there. Data of an inline
 * button beyond 64 bytes is stored, as moonlet.keyboard does it. Before it is
 * sent, method, names and types of the parameters are checked against the Bot
 * API's tables (10.3); what is newer passes with options.unchecked = true.
 * options.timeout: a duration for the whole call, its repeats and waits
 * included; without it each try may take REQUEST_TIMEOUT. options.on_unknown
 * says what to do if the call may have been executed or not: "error" raises
 * kind "unknown", "resend" repeats it though somebody may see it twice, "skip"
 * returns false and the error; without it "error". Calls that nobody sees
 * twice, such as getChat, are repeated in any case. Of a call with files:
 * options.progress is a function that is called with the bytes sent and in all,
 * at most twice a second, and at the end; options.action = false leaves out the
 * chat action, which shows while it takes longer than a second; it has no limit
 * of time but that of options.timeout and TRANSFER_STALL_TIMEOUT. Returns
 * `result` of the answer. For "message is not modified" and "query is too old"
 * it returns false and the error table. Raises kind "api" (Telegram's error:
 * `code` is error_code, `message` the description, `retry_after` seconds),
 * "http" (surely not sent, after MAX_RETRIES repeats), "unknown" (sent, and no
 * answer came), "timeout", "fs" (a file that is missing, or has changed while
 * it was sent), "limit" (an answer over 16 MiB; a file larger than the server
 * takes; a group's 20 messages a minute would hold it up for more than 90
 * seconds, `retry_after` tells how long; 10,000 calls wait) or "misuse". */
static int api_method(lua_State *L)
{
    struct services *services = vm_services(L);
    const char *method = lua_tostring(L, lua_upvalueindex(1));

    check_arguments(L, method);
    struct options options = read_options(L, 2);
    await_check(L);
    if (options.follow) {
        push_again(L);
        return progress_follow(L);
    }
    if (lua_istable(L, 1) && binding_has_long_data(L, 1)) {
        push_again(L);
        return binding_store_data(L, method);
    }
    if (lua_istable(L, 1))
        binding_flatten_pieces(L, 1, method);
    struct upload_list *files = upload_collect(L, method, options.unchecked);
    struct buf params = {0};
    encode_params(L, method, &params);
    if (files)
        upload_place(files, &params);
    if (!options.unchecked)
        check_call(L, method, &params);
    const struct api_call call = {
        .class = api_class_of(L),
        .on_unknown = options.on_unknown,
    };
    if (files)
        return await_files(L, files, method, params, &call, &options);
    struct api_op *op = mem_zero(1, sizeof *op + strlen(method) + 1);
    strcpy(op->method, method);
    op->params = params;
    op->api = services->api;
    op->call = call;
    op->await.ops = &api_ops;
    return await(L, &op->await, options.timeout_ms);
}

/* Makes api.NAME at its first use. */
static int api_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        script_error_misuse(L, "a %s is no name of a Bot API method",
                            luaL_typename(L, 2));
    const char *name = lua_tostring(L, 2);
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
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &api_key);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, api_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}
