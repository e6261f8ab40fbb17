/*
 * moonlet.fs: the bot's own files. All paths are relative to the folder
 * "files" in DATA_DIR and stay below it: names with "/" between two, at most
 * 1,000 bytes, without "." and ".."; symbolic links are not followed. Every
 * function waits without holding up other handlers. Its last argument may be
 * a table of options: `timeout`, a duration (default 30 seconds); a call that
 * timed out may still be carried out. What a function has changed is on disk
 * when it returns. Two calls are worked on at a time, in the order in which
 * they were made; while 1,000 wait, another one raises kind "limit". Wrong
 * arguments raise kind "misuse". What the system refuses raises kind "fs":
 * `message` names the path and the reason, `code` is the errno (2: no such
 * file).
 */
#include "bindings/support.h"

#include "base/list.h"
#include "base/mem.h"
#include "store/files.h"
#include "vm/await.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 30000
#define READ_DEFAULT ((size_t)16 << 20)
#define READ_MOST ((size_t)256 << 20)

struct fs_op {
    struct await await;
    struct files *files;
    struct file_job job;
    char *path;
    char *to;
};

/* A call whose arguments are being read; what it points to is on the stack of
 * the caller. */
struct fs_call {
    const struct await_ops *ops;
    struct file_request request;
    uint64_t timeout_ms;
};

/* push knows no operation: an error's result holds the function's name. */
static void fs_end(struct fs_op *op, const struct err *e)
{
    struct await_result *result = await_result(&op->await);
    result->err = *e;
    if (e->code == ERR_OK) {
        result->bytes = op->job.result;
        op->job.result = (struct buf){0};
    } else {
        buf_puts(&result->bytes, op->await.ops->op);
    }
    await_done(&op->await);
}

static void fs_done(struct file_job *job)
{
    fs_end(LIST_ENTRY(job, struct fs_op, job), &job->error);
}

static void fs_start(struct await *aw, const struct journal_row *row)
{
    struct fs_op *op = (struct fs_op *)aw;
    struct err e;
    (void)row;
    op->job.done = fs_done;
    if (files_start(op->files, &op->job, &e) != 0)
        fs_end(op, &e);
}

static void fs_cancel(struct await *aw)
{
    struct fs_op *op = (struct fs_op *)aw;
    if (files_cancel(&op->job))
        await_done(aw);
}

static void fs_free(struct await *aw)
{
    struct fs_op *op = (struct fs_op *)aw;
    files_job_free(&op->job);
    free(op->path);
    free(op->to);
    free(op);
}

int binding_fs_raise(lua_State *L, const char *what, const struct err *e)
{
    script_error_push_err(L, what, e);
    if (e->code == ERR_IO) {
        lua_pushliteral(L, "fs");
        lua_setfield(L, -2, "kind");
    }
    return lua_error(L);
}

static void check_result(lua_State *L, const struct await_result *result)
{
    if (result->err.code != ERR_OK)
        binding_fs_raise(L, result->bytes.data, &result->err);
}

static int push_nothing(lua_State *L, const struct await_result *result)
{
    check_result(L, result);
    return 0;
}

static int push_text(lua_State *L, const struct await_result *result)
{
    check_result(L, result);
    lua_pushlstring(L, result->bytes.data, result->bytes.len);
    return 1;
}

static void push_row(lua_State *L, const struct file_row *row)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, row->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, row->type);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, row->size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, row->modified);
    lua_setfield(L, -2, "modified");
}

static int push_rows(lua_State *L, const struct await_result *result)
{
    struct file_row row;
    size_t at = 0;
    check_result(L, result);
    lua_newtable(L);
    for (lua_Integer i = 1; file_row_next(&result->bytes, &at, &row); i++) {
        push_row(L, &row);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

static int push_one(lua_State *L, const struct await_result *result)
{
    struct file_row row;
    size_t at = 0;
    check_result(L, result);
    if (file_row_next(&result->bytes, &at, &row))
        push_row(L, &row);
    else
        lua_pushnil(L);
    return 1;
}

#define OPS(name, effect_of, push_of)                                          \
    {                                                                          \
        .op = (name), .effect = (effect_of), .start = fs_start,                \
        .push = (push_of), .cancel = fs_cancel, .free = fs_free                \
    }

static const struct await_ops fs_ops[FILE_OPS] = {
    [FILE_READ] = OPS("fs.read", EFFECT_READ, push_text),
    [FILE_WRITE] = OPS("fs.write", EFFECT_REPEATABLE, push_nothing),
    [FILE_APPEND] = OPS("fs.append", EFFECT_SEND, push_nothing),
    [FILE_LIST] = OPS("fs.list", EFFECT_READ, push_rows),
    [FILE_STAT] = OPS("fs.stat", EFFECT_READ, push_one),
    [FILE_REMOVE] = OPS("fs.remove", EFFECT_SEND, push_nothing),
    [FILE_RENAME] = OPS("fs.rename", EFFECT_SEND, push_nothing),
    [FILE_MKDIR] = OPS("fs.mkdir", EFFECT_REPEATABLE, push_nothing),
};

static const char *read_path(lua_State *L, int index,
                             const struct fs_call *call)
{
    size_t len;
    if (lua_type(L, index) != LUA_TSTRING)
        script_error_misuse(L, "%s: the path must be a text, got %s",
                            call->ops->op, luaL_typename(L, index));
    const char *path = lua_tolstring(L, index, &len);
    const char *problem = file_problem(path, len);
    if (problem)
        script_error_misuse(L, "%s: the path %s", call->ops->op, problem);
    return path;
}

static void read_text(lua_State *L, int index, struct fs_call *call)
{
    if (!lua_isstring(L, index))
        script_error_misuse(L, "%s: what to write must be a text, got %s",
                            call->ops->op, luaL_typename(L, index));
    call->request.text = lua_tolstring(L, index, &call->request.len);
}

static size_t read_max(lua_State *L)
{
    int is_whole;
    lua_Integer max = lua_tointegerx(L, -1, &is_whole);
    if (!is_whole || max < 1 || (size_t)max > READ_MOST)
        script_error_misuse(L,
                            "fs.read: max must be a number of bytes from 1 "
                            "to %zu",
                            READ_MOST);
    return (size_t)max;
}

static void read_options(lua_State *L, int index, struct fs_call *call)
{
    if (lua_isnoneornil(L, index))
        return;
    if (!lua_istable(L, index))
        script_error_misuse(L, "%s: the options must be a table, got %s",
                            call->ops->op, luaL_typename(L, index));
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name =
            lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "timeout") == 0)
            call->timeout_ms = binding_duration(L, lua_gettop(L), "timeout");
        else if (strcmp(name, "max") == 0 && call->request.op == FILE_READ)
            call->request.max = read_max(L);
        else
            script_error_misuse(L, "%s has no option \"%s\"", call->ops->op,
                                name);
    }
    if (call->timeout_ms == 0) /* which would be none */
        call->timeout_ms = 1;
}

