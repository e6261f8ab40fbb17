#include "vm/task.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "vm/limits.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_MS 20 /* of ready tasks in one turn of the loop */

static void task_deadline(struct timer *timer)
{
    struct task *t = LIST_ENTRY(timer, struct task, deadline);
    if (t->ending == TASK_DONE)
        t->ending = TASK_TIMEOUT;
    task__make_ready(t);
}

struct task *task__new(struct generation *g)
{
    struct task *t = MEM_NEW(struct task);
    t->gen = g;
    t->thread = (struct vm_thread){g, t};
    t->ending = TASK_DONE;
    t->state = TASK_WAITING;
    list_push(&g->tasks, &t->link);
    list_init(&t->ready_link);
    list_init(&t->children);
    list_init(&t->failed);
    list_init(&t->sibling);
    timer_init(&t->deadline, g->loop, task_deadline);
    g->task_count++;
    return t;
}

static struct task *root_of(struct task *t)
{
    while (t->parent)
        t = t->parent;
    return t;
}

/* No handler waits for what it does. */
static bool is_beside(struct task *t)
{
    return !root_of(t)->spec.ended;
}

void task__make_ready(struct task *t)
{
    if (t->state != TASK_WAITING)
        return;
    t->state = TASK_READY;
    list_push(is_beside(t) ? &t->gen->later : &t->gen->ready, &t->ready_link);
    loop_defer(t->gen->loop, &t->gen->drain);
}

/* Bottom of every task's stack once its function has ended. */
static int task_finished(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    struct generation *g = vm__generation(L);
    struct task_end *end = g->running_end;
    if (status == LUA_OK || status == LUA_YIELD) {
        child__keep(L, g->running, 2);
        return 0;
    }
    lua_pushvalue(L, -1);
    child__keep(L, g->running, lua_gettop(L));
    lua_settop(L, 2); /* the handler and the error */
    end->outcome = TASK_ERROR;
    script_error_take(L, &end->error);
    if (generation__name_memory(g, g->running, &end->error))
        end->outcome = TASK_LIMITED;
    return 0;
}

static int task_main(lua_State *L)
{
    lua_pushcfunction(L, script_error_handler);
    lua_insert(L, 1);
    int status =
        lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, task_finished);
    return task_finished(L, status, 0);
}

static void task_free(struct task *t)
{
    struct generation *g = t->gen;
    timer_stop(&t->deadline);
    list_remove(&t->link);
    list_remove(&t->ready_link);
    if (t->L) /* a script may still hold the coroutine, as a dead one */
        vm__bind(t->L, &g->thread);
    luaL_unref(g->L, LUA_REGISTRYINDEX, t->ref);
    free(t->replayed);
    script_error_clear(&t->limit);
    free(t);
    g->task_count--;
    if (g->retired && g->task_count == 0)
        loop_defer(g->loop, &g->bury);
}

void task__report(const struct task *t, const char *event,
                  const struct script_error *e)
{
    LOG_AT(t->gen->host->log, LOG_ERROR, event, LOG_S("script", e->script),
           LOG_I("line", e->line), LOG_S("kind", e->kind),
           LOG_S("message", e->message));
}

static void task_end(struct task *t, struct task_end *end)
{
    bool failed = end->error.kind != NULL;
    CRASH_POINT("task.ended");
    task__release_await(t);
    child__end_all(t);
    if (t->handle)
        child__ended(t, end);
    else if (t->spec.ended)
        t->spec.ended(t->spec.arg, end->outcome, failed ? &end->error : NULL);
    else if (failed) /* detached: no one hears of its end */
        task__report(t, "task.error", &end->error);
    script_error_clear(&end->error);
    task_free(t);
}

/* Around each slice of Lua code. */
static void enter(struct task *t, enum task_state state, struct task_end *end)
{
    t->state = state;
    t->gen->running = t;
    t->gen->running_end = end;
    if (t->spec.on_loop)
        t->spec.on_loop(t->spec.arg, true);
    generation__enter(t->gen, t->L);
    if (state == TASK_CLOSING && t->gen->close_over)
        limits_enter_over(t->gen->host->limits, t->L);
}

/* True if the slice went over its CPU limit. */
static bool leave(struct task *t)
{
    bool over = generation__leave(t->gen, t->L);
    if (t->spec.on_loop)
        t->spec.on_loop(t->spec.arg, false);
    t->gen->running = NULL;
    t->gen->running_end = NULL;
    return over;
}

/* Protected: turns the error value at 2 into the struct at 1. */
static int take_error(lua_State *L)
{
    lua_pushcfunction(L, script_error_handler);
    lua_insert(L, 2);
    lua_call(L, 1, 1);
    script_error_take(L, lua_touserdata(L, 1));
    return 0;
}

/* What a <close> variable raises while its task is ended from outside can be
 * caught by nobody. It is on top of the coroutine's stack. */
