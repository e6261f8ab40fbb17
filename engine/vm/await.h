#ifndef MOONLET_VM_AWAIT_H
#define MOONLET_VM_AWAIT_H

/*
 * How a binding waits. It checks its arguments (which may raise: nothing is
 * allocated yet), fills an operation whose first member is a struct await,
 * and ends with `return await(L, &op->await, timeout_ms)`. It starts nothing
 * itself: await asks the task's recorder first, then calls ops->start.
 *
 * One operation ends in exactly one of two ways:
 *   await_done   stores the outcome; the task is resumed in a later turn,
 *                push runs on its coroutine, then free.
 *   cancel       (timeout, cancelled task, closed generation) stops the I/O.
 *                The task no longer knows the operation; the operation calls
 *                await_done once its last callback has run, at the earliest
 *                from within cancel, and that only frees.
 */

#include "base/buf.h"
#include "base/err.h"
#include "loop/timer.h"

#include <lua.h>
#include <stdint.h>

struct await;
struct journal_row; /* a later issue's: where a recorded step is written */
struct task;

enum await_effect {
    EFFECT_READ,       /* changes nothing outside */
    EFFECT_REPEATABLE, /* repeating it is harmless */
    EFFECT_SEND,       /* repeating it is seen by someone */
    EFFECT_DB,         /* commits together with its journal row */
    EFFECT_WAIT,       /* time or an update */
};

/* What an operation ended with: bytes first, decoded by push, so that a
 * recorded result and a live one take the same way. */
struct await_result {
    struct err err;   /* code 0: it succeeded */
    struct buf bytes; /* owned; format is the operation's own */
};

struct await_ops {
    const char *op; /* "api", "sleep": shown in errors and recorded */
    enum await_effect effect;
    void (*start)(struct await *aw, const struct journal_row *row);
    /* Pushes the results of the call and returns their number, or raises.
     * Must not touch the operation: on replay there is none. */
    int (*push)(lua_State *L, const struct await_result *result);
    void (*cancel)(struct await *aw);
    void (*free)(struct await *aw);
};

struct await {
    const struct await_ops *ops;
    struct task *task;           /* NULL: nobody waits any more */
    struct await_result *result; /* NULL: success without bytes */
    struct timer timeout;
    uint64_t timeout_ms;
};

/* Suspends the running task until the operation ends. Tail call only.
 * Raises, and frees the operation, where awaiting is not possible: outside a
 * task, in a user's own coroutine, across a C call that cannot yield.
 * timeout_ms 0: no limit of its own. */
int await(lua_State *L, struct await *aw, uint64_t timeout_ms);

/* Where the operation puts how it has ended, before await_done; all zero at
 * first. Made when it is asked for, so that waiting tasks are small. */
struct await_result *await_result(struct await *aw);

/* From a loop callback. Never resumes. */
void await_done(struct await *aw);

/* Raises "misuse" unless the caller may await now; before anything is
 * allocated. */
void await_check(lua_State *L);

#endif
