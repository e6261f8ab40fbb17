#include "bindings/support.h"
#include "vm/script_error.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    script_error_open(L);
    luaL_requiref(L, "moonlet.re", binding_re, 0);
    lua_setglobal(L, "re_module");
    assert_int_equal(
        luaL_dostring(L, "R = re_module.new\n"
                         "long = ('a b '):rep(1024)\n"
                         "function list(...) local t = table.pack(...)\n"
                         "for i = 1, t.n do t[i] = tostring(t[i]) end\n"
                         "return table.concat(t, ' ') end\n"
                         "function all(re, s) local t = {}\n"
                         "for a, b in re:gmatch(s) do\n"
                         "t[#t + 1] = b and a .. '=' .. b or a end\n"
                         "return table.concat(t, '|') end\n"
                         "function kind(...) local ok, e = pcall(...)\n"
                         "return ok and 'fine' or e.kind end"),
        LUA_OK);
    return L;
}

/* Rows of an expression and what list(expression) is. */
static void check_rows(const char *const (*rows)[2], size_t count)
{
    lua_State *L = open_state();
    for (size_t i = 0; i < count; i++) {
        lua_pushfstring(L, "local re = re_module.new('x')\nreturn list(%s)",
                        rows[i][0]);
        if (luaL_dostring(L, lua_tostring(L, -1)) != LUA_OK)
            fail_msg("%s: %s", rows[i][0], luaL_tolstring(L, -1, NULL));
        if (strcmp(lua_tostring(L, -1), rows[i][1]) != 0)
            fail_msg("%s: %s, not %s", rows[i][0], lua_tostring(L, -1),
                     rows[i][1]);
        lua_gc(L, LUA_GCCOLLECT);
        lua_settop(L, 0);
    }
    lua_close(L);
}

#define CHECK(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void match_and_find(void **state)
{
    static const char *const rows[][2] = {
        {"R'(\\\\d+)-(\\\\d+)':match('a 12-34')", "12 34"},
        {"R'\\\\d+':match('a 12-34')", "12"},
        {"R'\\\\d+':match('a 12-34', 5)", "34"},
        {"R'\\\\d+':match('a 12-34', -1)", "4"},
        {"R'\\\\d+':match('none')", "nil"},
        {"R'\\\\d+':match('1', 9)", "nil"},
        {"R'(a)|(b)':match('b')", "false b"},
        {"R'(a)(b)?':match('a')", "a false"},
        {"R'b(.)':find('abc')", "2 3 c"},
        {"re:find('abx')", "3 3"},
        {"R'x*':find('abc')", "1 0"},
        {"R'(?:tea|milk) for (\\\\d)':match('milk for 2')", "2"},
        {"R'^(\\\\d+)$':match('12\\n')", "nil"},
        {"R'\\\\d+':match(12)", "12"},
    };
    (void)state;
    CHECK(rows);
}

static void flags_and_letters(void **state)
{
    static const char *const rows[][2] = {
        {"R('hello', 'i'):match('HeLLo')", "HeLLo"},
        {"R('^b$', 'm'):find('a\\nb\\nc')", "3 3"},
        {"R'a.c':match('a\\nc')", "nil"},
        {"#R('a.c', 's'):match('a\\nc')", "3"},
        {"R('a b # c', 'x'):match('ab')", "ab"},
        {"R('\xd0\xbf\xd1\x80\xd0\xb8', 'i'):match('\xd0\x9f\xd0\xa0\xd0\x98')",
         "\xd0\x9f\xd0\xa0\xd0\x98"},
        {"R'^.$':match('\xd0\xbf')", "\xd0\xbf"},
        {"R'\\\\w':match('\xd0\xbf')", "nil"},
        {"R('\\\\w', 'u'):match('\xd0\xbf')", "\xd0\xbf"},
        {"R'\\\\p{L}+':match('1\xd0\xbf\xd1\x80')", "\xd0\xbf\xd1\x80"},
        {"R'.':match('\xd0\xbfz', 2)", "z"}, /* from the next character on */
        {"R('[\\\\x{0400}-\\\\x{04ff}]+'):match(('\xd0\xbf'):rep(2000)) == "
         "('\xd0\xbf'):rep(2000)",
         "true"},
    };
    (void)state;
    CHECK(rows);
}

