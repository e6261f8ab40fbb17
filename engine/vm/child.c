#include "vm/child.h"

#include "base/log.h"
#include "base/mem.h"
#include "vm/await.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define META "moonlet.task"
#define DEPTH_MAX 100 /* ending a task ends its children recursively */

/* Lives in a userdata; its user value is the list of results or the error.
 * The registry keeps it while the task lives or its error is unknown. */
struct task_handle {
    struct task *task; /* NULL: ended */
    enum task_outcome outcome;
    struct script_error error; /* kind NULL: none, or someone knows it */
    struct list unknown;       /* in its parent's list of such errors */
    struct list waiters;
    int ref;
};

struct wait_op;

struct waiter {
    struct list link; /* in the handle's list */
    struct wait_op *op;
};

struct wait_op {
    struct await await;
    struct timer limit;
    uint64_t limit_ms;
    int ended; /* position of the handle that has; 0: none yet */
    int count;
    struct waiter waiters[];
};

static struct task_handle *check_handle(lua_State *L, int index)
{
    struct task_handle *h = luaL_testudata(L, index, META);
    if (!h)
        script_error_misuse(L,
                            "a task is expected (what task.spawn "
                            "returned), got %s",
                            luaL_typename(L, index));
    return h;
}

static int collect(lua_State *L)
{
    struct task_handle *h = lua_touserdata(L, 1);
    script_error_clear(&h->error);
    return 0;
}

void child_open(lua_State *L)
{
    luaL_newmetatable(L, META);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

static void release(struct generation *g, struct task_handle *h)
{
    list_remove(&h->unknown);
    luaL_unref(g->L, LUA_REGISTRYINDEX, h->ref);
    h->ref = LUA_NOREF;
}

void child_spawn(lua_State *L)
{
    struct task *parent = vm__generation(L)->running;
    if (!lua_isfunction(L, 1))
        script_error_misuse(L, "task.spawn needs a function, got %s",
                            luaL_typename(L, 1));
    if (!parent || parent->state == TASK_CLOSING)
        script_error_misuse(L, "task.spawn: only a running handler can have "
                               "child tasks");
    if (parent->depth >= DEPTH_MAX) {
        script_error_push(L, "limit", "child tasks are nested too deep");
        lua_error(L);
    }
    struct task_handle *h = lua_newuserdatauv(L, sizeof *h, 1);
    memset(h, 0, sizeof *h);
    h->ref = LUA_NOREF;
    list_init(&h->unknown);
    list_init(&h->waiters);
    luaL_setmetatable(L, META);
    lua_insert(L, 1);
    struct task *t = task__start(L, lua_gettop(L) - 1);
    lua_pushvalue(L, 1);
    h->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    h->task = t;
    t->handle = h;
    t->parent = parent;
    t->depth = parent->depth + 1;
    t->on_behalf = parent->on_behalf;
    t->spec.on_loop = parent->spec.on_loop;
    t->spec.arg = parent->spec.arg;
    list_push(&parent->children, &t->sibling);
}

void child_push_root(lua_State *L)
{
    const struct task *t = vm__generation(L)->running;
    while (t && t->parent)
        t = t->parent;
    if (t)
        lua_rawgeti(L, LUA_REGISTRYINDEX, t->ref);
    else
        lua_pushnil(L);
}

void child__keep(lua_State *L, struct task *t, int first)
{
    if (!t->handle)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->handle->ref);
    lua_insert(L, first);
    int n = lua_gettop(L) - first;
    lua_createtable(L, n, 1);
    lua_insert(L, first + 1);
    for (int i = n; i >= 1; i--)
        lua_rawseti(L, first + 1, i);
    lua_pushinteger(L, n);
    lua_setfield(L, first + 1, "n");
    lua_setiuservalue(L, first, 1);
}

static void wake(struct wait_op *op, int position);

static void wake_all(struct task_handle *h)
{
    struct list *link;
    while ((link = list_shift(&h->waiters))) {
        struct waiter *w = LIST_ENTRY(link, struct waiter, link);
        wake(w->op, (int)(w - w->op->waiters) + 1);
    }
}

void child__ended(struct task *t, struct task_end *end)
{
    struct task_handle *h = t->handle;
    if (!h)
        return;
    h->task = NULL;
    h->outcome = end->outcome;
    t->handle = NULL;
    list_remove(&t->sibling);
    if (end->error.kind) {
        h->error = end->error;
        memset(&end->error, 0, sizeof end->error);
        list_push(&t->parent->failed, &h->unknown);
    } else {
        release(t->gen, h);
    }
    wake_all(h);
}

