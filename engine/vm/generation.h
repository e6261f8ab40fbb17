#ifndef MOONLET_VM_GENERATION_H
#define MOONLET_VM_GENERATION_H

/*
 * A generation is one lua_State with the scripts that were loaded into it.
 * It is loaded beside the loop (any thread, generation_load), then adopted
 * by the loop thread, which runs its tasks until it is retired; it frees
 * itself when the last task has ended. No Lua type shows here.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;
struct generation;
struct lua_State;
struct log;
struct loop;
struct task;

/* A C module that scripts or the shipped library require by name. */
struct vm_module {
    const char *name;
    int (*open)(struct lua_State *L);
};

/* A Lua file of the shipped library, compiled into the binary. */
struct vm_source {
    const char *name; /* "moonlet.bot" */
    const char *text; /* or what vm_compile has made of it (vm/compile.h) */
    size_t len;
};

/* Shared by all generations; borrowed for their life. */
struct vm_host {
    struct log *log;
    const struct clock *clock; /* what os.time and os.date read */
    uint64_t random_seed;      /* of math.random, with the generation's id */
    /* The same scripts and events give the same bytes: tables are walked in
     * order, no text shows an address, the collector works at fixed places.
     * limits are counted ones then (limits_new_counted), or NULL. */
    bool simulated;
    struct limits *limits; /* NULL: no CPU limit (vm/limits.h) */
    size_t memory_limit;   /* bytes of one generation; 0: none */
    bool stress_gc;        /* tests: the collector never rests */
    /* The scripts hold so much memory that only a fresh start helps. */
    void (*exhausted)(void *services, struct generation *g);
    const struct vm_module *modules; /* ends with name NULL */
    const struct vm_source *library; /* ends with name NULL */
    const char *scripts_dir;
    void *services; /* what bindings find with vm_services(L) */
};

/* Why a task ended, or why a script did not load. Texts are owned. */
struct script_error {
    char *kind; /* DESIGN section 6: "api", "script", "timeout", ... */
    char *message;
    char *script;    /* relative to SCRIPTS_DIR, "" if unknown */
    int line;        /* 0: unknown */
    char *traceback; /* author's frames only */
};
void script_error_clear(struct script_error *e);
/* A deep copy, which the caller clears. */
struct script_error script_error_copy(const struct script_error *e);

/* Opens a state and runs SCRIPTS_DIR/main.lua. NULL and *error on failure.
 * Touches nothing of the loop; may run on a pool thread. */
struct generation *generation_load(const struct vm_host *host, uint64_t id,
                                   struct script_error *error);

/* From now on it belongs to the loop thread and its tasks can run. */
void generation_adopt(struct generation *g, struct loop *loop);
uint64_t generation_id(const struct generation *g);
size_t generation_tasks(const struct generation *g); /* alive */
/* The update kinds that the scripts handle, as a JSON array; owned. */
char *generation_kinds(const struct generation *g);

/* No new tasks; frees itself once the running ones have ended. */
void generation_retire(struct generation *g, void (*gone)(void *arg),
                       void *arg);
/* Ends all tasks, as TASK_EXPIRED: the scripts are too old. */
void generation_expire(struct generation *g);
/* Cancels all tasks and frees it; frees at once if it was never adopted.
 * Operations still in flight only free themselves later. */
void generation_close(struct generation *g);
/* The same as a death would do it: no code of a script runs, not even that of
 * <close> variables. */
void generation_kill(struct generation *g);

/* Where the engine calls into the scripts; set by the shipped library. */
enum vm_entry {
    VM_ON_UPDATE,
    VM_ON_START,
    VM_ON_FAILED,
    VM_ON_HTTP,
    VM_ON_LATE_PRESS,
    VM_ON_ALBUM,    /* its JSON is a list of updates */
    VM_ON_ORDER,    /* for generation_ask alone */
    VM_ON_DESCRIBE, /* the same */
    VM_ENTRIES
};

enum task_outcome {
    TASK_DONE,
    TASK_ERROR,
    TASK_TIMEOUT,
    TASK_CANCELLED,
    TASK_LIMITED, /* by CPU or memory, or it broke: its scripts know nothing */
    TASK_EXPIRED  /* generation_expire; error of kind "cancelled" */
};

bool generation_has(const struct generation *g, enum vm_entry entry);

/* Calls the entry with the decoded JSON at once, outside any task: nothing in
 * it can wait. The CPU limit is on. Returns the text that it gave (owned), or
 * NULL if it gave none or failed, which fills *error (else kind NULL). */
char *generation_ask(struct generation *g, enum vm_entry entry,
                     const char *json, size_t json_len,
                     struct script_error *error);

/* On whose behalf a task runs. Children are of their parent's, detached tasks
 * nobody's. */
enum task_class {
    TASK_OF_NOBODY, /* on_start, detached */
    TASK_OF_UPDATE, /* somebody may wait for what it says */
};

struct task_spec {
    enum vm_entry entry;
    const char *json; /* first argument, decoded; NULL: none */
    size_t json_len;
    const char *text;                 /* second argument; NULL: nil */
    const struct script_error *error; /* the same, as an error table */
    bool flag;                        /* third argument */
    uint64_t timeout_ms;              /* the task is ended then; 0: never */
    /* Called once, from the loop, never from within task_spawn. error is
     * NULL for TASK_DONE and TASK_CANCELLED. */
    void (*ended)(void *arg, enum task_outcome outcome,
                  const struct script_error *error);
    /* Before each slice of Lua code of this task (true) and after it. */
    void (*on_loop)(void *arg, bool running);
    void *arg;
};

/* Starts a task; its first slice runs in the next turn. NULL if the scripts
 * have registered nothing for this entry, or if it could not be made, which
 * is logged. */
struct task *task_spawn(struct generation *g, const struct task_spec *spec);
/* Ends it; `ended` comes with TASK_CANCELLED, from the loop. */
void task_cancel(struct task *t);

#endif