static void groups_by_number_and_name(void **state)
{
    static const char *const rows[][2] = {
        {"R'(?<d>\\\\d+)\\\\.(?<m>\\\\d+)':groups('on 3.12').d", "3"},
        {"R'(?<d>\\\\d+)\\\\.(?<m>\\\\d+)':groups('on 3.12').m", "12"},
        {"R'(?<d>\\\\d+)\\\\.(?<m>\\\\d+)':groups('on 3.12')[2]", "12"},
        {"R'(?<d>\\\\d+)\\\\.(?<m>\\\\d+)':groups('on 3.12')[0]", "3.12"},
        {"R'(?<d>\\\\d+)?x':groups('x').d", "false"},
        {"R'x':groups('none')", "nil"},
        {"re:groups('x')[0]", "x"},
    };
    (void)state;
    CHECK(rows);
}

static void gmatch_and_gsub(void **state)
{
    static const char *const rows[][2] = {
        {"all(R'\\\\w+', 'one two')", "one|two"},
        {"all(R'(\\\\w)=(\\\\w)', 'a=b c=d')", "a=b|c=d"},
        {"all(R'x*', 'axxb')", "|xx|"},
        {"all(R'', '\xd0\xbfz')", "||"},
        {"all(R'\\\\d', 'none')", ""},
        {"R'\\\\d':gsub('a1b2', '<%0>')", "a<1>b<2> 2"},
        {"R'(\\\\w)(\\\\w)':gsub('abcd', '%2%1%%')", "ba%dc% 2"},
        {"R'\\\\d':gsub('a1b2', '', 1)", "ab2 1"},
        {"R'\\\\d':gsub('a1b2', '', 0)", "a1b2 0"},
        {"R'\\\\w':gsub('ab', { a = 1, b = false })", "1b 2"},
        {"R'(\\\\w)-':gsub('a-b-', { a = 'x' })", "xb- 2"},
        {"R'\\\\w+':gsub('ab cd', string.upper)", "AB CD 2"},
        {"R'\\\\w':gsub('ab', function() end)", "ab 2"},
        {"R'x*':gsub('abc', '-')", "-a-b-c- 4"},
        {"R'(a)|b':gsub('ab', '[%1]')", "[a][] 2"},
        /* A callback that matches must not disturb the outer search. */
        {"R'\\\\w':gsub('ab', function(c) return re:match('x') .. c end)",
         "xaxb 2"},
        {"#R'b':gsub(('a'):rep(300000) .. 'b', 'c')", "300001"},
    };
    (void)state;
    CHECK(rows);
}

/* The expressions that the module's steps were measured with. */
static void wild_expressions_raise_limit(void **state)
{
    static const char *const rows[][2] = {
        {"kind(function() R'^(.*?) (.*?) (.*?)\\\\$x':match('$x' .. long) "
         "end)",
         "limit"},
        {"kind(R'(?=.*?x)|(?=.*?y)|(?=.*?z)'.match, "
         "R'(?=.*?x)|(?=.*?y)|(?=.*?z)', long)",
         "limit"},
        {"kind(function() R'^(a+)+[bc]':match(('a'):rep(4000)) end)", "limit"},
        {"kind(function() R'^(\\\\w+\\\\s?)+[!?]':find(('ab '):rep(1300)) "
         "end)",
         "limit"},
        {"kind(function() R'(?:.*+[xy]|.)*[yz]':groups(long) end)", "limit"},
        {"kind(function() R'(a*)(?:a*\\\\1[!?]|.)*[yz]':gsub("
         "('a'):rep(4096), '') end)",
         "limit"},
        {"kind(function() for _ in R'(?=.*?[xy])':gmatch(long) do end end)",
         "limit"},
        {"kind(function() R'^(a+)-.*?.*?\\\\1[yz]':match(('a'):rep(1300) .. "
         "'-' .. (('a'):rep(1299) .. 'b'):rep(2)) end)",
         "limit"},
        {"kind(function() R'(a?){1,1000}[bc]':match(('a'):rep(4096)) end)",
         "limit"},
        {"kind(function() R'.*?a{4000}[bc]':match(('a'):rep(3999):rep(30, "
         "'-')) end)",
         "limit"},
        {"select(2, pcall(function() R'^(a+)+[bc]':match(('a'):rep(4000)) "
         "end)).message:match('.*%)')",
         "the re \"^(a+)+[bc]\" takes too long on this text (4000 bytes)"},
    };
    (void)state;
    CHECK(rows);
}

