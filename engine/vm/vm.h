#ifndef MOONLET_VM_VM_H
#define MOONLET_VM_VM_H

/*
 * What bindings may ask of the host that runs them.
 */

#include "vm/generation.h"

#include <lua.h>

/* vm_host.services of this state. */
void *vm_services(lua_State *L);
struct log *vm_log(lua_State *L);
uint64_t vm_generation_id(lua_State *L);
struct loop *vm_loop(lua_State *L); /* NULL while the scripts load */
const struct clock *vm_clock(lua_State *L);
const char *vm_scripts_dir(lua_State *L);

/* Makes the function on top of the stack (popped) the one that the engine
 * calls for this entry. */
void vm_set_entry(lua_State *L, enum vm_entry entry);

/* The scripts want updates of this kind; while loading. */
void vm_want_kind(lua_State *L, const char *kind);

/* Of the running task; TASK_OF_NOBODY outside of tasks. */
enum task_class vm_task_class(lua_State *L);

/* Leaves a module of the shipped library on the stack, also one that scripts
 * may not require. */
void vm_require(lua_State *L, const char *name);

/* True while main.lua and what it requires run for the first time. */
bool vm_loading(lua_State *L);

#endif
