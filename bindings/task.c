/*
 * moonlet.core.task: what moonlet.task and moonlet.timeout are made of. Not
 * for scripts of authors.
 */
#include "bindings/support.h"

#include "base/list.h"
#include "base/mem.h"
#include "loop/timer.h"
#include "vm/await.h"
#include "vm/child.h"
#include "vm/task.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdlib.h>

struct sleep_op {
    struct await await;
    struct timer timer;
    uint64_t ms;
};

static void sleep_over(struct timer *timer)
{
    struct sleep_op *op = LIST_ENTRY(timer, struct sleep_op, timer);
    await_done(&op->await);
}

static void sleep_start(struct await *aw, const struct journal_row *row)
{
    struct sleep_op *op = (struct sleep_op *)aw;
    (void)row;
    timer_start(&op->timer, op->ms);
}

static int sleep_push(lua_State *L, const struct await_result *result)
{
    (void)L;
    (void)result;
    return 0;
}

static void sleep_cancel(struct await *aw)
{
    struct sleep_op *op = (struct sleep_op *)aw;
    timer_stop(&op->timer);
    await_done(aw);
}

static void sleep_free(struct await *aw)
{
    free(aw);
}

static const struct await_ops sleep_ops = {
    .op = "task.sleep",
    .effect = EFFECT_WAIT,
    .start = sleep_start,
    .push = sleep_push,
    .cancel = sleep_cancel,
    .free = sleep_free,
};

/* task.sleep(duration): lets other handlers run for that long (seconds, or a
 * text such as "500ms", "5m"). The duration is the wait's own limit. */
static int task_sleep(lua_State *L)
{
    uint64_t ms = binding_duration(L, 1, "the duration of task.sleep");
    await_check(L);
    struct sleep_op *op = MEM_NEW(struct sleep_op);
    op->await.ops = &sleep_ops;
    op->ms = ms;
    timer_init(&op->timer, vm_loop(L), sleep_over);
    return await(L, &op->await, 0);
}

/* task.detach(fn, ...): runs fn(...) as a task of its own that outlives the
 * handler. Its error is logged. */
static int task_detach_function(lua_State *L)
{
    task_detach(L);
    return 0;
}

/* task.spawn(fn, ...): runs fn(...) as a child task beside the caller and
 * returns its handle. Children end with the task that made them. */
static int task_spawn_child(lua_State *L)
{
    child_spawn(L);
    return 1;
}

/* wait(limit, handle, ...): the position of the first that has ended, or nil
 * when the limit (a duration; nil: none) is over. */
static int task_wait(lua_State *L)
{
    uint64_t limit = 0;
    if (!lua_isnoneornil(L, 1)) {
        limit = binding_duration(L, 1, "the limit");
        limit = limit > 0 ? limit : 1;
    }
    return child_wait(L, 2, limit);
}

/* check_limit(limit): raises misuse unless it is a duration. */
static int task_check_limit(lua_State *L)
{
    binding_duration(L, 1, "the limit");
    return 0;
}

/* result(handle): true and the results, or false and the error. */
static int task_result(lua_State *L)
{
    return child_result(L, 1);
}

/* cancel(handle): ends the task; its <close> variables run. */
static int task_cancel_child(lua_State *L)
{
    child_cancel(L, 1);
    return 0;
}

/* handles(methods): the functions that handles have as methods. */
static int task_handles(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    child_open(L);
    return 0;
}

static const luaL_Reg functions[] = {
    {"sleep", task_sleep},
    {"detach", task_detach_function},
    {"spawn", task_spawn_child},
    {"wait", task_wait},
    {"result", task_result},
    {"cancel", task_cancel_child},
    {"check_limit", task_check_limit},
    {"handles", task_handles},
    {NULL, NULL},
};

int binding_task(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
