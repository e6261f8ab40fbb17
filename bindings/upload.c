/*
 * Files in the parameters of an API call.
 */
#include "bindings/transfer.h"

#include "base/botapi.h"
#include "base/list.h"
#include "base/mem.h"
#include "bindings/support.h"
#include "store/file_ops.h"
#include "telegram/upload.h"
#include "vm/script_error.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_AT 3    /* on the stack, behind the arguments of the call */
#define DEPTH_MAX 64 /* of tables in parameters that may hold files */

/* What stands for a file until the parameters are JSON. No text of theirs gives
 * these bytes: its quotes are written as \". */
#define STAND_IN "moonlet.file"
static const char stand_in[] = "{\"" STAND_IN "\":";

struct upload_list {
    size_t count;
    struct upload_file files[UPLOAD_FILES_MAX];
};

/* --- finding files */

struct walk {
    lua_State *L;
    const char *method;
    bool anywhere;
    int list; /* its index; 0: none was found */
    int depth;
    int item; /* of an album, from 0; -1: outside of one */
};

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* { path = } or { data = }, maybe with a name, and nothing else. */
static bool is_file(lua_State *L, int index)
{
    static const char *const keys[] = {"path", "data", "name", NULL};
    bool source = false;
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        const char *key =
            lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (!is_one_of(key, keys)) {
            lua_pop(L, 1);
            return false;
        }
        source = source || strcmp(key, "name") != 0;
    }
    return source;
}

/* The text in the field of the file on top; NULL: there is none. It stays
 * with the file's table. */
static const char *text_field(struct walk *w, const char *name, size_t *len)
{
    lua_State *L = w->L;
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
        script_error_misuse(L, "%s: the %s of a file must be a text, got %s",
                            w->method, name, luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, len);
    lua_pop(L, 1);
    return text;
}

static void check_source(struct walk *w, const struct upload_file *f,
                         size_t path_len)
{
    const char *problem = f->path ? file_problem(f->path, path_len) : NULL;
    if (f->path && f->data)
        script_error_misuse(w->L, "%s: a file has either path or data",
                            w->method);
    if (problem)
        script_error_misuse(w->L, "%s: the path %s", w->method, problem);
}

static const char *last_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "file";
}

/* Room for one more. */
static struct upload_file *new_file(struct walk *w)
{
    lua_State *L = w->L;
    if (w->list == 0) {
        struct upload_list *made = lua_newuserdatauv(L, sizeof(*made), 1);
        made->count = 0;
        lua_newtable(L); /* the tables of the files, whose texts are borrowed */
        lua_setiuservalue(L, -2, 1);
        w->list = LIST_AT;
        lua_replace(L, w->list);
    }
    struct upload_list *list = lua_touserdata(L, w->list);
    if (list->count == UPLOAD_FILES_MAX)
        script_error_misuse(L, "%s: a call carries at most %d files", w->method,
                            UPLOAD_FILES_MAX);
    struct upload_file *f = &list->files[list->count++];
    *f = (struct upload_file){.item = w->item};
    return f;
}

/* Their texts may not go while the call runs, whatever becomes of the
 * author's table: copies of the pointers are kept by a table of our own. */
static void anchor(struct walk *w, size_t number)
{
    static const char *const names[] = {"path", "data", "name"};
    lua_State *L = w->L;
    lua_getiuservalue(L, w->list, 1);
    for (int i = 0; i < 3; i++) {
        lua_pushstring(L, names[i]);
        lua_rawget(L, -3);
        lua_rawseti(L, -2, (lua_Integer)number * 3 + i);
    }
    lua_pop(L, 1);
}

/* The file on top gives way to what stands for it. */
static void take_file(struct walk *w, const char *kind)
{
    lua_State *L = w->L;
    size_t path_len = 0, len;
    struct upload_file *f = new_file(w);
    const struct upload_list *list = lua_touserdata(L, w->list);
    f->path = text_field(w, "path", &path_len);
    f->data = text_field(w, "data", &f->len);
    f->name = text_field(w, "name", &len);
    f->kind = kind;
    check_source(w, f, path_len);
    if (!f->name)
        f->name = last_name(f->path);
    anchor(w, list->count - 1);
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, (lua_Integer)list->count - 1);
    lua_setfield(L, -2, STAND_IN);
}

/* What the result calls the file of a parameter at the top. */
static const char *kind_of_param(const struct walk *w, const char *name)
{
    static const char *const kinds[] = {"animation", "audio",      "document",
                                        "photo",     "sticker",    "video",
                                        "voice",     "video_note", NULL};
    if (strncasecmp(w->method, "send", 4) != 0 ||
        strcasecmp(w->method, "sendLivePhoto") == 0 ||
        strcasecmp(w->method, "sendPaidMedia") == 0)
        return NULL;
    for (const char *const *kind = kinds; *kind; kind++)
        if (strcmp(*kind, name) == 0)
            return *kind;
    return NULL;
}

