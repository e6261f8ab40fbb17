#ifndef MOONLET_VM_SCRIPT_ERROR_H
#define MOONLET_VM_SCRIPT_ERROR_H

/*
 * The error table that scripts see (DESIGN section 6) and its way to and
 * from C. Author's scripts are chunks named "@path"; frames of the shipped
 * library and of the engine never show in script, line or traceback.
 */

#include "base/err.h"
#include "vm/generation.h"

#include <lua.h>

/* Makes the metatable of error tables; once a state. */
void script_error_open(lua_State *L);

/* Pushes an error table of this kind with the place of the author's code
 * that is running, and returns 1. */
int script_error_push(lua_State *L, const char *kind, const char *message);

/* Pushes the error table of the operation `what` that ended with e; returns
 * 1. Raising it is script_error_raise, which never returns. */
int script_error_push_err(lua_State *L, const char *what, const struct err *e);
int script_error_raise(lua_State *L, const char *what, const struct err *e)
    __attribute__((noreturn));

/* Raises kind "misuse" with the caller's line. Like lua_error, both give an
 * int to be written behind `return`. */
int script_error_misuse(lua_State *L, const char *fmt, ...)
    __attribute__((noreturn)) __attribute__((format(printf, 2, 3)));

/* Message handler for xpcall and lua_pcall: turns whatever was raised into an
 * error table with traceback; an error table stays itself. */
int script_error_handler(lua_State *L);

/* Fills *out with the place where the coroutine L stands: it waits, or has
 * failed without a message handler. Runs no Lua code. */
void script_error_locate(struct script_error *out, lua_State *L,
                         const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Pushes an error table with the fields of *e; returns 1. */
int script_error_push_copy(lua_State *L, const struct script_error *e);

/* Sets the traceback of the error table on top, if it has none. */
void script_error_trace(lua_State *L);

/* Fills *out from the error value on top of L (popped), whose stack may
 * still be that of the failed call. */
void script_error_take(lua_State *L, struct script_error *out);

#endif