/* Children die with their parent; what went wrong in them and nobody asked
 * for is told now. */
void child__end_all(struct task *parent)
{
    struct list *link;
    while (!list_empty(&parent->children))
        task__kill(LIST_ENTRY(parent->children.next, struct task, sibling),
                   TASK_CANCELLED);
    while ((link = list_shift(&parent->failed))) {
        struct task_handle *h = LIST_ENTRY(link, struct task_handle, unknown);
        task__report(parent, "task.error", &h->error);
        script_error_clear(&h->error);
        release(parent->gen, h);
    }
}

void child_cancel(lua_State *L, int index)
{
    struct task_handle *h = check_handle(L, index);
    if (h->task)
        task_cancel(h->task);
}

int child_result(lua_State *L, int index)
{
    struct task_handle *h = check_handle(L, index);
    index = lua_absindex(L, index);
    if (h->task)
        script_error_misuse(L, "this task has not ended yet");
    if (h->outcome == TASK_DONE) {
        lua_pushboolean(L, 1);
        lua_getiuservalue(L, index, 1);
        int list = lua_gettop(L);
        lua_getfield(L, list, "n");
        int n = (int)lua_tointeger(L, -1);
        luaL_checkstack(L, n + 1, "too many results");
        lua_pop(L, 1);
        for (int i = 1; i <= n; i++)
            lua_rawgeti(L, list, i);
        lua_remove(L, list);
        return n + 1;
    }
    lua_pushboolean(L, 0);
    if (lua_getiuservalue(L, index, 1) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    } else if (h->error.kind) {
        script_error_push_copy(L, &h->error);
        lua_pushvalue(L, -1);
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
        lua_setiuservalue(L, index, 1);
        lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
        script_error_push(L, "cancelled", "the task was cancelled");
    }
    script_error_clear(&h->error);
    release(vm__generation(L), h);
    return 2;
}

static void unlink_all(struct wait_op *op)
{
    timer_stop(&op->limit);
    for (int i = 0; i < op->count; i++)
        list_remove(&op->waiters[i].link);
}

static void wake(struct wait_op *op, int position)
{
    unlink_all(op);
    buf_append(&await_result(&op->await)->bytes, &position, sizeof position);
    await_done(&op->await);
}

static void wait_over(struct timer *timer)
{
    wake(LIST_ENTRY(timer, struct wait_op, limit), 0);
}

static void wait_start(struct await *aw, const struct journal_row *row)
{
    struct wait_op *op = (struct wait_op *)aw;
    (void)row;
    if (op->ended)
        wake(op, op->ended);
    else if (op->limit_ms > 0)
        timer_start(&op->limit, op->limit_ms);
}

static int wait_push(lua_State *L, const struct await_result *result)
{
    int position;
    memcpy(&position, result->bytes.data, sizeof position);
    if (position == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, position);
    return 1;
}

static void wait_cancel(struct await *aw)
{
    unlink_all((struct wait_op *)aw);
    await_done(aw);
}

static void wait_free(struct await *aw)
{
    free(aw);
}

static const struct await_ops wait_ops = {
    .op = "task.join",
    .effect = EFFECT_WAIT,
    .start = wait_start,
    .push = wait_push,
    .cancel = wait_cancel,
    .free = wait_free,
};

int child_wait(lua_State *L, int first, uint64_t limit_ms)
{
    int count = lua_gettop(L) - first + 1;
    for (int i = 0; i < count; i++)
        check_handle(L, first + i);
    if (count == 0)
        script_error_misuse(L, "there is no task to wait for");
    await_check(L);
    struct wait_op *op =
        mem_zero(1, sizeof *op + (size_t)count * sizeof *op->waiters);
    op->await.ops = &wait_ops;
    op->limit_ms = limit_ms;
    op->count = count;
    timer_init(&op->limit, vm__generation(L)->loop, wait_over);
    for (int i = 0; i < count; i++) {
        struct task_handle *h = lua_touserdata(L, first + i);
        op->waiters[i].op = op;
        list_init(&op->waiters[i].link);
        if (h->task)
            list_push(&h->waiters, &op->waiters[i].link);
        else if (!op->ended)
            op->ended = i + 1;
    }
    return await(L, &op->await, 0);
}
