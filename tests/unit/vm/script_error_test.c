#include "fixture.h"

#include <lualib.h>

/* A state with error tables and C functions that raise them. */
static int raise_api(lua_State *L)
{
    struct err e;
    err_set(&e, ERR_API, 429, "%s", "Too Many Requests: retry after 3");
    e.retry_after = 3;
    e.retryable = true;
    return script_error_raise(L, "sendMessage", &e);
}

static int raise_plain(lua_State *L)
{
    struct err e;
    err_set(&e, ERR_UNKNOWN, 0, "%s", "no answer came");
    return script_error_raise(L, "sendMessage", &e);
}

static int push_kind(lua_State *L)
{
    return script_error_push(L, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
}

static int misuse(lua_State *L)
{
    return script_error_misuse(L, "%s is wrong", luaL_checkstring(L, 1));
}

static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

static int set_up(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"raise_api", raise_api},
        {"raise_plain", raise_plain},
        {"push_kind", push_kind},
        {"misuse", misuse},
        {"collect", collect},
        {"handler", script_error_handler},
        {NULL, NULL},
    };
    luaL_openlibs(L);
    script_error_open(L);
    lua_pushglobaltable(L);
    luaL_setfuncs(L, functions, 0);
    return 0;
}

static lua_State *state_open(void)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    lua_pushcfunction(L, set_up);
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
    if (stress)
        lua_gc(L, LUA_GCSETPAUSE, 0);
    return L;
}

/* Runs the author's script main.lua and returns what it returned, as text;
 * an error fails the test. */
static const char *result_of(const char *script)
{
    static char text[2000];
    lua_State *L = state_open();
    if (luaL_loadbuffer(L, script, strlen(script), "@main.lua") != LUA_OK ||
        lua_pcall(L, 0, 1, 0) != LUA_OK)
        fail_msg("%s: %s", script, luaL_tolstring(L, -1, NULL));
    snprintf(text, sizeof text, "%s", luaL_tolstring(L, -1, NULL));
    lua_close(L);
    return text;
}

/* Runs it with the message handler, in C; the struct is the caller's. */
static void error_of(const char *script, const char *chunk,
                     struct script_error *e)
{
    lua_State *L = state_open();
    lua_pushcfunction(L, script_error_handler);
    assert_int_equal(luaL_loadbuffer(L, script, strlen(script), chunk), LUA_OK);
    assert_int_not_equal(lua_pcall(L, 0, 0, 1), LUA_OK);
    script_error_take(L, e);
    assert_int_equal(lua_gettop(L), 1);
    lua_close(L); /* what was taken is a copy */
}

static void an_operations_error_has_all_its_fields(void **state)
{
    (void)state;
    assert_string_equal(
        result_of("\nlocal ok, e = pcall(function()\n  raise_api()\nend)\n"
                  "return table.concat({ tostring(ok), e.kind, e.code,\n"
                  "  math.type(e.code), e.message, e.method, e.retry_after,\n"
                  "  tostring(e.retryable), e.script, e.line,\n"
                  "  tostring(e.traceback) }, '|')"),
        "false|api|429|integer|Too Many Requests: retry after 3|sendMessage|"
        "3|true|main.lua|3|nil");
    assert_string_equal(
        result_of("local ok, e = pcall(function() raise_plain() end)\n"
                  "return table.concat({ e.kind, tostring(e.code),\n"
                  "  tostring(e.retry_after), tostring(e.retryable) }, '|')"),
        "unknown|nil|nil|false");
}

