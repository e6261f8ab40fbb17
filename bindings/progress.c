/*
 * moonlet.core.transfer: what the shipped library's transfers are made of. Not
 * for scripts of authors. How far a transfer is, is told to a function of the
 * script: the library calls it in a task beside the transfer, which waits for
 * figures here.
 */
#include "bindings/transfer.h"

#include "base/list.h"
#include "base/mem.h"
#include "bindings/support.h"
#include "loop/timer.h"
#include "vm/vm.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#define BOX "moonlet.progress"
#define EVERY_MS 500

static const char runner; /* its address is a key of the registry */

struct progress_box {
    int64_t (*figures)(void *arg, int64_t *total); /* NULL: not running */
    void *arg;
    int64_t done, total;
    int64_t told; /* what the last call of `next` gave */
    bool over;
    struct next_op *waiting;
};

struct next_op {
    struct await await;
    struct progress_box *box; /* on the stack of the task that waits */
    struct timer timer;
};

struct progress_box *progress_at(lua_State *L, int index)
{
    return luaL_testudata(L, index, BOX);
}

static void refresh(struct progress_box *b)
{
    if (b->figures)
        b->done = b->figures(b->arg, &b->total);
}

void progress_begin(struct progress_box *b,
                    int64_t (*figures)(void *arg, int64_t *total), void *arg)
{
    b->figures = figures;
    b->arg = arg;
}

void progress_end(struct progress_box *b)
{
    if (!b)
        return;
    refresh(b);
    b->figures = NULL;
    b->over = true;
    if (b->waiting)
        timer_start(&b->waiting->timer, 0);
}

static void end_wait(struct next_op *op)
{
    struct progress_box *b = op->box;
    b->waiting = NULL;
    if (b->done != b->told) {
        b->told = b->done;
        buf_printf(&await_result(&op->await)->bytes, "%" PRId64 " %" PRId64,
                   b->done, b->total);
    }
    await_done(&op->await);
}

static void next_turn(struct timer *timer)
{
    struct next_op *op = LIST_ENTRY(timer, struct next_op, timer);
    refresh(op->box);
    if (op->box->over || op->box->done != op->box->told)
        end_wait(op);
    else
        timer_start(&op->timer, EVERY_MS);
}

static void next_start(struct await *aw, const struct journal_row *row)
{
    struct next_op *op = (struct next_op *)aw;
    (void)row;
    op->box->waiting = op;
    timer_start(&op->timer, op->box->over ? 0 : EVERY_MS);
}

static int next_push(lua_State *L, const struct await_result *result)
{
    int64_t done, total;
    if (!result->bytes.data ||
        sscanf(result->bytes.data, "%" SCNd64 " %" SCNd64, &done, &total) != 2)
        return 0;
    lua_pushinteger(L, done);
    lua_pushinteger(L, total);
    return 2;
}

static void next_cancel(struct await *aw)
{
    struct next_op *op = (struct next_op *)aw;
    timer_stop(&op->timer);
    op->box->waiting = NULL;
    await_done(aw);
}

static void next_free(struct await *aw)
{
    free(aw);
}

static const struct await_ops next_ops = {
    .op = "progress",
    .effect = EFFECT_WAIT,
    .start = next_start,
    .push = next_push,
    .cancel = next_cancel,
    .free = next_free,
};

/* next(box): bytes done and in all (0: not known) when that has changed, at
 * most twice a second; nil when the transfer is over and all was told. */
static int box_next(lua_State *L)
{
    struct progress_box *b = luaL_checkudata(L, 1, BOX);
    await_check(L);
    struct next_op *op = MEM_NEW(struct next_op);
    op->await.ops = &next_ops;
    op->box = b;
    timer_init(&op->timer, vm_loop(L), next_turn);
    return await(L, &op->await, 0);
}

/* box(): a new one. */
static int box_new(lua_State *L)
{
    struct progress_box *b = lua_newuserdatauv(L, sizeof(*b), 0);
    *b = (struct progress_box){0};
    luaL_setmetatable(L, BOX);
    return 1;
}

/* over(box): there was no transfer, or it has ended. */
static int box_over(lua_State *L)
{
    progress_end(luaL_checkudata(L, 1, BOX));
    return 0;
}

/* on_progress(fn): fn(call, arguments, options) makes the call for those who
 * want to know how far it is. */
static int set_runner(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &runner);
    return 0;
}

static int followed(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 2;
}

/* The library's file that has it is required when it is first needed. */
static void push_runner(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &runner) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    vm_require(L, "moonlet.files");
    lua_pop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &runner);
}

int progress_follow(lua_State *L)
{
    push_runner(L);
    lua_insert(L, -2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 3, LUA_MULTRET, 0, followed);
    return followed(L, LUA_OK, 0);
}

static const luaL_Reg functions[] = {
    {"box", box_new},
    {"next", box_next},
    {"over", box_over},
    {"on_progress", set_runner},
    /* download(t): see bindings/download.c. */
    {"download", binding_download},
    {NULL, NULL},
};

int binding_transfer(lua_State *L)
{
    luaL_newmetatable(L, BOX);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