static void report_close(struct task *t)
{
    lua_State *L = t->gen->L;
    struct script_error e = {0};
    lua_pushcfunction(L, take_error);
    lua_pushlightuserdata(L, &e);
    lua_xmove(t->L, L, 1);
    generation__enter(t->gen, L); /* its __tostring is a script's code */
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        lua_pop(L, 1);
    generation__leave(t->gen, L);
    task__report(t, "task.close", &e);
    script_error_clear(&e);
}

/* Runs the <close> variables of a coroutine that will not go on. */
static void close_thread(struct task *t)
{
    if (t->gen->killed)
        return;
    bool waited = lua_status(t->L) == LUA_YIELD;
    enter(t, TASK_CLOSING, NULL);
    int status = lua_resetthread(t->L);
    /* The others of its family get no such time again. */
    t->gen->close_over = leave(t) || t->gen->close_over;
    if (waited && status != LUA_OK)
        report_close(t);
}

/* Ends a task that is not running: its <close> variables run, pcall of the
 * script sees nothing of it. */
void task__kill(struct task *t, enum task_outcome outcome)
{
    struct task_end end = {.outcome = outcome};
    if (outcome == TASK_TIMEOUT)
        script_error_locate(&end.error, t->L, "timeout",
                            "it was not done in its time, %g s",
                            (double)t->spec.timeout_ms / 1000);
    if (outcome == TASK_LIMITED) {
        end.error = t->limit;
        memset(&t->limit, 0, sizeof t->limit);
    }
    if (outcome == TASK_EXPIRED)
        script_error_locate(&end.error, t->L, "cancelled", "%s",
                            "ended because its scripts have been replaced "
                            "too often since it began");
    task__release_await(t);
    close_thread(t);
    task_end(t, &end);
}

/* A child that goes over the CPU limit ends its whole family: a handler's
 * limit is not multiplied by its children. */
static void limit_family(struct task *t, const struct script_error *e)
{
    struct task *root = root_of(t);
    if (root == t || root->ending != TASK_DONE)
        return;
    root->limit = script_error_copy(e);
    root->ending = TASK_LIMITED;
    task__make_ready(root);
}

static void set_limited(struct task *t, struct task_end *end, const char *kind,
                        const char *text)
{
    script_error_clear(&end->error);
    script_error_locate(&end->error, t->L, kind, "%s", text);
    if (end->error.line == 0 && t->limit_line > 0) {
        free(end->error.script);
        end->error.script = mem_strdup(t->limit_script);
        end->error.line = t->limit_line;
    }
    end->outcome = TASK_LIMITED;
}

/* The ways to end that the task's own code did not choose. */
static void judge_end(struct task *t, struct task_end *end, int status,
                      bool over)
{
    /* A yield that no await made would wait for nobody. */
    if (status == LUA_YIELD)
        set_limited(t, end, "misuse",
                    "coroutine.yield outside a coroutine of your own");
    else if (status != LUA_OK)
        set_limited(t, end, "limit", "out of memory or stack");
    else if (over &&
             (!end->error.kind || strcmp(end->error.kind, "limit") != 0))
        set_limited(t, end, "limit", "ran longer than HANDLER_CPU_LIMIT");
    if (over)
        end->outcome = TASK_LIMITED;
}

static void task_resume(struct task *t)
{
    struct task_end end = {.outcome = TASK_DONE};
    int results;
    int args = t->args;

    t->args = 0;
    enter(t, TASK_RUNNING, &end);
    CRASH_POINT("task.resumed");
    int status = lua_resume(t->L, t->gen->L, args, &results);
    bool over = leave(t);

    if (status == LUA_YIELD && t->ending != TASK_DONE) {
        task__kill(t, t->ending);
        return;
    }
    if (status == LUA_YIELD && t->state != TASK_RUNNING)
        return;
    judge_end(t, &end, status, over);
    if (status != LUA_OK)
        close_thread(t);
    if (over)
        limit_family(t, &end.error);
    task_end(t, &end);
}

bool task__is_one(lua_State *co)
{
    return vm__thread(co)->task != NULL;
}

static void run_ready(struct task *t)
{
    struct generation *g = t->gen;
    g->close_over = false;
    if (t->ending == TASK_DONE)
        task_resume(t);
    else
        task__kill(t, t->ending);
    if (g->memory.refused)
        generation__relieve(g);
    generation__tidy(g);
}

/* Runs the batch, but no more once DRAIN_MS are over: what is left goes back
 * to the front and on after the loop has looked at its sockets. */
static void run_batch(struct generation *g, struct list *batch,
                      struct list *ready)
{
    const struct clock *clock = loop_clock(g->loop);
    uint64_t until = clock_ns(clock) + DRAIN_MS * 1000000u;

    while (!list_empty(batch)) {
        run_ready(LIST_ENTRY(list_shift(batch), struct task, ready_link));
        if (clock_ns(clock) >= until)
            break;
    }
    if (!list_empty(batch))
        loop_defer(g->loop, &g->drain);
    list_splice(batch, ready);
    list_splice(ready, batch);
}