/* The same for the media of the item on top. */
static const char *kind_of_item(struct walk *w, const char *field)
{
    static const char *const kinds[] = {"animation", "audio", "document",
                                        "photo",     "video", NULL};
    const char *kind = NULL;
    if (strcmp(field, "media") != 0 ||
        (w->item < 0 && strcasecmp(w->method, "editMessageMedia") != 0))
        return NULL;
    lua_pushliteral(w->L, "type");
    lua_rawget(w->L, -2);
    const char *type =
        lua_type(w->L, -1) == LUA_TSTRING ? lua_tostring(w->L, -1) : "";
    for (const char *const *k = kinds; *k && !kind; k++)
        kind = strcmp(*k, type) == 0 ? *k : NULL;
    lua_pop(w->L, 1);
    return kind;
}

/* Fields that the tables call texts, and that take attach:// all the same. */
static bool takes_file(const char *type, const struct botapi_field *f)
{
    static const char *const names[] = {"animation", "cover",   "media",
                                        "photo",     "sticker", "thumbnail",
                                        "video",     NULL};
    return botapi_has_type(f->types, "InputFile") ||
           (strncmp(type, "Input", 5) == 0 &&
            botapi_has_type(f->types, "String") && is_one_of(f->name, names));
}

/* The value on top of the stack is a copy of the table at index before. */
static void copy_table(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, index);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    if (lua_getmetatable(L, index))
        lua_setmetatable(L, -2);
}

static bool walk_types(struct walk *w, const char *types, bool *copied);

/* The table on top is searched; a copy is in its place if it held files. */
static bool walk_table(struct walk *w, const char *types)
{
    bool copied = false;
    if (w->depth == DEPTH_MAX)
        return false;
    luaL_checkstack(w->L, 12, "parameters nest too deep");
    w->depth++;
    walk_types(w, types, &copied);
    w->depth--;
    return copied;
}

/* Puts the value on top into the table below it, which is copied first. */
static void replace_field(struct walk *w, const char *name, lua_Integer number,
                          bool *copied)
{
    lua_State *L = w->L;
    if (!*copied) {
        copy_table(L, -2);
        lua_replace(L, -3);
        *copied = true;
    }
    if (!name) {
        lua_rawseti(L, -2, number);
        return;
    }
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

/* One field of the table on top. */
static void walk_field(struct walk *w, const char *type,
                       const struct botapi_field *f, bool *copied)
{
    lua_State *L = w->L;
    bool takes = takes_file(type, f);
    if (!takes && !strstr(f->types, "Input"))
        return;
    lua_pushstring(L, f->name);
    lua_rawget(L, -2);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (takes && is_file(L, -1)) {
        lua_pushvalue(L, -2);
        const char *kind =
            *type ? kind_of_item(w, f->name) : kind_of_param(w, f->name);
        lua_pop(L, 1);
        take_file(w, kind);
        replace_field(w, f->name, 0, copied);
    } else if (walk_table(w, f->types)) {
        replace_field(w, f->name, 0, copied);
    } else {
        lua_pop(L, 1);
    }
}

static void walk_list(struct walk *w, const char *element, bool *copied)
{
    lua_State *L = w->L;
    bool album = w->depth == 1 && strcasecmp(w->method, "sendMediaGroup") == 0;
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        if (album)
            w->item = (int)i - 1;
        if (lua_istable(L, -1) && walk_table(w, element))
            replace_field(w, NULL, i, copied);
        else
            lua_pop(L, 1);
        if (album)
            w->item = -1;
    }
}

static bool walk_types(struct walk *w, const char *types, bool *copied)
{
    char name[BOTAPI_NAME_MAX];
    while (botapi_each_type(&types, name)) {
        const char *element = botapi_element(name);
        const struct botapi_type *t = element ? NULL : botapi_type(name);
        if (element)
            walk_list(w, element, copied);
        if (t && t->one_of)
            walk_types(w, t->one_of, copied);
        for (size_t i = 0; t && i < t->fields_count; i++)
            walk_field(w, t->name, &t->fields[i], copied);
    }
    return *copied;
}

/* What the tables do not know: files may stand at the top. */
static void walk_unknown(struct walk *w, bool *copied)
{
    lua_State *L = w->L;
    lua_pushvalue(L, -1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !lua_istable(L, -1) ||
            !is_file(L, -1))
            continue;
        take_file(w, NULL);
        if (!*copied) { /* below: what is searched, its key, what stands for it
                         */
            copy_table(L, -4);
            lua_replace(L, -5);
            *copied = true;
        }
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -6);
    }
    lua_pop(L, 1);
}

