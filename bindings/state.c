/*
 * moonlet.core.state: rows of bot.db, which moonlet.fsm and others keep their
 * values in. Not for scripts of authors.
 */
#include "bindings/support.h"

#include "base/mem.h"
#include "store/inbox.h"
#include "store/state.h"
#include "vm/await.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 16

struct state_call {
    struct await await;
    struct state *state;
    struct inbox *inbox;        /* NULL: no updates come */
    struct inbox_settle settle; /* a put waits; linked while it does */
    struct state_op *op;        /* NULL: not asked, or over */
    struct state_row row;
    char *kind;
    char *key;
    char *tag;
    char *lane;
    struct buf value;
    int64_t from; /* chats */
    int64_t to;
};

static void call_free(struct await *aw)
{
    struct state_call *call = (struct state_call *)aw;
    free(call->kind);
    free(call->key);
    free(call->tag);
    free(call->lane);
    buf_free(&call->value);
    free(call);
}

static void call_cancel(struct await *aw)
{
    struct state_call *call = (struct state_call *)aw;
    if (call->op)
        state_forget(call->op);
    else
        list_remove(&call->settle.link);
    await_done(aw);
}

/* The result's bytes: the version, then the value. */
static void call_done(void *arg, const struct err *e,
                      const struct state_row *row)
{
    struct state_call *call = arg;
    struct await_result *result = await_result(&call->await);
    result->err = *e;
    buf_append(&result->bytes, (const char *)&row->version,
               sizeof row->version);
    if (row->value)
        buf_append(&result->bytes, row->value, row->len);
    await_done(&call->await);
}

static int64_t read_version(lua_State *L, const struct await_result *result)
{
    int64_t version;
    if (result->err.code != ERR_OK)
        script_error_raise(L, "state", &result->err);
    memcpy(&version, result->bytes.data, sizeof version);
    return version;
}

static int push_value(lua_State *L, const struct await_result *result)
{
    const struct buf *bytes = &result->bytes;
    int64_t version = read_version(L, result);
    if (bytes->len == sizeof version)
        lua_pushnil(L);
    else
        lua_json_decode(L, bytes->data + sizeof version,
                        bytes->len - sizeof version);
    lua_pushinteger(L, version);
    return 2;
}

static int push_version(lua_State *L, const struct await_result *result)
{
    lua_pushinteger(L, read_version(L, result));
    return 1;
}

static void get_start(struct await *aw, const struct journal_row *row)
{
    struct state_call *call = (struct state_call *)aw;
    (void)row;
    call->op = state_get(call->state, call->kind, call->key, call_done, call);
}

static void put(struct state_call *call)
{
    call->row.kind = call->kind;
    call->row.key = call->key;
    call->row.tag = call->tag;
    call->row.lane = call->lane;
    call->row.value = call->value.data;
    call->row.len = call->value.len;
    call->op = state_put(call->state, &call->row, call_done, call);
}

static void settled(struct inbox_settle *s)
{
    put(LIST_ENTRY(s, struct state_call, settle));
}

/* A row tells of one update that has changed it. A change before the end of
 * the update before is in its own file would hide that one's: after a death
 * both would come again, and both count twice. */
static void put_start(struct await *aw, const struct journal_row *row)
{
    struct state_call *call = (struct state_call *)aw;
    (void)row;
    call->settle.done = settled;
    if (call->inbox && !inbox_settled(call->inbox))
        inbox_settle(call->inbox, &call->settle);
    else
        put(call);
}

static void move_start(struct await *aw, const struct journal_row *row)
{
    struct state_call *call = (struct state_call *)aw;
    (void)row;
    call->op = state_move_chat(call->state, call->kind, call->from, call->to,
                               call_done, call);
}

static void count_start(struct await *aw, const struct journal_row *row)
{
    struct state_call *call = (struct state_call *)aw;
    (void)row;
    call->op = state_count(call->state, call->kind, call_done, call);
}

static const struct await_ops get_ops = {.op = "state.get",
                                         .effect = EFFECT_READ,
                                         .start = get_start,
                                         .push = push_value,
                                         .cancel = call_cancel,
                                         .free = call_free};
static const struct await_ops put_ops = {.op = "state.put",
                                         .effect = EFFECT_DB,
                                         .start = put_start,
                                         .push = push_version,
                                         .cancel = call_cancel,
                                         .free = call_free};
