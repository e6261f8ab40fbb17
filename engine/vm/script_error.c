#include "vm/script_error.h"

#include "base/buf.h"
#include "base/mem.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META "moonlet.error"
#define TRACE_FRAMES 20
#define LEVELS_MAX 1000 /* lua_getstack walks from the top at each call */

void script_error_clear(struct script_error *e)
{
    free(e->kind);
    free(e->message);
    free(e->script);
    free(e->traceback);
    memset(e, 0, sizeof *e);
}

struct script_error script_error_copy(const struct script_error *e)
{
    return (struct script_error){
        .kind = mem_strdup(e->kind),
        .message = mem_strdup(e->message),
        .script = mem_strdup(e->script),
        .line = e->line,
        .traceback = mem_strdup(e->traceback),
    };
}

/* Leaves the text on the stack, which may be its only holder. */
static const char *text_field(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    return lua_tostring(L, -1);
}

/* "main.lua:31: sendMessage: Bad Request: chat not found" */
static int error_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *script = text_field(L, 1, "script");
    const char *method = text_field(L, 1, "method");
    const char *message = text_field(L, 1, "message");
    lua_getfield(L, 1, "line");
    lua_Integer line = lua_tointeger(L, -1);
    if (!message)
        message = "unknown error";
    lua_pushfstring(L, "%s%s%s", method ? method : "", method ? ": " : "",
                    message);
    if (script && *script)
        lua_pushfstring(L, "%s:%d: %s", script, (int)line, lua_tostring(L, -1));
    return 1;
}

void script_error_open(lua_State *L)
{
    luaL_newmetatable(L, META);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    /* A script with its hands on it could make reading a field raise. */
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* The author's innermost frame from *level on, which moves behind it. */
static bool next_frame(lua_State *L, int *level, lua_Debug *ar)
{
    while (*level < LEVELS_MAX && lua_getstack(L, (*level)++, ar)) {
        lua_getinfo(L, "nSl", ar);
        if (ar->source[0] == '@')
            return true;
    }
    return false;
}

/* Sets script and line of the table on top to the author's innermost frame. */
static void add_place(lua_State *L)
{
    lua_Debug ar;
    int level = 0;
    if (!next_frame(L, &level, &ar))
        return;
    lua_pushstring(L, ar.source + 1);
    lua_setfield(L, -2, "script");
    lua_pushinteger(L, ar.currentline);
    lua_setfield(L, -2, "line");
}

static void add_frame(struct buf *b, const lua_Debug *ar)
{
    if (b->len)
        buf_putc(b, '\n');
    buf_printf(b, "%s:%d: in ", ar->source + 1, ar->currentline);
    if (strcmp(ar->what, "main") == 0)
        buf_puts(b, "main chunk");
    else if (ar->name)
        buf_printf(b, "function '%s'", ar->name);
    else
        buf_printf(b, "function <%s:%d>", ar->source + 1, ar->linedefined);
}

static char *traceback_of(lua_State *L)
{
    struct buf b = {0};
    lua_Debug ar;
    int level = 0;
    for (int shown = 0; next_frame(L, &level, &ar); shown++) {
        if (shown == TRACE_FRAMES) {
            buf_puts(&b, "\n...");
            break;
        }
        add_frame(&b, &ar);
    }
    return buf_steal(&b);
}

/* Sets the traceback of the table on top: the author's frames alone. */
static void add_traceback(lua_State *L)
{
    char *text = traceback_of(L);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "traceback");
    free(text);
}

void script_error_locate(struct script_error *out, lua_State *L,
                         const char *kind, const char *fmt, ...)
{
    char text[512];
    lua_Debug ar;
    int level = 0;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    bool found = next_frame(L, &level, &ar);
    *out = (struct script_error){
        .kind = mem_strdup(kind),
        .message = mem_strdup(text),
        .script = mem_strdup(found ? ar.source + 1 : ""),
        .line = found ? ar.currentline : 0,
        .traceback = traceback_of(L),
    };
}

static void push_plain(lua_State *L, const char *kind)
{
    lua_createtable(L, 0, 8);
    luaL_setmetatable(L, META);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "retryable");
}

int script_error_push(lua_State *L, const char *kind, const char *message)
{
    push_plain(L, kind);
    lua_pushstring(L, message);
    lua_setfield(L, -2, "message");
    add_place(L);
    return 1;
}

/* The others keep what libraries say, which scripts cannot look up. */
static bool has_code(enum err_code code)
{
    return code == ERR_API || code == ERR_DB || code == ERR_IO;
}

/* As an integer if it is one. */
static void push_number(lua_State *L, double number)
{
    lua_Integer whole;
    if (lua_numbertointeger(number, &whole) && (double)whole == number)
        lua_pushinteger(L, whole);
    else
        lua_pushnumber(L, number);
}

int script_error_push_err(lua_State *L, const char *what, const struct err *e)
{
    script_error_push(L, err_kind(e->code), e->message);
    lua_pushstring(L, what);
    lua_setfield(L, -2, "method");
    lua_pushboolean(L, e->retryable);
    lua_setfield(L, -2, "retryable");
    if (e->detail && has_code(e->code)) {
        lua_pushinteger(L, e->detail);
        lua_setfield(L, -2, "code");
    }
    if (e->retry_after > 0) {
        push_number(L, e->retry_after);
        lua_setfield(L, -2, "retry_after");
    }
    return 1;
}

int script_error_raise(lua_State *L, const char *what, const struct err *e)
{
    script_error_push_err(L, what, e);
    lua_error(L);
    abort(); /* lua_error does not return, but is not declared so */
}

