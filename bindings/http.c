/*
 * moonlet.core.http: what moonlet.http is made of. Not for scripts of
 * authors.
 */
#include "bindings/support.h"

#include "base/list.h"
#include "base/mem.h"
#include "bindings/http_body.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "store/file_ops.h"
#include "vm/await.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 200

/* WEB_OPENS, WEB_RUNS and WEB_CLOSES have a place. */
enum web_state { WEB_IDLE, WEB_WAITS, WEB_OPENS, WEB_RUNS, WEB_CLOSES };

/* Texts of the request stay on the caller's stack until it is over. */
struct web_op {
    struct await await;
    struct web *web;
    enum web_state state;
    struct semaphore_waiter place;
    struct timer patience; /* while it waits for a place */
    uint64_t began_ms;
    uint64_t timeout_ms;
    struct http_call call;
    struct http_body body;
    struct http_header headers[];
};

/* A result is body, head, URL, and these numbers as text of a fixed length,
 * so that the body is not moved. */
#define NUMBERS_LEN 128

struct web_numbers {
    int status;
    double retry_after;
    size_t head_len;
    size_t url_len;
    long long size; /* of the file that it went into; -1: none */
};

static bool is_repeatable(const struct http_call *call)
{
    return strcmp(call->method, "GET") == 0 ||
           strcmp(call->method, "HEAD") == 0;
}

/* Whether a lost request has arrived matters to the author only if it may not
 * be repeated. */
static void translate(const struct http_call *call, struct err *e)
{
    if (e->code != ERR_NOT_SENT && e->code != ERR_UNKNOWN)
        return;
    e->retryable = e->code == ERR_NOT_SENT ? e->retryable : is_repeatable(call);
    e->code = e->detail == ETIMEDOUT ? ERR_TIMEOUT : ERR_NOT_SENT;
}

static void take_answer(struct web_op *op, struct buf *bytes)
{
    struct http_response *r = &op->call.response;
    struct buf *body = op->call.sink ? &op->body.other : &r->body;
    const char *url = r->url ? r->url : op->call.url;
    char numbers[NUMBERS_LEN] = "";
    snprintf(numbers, sizeof numbers, "%d %.3f %zu %zu %lld", r->status,
             r->retry_after, r->head.len, strlen(url),
             (long long)http_body_size(&op->body));
    *bytes = *body;
    *body = (struct buf){0};
    if (r->head.len > 0)
        buf_append(bytes, r->head.data, r->head.len);
    buf_puts(bytes, url);
    buf_append(bytes, numbers, sizeof numbers);
}

/* Lets the next one begin. */
static void leave_place(struct web_op *op)
{
    enum web_state state = op->state;
    op->state = WEB_IDLE;
    switch (state) {
    case WEB_IDLE:
        break;
    case WEB_WAITS:
        semaphore_leave(&op->web->places, &op->place);
        break;
    case WEB_OPENS:
    case WEB_RUNS:
    case WEB_CLOSES:
        semaphore_release(&op->web->places);
        break;
    }
}

/* push knows no operation: an error's result holds the function's name. */
static void web_end(struct web_op *op, const struct err *e)
{
    struct await_result *result = await_result(&op->await);
    result->err = *e;
    timer_stop(&op->patience);
    leave_place(op);
    translate(&op->call, &result->err);
    if (e->code == ERR_OK)
        take_answer(op, &result->bytes);
    else
        buf_puts(&result->bytes, op->await.ops->op);
    await_done(&op->await);
}

static void on_done(struct http_call *call, const struct err *e)
{
    struct web_op *op = LIST_ENTRY(call, struct web_op, call);
    struct err better = *e;
    http_body_explain(&op->body, &better);
    if (better.code != ERR_OK) {
        web_end(op, &better);
        return;
    }
    op->state = WEB_CLOSES;
    if (http_body_finish(&op->body))
        web_end(op, &better);
}

static uint64_t now_ms(const struct web_op *op)
{
    return loop_now_ms(op->patience.loop);
}

static void begin(struct web_op *op)
{
    uint64_t waited_ms = now_ms(op) - op->began_ms;
    op->state = WEB_RUNS;
    op->call.timeout_ms =
        waited_ms < op->timeout_ms ? op->timeout_ms - waited_ms : 1;
    http_start(op->web->client, &op->call);
}

