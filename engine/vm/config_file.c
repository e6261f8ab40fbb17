#include "vm/config_file.h"

#include "base/buf.h"
#include "base/mem.h"
#include "loop/config.h"
#include "vm/lua_json.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHITE " \t\r\n\f\v"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define FILE_MAX (1024 * 1024)
#define STEPS_MAX 10000000 /* VM instructions of one config.lua */

/* What the protected part works with. */
struct reading {
    struct config_file *file;
    const char *name;
    const char *text;
    size_t len;
    const char *env_file;
};

static const char *skip_long(const char *p, int *line)
{
    size_t level = strspn(p + 1, "=");
    if (p[0] != '[' || p[1 + level] != '[')
        return p;
    for (p += level + 2; *p; p++) {
        *line += *p == '\n';
        if (*p == ']' && strspn(p + 1, "=") == level && p[1 + level] == ']')
            return p + level + 2;
    }
    return p;
}

static const char *skip_quoted(const char *p, int *line)
{
    char quote = *p++;
    while (*p && *p != quote && *p != '\n') {
        size_t n = 1;
        if (p[0] == '\\' && p[1]) /* \z swallows all white space behind it */
            n = 2 + (p[1] == 'z' ? strspn(p + 2, WHITE) : 0);
        for (; n > 0; n--)
            *line += *p++ == '\n';
    }
    return *p == quote ? p + 1 : p;
}

/* Skips a comment or string that starts at p; returns p if there is none. */
static const char *skip_opaque(const char *p, int *line)
{
    if (*p == '"' || *p == '\'')
        return skip_quoted(p, line);
    if (p[0] != '-' || p[1] != '-')
        return skip_long(p, line);
    const char *end = skip_long(p + 2, line);
    return end != p + 2 ? end : p + strcspn(p, "\n");
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Behind the key that stands at p, as key or ["key"]; NULL: it does not. */
static const char *match_key(const char *p, const char *key)
{
    char quote = '\0';
    if (*p == '[') {
        quote = *(p += 1 + strspn(p + 1, WHITE));
        if (quote != '"' && quote != '\'')
            return NULL;
        p++;
    }
    if (strncmp(p, key, strlen(key)) != 0)
        return NULL;
    p += strlen(key);
    if (!quote)
        return is_word(*p) ? NULL : p;
    if (*p != quote)
        return NULL;
    p += 1 + strspn(p + 1, WHITE);
    return *p == ']' ? p + 1 : NULL;
}

static bool is_assigned(const char *p)
{
    p += strspn(p, WHITE);
    return p[0] == '=' && p[1] != '=';
}

/* Line of the last `key =` that is not inside a nested table (keys of the
 * returned table stand one brace deep), or of the last `return`. 0: none. */
static int find_line(const char *text, const char *key)
{
    bool is_return = strcmp(key, "return") == 0;
    int line = 1, depth = 0, found = 0;
    for (const char *p = text; *p;) {
        const char *after = depth <= 1 ? match_key(p, key) : NULL;
        if (after && (is_return || is_assigned(after)))
            found = line;
        after = skip_opaque(p, &line);
        if (after != p) {
            p = after;
        } else if (is_word(*p)) {
            while (is_word(*p))
                p++;
        } else {
            depth += (*p == '{') - (*p == '}');
            line += *p++ == '\n';
        }
    }
    return found;
}

/* A key that the text does not show (it was computed) stands where the table
 * is returned. */
static int line_of(const struct reading *r, const char *key)
{
    int line = find_line(r->text, key);
    if (!line)
        line = find_line(r->text, "return");
    return line ? line : 1;
}

static void note_asked(struct config_file *f, const char *name)
{
    f->asked = mem_grow(f->asked, f->asked_count + 2, sizeof *f->asked);
    f->asked[f->asked_count++] = mem_strdup(name);
    f->asked[f->asked_count] = NULL;
}

static int read_env(lua_State *L)
{
    const struct reading *r = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 1);
    const char *value = getenv(name);
    note_asked(r->file, name);
    if (value || !r->env_file) {
        lua_pushstring(L, value);
        return 1;
    }
    char *own = config_env_value(r->env_file, name);
    lua_pushstring(L, own);
    free(own);
    return 1;
}

/* Fires at each step from then on, so that no pcall can hide it. */
static void stop_loop(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_sethook(L, stop_loop, LUA_MASKCOUNT, 1);
    lua_pushstring(L, "it computes for too long");
    lua_error(L);
}

