#ifndef MOONLET_BINDINGS_SUPPORT_H
#define MOONLET_BINDINGS_SUPPORT_H

/*
 * What the bindings share, and nobody else sees. One file a module; everything
 * that waits goes through await.
 */

#include "bindings/bindings.h"

#include "base/err.h"

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* Each leaves its module on the stack; the rows of modules.c. */
int binding_api(lua_State *L);
int binding_config(lua_State *L);
int binding_core(lua_State *L);
int binding_crypto(lua_State *L);
int binding_errors(lua_State *L);
int binding_fs(lua_State *L);
int binding_http(lua_State *L);
int binding_json(lua_State *L);
int binding_log(lua_State *L);
int binding_re(lua_State *L);
int binding_state(lua_State *L);
int binding_task(lua_State *L);
int binding_web(lua_State *L);
int binding_transfer(lua_State *L);
/* A function of that module. */
int binding_download(lua_State *L);

/* Makes the function at index 1, the only argument, the one that the engine
 * calls for this entry. Returns 0. */
int binding_set_entry(lua_State *L, enum vm_entry entry);

/* Raises misuse unless the value at index has the type; what: "log.info: the
 * event". A number is as good as a text. */
void binding_want(lua_State *L, int index, int type, const char *what);

/* The duration at index (seconds, or text such as "5m") in ms; raises misuse
 * naming `what`. */
uint64_t binding_duration(lua_State *L, int index, const char *what);

/* Raises the error of the operation `what`; what the system refused of a file
 * has kind "fs". */
int binding_fs_raise(lua_State *L, const char *what, const struct err *e);

/* Of core; each has its own comment. */
int binding_locale_files(lua_State *L);
int binding_locale_text(lua_State *L);
int binding_matcher(lua_State *L);
int binding_script_files(lua_State *L);
int binding_script_text(lua_State *L);
int binding_modules_list(lua_State *L);
int binding_api_problem(lua_State *L);
int binding_api_required(lua_State *L);
int binding_webapp_is_genuine(lua_State *L);
/* Of moonlet.test.core. */
int binding_webapp_sign(lua_State *L);

/* Is the value at the index a compiled expression of moonlet.re? */
bool binding_is_re(lua_State *L, int index);

/* Looks for the re at index `re` in the text at index `text`: pushes what
 * re:find returns and gives their number, 0 if there is no match; or pushes
 * an error table and gives -1. */
int binding_re_find(lua_State *L, int re, int text);

/* Replaces the table of parameters at the index by a copy with the texts and
 * entities of the pieces in it (moonlet.format), if it has any. */
void binding_flatten_pieces(lua_State *L, int index, const char *method);

/* Has a button in the parameters at the index more data than Telegram takes? */
bool binding_has_long_data(lua_State *L, int index);
/* With parameters and options at 1 and 2 and the call on top: makes the call
 * with what was stored in place of such data. For a tail call. */
int binding_store_data(lua_State *L, const char *method);

/* Sets an __index on the module table on top of the stack that raises "not
 * built yet: PREFIX.NAME" for the names (ends with NULL) and names what is
 * wrong for all others. */
void binding_close_module(lua_State *L, const char *prefix,
                          const char *const *not_built);

#endif