static void tostring_gives_one_line_with_place_and_method(void **state)
{
    static const char *const rows[][2] = {
        {"\nlocal ok, e = pcall(function()\n  raise_api()\nend) return e",
         "main.lua:3: sendMessage: Too Many Requests: retry after 3"},
        {"return select(2, pcall(function() misuse 'x' end))",
         "main.lua:1: x is wrong"},
        {"local e = push_kind('db', 'no such table') return e",
         "main.lua:1: no such table"},
        {"local e = push_kind('a', 'b') e.message = nil return e",
         "main.lua:1: unknown error"},
        {"local e = push_kind('a', 'b') e.script = nil return e", "b"},
        {"local e = push_kind('a', 'b') e.script = '' return e", "b"},
        {"local e = push_kind('a', 'b') e.line = nil return e",
         "main.lua:0: b"},
        {"local e = push_kind('a', 'b')\n"
         "e.message, e.method, e.script = 12345678, 4.25, 87654321\n"
         "collect() return e",
         "87654321:1: 4.25: 12345678"},
        {"local e = push_kind('a', 'b') e.message = {} return e",
         "main.lua:1: unknown error"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(result_of(rows[i][0]), rows[i][1]) != 0)
            fail_msg("%s\ngave %s", rows[i][0], result_of(rows[i][0]));
}

static void its_metatable_is_out_of_reach(void **state)
{
    (void)state;
    assert_string_equal(result_of("local e = push_kind('a', 'b')\n"
                                  "return tostring(getmetatable(e)) .. ' ' ..\n"
                                  "  tostring(pcall(setmetatable, e, {}))"),
                        "false false");
}

static void a_caught_error_stays_what_it_was(void **state)
{
    (void)state;
    assert_string_equal(
        result_of("local ok, e = pcall(function() raise_api() end)\n"
                  "local ok2, again = xpcall(error, handler, e)\n"
                  "return tostring(rawequal(e, again)) .. again.line ..\n"
                  "  ' ' .. again.traceback"),
        "true1 main.lua:2: in main chunk");
}

static void the_handler_keeps_the_value_that_was_raised(void **state)
{
    (void)state;
    assert_string_equal(
        result_of("local value = { code = 7 }\n"
                  "local ok, e = xpcall(error, handler, value)\n"
                  "return table.concat({ e.kind, e.message, e.value.code,\n"
                  "  e.line, tostring(e.value == value) }, '|')"),
        "script|(the error value is a table)|7|2|true");
    assert_string_equal(
        result_of("local value = { kind = 'mine', code = 7,\n"
                  "  message = 'x', retry_after = 2, line = 90 }\n"
                  "local ok, e = xpcall(error, handler, value)\n"
                  "return table.concat({ e.kind, e.code, e.message,\n"
                  "  e.retry_after, e.line, e.value.kind }, '|')"),
        "script|7|x|2|3|mine");
}

static void c_gets_a_copy_of_every_field(void **state)
{
    struct script_error e;
    (void)state;

    error_of("local function deep()\n  raise_api()\nend\n\ndeep()",
             "@handlers/a.lua", &e);
    assert_string_equal(e.kind, "api");
    assert_string_equal(e.message,
                        "sendMessage: Too Many Requests: retry after 3");
    assert_string_equal(e.script, "handlers/a.lua");
    assert_int_equal(e.line, 2);
    assert_string_equal(e.traceback, "handlers/a.lua:2: in function 'deep'\n"
                                     "handlers/a.lua:5: in main chunk");
    script_error_clear(&e);
    assert_null(e.kind);
    script_error_clear(&e);
}

static void frames_of_the_library_never_show(void **state)
{
    struct script_error e;
    (void)state;

    error_of("local function deep()\n  misuse 'x'\nend\ndeep()",
             "=[moonlet.bot]", &e);
    assert_string_equal(e.message, "x is wrong");
    assert_string_equal(e.script, "");
    assert_int_equal(e.line, 0);
    assert_string_equal(e.traceback, "");
    script_error_clear(&e);
    error_of("local x = nil + 1", "=[moonlet.bot]", &e);
    assert_string_equal(e.message, "[moonlet.bot]:1: attempt to perform "
                                   "arithmetic on a nil value");
    assert_string_equal(e.script, "");
    script_error_clear(&e);
}

static void a_long_path_is_whole_in_every_field(void **state)
{
    static const char *const chunk =
        "@handlers/administration/statistics/of_the_week/and_of_the_year.lua";
    struct script_error e;
    (void)state;

    error_of("\nlocal function deep() error 'far down' end\n\ndeep()", chunk,
             &e);
    assert_string_equal(e.message, "far down");
    assert_string_equal(e.script, chunk + 1);
    assert_int_equal(e.line, 2);
    assert_non_null(strstr(e.traceback, chunk + 1));
    script_error_clear(&e);
}

static void a_deep_traceback_is_cut(void **state)
{
    struct script_error e;
    int lines = 0;
    (void)state;

    error_of("local function f(n)\n"
             "  if n == 0 then error 'deep' end\n"
             "  return (f(n - 1))\n"
             "end\nf(100)",
             "@main.lua", &e);
    for (const char *p = e.traceback; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, 20);
    assert_string_equal(strrchr(e.traceback, '\n'), "\n...");
    script_error_clear(&e);
}

/* lua_getstack walks from the top at each call: without a bound, 190,000
 * frames that are not the author's would hold the loop for minutes. */
static void foreign_frames_do_not_cost_their_square(void **state)
{
    struct script_error e;
    (void)state;

    error_of("local function f() return 1 + f() end\nf()", "=(load)", &e);
    assert_non_null(strstr(e.message, "stack overflow"));
    assert_string_equal(e.script, "");
    script_error_clear(&e);
}

static void a_waiting_coroutine_tells_where_it_stands(void **state)
{
    static const char script[] = "local function waits()\n"
                                 "  coroutine.yield()\n"
                                 "end\n"
                                 "waits()\n";
    lua_State *L = state_open();
    lua_State *co = lua_newthread(L);
    struct script_error e;
    int results;
    (void)state;

    assert_int_equal(
        luaL_loadbuffer(co, script, sizeof script - 1, "@main.lua"), LUA_OK);
    script_error_locate(&e, co, "timeout", "after %d s", 5);
    assert_string_equal(e.script, ""); /* it has not begun */
    script_error_clear(&e);
    assert_int_equal(lua_resume(co, L, 0, &results), LUA_YIELD);
    script_error_locate(&e, co, "timeout", "after %d s", 5);
    assert_string_equal(e.kind, "timeout");
    assert_string_equal(e.message, "after 5 s");
    assert_string_equal(e.script, "main.lua");
    assert_int_equal(e.line, 2);
    assert_string_equal(e.traceback, "main.lua:2: in function 'waits'\n"
                                     "main.lua:4: in main chunk");
    script_error_clear(&e);
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operations_error_has_all_its_fields),
        cmocka_unit_test(tostring_gives_one_line_with_place_and_method),
        cmocka_unit_test(its_metatable_is_out_of_reach),
        cmocka_unit_test(a_caught_error_stays_what_it_was),
        cmocka_unit_test(the_handler_keeps_the_value_that_was_raised),
        cmocka_unit_test(c_gets_a_copy_of_every_field),
        cmocka_unit_test(frames_of_the_library_never_show),
        cmocka_unit_test(a_long_path_is_whole_in_every_field),
        cmocka_unit_test(a_deep_traceback_is_cut),
        cmocka_unit_test(foreign_frames_do_not_cost_their_square),
        cmocka_unit_test(a_waiting_coroutine_tells_where_it_stands),
    };
    return FIXTURE_RUN(tests);
}