int script_error_misuse(lua_State *L, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    script_error_push(L, "misuse", text);
    lua_error(L);
    abort();
}

/* Pushes the script's name; Lua shortens a long one to "...its/end.lua". */
static void push_script(lua_State *L, const char *name, size_t len)
{
    lua_Debug ar;
    int level = 0;
    bool cut = len > 3 && memcmp(name, "...", 3) == 0;
    while (cut && next_frame(L, &level, &ar)) {
        size_t whole = strlen(ar.source + 1);
        if (whole >= len - 3 &&
            memcmp(ar.source + 1 + whole - (len - 3), name + 3, len - 3) == 0) {
            lua_pushstring(L, ar.source + 1);
            return;
        }
    }
    lua_pushlstring(L, name, len);
}

/* Splits "main.lua:31: text" into the fields of the table on top. Other
 * prefixes (of the shipped library, of load) stay in the text. */
static void add_parsed_message(lua_State *L, const char *text)
{
    const char *colon = strchr(text, ':');
    char *end;
    if (colon && colon - text > 4 && memcmp(colon - 4, ".lua", 4) == 0) {
        long line = strtol(colon + 1, &end, 10);
        if (line > 0 && end[0] == ':' && end[1] == ' ') {
            push_script(L, text, (size_t)(colon - text));
            lua_setfield(L, -2, "script");
            lua_pushinteger(L, line);
            lua_setfield(L, -2, "line");
            text = end + 2;
        }
    }
    lua_pushstring(L, text);
    lua_setfield(L, -2, "message");
}

/* Pushes what the author has given as text: a field or a __tostring. False:
 * neither. Leaves more on the stack. */
static bool push_own_text(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TTABLE) {
        lua_pushstring(L, "message");
        lua_rawget(L, index);
        if (lua_type(L, -1) == LUA_TSTRING)
            return true;
    }
    return luaL_callmeta(L, index, "__tostring") &&
           lua_type(L, -1) == LUA_TSTRING;
}

/* Pushes a text for an error value that is no string: no addresses. */
static void push_described(lua_State *L, int index)
{
    int top = lua_gettop(L);
    int type = lua_type(L, index);
    if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER)
        luaL_tolstring(L, index, NULL);
    else if (!push_own_text(L, index))
        lua_pushfstring(L, "(the error value is a %s)", lua_typename(L, type));
    lua_insert(L, top + 1);
    lua_settop(L, top + 1);
}

/* Gives the table on top what callers may look at in the author's table. */
static void add_own_fields(lua_State *L, int index)
{
    static const char *const names[] = {"code", "retry_after", "retryable",
                                        NULL};
    if (lua_type(L, index) != LUA_TTABLE)
        return;
    for (const char *const *name = names; *name; name++) {
        lua_pushstring(L, *name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, index) == LUA_TNIL)
            lua_pop(L, 2);
        else
            lua_rawset(L, -3);
    }
}

static bool is_error_table(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, META);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* Of the table on top. */
static bool lacks(lua_State *L, const char *field)
{
    bool absent = lua_getfield(L, -1, field) == LUA_TNIL;
    lua_pop(L, 1);
    return absent;
}

void script_error_trace(lua_State *L)
{
    if (lacks(L, "traceback"))
        add_traceback(L);
}

int script_error_push_copy(lua_State *L, const struct script_error *e)
{
    push_plain(L, e->kind);
    lua_pushstring(L, e->message);
    lua_setfield(L, -2, "message");
    lua_pushstring(L, e->script);
    lua_setfield(L, -2, "script");
    lua_pushinteger(L, e->line);
    lua_setfield(L, -2, "line");
    lua_pushstring(L, e->traceback);
    lua_setfield(L, -2, "traceback");
    return 1;
}

int script_error_handler(lua_State *L)
{
    lua_settop(L, 1);
    if (is_error_table(L, 1)) {
        if (lacks(L, "script")) /* made with no author's frame around it */
            add_place(L);
        script_error_trace(L);
        return 1;
    }
    push_plain(L, "script");
    add_place(L);
    if (lua_type(L, 1) == LUA_TSTRING) {
        add_parsed_message(L, lua_tostring(L, 1));
    } else {
        push_described(L, 1);
        lua_setfield(L, -2, "message");
        lua_pushvalue(L, 1);
        lua_setfield(L, -2, "value");
        add_own_fields(L, 1);
    }
    add_traceback(L);
    return 1;
}

static char *copy_field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    const char *text = lua_tostring(L, -1);
    char *copy = mem_strdup(text ? text : "");
    lua_pop(L, 1);
    return copy;
}

void script_error_take(lua_State *L, struct script_error *out)
{
    memset(out, 0, sizeof *out);
    if (!is_error_table(L, -1)) {
        const char *text = lua_tostring(L, -1);
        out->kind = mem_strdup("script");
        out->message = mem_strdup(text ? text : "(an error without text)");
        out->script = mem_strdup("");
        out->traceback = mem_strdup("");
        lua_pop(L, 1);
        return;
    }
    out->kind = copy_field(L, "kind");
    out->message = copy_field(L, "message");
    out->script = copy_field(L, "script");
    out->traceback = copy_field(L, "traceback");
    char *method = copy_field(L, "method");
    if (*method) {
        char *whole = mem_printf("%s: %s", method, out->message);
        free(out->message);
        out->message = whole;
    }
    free(method);
    lua_getfield(L, -1, "line");
    out->line = (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
}
