#include "vm/lua_json.h"

#include "base/json.h"
#include "base/mem.h"
#include "vm/json_text.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <lua-cjson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char DECODE_KEY = 'd';
static const char ARRAY_KEY = 'a';

#define MAX_EXACT 9007199254740992.0 /* 2^53 */
#define FEW_MEMBERS 16 /* of an object: they need no memory of their own */

void lua_json_open(lua_State *L)
{
    lua_pushcfunction(L, luaopen_cjson);
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "decode_max_depth");
    lua_pushinteger(L, LUA_JSON_MAX_DEPTH);
    lua_call(L, 1, 0);
    lua_getfield(L, -1, "decode_invalid_numbers");
    lua_pushboolean(L, 0);
    lua_call(L, 1, 0);
    lua_getfield(L, -1, "decode");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &DECODE_KEY);
    lua_pop(L, 1);

    lua_newtable(L);
    lua_pushstring(L, "json array");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* all arrays share it */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY);
}

static bool as_integer(lua_State *L, int index, lua_Integer *n)
{
    double d = lua_tonumber(L, index);
    if (lua_isinteger(L, index) || !(d >= -MAX_EXACT && d <= MAX_EXACT) ||
        d != floor(d))
        return false;
    *n = (lua_Integer)d;
    return true;
}

/* The array on top stands for an empty one: makes it so. */
static bool restore_empty(lua_State *L)
{
    size_t len = 0;
    const char *text = NULL;
    if (lua_rawgeti(L, -1, 1) == LUA_TSTRING)
        text = lua_tolstring(L, -1, &len);
    bool stands =
        len == JSON_TEXT_EMPTY_LEN && memcmp(text, JSON_TEXT_EMPTY, len) == 0;
    lua_pop(L, 1);
    if (!stands)
        return false;
    lua_pushnil(L);
    lua_rawseti(L, -2, 1);
    lua_json_mark_array(L, -1);
    return true;
}

/* What cjson has made, as we want it: the table on top. */
static void mend_table(lua_State *L, bool has_empty_arrays)
{
    int index = lua_gettop(L);
    lua_Integer n;
    luaL_checkstack(L, 6, "json: nested too deep");
    if (has_empty_arrays && restore_empty(L))
        return;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        int type = lua_type(L, -1);
        if (type == LUA_TTABLE) {
            mend_table(L, has_empty_arrays);
        } else if (type == LUA_TNUMBER && as_integer(L, -1, &n)) {
            lua_pushvalue(L, -2);
            lua_pushinteger(L, n);
            lua_rawset(L, index);
        }
        lua_pop(L, 1);
    }
}

static int free_box(lua_State *L)
{
    buf_free(lua_touserdata(L, 1));
    return 0;
}

/* Pushes a userdata whose buffer is freed whatever raises. */
static struct buf *push_box(lua_State *L)
{
    struct buf *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct buf){0};
    if (luaL_newmetatable(L, "moonlet.buf")) {
        lua_pushcfunction(L, free_box);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

/* True if the text on top holds stand-ins for empty arrays. */
static bool push_text(lua_State *L, const char *text, size_t len)
{
    struct json_text t;
    if (!json_text_is_suspect(text, len)) {
        lua_pushlstring(L, text, len);
        return false;
    }
    struct buf *box = push_box(L);
    json_text_prepare(&t, text, len);
    *box = t.copy;
    lua_pushlstring(L, t.at, t.len);
    buf_free(box);
    lua_remove(L, -2);
    return t.has_empty_arrays;
}

void lua_json_decode(lua_State *L, const char *text, size_t len)
{
    lua_Integer n;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &DECODE_KEY);
    bool has_empty_arrays = push_text(L, text, len);
    lua_call(L, 1, 1);
    if (lua_istable(L, -1)) {
        mend_table(L, has_empty_arrays);
    } else if (lua_type(L, -1) == LUA_TNUMBER && as_integer(L, -1, &n)) {
        lua_pop(L, 1);
        lua_pushinteger(L, n);
    }
}

const char *lua_json_push(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    struct buf *box = push_box(L);
    const char *why = lua_json_encode(L, index, box);
    if (!why)
        lua_pushlstring(L, box->data, box->len);
    buf_free(box);
    lua_remove(L, why ? -1 : -2);
    return why;
}

void lua_json_push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
}

static bool is_marked_array(lua_State *L, int index);

bool lua_json_can_mark(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return true;
    lua_pop(L, 1);
    return is_marked_array(L, index);
}

void lua_json_mark_array(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY);
    lua_setmetatable(L, index);
}

static bool is_marked_array(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

/* The number of elements if the table's keys are exactly 1..n, else -1. */
static lua_Integer array_length(lua_State *L, int index)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    lua_Integer count = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 ||
            lua_tointeger(L, -1) > n) {
            lua_pop(L, 1);
            return -1;
        }
        count++;
    }
    return count == n ? n : -1;
}

static const char *encode_value(lua_State *L, int index, struct buf *out,
                                int depth);

static const char *encode_array(lua_State *L, int index, lua_Integer n,
                                struct buf *out, int depth)
{
    buf_putc(out, '[');
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            buf_putc(out, ',');
        lua_rawgeti(L, index, i);
        const char *why = encode_value(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
        if (why)
            return why;
    }
    buf_putc(out, ']');
    return NULL;
}