void task__drain(struct deferred *d)
{
    struct generation *g = LIST_ENTRY(d, struct generation, drain);
    struct list handlers, beside;

    list_init(&handlers);
    list_init(&beside);
    list_splice(&handlers, &g->ready);
    list_splice(&beside, &g->later);
    run_batch(g, &handlers, &g->ready);
    run_batch(g, &beside, &g->later);
}

void task__drop_all(struct generation *g)
{
    struct list *link;
    while ((link = list_shift(&g->tasks)))
        task__kill(LIST_ENTRY(link, struct task, link), TASK_CANCELLED);
}

static void end_soon(struct task *t, enum task_outcome outcome)
{
    if (t->ending == TASK_DONE)
        t->ending = outcome;
    task__make_ready(t);
}

void task_cancel(struct task *t)
{
    end_soon(t, TASK_CANCELLED);
}

void generation_expire(struct generation *g)
{
    struct list *link = g->tasks.next;
    for (; link != &g->tasks; link = link->next) {
        struct task *t = LIST_ENTRY(link, struct task, link);
        if (!t->parent) /* children end with their parents */
            end_soon(t, TASK_EXPIRED);
    }
}

/* Makes the coroutine of t; a protected call because memory may run out. */
static int make_thread(lua_State *L)
{
    struct task *t = lua_touserdata(L, 1);
    lua_State *co = lua_newthread(L);
    t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    t->L = co;
    lua_pushcfunction(L, task_main);
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->gen->entries[t->spec.entry]);
    if (t->spec.json)
        lua_json_decode(L, t->spec.json, t->spec.json_len);
    else
        lua_pushnil(L);
    if (t->spec.error)
        script_error_push_copy(L, t->spec.error);
    else if (t->spec.text)
        lua_pushstring(L, t->spec.text);
    else
        lua_pushnil(L);
    lua_pushboolean(L, t->spec.flag);
    lua_xmove(L, t->L, 5);
    t->args = 4;
    vm__bind(t->L, &t->thread);
    return 0;
}

/* What runs for an update, or after it has failed. */
static enum task_class class_of(enum vm_entry entry)
{
    return entry == VM_ON_UPDATE || entry == VM_ON_ALBUM ||
                   entry == VM_ON_FAILED
               ? TASK_OF_UPDATE
               : TASK_OF_NOBODY;
}

struct task *task_spawn(struct generation *g, const struct task_spec *spec)
{
    /* What failed on these scripts is told to these scripts. */
    if ((g->retired && spec->entry != VM_ON_FAILED) ||
        g->entries[spec->entry] == LUA_NOREF)
        return NULL;
    struct task *t = task__new(g);
    t->spec = *spec;
    t->on_behalf = class_of(spec->entry);
    t->ref = LUA_NOREF;
    lua_pushcfunction(g->L, make_thread);
    lua_pushlightuserdata(g->L, t);
    limits_enter(g->host->limits, g->L); /* for finalizers of scripts */
    int status = lua_pcall(g->L, 1, 0, 0);
    limits_leave(g->host->limits);
    if (status != LUA_OK) {
        LOG_AT(g->host->log, LOG_ERROR, "task.spawn",
               LOG_S("error", lua_tostring(g->L, -1)));
        lua_pop(g->L, 1);
        task_free(t);
        return NULL;
    }
    t->spec.json = t->spec.text = NULL; /* were borrowed for this call */
    t->spec.error = NULL;
    if (spec->timeout_ms > 0)
        timer_start(&t->deadline, spec->timeout_ms);
    task__make_ready(t);
    return t;
}

struct task *task__start(lua_State *L, int n)
{
    struct generation *g = vm__generation(L);
    if (g->task_count >= TASKS_MAX) {
        script_error_push(L, "limit", "more than 10000 tasks");
        lua_error(L);
    }
    lua_State *co = lua_newthread(L);
    if (!lua_checkstack(co, n + 1))
        script_error_misuse(L, "too many arguments for a task");
    lua_insert(L, -n - 1);
    lua_pushcfunction(co, task_main);
    lua_xmove(L, co, n);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    struct task *t = task__new(g);
    t->L = co;
    t->ref = ref;
    t->args = n;
    vm__bind(co, &t->thread);
    task__make_ready(t);
    return t;
}

void task_detach(lua_State *L)
{
    if (!lua_isfunction(L, 1))
        script_error_misuse(L, "task.detach needs a function, got %s",
                            luaL_typename(L, 1));
    if (!vm__generation(L)->loop)
        script_error_misuse(L, "task.detach: not while a script loads: put "
                               "it into bot.on_start");
    task__start(L, lua_gettop(L));
}

void task_set_recorder(lua_State *L, struct recorder *r)
{
    vm__generation(L)->running->recorder = r;
}
