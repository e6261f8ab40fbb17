#ifndef MOONLET_BINDINGS_TRANSFER_H
#define MOONLET_BINDINGS_TRANSFER_H

/*
 * What API calls with files, downloads and their progress share.
 */

#include "base/buf.h"
#include "telegram/api.h"
#include "vm/await.h"

#include <lua.h>
#include <stdbool.h>

struct progress_box;
struct upload_list;

/* Looks for files ({ path = } or { data = }) in the parameters at index 1; at
 * 2 may be the options, and nothing above. NULL: there are none. Else a copy
 * of the parameters that has stand-ins in their place is at 1, and the list (a
 * userdata) at 3; both have to stay there while the call runs. Raises misuse
 * where no file may be; anywhere: it may be in any parameter. */
struct upload_list *upload_collect(lua_State *L, const char *method,
                                   bool anywhere);

/* Puts texts in place of the stand-ins once the parameters are JSON. */
void upload_place(struct upload_list *list, struct buf *params);

/* A call with the files of the list. Takes params (JSON); class and
 * on_unknown of the call count. progress: NULL, or a box on the stack. Tail
 * call only. */
struct upload_args {
    struct upload_list *list;
    const char *method;
    struct buf params;
    struct api_call call;
    uint64_t timeout_ms;
    bool quiet;
    struct progress_box *progress;
};
int upload_await(lua_State *L, const struct upload_args *args);

/* Of bindings/api.c. */
void api_put_result(struct await *aw, const struct api_call *call,
                    const char *method, const struct err *e);
int api_push_result(lua_State *L, const struct await_result *result);
enum limiter_class api_class_of(lua_State *L);

/* Where a transfer says how far it is: a userdata that scripts of the library
 * wait on: progress_box. NULL unless the value is one. */
struct progress_box *progress_at(lua_State *L, int index);
/* From now on `figures` tells bytes done and in all (0: not known). Borrowed
 * until progress_end. */
void progress_begin(struct progress_box *b,
                    int64_t (*figures)(void *arg, int64_t *total), void *arg);
void progress_end(struct progress_box *b); /* NULL is allowed */

/* Calls, in place of the running function, the library's function that makes
 * a call (on top of the stack) with a progress; its two arguments are at 1
 * and 2. Tail call only. */
int progress_follow(lua_State *L);

#endif
