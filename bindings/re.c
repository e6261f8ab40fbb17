/*
 * moonlet.re: regular expressions in Perl's syntax (PCRE2), for what Lua
 * patterns cannot say: alternatives, optional groups, counts, letters of all
 * languages. Texts and expressions are UTF-8, positions are in bytes. "$" is
 * the very end of the text; \w, \d, \s and \b know ASCII alone unless the
 * flag "u" is set, \p{L} is a letter of any language. A match that would
 * take longer than about 20 ms, or more than 8 MB, raises kind "limit".
 */
#include "bindings/support.h"

#include "bindings/re_search.h"
#include "vm/script_error.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_MAX 32768

static int re_gc(lua_State *L)
{
    struct re *re = luaL_checkudata(L, 1, RE_META);
    re_free(re);
    return 0;
}

static int push_nothing(lua_State *L)
{
    lua_pushnil(L);
    return 1;
}

static bool search_first(lua_State *L, struct re_search *s)
{
    re_search_begin(s, L, 1, 2, luaL_optinteger(L, 3, 1));
    return re_search_checked(L, s);
}

static int push_found(lua_State *L, const struct re_search *s)
{
    lua_pushinteger(L, (lua_Integer)s->span[0] + 1);
    lua_pushinteger(L, (lua_Integer)s->span[1]);
    return 2 + (s->re->groups ? re_push_groups(L, s) : 0);
}

int binding_re_find(lua_State *L, int re, int text)
{
    struct re_search s;
    re_search_begin(&s, L, re, text, 1);
    int rc = re_search_next(&s);
    if (rc < 0) {
        re_search_failed(L, &s, rc);
        return -1;
    }
    return rc == 0 ? 0 : push_found(L, &s);
}

bool binding_is_re(lua_State *L, int index)
{
    return luaL_testudata(L, index, RE_META) != NULL;
}

/* re:match(text [, init]): the groups of the first match from byte init on,
 * or the whole match if there are no groups; nil if there is no match. A
 * group that took no part is false. */
static int re_match(lua_State *L)
{
    struct re_search s;
    if (!search_first(L, &s))
        return push_nothing(L);
    return re_push_groups(L, &s);
}

/* re:find(text [, init]): the first and the last byte of the first match and
 * its groups; nil if there is no match. */
static int re_find(lua_State *L)
{
    struct re_search s;
    if (!search_first(L, &s))
        return push_nothing(L);
    return push_found(L, &s);
}

/* re:groups(text [, init]): the groups of the first match as a table, by
 * number and, for (?<name>...), by name too; [0] is the whole match. nil if
 * there is no match. */
static int re_groups(lua_State *L)
{
    struct re_search s;
    uint32_t names = 0, size = 0;
    PCRE2_SPTR row;
    if (!search_first(L, &s))
        return push_nothing(L);
    lua_createtable(L, (int)s.re->groups, 1);
    for (uint32_t i = 0; i <= s.re->groups; i++) {
        re_push_group(L, &s, i);
        lua_rawseti(L, -2, i);
    }
    pcre2_pattern_info(s.re->code, PCRE2_INFO_NAMECOUNT, &names);
    pcre2_pattern_info(s.re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(s.re->code, PCRE2_INFO_NAMETABLE, &row);
    for (uint32_t i = 0; i < names; i++, row += size) {
        re_push_group(L, &s, (uint32_t)row[0] << 8 | row[1]);
        lua_setfield(L, -2, (const char *)row + 2);
    }
    return 1;
}

/* Upvalues: the re, the text, where to go on, end of the match before. */
static int next_match(lua_State *L)
{
    struct re_search s;
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    re_search_begin(&s, L, 1, 2, 1);
    s.next = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    s.last = (size_t)lua_tointeger(L, lua_upvalueindex(4));
    if (s.last != SIZE_MAX)
        s.options = PCRE2_NO_UTF_CHECK;
    if (!re_search_checked(L, &s)) {
        lua_pushinteger(L, (lua_Integer)s.len + 1);
        lua_replace(L, lua_upvalueindex(3));
        return 0;
    }
    lua_pushinteger(L, (lua_Integer)s.next);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return re_push_groups(L, &s);
}

/* re:gmatch(text): an iterator over all matches, each as re:match gives it:
 * for word in re:gmatch(text) do ... end */
static int re_gmatch(lua_State *L)
{
    re_check(L, 1);
    binding_want(L, 2, LUA_TSTRING, "re: what is searched");
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next_match, 4);
    return 1;
}

/* Adds the replacement text, in which %0 to %9 are groups and %% is %. */
static void add_template(lua_State *L, luaL_Buffer *b,
                         const struct re_search *s)
{
    size_t len;
    const char *text = lua_tolstring(L, 3, &len);
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            luaL_addchar(b, text[i]);
            continue;
        }
        char c = i + 1 < len ? text[++i] : '\0';
        uint32_t group = (uint32_t)(c - '0');
        if (c == '%') {
            luaL_addchar(b, c);
        } else if (isdigit((unsigned char)c) && group <= s->re->groups) {
            if (s->span[2 * group] != PCRE2_UNSET) {
                re_push_group(L, s, group);
                luaL_addvalue(b);
            }
        } else {
            script_error_misuse(L, "re:gsub: in the replacement, %% is "
                                   "followed by %% or the number of a group");
        }
    }
}

/* Adds what stands for the match: found in the table by the first group, or
 * returned by the function; nil and false keep it as it is. */
