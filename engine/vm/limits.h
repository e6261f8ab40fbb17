#ifndef MOONLET_VM_LIMITS_H
#define MOONLET_VM_LIMITS_H

/*
 * How long Lua code may hold the loop between two waits. A timer on the
 * loop thread's CPU time ticks a few times per limit; code that has run
 * through all ticks of a limit gets a hook armed that raises "limit" and
 * stays armed, so that no pcall can hide it. A C call that no hook can stop
 * is given ten limits, then `stuck` is called from the signal handler.
 *
 * A counted limit is one of VM instructions instead: a simulation ends code
 * at the same place each time. It has no timer, and nothing ends a C call.
 *
 * The timer costs two stores a slice; an always-on hook would slow all Lua code
 * by 1.6 times (FACTS). One object an engine, made and used on the loop thread.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Instructions that count as one millisecond of CPU. */
#define LIMITS_STEPS_PER_MS 50000

struct limits;
struct lua_State;

/* Called in a signal handler: only async-signal-safe work. L is the
 * innermost running coroutine. It must not return. */
typedef void limits_stuck(void *arg, struct lua_State *L);

/* NULL and *e if the system gives no timer. Owned by the caller. */
struct limits *limits_new(uint64_t cpu_limit_ms, limits_stuck *stuck, void *arg,
                          struct err *e);
/* A counted one, which any number of worlds may have at once. */
struct limits *limits_new_counted(uint64_t cpu_limit_ms);
void limits_free(struct limits *m);

/* A slice of Lua code begins on L; no other is running. m may be NULL in all
 * functions below: no limit. */
void limits_enter(struct limits *m, struct lua_State *L);
/* The same for a full collection, which may take long of itself and runs
 * finalizers, where Lua calls no hook: only `stuck` comes, ten times later. */
void limits_enter_long(struct limits *m, struct lua_State *L);
/* The same for a slice whose family is over its limit already: it is stopped
 * at its first instruction. */
void limits_enter_over(struct limits *m, struct lua_State *L);
/* Is the running slice over its limit? */
bool limits_is_over(const struct limits *m);
/* Instructions of the slice so far, about; 0 unless they are counted. */
uint64_t limits_steps(const struct limits *m);
/* It has ended. True if it went over its limit. */
bool limits_leave(struct limits *m);

/* Within a slice, code now runs on L (resume of a user's coroutine, or the
 * return from it). Returns what ran before. */
struct lua_State *limits_switch(struct limits *m, struct lua_State *L);

/* Where the author's code stands on L, for `stuck`: the chunk's name (static
 * or owned by the state) and the line; false if there is none. Allocates
 * nothing. */
bool limits_place(struct lua_State *L, const char **script, int *line);

#endif
