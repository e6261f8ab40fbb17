#ifndef MOONLET_VM_TASK_H
#define MOONLET_VM_TASK_H

/*
 * The Lua side of tasks: for bindings. task.c holds the only lua_resume of
 * the engine; ready tasks are queued and resumed once a loop turn, never
 * recursively.
 */

#include <lua.h>

struct recorder;

/* Starts the function at index 1 of L, with the values above it as
 * arguments, as a task of its own that no one waits for. An error in it is
 * logged with its place. Raises "limit" beyond TASKS_MAX tasks. */
void task_detach(lua_State *L);

#define TASKS_MAX 10000 /* of one generation */

/* Gives the running task a recorder (borrowed until the task ends). */
void task_set_recorder(lua_State *L, struct recorder *r);

#endif
