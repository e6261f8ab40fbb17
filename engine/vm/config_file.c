#include "vm/config_file.h"

#include "base/buf.h"
#include "base/mem.h"
#include "vm/lua_json.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1024 * 1024)
#define STEPS_MAX 10000000 /* VM instructions of one config.lua */

/* What the protected part works with. */
struct reading {
    struct config_file *file;
    const char *name;
    const char *text;
    size_t len;
};

/* Skips a comment or string that starts at p; returns p if there is none. */
static const char *skip_opaque(const char *p, int *line)
{
    const char *start = p;
    bool comment = p[0] == '-' && p[1] == '-';
    if (comment)
        p += 2;
    if (p[0] == '[' && (p[1] == '[' || p[1] == '=')) {
        size_t level = strspn(p + 1, "=");
        if (p[1 + level] == '[') {
            for (p += level + 2; *p; p++) {
                *line += *p == '\n';
                if (*p == ']' && strspn(p + 1, "=") == level &&
                    p[1 + level] == ']')
                    return p + level + 2;
            }
            return p;
        }
    }
    if (comment)
        return p + strcspn(p, "\n");
    if (*p != '"' && *p != '\'')
        return start;
    char quote = *p++;
    for (; *p && *p != quote && *p != '\n'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p == quote ? p + 1 : p;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Line of the last `key =` in the source outside nested tables' depth: keys
 * of the returned table stand one brace deep. 0: not found. */
static int line_of(const char *text, const char *key)
{
    size_t key_len = strlen(key);
    int line = 1, depth = 0, found = 0;
    for (const char *p = text; *p;) {
        const char *after = skip_opaque(p, &line);
        if (after != p) {
            p = after;
            continue;
        }
        if (is_word(*p)) {
            size_t n = 0;
            while (is_word(p[n]))
                n++;
            const char *next = p + n + strspn(p + n, " \t]\"'");
            if (n == key_len && memcmp(p, key, n) == 0 && depth <= 1 &&
                next[0] == '=' && next[1] != '=')
                found = line;
            p += n;
            continue;
        }
        depth += (*p == '{') - (*p == '}');
        line += *p == '\n';
        p++;
    }
    return found;
}

static int read_env(lua_State *L)
{
    lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
    return 1;
}

static void stop_loop(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    luaL_error(L, "it computes for too long");
}

static void open_bare(lua_State *L)
{
    static const char *const gone[] = {"dofile", "loadfile", "load", "print",
                                       "collectgarbage", "warn", NULL};
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_settop(L, 0);
    for (const char *const *name = gone; *name; name++) {
        lua_pushnil(L);
        lua_setglobal(L, *name);
    }
    lua_pushcfunction(L, read_env);
    lua_setglobal(L, "env");
    lua_json_open(L);
    lua_sethook(L, stop_loop, LUA_MASKCOUNT, STEPS_MAX);
}

static int fail_value(lua_State *L, const struct reading *r, const char *key,
                      const char *why)
{
    lua_pushfstring(L, "%s:%d: %s %s", r->name, line_of(r->text, key), key,
                    why);
    return lua_error(L);
}

/* Appends the value on top of the stack as text. */
static void add_scalar(lua_State *L, const struct reading *r, const char *key,
                       struct buf *out)
{
    size_t len;
    const char *text = luaL_tolstring(L, -1, &len);
    if (len != strlen(text)) {
        buf_free(out);
        fail_value(L, r, key, "holds a zero byte");
    }
    buf_append(out, text, len);
    lua_pop(L, 1);
}

static bool is_scalar(int type)
{
    return type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
}

static void add_list(lua_State *L, const struct reading *r, const char *key,
                     struct buf *out)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            buf_putc(out, ',');
        if (!is_scalar(lua_rawgeti(L, -1, i))) {
            buf_free(out);
            fail_value(L, r, key, "may list only numbers and texts");
        }
        add_scalar(L, r, key, out);
        lua_pop(L, 1);
    }
}

/* The pair key, value is on top of the stack and stays there. */
static void add_row(lua_State *L, const struct reading *r)
{
    struct buf value = {0};
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "%s: the returned table may have only names as keys",
                   r->name);
    const char *key = lua_tostring(L, -2);
    int type = lua_type(L, -1);
    if (type == LUA_TTABLE)
        add_list(L, r, key, &value);
    else if (is_scalar(type))
        add_scalar(L, r, key, &value);
    else
        fail_value(L, r, key, "must be a text, a number or a boolean");
    struct config_file *f = r->file;
    f->rows = mem_grow(f->rows, f->count + 1, sizeof *f->rows);
    f->rows[f->count++] = (struct config_row){
        .key = mem_strdup(key),
        .value = buf_steal(&value),
        .line = line_of(r->text, key),
    };
}

static void take_app(lua_State *L, const struct reading *r)
{
    struct buf json = {0};
    if (lua_type(L, -1) != LUA_TTABLE)
        fail_value(L, r, "app", "must be a table");
    const char *why = lua_json_encode(L, -1, &json);
    if (why) {
        buf_free(&json);
        fail_value(L, r, "app", why);
    }
    r->file->app_json = buf_steal(&json);
}

static int run_file(lua_State *L)
{
    struct reading *r = lua_touserdata(L, 1);
    open_bare(L);
    lua_pushfstring(L, "=%s", r->name);
    if (luaL_loadbufferx(L, r->text, r->len, lua_tostring(L, -1), "t"))
        lua_error(L);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "%s: it must return a table of settings",
                          r->name);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING &&
            strcmp(lua_tostring(L, -2), "app") == 0)
            take_app(L, r);
        else
            add_row(L, r);
        lua_pop(L, 1);
    }
    return 0;
}

static int read_text(struct buf *text, const char *path, struct err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(e, ERR_CONFIG, errno, "%s: %s", path, strerror(errno));
    size_t n;
    do {
        n = fread(buf_reserve(text, 4096), 1, 4095, f);
        text->len += n;
    } while (n > 0 && text->len < FILE_MAX);
    bool bad = ferror(f) != 0;
    fclose(f);
    buf_append(text, "", 0);
    if (bad || text->len >= FILE_MAX)
        return err_set(e, ERR_CONFIG, 0, "%s: %s", path,
                       bad ? "cannot be read" : "is larger than 1 MiB");
    return 0;
}

int config_file_read(struct config_file *f, const char *path, struct err *e)
{
    struct buf text = {0};
    const char *slash = strrchr(path, '/');
    memset(f, 0, sizeof *f);
    err_set(e, ERR_OK, 0, "%s", "");
    if (read_text(&text, path, e) != 0) {
        buf_free(&text);
        return e->code;
    }
    struct reading r = {f, slash ? slash + 1 : path,
                        text.data ? text.data : "", text.len};
    lua_State *L = luaL_newstate();
    if (!L)
        abort();
    lua_pushcfunction(L, run_file);
    lua_pushlightuserdata(L, &r);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        const char *why = lua_tostring(L, -1);
        err_set(e, ERR_CONFIG, 0, "%s", why ? why : "config.lua broke");
        config_file_free(f);
    }
    lua_close(L);
    buf_free(&text);
    return e->code;
}

void config_file_free(struct config_file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->rows[i].key);
        free(f->rows[i].value);
    }
    free(f->rows);
    free(f->app_json);
    memset(f, 0, sizeof *f);
}