static struct fs_call new_call(enum file_op op)
{
    return (struct fs_call){
        .ops = &fs_ops[op],
        .request = {.op = op, .max = READ_DEFAULT},
        .timeout_ms = TIMEOUT_MS,
    };
}

/* The text stays on the caller's stack until the work begins or the call is
 * cancelled; the paths are needed for longer. */
static int await_call(lua_State *L, const struct fs_call *call)
{
    const struct services *services = vm_services(L);
    await_check(L);
    struct fs_op *op = MEM_NEW(struct fs_op);
    op->await.ops = call->ops;
    op->files = services->files;
    op->job.request = call->request;
    op->job.request.path = op->path = mem_strdup(call->request.path);
    if (call->request.to)
        op->job.request.to = op->to = mem_strdup(call->request.to);
    return await(L, &op->await, call->timeout_ms);
}

/* A function whose arguments are a path and options. */
static int await_path(lua_State *L, enum file_op op)
{
    struct fs_call call = new_call(op);
    call.request.path = read_path(L, 1, &call);
    read_options(L, 2, &call);
    return await_call(L, &call);
}

/* A function whose arguments are a path, a text and options. */
static int await_text(lua_State *L, enum file_op op)
{
    struct fs_call call = new_call(op);
    call.request.path = read_path(L, 1, &call);
    read_text(L, 2, &call);
    read_options(L, 3, &call);
    return await_call(L, &call);
}

/* fs.read(path [, options]): the text of a file. options.max: its largest
 * size in bytes (default 16 MiB, at most 256 MiB); a larger file raises kind
 * "limit". */
static int fs_read(lua_State *L)
{
    return await_path(L, FILE_READ);
}

/* fs.write(path, text [, options]): makes the text the whole of a file, and
 * the folders that it needs. A file is never half written: whoever reads it,
 * and whatever happens, finds the old text or the new one. */
static int fs_write(lua_State *L)
{
    return await_text(L, FILE_WRITE);
}

/* fs.append(path, text [, options]): adds to the end of a file; makes it and
 * the folders that it needs. On a full disk a part may have been added. */
static int fs_append(lua_State *L)
{
    return await_text(L, FILE_APPEND);
}

/* fs.list([path [, options]]): what is in a folder, without a path in the
 * folder of all files: a list, sorted by name, of tables with `name`,
 * `type` ("file", "folder", or "other" for what fs does not open), `size`
 * (bytes of a file) and `modified` (Unix seconds). More than 10,000 names
 * raise kind "limit". */
static int fs_list(lua_State *L)
{
    struct fs_call call = new_call(FILE_LIST);
    call.request.path = lua_isnoneornil(L, 1) ? "" : read_path(L, 1, &call);
    read_options(L, 2, &call);
    return await_call(L, &call);
}

/* fs.stat(path [, options]): the table that fs.list has for this path, or nil
 * if there is nothing. */
static int fs_stat(lua_State *L)
{
    return await_path(L, FILE_STAT);
}

/* fs.remove(path [, options]): removes a file or an empty folder. */
static int fs_remove(lua_State *L)
{
    return await_path(L, FILE_REMOVE);
}

/* fs.rename(from, to [, options]): moves a file or a folder, and makes the
 * folders that `to` needs. A file that is there is replaced at once. */
static int fs_rename(lua_State *L)
{
    struct fs_call call = new_call(FILE_RENAME);
    call.request.path = read_path(L, 1, &call);
    call.request.to = read_path(L, 2, &call);
    read_options(L, 3, &call);
    return await_call(L, &call);
}

/* fs.mkdir(path [, options]): makes a folder and those above it. One that
 * exists already is fine. */
static int fs_mkdir(lua_State *L)
{
    return await_path(L, FILE_MKDIR);
}

static const luaL_Reg functions[] = {
    {"read", fs_read},     {"write", fs_write}, {"append", fs_append},
    {"list", fs_list},     {"stat", fs_stat},   {"remove", fs_remove},
    {"rename", fs_rename}, {"mkdir", fs_mkdir}, {NULL, NULL},
};

static const char *const not_built[] = {NULL};

int binding_fs(lua_State *L)
{
    luaL_newlib(L, functions);
    binding_close_module(L, "fs", not_built);
    return 1;
}
