/*
 * moonlet.task: waiting, and work beside the handler.
 */
#include "vm/task.h"

#include "base/list.h"
#include "base/mem.h"
#include "bindings/bindings.h"
#include "loop/timer.h"
#include "vm/await.h"
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
    .op = "sleep",
    .effect = EFFECT_WAIT,
    .start = sleep_start,
    .push = sleep_push,
    .cancel = sleep_cancel,
    .free = sleep_free,
};

/* task.sleep(duration): lets other handlers run for that long. The wait is
 * its own limit. */
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

/* task.detach(fn, ...): runs fn(...) as a task that outlives the handler. */
static int task_detach_function(lua_State *L)
{
    task_detach(L);
    return 0;
}

static const luaL_Reg functions[] = {
    {"sleep", task_sleep},
    {"detach", task_detach_function},
    {NULL, NULL},
};

static const char *const not_built[] = {"spawn", "join", "all", "race", NULL};

int binding_task(lua_State *L)
{
    luaL_newlib(L, functions);
    binding_close_module(L, "task", not_built);
    return 1;
}
