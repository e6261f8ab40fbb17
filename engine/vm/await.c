#include "vm/await.h"

#include "base/mem.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <stdio.h>
#include <stdlib.h>

static const struct await_result nothing;

struct await_result *await_result(struct await *aw)
{
    if (!aw->result)
        aw->result = MEM_NEW(struct await_result);
    return aw->result;
}

void await__free(struct await *aw)
{
    struct await_result *result = aw->result;
    if (result)
        buf_free(&result->bytes);
    aw->ops->free(aw);
    free(result);
}

/* The operation no longer has a task: stops it, and it frees itself. */
static void await_abandon(struct await *aw)
{
    timer_stop(&aw->timeout);
    aw->task = NULL;
    aw->ops->cancel(aw);
}

void task__release_await(struct task *t)
{
    struct await *pushed = t->pushed;
    struct await *pending = t->pending;
    t->pushed = t->pending = NULL;
    if (t->replayed)
        buf_free(&t->replayed->bytes);
    if (pushed)
        await__free(pushed);
    if (pending)
        await_abandon(pending);
}

static void await_timeout(struct timer *timer)
{
    struct await *aw = LIST_ENTRY(timer, struct await, timeout);
    struct task *t = aw->task;
    t->timed_out = aw->ops;
    t->timed_out_ms = aw->timeout_ms;
    t->pending = NULL;
    await_abandon(aw);
    task__make_ready(t);
}

void await_done(struct await *aw)
{
    if (!aw->task) {
        await__free(aw);
        return;
    }
    timer_stop(&aw->timeout);
    struct task *t = aw->task;
    t->pending = NULL;
    t->pushed = aw;
    task__make_ready(t);
}

static void record(struct task *t, const struct await_ops *ops,
                   const struct await_result *result)
{
    if (t->recorder)
        t->recorder->ops->result(t->recorder, ops, result);
}

static int raise_timeout(lua_State *L, struct task *t)
{
    struct await_result result = {0};
    const struct await_ops *ops = t->timed_out;
    t->timed_out = NULL;
    err_set(&result.err, ERR_TIMEOUT, 0, "no result within %g s",
            (double)t->timed_out_ms / 1000);
    result.err.retryable = true;
    record(t, ops, &result);
    return script_error_raise(L, ops->op, &result.err);
}

/* The task runs again: its operation has ended or was given up. */
static int await_resumed(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct task *t = vm__generation(L)->running;
    if (t->timed_out)
        return raise_timeout(L, t);
    struct await *aw = t->pushed;
    const struct await_result *result = aw->result ? aw->result : &nothing;
    record(t, aw->ops, result);
    lua_settop(L, 0);
    int n = aw->ops->push(L, result);
    t->pushed = NULL;
    await__free(aw);
    return n;
}

/* Why the caller cannot wait here; NULL if it can. */
static const char *await_obstacle(lua_State *L)
{
    const struct generation *g = vm__generation(L);
    const struct task *t = g->running;
    if (g->loading)
        return "cannot wait while a script loads: put this into a handler "
               "or bot.on_start";
    if (!t)
        return "cannot wait outside of a handler";
    if (t->state == TASK_CLOSING)
        return "cannot wait while the handler is being ended: clean up "
               "without waiting";
    if (t->L != L)
        return "cannot wait inside a coroutine of your own: call this from "
               "the handler itself";
    if (!lua_isyieldable(L))
        return "cannot wait inside a callback of gsub, sort, require or a "
               "metamethod: collect the values first, then wait";
    return NULL;
}

void await_check(lua_State *L)
{
    const char *obstacle = await_obstacle(L);
    if (obstacle)
        script_error_misuse(L, "%s", obstacle);
}

static int await_replay(lua_State *L, struct task *t,
                        const struct await_ops *ops)
{
    lua_settop(L, 0);
    int n = ops->push(L, t->replayed);
    buf_free(&t->replayed->bytes);
    return n;
}

int await(lua_State *L, struct await *aw, uint64_t timeout_ms)
{
    struct task *t = vm__generation(L)->running;
    const struct await_ops *ops = aw->ops;
    const struct journal_row *row = NULL;
    const char *obstacle = await_obstacle(L);
    struct err error;

    if (obstacle) {
        await__free(aw);
        return script_error_misuse(L, "%s", obstacle);
    }
    task__release_await(t);
    if (t->recorder) {
        if (!t->replayed)
            t->replayed = MEM_NEW(struct await_result);
        switch (t->recorder->ops->step(t->recorder, L, ops, &row, t->replayed,
                                       &error)) {
        case RECORDER_LIVE:
            break;
        case RECORDER_REPLAY:
            await__free(aw);
            return await_replay(L, t, ops);
        case RECORDER_DIVERGED:
            await__free(aw);
            return script_error_raise(L, ops->op, &error);
        }
    }
    aw->task = t;
    aw->timeout_ms = timeout_ms;
    timer_init(&aw->timeout, t->gen->loop, await_timeout);
    if (timeout_ms > 0)
        timer_start(&aw->timeout, timeout_ms);
    t->pending = aw;
    t->state = TASK_WAITING; /* start may already call await_done */
    ops->start(aw, row);
    return lua_yieldk(L, 0, 0, await_resumed);
}