/* The file of the request is open, or that of the answer is whole; or not. */
static void on_file(struct http_body *body, const struct err *e)
{
    struct web_op *op = LIST_ENTRY(body, struct web_op, body);
    if (e->code != ERR_OK || op->state != WEB_OPENS)
        web_end(op, e);
    else
        begin(op);
}

static void take_place(struct web_op *op)
{
    timer_stop(&op->patience);
    op->state = WEB_OPENS;
    if (http_body_open(&op->body))
        begin(op);
}

static void on_place(struct semaphore_waiter *place)
{
    take_place(LIST_ENTRY(place, struct web_op, place));
}

static void on_patience(struct timer *timer)
{
    struct web_op *op = LIST_ENTRY(timer, struct web_op, patience);
    struct err e;
    err_set(&e, ERR_TIMEOUT, 0,
            "not begun within %g s: too many other requests are on the way",
            (double)op->timeout_ms / 1000);
    e.retryable = true;
    web_end(op, &e);
}

static void web_start(struct await *aw, const struct journal_row *row)
{
    struct web_op *op = (struct web_op *)aw;
    struct err e;
    (void)row;
    op->began_ms = now_ms(op);
    switch (semaphore_take(&op->web->places, &op->place)) {
    case SEMAPHORE_TAKEN:
        take_place(op);
        break;
    case SEMAPHORE_WAITS:
        op->state = WEB_WAITS;
        timer_start(&op->patience, op->timeout_ms);
        break;
    case SEMAPHORE_FULL:
        err_set(&e, ERR_LIMIT, 0, "%zu other requests wait already",
                op->web->places.waiting);
        web_end(op, &e);
        break;
    }
}

static void web_cancel(struct await *aw)
{
    struct web_op *op = (struct web_op *)aw;
    timer_stop(&op->patience);
    http_cancel(op->web->client, &op->call);
    http_body_close(&op->body);
    leave_place(op);
    await_done(aw);
}

static void web_free(struct await *aw)
{
    struct web_op *op = (struct web_op *)aw;
    http_body_close(&op->body);
    http_call_free(&op->call);
    free(op);
}

static int raise_error(lua_State *L, const char *what, const struct err *e)
{
    script_error_push_err(L, what, e);
    if (e->code == ERR_IO) {
        lua_pushliteral(L, "fs");
        lua_setfield(L, -2, "kind");
    }
    return lua_error(L);
}

static void read_numbers(const char *text, struct web_numbers *n)
{
    char *at;
    n->status = (int)strtol(text, &at, 10);
    n->retry_after = strtod(at, &at);
    n->head_len = strtoul(at, &at, 10);
    n->url_len = strtoul(at, &at, 10);
    n->size = strtoll(at, &at, 10);
}

static int web_push(lua_State *L, const struct await_result *result)
{
    const struct buf *bytes = &result->bytes;
    struct web_numbers n;
    if (result->err.code != ERR_OK)
        return raise_error(L, bytes->data, &result->err);
    const char *end = bytes->data + bytes->len - NUMBERS_LEN;
    read_numbers(end, &n);
    const char *url = end - n.url_len;
    const char *head = url - n.head_len;
    lua_pushinteger(L, n.status);
    lua_pushlstring(L, bytes->data, (size_t)(head - bytes->data));
    lua_pushlstring(L, head, n.head_len);
    lua_pushlstring(L, url, n.url_len);
    lua_pushnumber(L, n.retry_after);
    lua_pushinteger(L, n.size);
    return 6;
}

#define OPS(name, effect_of)                                                   \
    {                                                                          \
        .op = (name), .effect = (effect_of), .start = web_start,               \
        .push = web_push, .cancel = web_cancel, .free = web_free               \
    }

static const char *const names[] = {"http.get", "http.post", "http.request",
                                    NULL};
static const struct await_ops web_ops[] = {
    OPS("http.get", EFFECT_READ),
    OPS("http.post", EFFECT_SEND),
    OPS("http.request", EFFECT_SEND),
};

/* The text of that field of the table at index, which keeps it; or NULL. */
static const char *text_field(lua_State *L, int index, const char *name,
                              size_t *len)
{
    lua_getfield(L, index, name);
    const char *text = lua_tolstring(L, -1, len);
    lua_pop(L, 1);
    return text;
}