static void useful_expressions_pass_on_long_texts(void **state)
{
    static const char *const rows[][2] = {
        {"select('#', R'^(?:a|b| )*$':match(long))", "1"},
        {"kind(function() R'(\\\\w+)@(\\\\w+)\\\\.com':match(long) end)",
         "fine"},
        {"kind(function() R'^\\\\s*(.+?)\\\\s*$':match(long) end)", "fine"},
        {"R'<(\\\\w+)>(.*?)</\\\\1>':match(('<i>'):rep(60) .. long .. '</i>') "
         "~= nil",
         "true"},
        {"select(2, R'\\\\w+':gsub(long:rep(50), ''))", "102400"},
        {"kind(function() all(R'\\\\S+', long:rep(50)) end)", "fine"},
        {"kind(function() R'\\\\w+[@!]':match(('a'):rep(4096)) end)", "fine"},
    };
    (void)state;
    CHECK(rows);
}

static void misuse_is_named(void **state)
{
    static const char *const rows[][2] = {
        {"select(2, pcall(R, '(a'))",
         "re.new: missing closing parenthesis, at byte 3 of \"(a\""},
        {"select(2, pcall(R, 'a', 'q'))",
         "re.new: there is no flag \"q\", only i, m, s, x and u"},
        {"kind(R, ('()'):rep(33))", "misuse"},
        {"kind(R, ('a'):rep(40000))", "misuse"},
        {"kind(R, '\\\\C')", "misuse"},
        {"kind(R, '\\xff')", "misuse"},
        {"kind(re.match, re, '\\xff')", "misuse"},
        {"kind(re.gsub, re, 'x', '%2')", "misuse"},
        {"kind(re.gsub, re, 'x', '%')", "misuse"},
        {"kind(re.gsub, re, 'x', function() return {} end)", "misuse"},
        {"kind(function() return re_module.compile end)", "misuse"},
        {"pcall(re.match, 1, 'x')",
         "false bad argument #1 to '?' (moonlet.re expected, got number)"},
        {"getmetatable(re)", "false"},
    };
    (void)state;
    CHECK(rows);
}

/* Whatever finalizers of scripts do while the state closes. */
static void closing_finalizers_find_no_freed_memory(void **state)
{
    lua_State *L = open_state();
    (void)state;
    assert_int_equal(
        luaL_dostring(L, "local re = R'x'\n"
                         "local function late() R'y':match('y')\n"
                         "re:gsub('xx', function() re:match('x') end) end\n"
                         "late() for i = 1, 5 do\n"
                         "setmetatable({ re }, { __gc = late }) end\n"
                         "early = setmetatable({}, { __gc = late })\n"
                         "package.loaded.x = early"),
        LUA_OK);
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_and_find),
        cmocka_unit_test(flags_and_letters),
        cmocka_unit_test(groups_by_number_and_name),
        cmocka_unit_test(gmatch_and_gsub),
        cmocka_unit_test(wild_expressions_raise_limit),
        cmocka_unit_test(useful_expressions_pass_on_long_texts),
        cmocka_unit_test(misuse_is_named),
        cmocka_unit_test(closing_finalizers_find_no_freed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