static const struct await_ops move_ops = {.op = "state.move",
                                          .effect = EFFECT_DB,
                                          .start = move_start,
                                          .push = push_version,
                                          .cancel = call_cancel,
                                          .free = call_free};
static const struct await_ops count_ops = {.op = "state.count",
                                           .effect = EFFECT_READ,
                                           .start = count_start,
                                           .push = push_value,
                                           .cancel = call_cancel,
                                           .free = call_free};

static struct state_call *call_new(lua_State *L, const struct await_ops *ops)
{
    const struct services *services = vm_services(L);
    const char *kind = luaL_checkstring(L, 1);
    await_check(L);
    struct state_call *call = MEM_NEW(struct state_call);
    call->await.ops = ops;
    call->state = services->state;
    call->inbox = services->inbox;
    call->kind = mem_strdup(kind);
    return call;
}

static int ask(lua_State *L, struct state_call *call)
{
    const struct services *services = vm_services(L);
    return await(L, &call->await, services->db_timeout_ms);
}

/* get(kind, key): the value, or nil, and its version, 0 if there is none. */
static int core_get(lua_State *L)
{
    const char *key = luaL_checkstring(L, 2);
    struct state_call *call = call_new(L, &get_ops);
    call->key = mem_strdup(key);
    return ask(L, call);
}

/* A field of the options that is a text; "" if it is not there. */
static char *option_text(lua_State *L, const char *name)
{
    lua_getfield(L, 5, name);
    char *text = mem_strdup(lua_isstring(L, -1) ? lua_tostring(L, -1) : "");
    lua_pop(L, 1);
    return text;
}

/* A moment in Unix seconds, in milliseconds; 0: none. */
static int64_t option_moment(lua_State *L, const char *name)
{
    lua_getfield(L, 5, name);
    lua_Number seconds = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return (int64_t)(seconds * 1000);
}

/* put(kind, key, value, version, options): writes the value, or removes the
 * row if it is nil, and returns the new version. version: that of the row that
 * it replaces, 0 if there shall be none, -1 for whatever is there; else it
 * raises kind "conflict". options: tag, lane, due and expires (Unix seconds).
 */
static int core_put(lua_State *L)
{
    struct buf value = {0};
    const char *key = luaL_checkstring(L, 2);
    lua_Integer version = luaL_checkinteger(L, 4);
    luaL_checktype(L, 5, LUA_TTABLE);
    await_check(L);
    const char *why = lua_isnil(L, 3) ? NULL : lua_json_encode(L, 3, &value);
    if (why) {
        buf_free(&value);
        script_error_misuse(L, "what is to be kept: %s", why);
    }
    struct state_call *call = call_new(L, &put_ops);
    call->key = mem_strdup(key);
    call->value = value;
    call->tag = option_text(L, "tag");
    call->lane = option_text(L, "lane");
    call->row.version = version;
    call->row.due_ms = option_moment(L, "due");
    call->row.expires_ms = option_moment(L, "expires");
    return ask(L, call);
}

/* move(kinds, from, to): a chat has another id: what it has in kinds that begin
 * so goes with it. Returns how many rows that were. */
static int core_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2);
    lua_Integer to = luaL_checkinteger(L, 3);
    struct state_call *call = call_new(L, &move_ops);
    call->from = from;
    call->to = to;
    return ask(L, call);
}

/* count(kind): how many rows have each tag, { tag = count }. */
static int core_count(lua_State *L)
{
    return ask(L, call_new(L, &count_ops));
}

/* hash(text): 32 hexadecimal digits, the same for the same text alone. */
static int core_hash(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct sha256_ctx hash;
    uint8_t digest[HASH_BYTES];
    char hex[BASE16_ENCODE_LENGTH(HASH_BYTES)];
    sha256_init(&hash);
    sha256_update(&hash, len, (const uint8_t *)text);
    sha256_digest(&hash, sizeof digest, digest);
    base16_encode_update(hex, sizeof digest, digest);
    lua_pushlstring(L, hex, sizeof hex);
    return 1;
}

static const luaL_Reg functions[] = {
    {"hash", core_hash}, {"get", core_get},     {"put", core_put},
    {"move", core_move}, {"count", core_count}, {NULL, NULL},
};

int binding_state(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
