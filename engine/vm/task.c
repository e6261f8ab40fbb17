#include "vm/task.h"

#include "base/log.h"
#include "base/mem.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static void task_deadline(struct timer *timer)
{
    struct task *t = LIST_ENTRY(timer, struct task, deadline);
    t->ending = TASK_TIMEOUT;
    task__make_ready(t);
}

struct task *task__new(struct generation *g)
{
    struct task *t = MEM_NEW(struct task);
    t->gen = g;
    t->ending = TASK_DONE;
    t->state = TASK_WAITING;
    list_push(&g->tasks, &t->link);
    list_init(&t->ready_link);
    timer_init(&t->deadline, g->loop, task_deadline);
    g->task_count++;
    return t;
}

void task__make_ready(struct task *t)
{
    if (t->state != TASK_WAITING)
        return;
    t->state = TASK_READY;
    list_push(&t->gen->ready, &t->ready_link);
    loop_defer(t->gen->loop, &t->gen->drain);
}

/* Bottom of every task's stack once its function has ended. */
static int task_finished(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    struct task_end *end = vm__generation(L)->running_end;
    if (status == LUA_OK || status == LUA_YIELD)
        return 0;
    end->outcome = TASK_ERROR;
    script_error_take(L, &end->error);
    return 0;
}

static int task_main(lua_State *L)
{
    lua_pushcfunction(L, script_error_handler);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, 0, 1, 0, task_finished);
    return task_finished(L, status, 0);
}

static void task_free(struct task *t)
{
    struct generation *g = t->gen;
    timer_stop(&t->deadline);
    list_remove(&t->link);
    list_remove(&t->ready_link);
    luaL_unref(g->L, LUA_REGISTRYINDEX, t->ref);
    free(t);
    g->task_count--;
    if (g->retired && g->task_count == 0)
        loop_defer(g->loop, &g->bury);
}

/* A detached task has no one who hears of its end. */
static void report_detached(struct task *t, const struct task_end *end)
{
    if (end->outcome != TASK_ERROR)
        return;
    LOG_AT(t->gen->host->log, LOG_ERROR, "task.error",
           LOG_S("script", end->error.script), LOG_I("line", end->error.line),
           LOG_S("kind", end->error.kind),
           LOG_S("message", end->error.message));
}

static void task_end(struct task *t, struct task_end *end)
{
    task__release_await(t);
    if (t->spec.ended)
        t->spec.ended(t->spec.arg, end->outcome,
                      end->outcome == TASK_ERROR ? &end->error : NULL);
    else
        report_detached(t, end);
    script_error_clear(&end->error);
    task_free(t);
}

/* Ends a task that is not running: its <close> variables run, pcall of the
 * script sees nothing of it. */
static void task_kill(struct task *t, enum task_outcome outcome)
{
    struct task_end end = {.outcome = outcome};
    task__release_await(t);
    lua_resetthread(t->L);
    task_end(t, &end);
}

static void fail_task(struct task_end *end, const char *kind,
                      const char *message)
{
    script_error_clear(&end->error);
    end->outcome = TASK_ERROR;
    end->error.kind = mem_strdup(kind);
    end->error.message = mem_strdup(message);
    end->error.script = mem_strdup("");
    end->error.traceback = mem_strdup("");
}

static void task_resume(struct task *t)
{
    struct generation *g = t->gen;
    struct task_end end = {.outcome = TASK_DONE};
    int results;
    int args = t->args;

    t->args = 0;
    t->state = TASK_RUNNING;
    g->running = t;
    g->running_end = &end;
    if (t->spec.on_loop)
        t->spec.on_loop(t->spec.arg, true);
    int status = lua_resume(t->L, g->L, args, &results);
    if (t->spec.on_loop)
        t->spec.on_loop(t->spec.arg, false);
    g->running = NULL;
    g->running_end = NULL;
    t->state = TASK_WAITING;

    if (status == LUA_YIELD && t->ending != TASK_DONE) {
        task_kill(t, t->ending);
        return;
    }
    if (status == LUA_YIELD && t->pending)
        return;
    /* A yield that no await made would wait for nobody. */
    if (status == LUA_YIELD)
        fail_task(&end, "misuse",
                  "coroutine.yield outside a coroutine of your own");
    else if (status != LUA_OK)
        fail_task(&end, "limit", "out of memory or stack");
    if (status != LUA_OK)
        lua_resetthread(t->L);
    task_end(t, &end);
}

void task__drain(struct deferred *d)
{
    struct generation *g = LIST_ENTRY(d, struct generation, drain);
    struct list batch;
    struct list *link;

    list_init(&batch);
    list_splice(&batch, &g->ready);
    while ((link = list_shift(&batch))) {
        struct task *t = LIST_ENTRY(link, struct task, ready_link);
        if (t->ending == TASK_DONE)
            task_resume(t);
        else
            task_kill(t, t->ending);
    }
}

void task__drop_all(struct generation *g)
{
    while (!list_empty(&g->tasks))
        task_kill(LIST_ENTRY(g->tasks.next, struct task, link),
                  TASK_CANCELLED);
}

void task_cancel(struct task *t)
{
    if (t->ending == TASK_DONE)
        t->ending = TASK_CANCELLED;
    task__make_ready(t);
}

/* Makes the coroutine of t; a protected call because memory may run out. */
static int make_thread(lua_State *L)
{
    struct task *t = lua_touserdata(L, 1);
    t->L = lua_newthread(L);
    t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, task_main);
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->gen->entries[t->spec.entry]);
    if (t->spec.json)
        lua_json_decode(L, t->spec.json, t->spec.json_len);
    else
        lua_pushnil(L);
    if (t->spec.text)
        lua_pushstring(L, t->spec.text);
    else
        lua_pushnil(L);
    lua_pushboolean(L, t->spec.flag);
    lua_xmove(L, t->L, 5);
    t->args = 4;
    return 0;
}

struct task *task_spawn(struct generation *g, const struct task_spec *spec)
{
    if (g->retired || g->entries[spec->entry] == LUA_NOREF)
        return NULL;
    struct task *t = task__new(g);
    t->spec = *spec;
    t->ref = LUA_NOREF;
    lua_pushcfunction(g->L, make_thread);
    lua_pushlightuserdata(g->L, t);
    if (lua_pcall(g->L, 1, 0, 0) != LUA_OK) {
        LOG_AT(g->host->log, LOG_ERROR, "task.spawn",
               LOG_S("error", lua_tostring(g->L, -1)));
        lua_pop(g->L, 1);
        task_free(t);
        return NULL;
    }
    t->spec.json = t->spec.text = NULL; /* were borrowed for this call */
    if (spec->timeout_ms > 0)
        timer_start(&t->deadline, spec->timeout_ms);
    task__make_ready(t);
    return t;
}

void task_detach(lua_State *L)
{
    struct generation *g = vm__generation(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (!g->loop)
        script_error_misuse(L, "task.detach: not while a script loads: put "
                               "it into bot.on_start");
    if (g->task_count >= TASKS_MAX) {
        script_error_push(L, "limit", "more than 10000 tasks");
        lua_error(L);
    }
    int n = lua_gettop(L);
    lua_State *co = lua_newthread(L);
    lua_insert(L, 1);
    lua_pushcfunction(co, task_main);
    lua_xmove(L, co, n);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    struct task *t = task__new(g);
    t->L = co;
    t->ref = ref;
    t->args = n;
    task__make_ready(t);
}

void task_set_recorder(lua_State *L, struct recorder *r)
{
    vm__generation(L)->running->recorder = r;
}
