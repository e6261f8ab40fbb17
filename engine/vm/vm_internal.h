#ifndef MOONLET_VM_VM_INTERNAL_H
#define MOONLET_VM_VM_INTERNAL_H

/*
 * What the files of vm share: the two structs behind generation.h. A task is
 * in exactly one of the states below; only task.c moves it.
 */

#include "base/list.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "vm/await.h"
#include "vm/generation.h"
#include "vm/memory.h"
#include "vm/recorder.h"

#include <lua.h>

/* How the task that is running ended, filled on its own stack so that ending
 * it needs no further Lua call. */
struct task_end {
    enum task_outcome outcome;
    struct script_error error;
};

/* What the extra space of a coroutine points to: that of its task, or, for
 * the main thread and the users' own coroutines, that of the generation. */
struct vm_thread {
    struct generation *gen;
    struct task *task;
};

struct generation {
    struct vm_thread thread;
    lua_State *L;
    const struct vm_host *host;
    uint64_t id;
    struct loop *loop; /* NULL until adopted */
    struct list tasks; /* alive, by task.link */
    struct list ready; /* to be resumed, by task.ready_link */
    struct list later; /* the same for detached tasks: handlers go first */
    size_t task_count;
    struct deferred drain; /* resumes what is ready */
    struct task *running;  /* whose code is on the loop */
    struct task_end *running_end;
    struct deferred bury;   /* frees the generation */
    bool load_over;         /* loading has taken too long: every step raises */
    bool close_over;        /* a close variable of the task being ended did */
    uint64_t load_until_ms; /* CPU time of the loading thread */
    int load_ticks;         /* of a simulation, instead */
    bool loading;
    bool retired;
    bool killed; /* no code of a script runs any more */
    void (*gone)(void *arg);
    void *gone_arg;
    int entries[VM_ENTRIES]; /* registry references */
    int limit_error;         /* the CPU limit's error; LUA_NOREF: none */
    struct memory memory;
    struct rng rng;             /* for the seeds of math.random */
    size_t userdata_offsets[3]; /* vm/order.c: with so many user values */
    lua_Integer shown;          /* objects that vm/show.c has numbered */
    uint64_t uncollected;       /* work since the last collection */
    struct buf kinds;           /* "message","callback_query": wanted updates */
};

enum task_state {
    TASK_READY,   /* in the ready list */
    TASK_RUNNING, /* its code is on the loop */
    TASK_WAITING, /* for its pending operation */
    TASK_CLOSING  /* it is being ended: its <close> variables run */
};

struct task {
    struct list link;
    struct list ready_link;
    struct vm_thread thread;
    struct generation *gen;
    lua_State *L;
    int ref;  /* keeps L alive */
    int args; /* values on L for the first resume */
    enum task_state state;
    struct await *pending; /* what it waits for, or what has just ended */
    struct await *pushed;  /* its push has begun and it is not yet free */
    struct await_result *replayed;     /* NULL: there was no recorder */
    const struct await_ops *timed_out; /* whose own limit ended the wait */
    uint64_t timed_out_ms;
    struct recorder *recorder;
    enum task_class on_behalf;
    struct task *parent; /* NULL: none */
    int depth;           /* number of ancestors */
    struct list sibling; /* in the parent's children */
    struct list children;
    struct list failed;         /* handles of children with unknown errors */
    struct task_handle *handle; /* of a child that has not ended */
    char limit_script[64];      /* where it first met a limit; "": nowhere */
    int limit_line;
    struct timer deadline;
    enum task_outcome ending;  /* TASK_DONE: goes on */
    struct script_error limit; /* of a child, which ends the whole family */
    struct task_spec spec;
};

struct vm_thread *vm__thread(lua_State *L);
struct generation *vm__generation(lua_State *L);

/* Around everything that may run code of scripts on the loop thread, which
 * finalizers may do in any call. leave is true if the CPU limit was passed. */
void generation__enter(struct generation *g, lua_State *L);
bool generation__leave(struct generation *g, lua_State *L);

/* After a slice in which memory was refused. */
void generation__relieve(struct generation *g);
/* After a slice of a simulation: collects garbage if it is time. */
void generation__tidy(struct generation *g);

/* Lua's own error for a refused block knows no kind and no place. */
/* True if it was that. */
bool generation__name_memory(const struct generation *g, const struct task *t,
                             struct script_error *e);

void vm__bind(lua_State *L, struct vm_thread *thread);

/* Lua-side set-up, run inside a protected call at load. */
void vm__open_sandbox(lua_State *L);
void vm__open_coroutines(lua_State *L);
void vm__open_clock(lua_State *L);
int vm__require(lua_State *L);

struct task *task__new(struct generation *g);
void task__make_ready(struct task *t);
void task__release_await(struct task *t);
void task__drain(struct deferred *d);
void task__kill(struct task *t, enum task_outcome outcome);
void task__report(const struct task *t, const char *event,
                  const struct script_error *e);
/* Makes a task of the function and its n - 1 arguments on top (popped). */
struct task *task__start(lua_State *L, int n);

/* Keeps the values from index `first` up (taken off) as a child's results. */
void child__keep(lua_State *L, struct task *t, int first);
void child__ended(struct task *t, struct task_end *end);
void child__end_all(struct task *parent);

bool task__is_one(lua_State *co); /* and not a user's own coroutine */
void task__drop_all(struct generation *g);

void await__free(struct await *aw);

#endif
