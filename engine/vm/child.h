#ifndef MOONLET_VM_CHILD_H
#define MOONLET_VM_CHILD_H

/*
 * Child tasks: started by a task, ended with it, waited for by anyone who
 * holds the handle (a userdata). A child's error that nobody has asked for
 * by the end of its parent is logged.
 */

#include <lua.h>
#include <stdint.h>

struct task_handle;

/* Makes the metatable of handles, whose methods are the functions of the
 * table on top (popped). Once a state. */
void child_open(lua_State *L);

/* Starts the function at index 1 of L, with the values above it as
 * arguments, as a child of the running task; pushes its handle. Raises
 * "misuse" outside a task, "limit" beyond TASKS_MAX tasks. */
void child_spawn(lua_State *L);

/* Waits until one of the handles at first..top has ended, or until limit_ms
 * have passed (0: no limit). Gives the position of the one that ended
 * (1 for `first`), or nil. Tail call only. */
int child_wait(lua_State *L, int first, uint64_t limit_ms);

/* Pushes how the ended child at index ended: true and its results, or false
 * and its error. Its error counts as known then. Returns their number. */
int child_result(lua_State *L, int index);

/* Pushes the coroutine of the running task's first ancestor, its own if it has
 * none; nil outside of tasks. */
void child_push_root(lua_State *L);

/* Ends it; no effect if it has ended. */
void child_cancel(lua_State *L, int index);

#endif
