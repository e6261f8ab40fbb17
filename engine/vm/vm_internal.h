#ifndef MOONLET_VM_VM_INTERNAL_H
#define MOONLET_VM_VM_INTERNAL_H

/*
 * What the files of vm share: the two structs behind generation.h. A task is
 * in exactly one of the states below; only task.c moves it.
 */

#include "base/list.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "vm/await.h"
#include "vm/generation.h"
#include "vm/recorder.h"

#include <lua.h>

/* How the task that is running ended, filled on its own stack so that ending
 * it needs no further Lua call. */
struct task_end {
    enum task_outcome outcome;
    struct script_error error;
};

struct generation {
    lua_State *L;
    const struct vm_host *host;
    uint64_t id;
    struct loop *loop;      /* NULL until adopted */
    struct list tasks;      /* alive, by task.link */
    struct list ready;      /* to be resumed, by task.ready_link */
    size_t task_count;
    struct deferred drain;  /* resumes what is ready */
    struct task *running;   /* whose code is on the loop */
    struct task_end *running_end;
    struct deferred bury;   /* frees the generation */
    bool loading;
    bool retired;
    void (*gone)(void *arg);
    void *gone_arg;
    int entries[VM_ENTRIES]; /* registry references */
    struct buf kinds;        /* "message","callback_query": wanted updates */
};

enum task_state {
    TASK_READY,   /* in the ready list */
    TASK_RUNNING, /* its code is on the loop */
    TASK_WAITING  /* for its pending operation */
};

struct task {
    struct list link;
    struct list ready_link;
    struct generation *gen;
    lua_State *L;
    int ref;               /* keeps L alive */
    int args;              /* values on L for the first resume */
    enum task_state state;
    struct await *pending;  /* what it waits for, or what has just ended */
    struct await *pushed;   /* its push has begun and it is not yet free */
    struct await_result replayed; /* lives until the next await */
    const char *timed_out;  /* op whose own timeout ended the wait */
    uint64_t timed_out_ms;
    struct recorder *recorder;
    struct timer deadline;
    enum task_outcome ending; /* TASK_DONE: goes on */
    struct task_spec spec;
};

struct generation *vm__generation(lua_State *L);

/* Lua-side set-up, run inside a protected call at load. */
void vm__open_sandbox(lua_State *L);
int vm__require(lua_State *L);

struct task *task__new(struct generation *g);
void task__make_ready(struct task *t);
void task__release_await(struct task *t);
void task__drain(struct deferred *d);
void task__drop_all(struct generation *g);

void await__free(struct await *aw);

#endif