/* A key of an object; the table owns the text. */
struct member {
    const char *text; /* NULL: the key is an integer */
    size_t len;
    lua_Integer number;
    int at; /* where the key lies on the stack */
};

static int compare_members(const struct member *a, const struct member *b)
{
    if (!a->text || !b->text) {
        if (a->text || b->text)
            return a->text ? 1 : -1;
        return (a->number > b->number) - (a->number < b->number);
    }
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_any(const void *a, const void *b)
{
    return compare_members(a, b);
}

static void sort_members(struct member *list, size_t n)
{
    if (n > FEW_MEMBERS) {
        qsort(list, n, sizeof *list, compare_any);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct member m = list[i];
        size_t j = i;
        for (; j > 0 && compare_members(&list[j - 1], &m) > 0; j--)
            list[j] = list[j - 1];
        list[j] = m;
    }
}

/* Leaves the keys on the stack and fills the list with them, sorted: numbers
 * first. */
static const char *read_members(lua_State *L, int index, struct member *list,
                                size_t n)
{
    struct member *m = list;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        *m = (struct member){.at = lua_gettop(L)};
        if (lua_type(L, -1) == LUA_TSTRING)
            m->text = lua_tolstring(L, -1, &m->len);
        else if (lua_isinteger(L, -1))
            m->number = lua_tointeger(L, -1);
        else
            return "a key is neither a string nor an integer";
        m++;
        lua_pushvalue(L, -1);
    }
    sort_members(list, n);
    return NULL;
}

static void encode_key(const struct member *m, struct buf *out)
{
    if (m->text)
        js_put_string(out, m->text, m->len);
    else
        buf_printf(out, "\"%" PRId64 "\"", (int64_t)m->number);
    buf_putc(out, ':');
}

static const char *encode_members(lua_State *L, int index, struct buf *out,
                                  int depth, struct member *list, size_t n)
{
    const char *why = read_members(L, index, list, n);
    for (size_t i = 0; !why && i < n; i++) {
        if (i > 0)
            buf_putc(out, ',');
        encode_key(&list[i], out);
        lua_pushvalue(L, list[i].at);
        lua_rawget(L, index);
        why = encode_value(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    }
    return why;
}

static const char *encode_object(lua_State *L, int index, struct buf *out,
                                 int depth)
{
    struct member few[FEW_MEMBERS];
    struct member *list = few;
    int top = lua_gettop(L);
    size_t n = 0;

    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        n++;
    if (n > LUA_JSON_MAX_KEYS || !lua_checkstack(L, (int)n + 4))
        return "an object has too many keys (500000 at most)";
    if (n > FEW_MEMBERS)
        list = mem_zero(n, sizeof *list);
    buf_putc(out, '{');
    const char *why = encode_members(L, index, out, depth, list, n);
    buf_putc(out, '}');
    lua_settop(L, top);
    if (list != few)
        free(list);
    return why;
}

static const char *encode_table(lua_State *L, int index, struct buf *out,
                                int depth)
{
    if (depth >= LUA_JSON_MAX_DEPTH)
        return "tables are nested deeper than 512 levels (or in a circle)";
    if (!lua_checkstack(L, 6))
        return "out of stack";
    lua_Integer n = array_length(L, index);
    if (n > 0 || (n == 0 && is_marked_array(L, index)))
        return encode_array(L, index, n, out, depth);
    if (n < 0 && is_marked_array(L, index))
        return "an array has keys other than 1..n";
    return encode_object(L, index, out, depth);
}

static const char *encode_number(lua_State *L, int index, struct buf *out)
{
    if (lua_isinteger(L, index)) {
        buf_int(out, lua_tointeger(L, index));
        return NULL;
    }
    double d = lua_tonumber(L, index);
    if (!isfinite(d))
        return "a number is infinite or not a number";
    if (d == floor(d) && fabs(d) <= MAX_EXACT) {
        buf_int(out, (int64_t)d);
        return NULL;
    }
    char text[40];
    snprintf(text, sizeof text, "%.15g", d);
    if (strtod(text, NULL) != d)
        snprintf(text, sizeof text, "%.17g", d);
    buf_puts(out, text);
    return NULL;
}

static const char *encode_value(lua_State *L, int index, struct buf *out,
                                int depth)
{
    if (out->len > LUA_JSON_MAX_SIZE)
        return "the text would be longer than 16 MiB";
    size_t len;
    const char *text;

    switch (lua_type(L, index)) {
    case LUA_TNIL:
        buf_puts(out, "null");
        return NULL;
    case LUA_TBOOLEAN:
        buf_puts(out, lua_toboolean(L, index) ? "true" : "false");
        return NULL;
    case LUA_TNUMBER:
        return encode_number(L, index, out);
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        js_put_string(out, text, len);
        return NULL;
    case LUA_TTABLE:
        return encode_table(L, index, out, depth);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, index))
            return "a userdata cannot be written as JSON";
        buf_puts(out, "null");
        return NULL;
    case LUA_TFUNCTION:
        return "a function cannot be written as JSON";
    case LUA_TTHREAD:
        return "a coroutine cannot be written as JSON";
    default:
        return "a userdata cannot be written as JSON";
    }
}

const char *lua_json_encode(lua_State *L, int index, struct buf *out)
{
    return encode_value(L, lua_absindex(L, index), out, 0);
}
