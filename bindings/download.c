/*
 * What ctx:download is made of.
 */
#include "bindings/transfer.h"

#include "base/list.h"
#include "base/mem.h"
#include "bindings/support.h"
#include "store/file_ops.h"
#include "telegram/download.h"
#include "telegram/file_name.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct download_op {
    struct await await;
    struct download download;
    struct progress_box *progress;
};

/* Size and path; the name, if there is one, behind a NUL. */
static void put_result(struct buf *out, const struct download *d)
{
    struct buf name = {0};
    buf_printf(out, "%" PRId64 " %s", d->received, d->path);
    buf_putc(out, '\0');
    if (d->name)
        file_name_shown(&name, d->name);
    if (name.len > 0)
        buf_append(out, name.data, name.len);
    else
        buf_puts(out,
                 strrchr(d->path, '/') ? strrchr(d->path, '/') + 1 : d->path);
    buf_free(&name);
}

static void download_op_done(struct download *d, const struct err *e)
{
    struct download_op *op = LIST_ENTRY(d, struct download_op, download);
    struct await_result *result = await_result(&op->await);
    progress_end(op->progress);
    op->progress = NULL;
    result->err = *e;
    if (e->code == ERR_OK)
        put_result(&result->bytes, d);
    await_done(&op->await);
}

static int64_t figures(void *arg, int64_t *total)
{
    return download_progress(arg, total);
}

static void download_op_start(struct await *aw, const struct journal_row *row)
{
    struct download_op *op = (struct download_op *)aw;
    (void)row;
    op->download.done = download_op_done;
    if (op->progress)
        progress_begin(op->progress, figures, &op->download);
    download_start(&op->download);
}

static int download_push(lua_State *L, const struct await_result *result)
{
    char *path;
    if (result->err.code != ERR_OK)
        return binding_fs_raise(L, "download", &result->err);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, strtoll(result->bytes.data, &path, 10));
    lua_setfield(L, -2, "size");
    lua_pushstring(L, ++path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, path + strlen(path) + 1);
    lua_setfield(L, -2, "name");
    return 1;
}

static void download_op_cancel(struct await *aw)
{
    struct download_op *op = (struct download_op *)aw;
    progress_end(op->progress);
    download_cancel(&op->download);
    await_done(aw);
}

static void download_op_free(struct await *aw)
{
    struct download_op *op = (struct download_op *)aw;
    download_free(&op->download);
    free(op);
}

static const struct await_ops download_ops = {
    .op = "download",
    .effect = EFFECT_REPEATABLE,
    .start = download_op_start,
    .push = download_push,
    .cancel = download_op_cancel,
    .free = download_op_free,
};

/* The text of a field of the table at 1, which keeps it; NULL: none. */
static const char *text(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *value =
        lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
    return value;
}

static int64_t number(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    lua_Integer value = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return value > 0 ? value : 0;
}

static uint64_t read_timeout(lua_State *L, const struct services *services)
{
    uint64_t ms = services->download_timeout_ms;
    if (lua_getfield(L, 1, "timeout") != LUA_TNIL)
        ms = binding_duration(L, lua_gettop(L), "timeout");
    lua_pop(L, 1);
    return ms > 0 ? ms : 1;
}

/* The field is part of a path, if it is given. */
static void check_part(lua_State *L, const char *what, const char *field,
                       bool one_name)
{
    size_t len = 0;
    lua_getfield(L, 1, field);
    const char *part = lua_tolstring(L, -1, &len);
    const char *problem = part ? file_problem(part, len) : NULL;
    lua_pop(L, 1);
    if (!problem && part && one_name && strchr(part, '/'))
        problem = "must not hold \"/\": the folder is opts.to";
    if (problem)
        script_error_misuse(L, "ctx:download: %s %s", what, problem);
}

/* download(t): t has file_id, and maybe to, as, name, mime, size, max_size,
 * timeout, progress (a box). */
int binding_download(lua_State *L)
{
    const struct services *services = vm_services(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    const char *to = text(L, "to");
    check_part(L, "the folder", "to", false);
    check_part(L, "the name", "as", true);
    uint64_t timeout_ms = read_timeout(L, services);
    await_check(L);
    struct download_op *op = MEM_NEW(struct download_op);
    op->await.ops = &download_ops;
    op->download.transfers = services->transfers;
    op->download.file_id = text(L, "file_id");
    op->download.folder = to ? to : "";
    op->download.as = text(L, "as");
    op->download.name = text(L, "name");
    op->download.mime = text(L, "mime");
    op->download.size = number(L, "size");
    op->download.max_size = number(L, "max_size");
    op->download.class = api_class_of(L);
    op->download.timeout_ms = timeout_ms;
    lua_getfield(L, 1, "progress");
    op->progress = progress_at(L, -1);
    return await(L, &op->await, timeout_ms);
}