/* Raises if a file stands where the tables allow none. */
static void check_none(struct walk *w)
{
    lua_State *L = w->L;
    if (w->depth == DEPTH_MAX)
        return;
    luaL_checkstack(L, 4, "parameters nest too deep");
    w->depth++;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (!lua_istable(L, -1))
            continue;
        if (is_file(L, -1))
            script_error_misuse(L,
                                "%s takes no file here: \"%s\"; a file may be "
                                "where the Bot API takes an InputFile",
                                w->method,
                                lua_type(L, -2) == LUA_TSTRING
                                    ? lua_tostring(L, -2)
                                    : "in a list");
        check_none(w);
    }
    w->depth--;
}

struct upload_list *upload_collect(lua_State *L, const char *method,
                                   bool anywhere)
{
    const struct botapi_method *m = botapi_method(method);
    struct walk w = {.L = L, .method = method, .item = -1};
    bool copied = false;
    if (!lua_istable(L, 1))
        return NULL;
    lua_settop(L, LIST_AT);
    lua_pushvalue(L, 1);
    for (size_t i = 0; m && i < m->params_count; i++)
        walk_field(&w, "", &m->params[i], &copied);
    if (!m || anywhere)
        walk_unknown(&w, &copied);
    else
        check_none(&w);
    lua_replace(L, 1);
    return w.list ? lua_touserdata(L, w.list) : NULL;
}

void upload_place(struct upload_list *list, struct buf *params)
{
    const char *at = params->data, *end = at + params->len, *found;
    struct buf out = {0};
    while ((found = memmem(at, (size_t)(end - at), stand_in,
                           sizeof(stand_in) - 1)) != NULL) {
        char *rest;
        buf_append(&out, at, (size_t)(found - at));
        at = found + sizeof(stand_in) - 1;
        unsigned long n = strtoul(at, &rest, 10);
        if (n >= list->count || *rest != '}') { /* a table of the script's */
            buf_puts(&out, stand_in);
            continue;
        }
        list->files[n].at = out.len;
        buf_printf(&out, "\"attach://file%lu\"", n);
        at = rest + 1;
    }
    buf_append(&out, at, (size_t)(end - at));
    buf_free(params);
    *params = out;
}

/* --- the call */

struct upload_op {
    struct await await;
    struct upload upload;
    struct progress_box *progress;
    struct buf params;
    char method[];
};

static void upload_op_done(struct upload *u, const struct err *e)
{
    struct upload_op *op = LIST_ENTRY(u, struct upload_op, upload);
    progress_end(op->progress);
    op->progress = NULL;
    api_put_result(&op->await, &u->call, op->method, e);
    await_done(&op->await);
}

static int64_t figures(void *arg, int64_t *total)
{
    return upload_progress(arg, total);
}

static void upload_op_start(struct await *aw, const struct journal_row *row)
{
    struct upload_op *op = (struct upload_op *)aw;
    (void)row;
    op->upload.method = op->method;
    op->upload.params = op->params.data;
    op->upload.params_len = op->params.len;
    op->upload.done = upload_op_done;
    if (op->progress)
        progress_begin(op->progress, figures, &op->upload);
    upload_start(&op->upload);
}

static void upload_op_cancel(struct await *aw)
{
    struct upload_op *op = (struct upload_op *)aw;
    progress_end(op->progress);
    upload_cancel(&op->upload);
    await_done(aw);
}

static void upload_op_free(struct await *aw)
{
    struct upload_op *op = (struct upload_op *)aw;
    upload_free(&op->upload);
    buf_free(&op->params);
    free(op);
}

static const struct await_ops upload_ops = {
    .op = "api",
    .effect = EFFECT_SEND,
    .start = upload_op_start,
    .push = api_push_result,
    .cancel = upload_op_cancel,
    .free = upload_op_free,
};

int upload_await(lua_State *L, const struct upload_args *args)
{
    const struct services *services = vm_services(L);
    struct upload_op *op = mem_zero(1, sizeof(*op) + strlen(args->method) + 1);
    strcpy(op->method, args->method);
    op->await.ops = &upload_ops;
    op->params = args->params;
    op->upload.transfers = services->transfers;
    op->upload.files = args->list->files;
    op->upload.count = args->list->count;
    op->upload.quiet = args->quiet;
    op->upload.call = args->call;
    op->progress = args->progress;
    return await(L, &op->await, args->timeout_ms);
}