/* Message handler: lets every text begin with the file's name and line. */
static int place_error(lua_State *L)
{
    const struct reading *r = lua_touserdata(L, lua_upvalueindex(1));
    const char *text = lua_tostring(L, 1);
    size_t len = strlen(r->name);
    lua_Debug ar = {.currentline = 0};
    if (!text)
        text = "it raised a value that is no text";
    if (strncmp(text, r->name, len) == 0 && text[len] == ':')
        return 1;
    for (int i = 0; ar.currentline <= 0 && lua_getstack(L, i, &ar); i++)
        lua_getinfo(L, "l", &ar);
    lua_pushfstring(L, "%s:%d: %s", r->name,
                    ar.currentline > 0 ? ar.currentline : 1, text);
    return 1;
}

static void open_bare(lua_State *L, struct reading *r)
{
    static const char *const gone[] = {
        "dofile", "loadfile", "load", "print", "collectgarbage", "warn", NULL};
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_settop(L, 0);
    for (const char *const *name = gone; *name; name++) {
        lua_pushnil(L);
        lua_setglobal(L, *name);
    }
    lua_pushlightuserdata(L, r);
    lua_pushcclosure(L, read_env, 1);
    lua_setglobal(L, "env");
    lua_json_open(L);
    lua_sethook(L, stop_loop, LUA_MASKCOUNT, STEPS_MAX);
}

static int fail_value(lua_State *L, const struct reading *r, const char *key,
                      const char *why)
{
    lua_pushfstring(L, "%s:%d: %s %s", r->name, line_of(r, key), key, why);
    return lua_error(L);
}

/* Appends the value on top of the stack as text. */
static void add_scalar(lua_State *L, const struct reading *r, const char *key,
                       struct buf *out)
{
    size_t len;
    int whole = 0;
    lua_Integer n = lua_tointegerx(L, -1, &whole);
    if (lua_type(L, -1) == LUA_TNUMBER && whole) {
        buf_int(out, n); /* 8 / 2 is 4, not 4.0 */
        return;
    }
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
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        count++;
    if (count != n)
        fail_value(L, r, key, "must be a list: its keys are 1, 2, 3");
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
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (!*key || strlen(key) != lua_rawlen(L, -2))
        fail_value(L, r, "return", "may have only names as keys");
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
        .line = line_of(r, key),
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
        lua_pushfstring(L, "cannot be handed to scripts: %s", why);
        fail_value(L, r, "app", lua_tostring(L, -1));
    }
    r->file->app_json = buf_steal(&json);
}

/* Lua's own order of keys is another one at each start. */
static int by_line(const void *a, const void *b)
{
    const struct config_row *x = a, *y = b;
    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
                              : strcmp(x->key, y->key);
}

/* Lua ends what it says of a syntax error with the text that it stands near,
 * which may be the token of a bot. The file's name is our own. */
static int fail_syntax(lua_State *L, const struct reading *r)
{
    const char *text = lua_tostring(L, -1);
    size_t len = strlen(r->name);
    const char *near = strlen(text) > len ? strstr(text + len, " near ") : NULL;
    if (near)
        lua_pushlstring(L, text, (size_t)(near - text));
    return lua_error(L);
}

static int run_file(lua_State *L)
{
    struct reading *r = lua_touserdata(L, 1);
    open_bare(L, r);
    lua_pushfstring(L, "=%s", r->name);
    if (luaL_loadbufferx(L, r->text, r->len, lua_tostring(L, -1), "t"))
        return fail_syntax(L, r);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return fail_value(L, r, "return", "must give a table of settings");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING &&
            strcmp(lua_tostring(L, -2), "app") == 0)
            take_app(L, r);
        else
            add_row(L, r);
        lua_pop(L, 1);
    }
    if (r->file->count > 0)
        qsort(r->file->rows, r->file->count, sizeof *r->file->rows, by_line);
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

int config_file_read(struct config_file *f, const char *path,
                     const char *env_file, struct err *e)
{
    struct buf text = {0};
    const char *slash = strrchr(path, '/');
    memset(f, 0, sizeof *f);
    err_set(e, ERR_OK, 0, "%s", "");
    if (read_text(&text, path, e) != 0) {
        buf_free(&text);
        return e->code;
    }
    const char *begin = text.data ? text.data : "";
    size_t mark = strncmp(begin, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    struct reading r = {f, slash ? slash + 1 : path, begin + mark,
                        text.len - mark, env_file};
    lua_State *L = luaL_newstate();
    if (!L)
        abort();
    lua_pushlightuserdata(L, &r);
    lua_pushcclosure(L, place_error, 1);
    lua_pushcfunction(L, run_file);
    lua_pushlightuserdata(L, &r);
    if (lua_pcall(L, 1, 0, 1) != LUA_OK) {
        err_set(e, ERR_CONFIG, 0, "%s", lua_tostring(L, -1));
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
    for (size_t i = 0; i < f->asked_count; i++)
        free(f->asked[i]);
    free(f->asked);
    free(f->rows);
    free(f->app_json);
    memset(f, 0, sizeof *f);
}