/* Names and values in turn, checked by moonlet.http. */
static void read_headers(lua_State *L, int index, struct web_op *op)
{
    op->call.headers = op->headers;
    for (lua_Integer i = 1; lua_rawgeti(L, index, i) != LUA_TNIL; i += 2) {
        lua_rawgeti(L, index, i + 1);
        op->headers[op->call.headers_count++] =
            (struct http_header){lua_tostring(L, -2), lua_tostring(L, -1)};
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* A path of the request, or NULL. */
static const char *read_path(lua_State *L, int index, const char *what,
                             const char *field)
{
    size_t len;
    const char *path = text_field(L, index, field, &len);
    const char *problem = path ? file_problem(path, len) : NULL;
    if (problem)
        script_error_misuse(L, "%s: %s: the path %s", what, field, problem);
    return path;
}

static uint64_t read_timeout(lua_State *L, int index, const char *what,
                             uint64_t otherwise)
{
    if (lua_getfield(L, index, "timeout") == LUA_TNIL)
        return otherwise;
    lua_pushfstring(L, "%s: timeout", what);
    uint64_t ms = binding_duration(L, lua_gettop(L) - 1, lua_tostring(L, -1));
    return ms > 0 ? ms : 1;
}

static lua_Integer integer_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    lua_Integer n = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return n;
}

/* Reads what http_send is given, but for the headers; may raise. */
static void read_request(lua_State *L, struct web_op *op)
{
    struct http_call *call = &op->call;
    const char *what = op->await.ops->op;
    call->method = luaL_checkstring(L, 2);
    call->url = luaL_checkstring(L, 3);
    call->content_type = text_field(L, 4, "type", NULL);
    call->body = text_field(L, 4, "body", &call->body_len);
    op->body.from = read_path(L, 4, what, "from");
    op->body.to = read_path(L, 4, what, "to");
    op->body.max = integer_field(L, 4, "max_size");
    call->response_max = (size_t)op->body.max;
    call->redirects_max = (unsigned)integer_field(L, 4, "redirects");
    call->keep_head = true;
    call->done = on_done;
}

/* A transfer may take long as long as it goes on. */
static void set_limits(lua_State *L, struct web_op *op, const struct web *web)
{
    bool transfer = op->body.from || op->body.to;
    op->timeout_ms = read_timeout(
        L, 4, op->await.ops->op, transfer ? web->transfer_ms : web->timeout_ms);
    op->call.stall_ms = transfer ? web->stall_ms : 0;
}

/* send(what, method, url, request): makes the request of the function `what`
 * and waits for the answer: status, body, head, final URL, Retry-After, and
 * the bytes that went into a file or -1. The request has headers (names and
 * values in turn), max_size and redirects, and maybe type, body, timeout,
 * from and to. */
static int http_send(lua_State *L)
{
    struct services *services = vm_services(L);
    struct web_op fixed = {.web = &services->web};
    fixed.await.ops = &web_ops[luaL_checkoption(L, 1, NULL, names)];
    luaL_checktype(L, 4, LUA_TTABLE);
    lua_settop(L, 4);
    read_request(L, &fixed);
    set_limits(L, &fixed, &services->web);
    lua_settop(L, 4);
    lua_getfield(L, 4, "headers"); /* at 5 */
    size_t headers = lua_rawlen(L, 5) / 2;
    if (headers > HEADERS_MAX)
        script_error_misuse(L, "%s: more than %d headers", fixed.await.ops->op,
                            HEADERS_MAX);
    await_check(L);
    struct web_op *op =
        mem_zero(1, sizeof *op + headers * sizeof op->headers[0]);
    *op = fixed;
    read_headers(L, 5, op);
    op->place.granted = on_place;
    op->body.client = services->web.client;
    op->body.call = &op->call;
    op->body.files = services->files;
    op->body.ready = on_file;
    timer_init(&op->patience, vm_loop(L), on_patience);
    return await(L, &op->await, 0);
}

/* failure(text): an error table of kind "http" at the author's line. */
static int http_failure(lua_State *L)
{
    return script_error_push(L, "http", luaL_checkstring(L, 1));
}

static const luaL_Reg functions[] = {
    {"send", http_send},
    {"failure", http_failure},
    {NULL, NULL},
};

int binding_http(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