static void add_replacement(lua_State *L, luaL_Buffer *b,
                            const struct re_search *s)
{
    if (lua_type(L, 3) == LUA_TSTRING) {
        add_template(L, b, s);
        return;
    }
    if (lua_type(L, 3) == LUA_TTABLE) {
        re_push_group(L, s, s->re->groups > 0);
        lua_gettable(L, 3);
    } else {
        lua_pushvalue(L, 3);
        lua_call(L, re_push_groups(L, s), 1);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        re_push_group(L, s, 0);
    } else if (!lua_isstring(L, -1)) {
        script_error_misuse(L, "re:gsub: the replacement is a %s, not a text",
                            luaL_typename(L, -1));
    }
    luaL_addvalue(b);
}

/* re:gsub(text, replacement [, n]): the text with all matches (the first n)
 * replaced, and their number. The replacement is a text, in which %0 is the
 * match and %1 to %9 are groups; a table, asked for the first group (or the
 * match); or a function that is called with the groups (or the match) and
 * cannot wait. nil or false from these two keep the match. */
static int re_gsub(lua_State *L)
{
    struct re_search s;
    luaL_Buffer b;
    lua_Integer count = 0;
    size_t kept = 0;
    lua_Integer most = luaL_optinteger(L, 4, LUA_MAXINTEGER);
    int type = lua_type(L, 3);
    luaL_argexpected(
        L, type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION,
        3, "string/function/table");
    re_search_begin(&s, L, 1, 2, 1);
    lua_settop(L, 3);
    luaL_buffinit(L, &b);
    while (count < most && re_search_checked(L, &s)) {
        luaL_addlstring(&b, s.text + kept, s.span[0] - kept);
        add_replacement(L, &b, &s);
        kept = s.span[1];
        count++;
    }
    luaL_addlstring(&b, s.text + kept, s.len - kept);
    luaL_pushresult(&b);
    lua_pushinteger(L, count);
    return 2;
}

/* 0: there is no such flag. */
static uint32_t flag_option(char letter)
{
    static const struct {
        char letter;
        uint32_t option;
    } rows[] = {
        {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL},
        {'x', PCRE2_EXTENDED}, {'u', PCRE2_UCP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].letter == letter)
            return rows[i].option;
    return 0;
}

static uint32_t read_flags(lua_State *L, const char *flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_AUTO_CALLOUT | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C;
    for (; *flags; flags++) {
        uint32_t option = flag_option(*flags);
        if (!option)
            script_error_misuse(L,
                                "re.new: there is no flag \"%c\", only i, "
                                "m, s, x and u",
                                *flags);
        options |= option;
    }
    return options;
}

/* Steps of an item, by the largest count of the source: PCRE2 tries "a{N}"
 * without callouts, and leaves "(?:a){,N}" through N brackets. In "\x{N}" it
 * is a character. */
static uint32_t read_weight(const char *source)
{
    unsigned long most = 0;
    for (const char *at = source; (at = strchr(at, '{')); at++) {
        bool code = at - source > 1 && at[-2] == '\\' &&
                    (at[-1] == 'x' || at[-1] == 'o');
        char *end;
        if (code)
            continue;
        unsigned long n = strtoul(at + 1, &end, 10);
        if (at > source && at[-1] == ')' && *end == ',')
            n = 2 * strtoul(end + 1, NULL, 10);
        most = n > most && n <= 2 * UINT16_MAX ? n : most;
    }
    return 1 + (uint32_t)most / 16;
}

static void compile(lua_State *L, struct re *re, uint32_t options)
{
    int code;
    PCRE2_SIZE at, len;
    const char *source = lua_tolstring(L, 1, &len);
    if (len > SOURCE_MAX)
        script_error_misuse(L, "re.new: longer than %d bytes", SOURCE_MAX);
    re->code =
        pcre2_compile((PCRE2_SPTR)source, len, options, &code, &at, NULL);
    if (!re->code) {
        char why[160];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        script_error_misuse(L, "re.new: %s, at byte %d of \"%.100s\"", why,
                            (int)at + 1, source);
    }
    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
    if (re->groups > RE_GROUPS_MAX)
        script_error_misuse(L, "re.new: more than %d groups", RE_GROUPS_MAX);
    re->weight = read_weight(source);
}

/* re.new(pattern [, flags]): a compiled expression, for its methods and for
 * bot.hears and bot.callback in place of a Lua pattern. Make it once, at the
 * top of a script. flags is a text of letters: "i" (any letter case), "m" (^
 * and $ at each line), "s" (. takes line ends), "x" (white space and #
 * comments in the pattern mean nothing), "u" (\w, \d, \s and \b know all of
 * Unicode). */
static int re_new(lua_State *L)
{
    binding_want(L, 1, LUA_TSTRING, "re.new: the pattern");
    uint32_t options = read_flags(L, luaL_optstring(L, 2, ""));
    struct re *re = lua_newuserdatauv(L, sizeof *re, 1);
    size_t size = 0;
    memset(re, 0, sizeof *re);
    list_init(&re->link);
    luaL_setmetatable(L, RE_META);
    re_keep(L, re);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    compile(L, re, options);
    /* The collector sees a few bytes: it is told of the rest. */
    pcre2_pattern_info(re->code, PCRE2_INFO_SIZE, &size);
    lua_gc(L, LUA_GCSTEP, 1 + (int)(size / 1024));
    return 1;
}

static const luaL_Reg functions[] = {
    {"new", re_new},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"match", re_match},   {"find", re_find}, {"groups", re_groups},
    {"gmatch", re_gmatch}, {"gsub", re_gsub}, {NULL, NULL},
};

static const char *const not_built[] = {NULL};

int binding_re(lua_State *L)
{
    re_search_open(L);
    luaL_newmetatable(L, RE_META);
    lua_pushcfunction(L, re_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    binding_close_module(L, "re", not_built);
    return 1;
}
