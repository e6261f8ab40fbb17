#include "fixture.h"

#include "base/json.h"
#include "vm/lua_json.h"

#include <lualib.h>
#include <math.h>

static lua_State *state_open(void)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    lua_json_open(L);
    lua_settop(L, 0);
    if (stress)
        lua_gc(L, LUA_GCSETPAUSE, 0);
    return L;
}

/* Protected: decodes the string at 1. */
static int decode(lua_State *L)
{
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    lua_json_decode(L, text, len);
    if (stress)
        lua_gc(L, LUA_GCCOLLECT);
    return 1;
}

/* Leaves the value, or an error text, on the stack. */
static bool decoded(lua_State *L, const char *text)
{
    lua_pushcfunction(L, decode);
    lua_pushstring(L, text);
    return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

/* JSON of the value on top (popped), "!" and the reason if it has none. */
static const char *encoded(lua_State *L)
{
    static char text[4096];
    struct buf out = {0};
    int top = lua_gettop(L);
    const char *why = lua_json_encode(L, -1, &out);
    assert_int_equal(lua_gettop(L), top);
    snprintf(text, sizeof text, "%s%s", why ? "!" : "", why ? why : out.data);
    if (!why)
        assert_non_null(js_check(out.data, out.len).at);
    buf_free(&out);
    lua_pop(L, 1);
    return text;
}

static const char *encoded_of(lua_State *L, const char *expression)
{
    char *chunk = mem_printf("return %s", expression);
    if (luaL_dostring(L, chunk) != LUA_OK)
        fail_msg("%s: %s", expression, lua_tostring(L, -1));
    free(chunk);
    return encoded(L);
}

static void round_trip(lua_State *L, int64_t n)
{
    static const char *const forms[] = {"%lld", "[%lld]",
                                        "{\"chat\":{\"id\":%lld}}"};
    for (size_t i = 0; i < 3; i++) {
        char text[80];
        snprintf(text, sizeof text, forms[i], (long long)n);
        assert_true(decoded(L, text));
        lua_pushvalue(L, -1);
        assert_string_equal(encoded(L), text);
        if (i == 1)
            lua_rawgeti(L, -1, 1);
        if (i == 2) {
            lua_getfield(L, -1, "chat");
            lua_getfield(L, -1, "id");
        }
        assert_true(lua_isinteger(L, -1));
        assert_true(lua_tointeger(L, -1) == n);
        lua_settop(L, 0);
    }
}

static void integers_up_to_2_to_the_53_are_exact_both_ways(void **state)
{
    static const int64_t samples[] = {
        0,
        1,
        9,
        10,
        12,
        255,
        65536,
        4294967295,
        4294967296,
        123456789012345,
        99999999999999,
        100000000000000,
        4503599627370495,
        4503599627370497,
        9007199254740991,
        9007199254740992,
        1001234567890123,
    };
    lua_State *L = state_open();
    struct rng rng;
    (void)state;

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        round_trip(L, samples[i]);
        round_trip(L, -samples[i]);
    }
    rng_seed(&rng, 53);
    for (int i = 0; i < (stress ? 300 : 20000); i++) {
        uint64_t bits = 1 + rng_below(&rng, 53);
        int64_t n = (int64_t)(rng_next(&rng) >> (64 - bits));
        round_trip(L, i % 2 ? n : -n);
    }
    lua_close(L);
}

static void a_user_id_of_52_bits_concatenates_as_it_is(void **state)
{
    lua_State *L = state_open();
    (void)state;

    assert_true(decoded(L, "{\"from\":{\"id\":4503599627370495},"
                           "\"chat\":{\"id\":-1001234567890123}}"));
    lua_setglobal(L, "u");
    assert_int_equal(luaL_dostring(L, "return u.from.id .. ',' .. u.chat.id"),
                     LUA_OK);
    assert_string_equal(lua_tostring(L, -1),
                        "4503599627370495,-1001234567890123");
    lua_close(L);
}

static void integral_numbers_of_any_form_become_integers(void **state)
{
    static const char *const forms[][2] = {
        {"12.0", "12"},
        {"1.2e1", "12"},
        {"1200e-2", "12"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"1E2", "100"},
        {"9.007199254740992e15", "9007199254740992"},
    };
    lua_State *L = state_open();
    (void)state;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_true(decoded(L, forms[i][0]));
        assert_true(lua_isinteger(L, -1));
        assert_string_equal(lua_tostring(L, -1), forms[i][1]);
        lua_pop(L, 1);
    }
    lua_close(L);
}

static void floats_keep_their_value(void **state)
{
    static const char *const texts[] = {
        "0.5",
        "-1.25",
        "3.14159265358979",
        "0.1",
        "1e+300",
        "1e-300",
        "1.7976931348623157e+308",
        "5e-324",
        "2.2250738585072014e-308",
        "0.30000000000000004",
        "123456789.123456789",
    };
    lua_State *L = state_open();
    struct rng rng;
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(decoded(L, texts[i]));
        assert_false(lua_isinteger(L, -1));
        assert_true(lua_tonumber(L, -1) == strtod(texts[i], NULL));
        lua_pushvalue(L, -1);
        assert_true(strtod(encoded(L), NULL) == lua_tonumber(L, -1));
        lua_pop(L, 1);
    }
    assert_string_equal(encoded_of(L, "0.1"), "0.1");
    rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double value;
        } u = {.bits = rng_next(&rng)};
        if (!isfinite(u.value))
            continue;
        lua_pushnumber(L, u.value);
        assert_true(decoded(L, encoded(L)));
        assert_true(lua_tonumber(L, -1) == u.value);
        lua_pop(L, 1);
    }
    lua_close(L);
}

static void integers_of_lua_are_written_whole(void **state)
{
    lua_State *L = state_open();
    (void)state;

    assert_string_equal(encoded_of(L, "math.maxinteger"),
                        "9223372036854775807");
    assert_string_equal(encoded_of(L, "math.mininteger"),
                        "-9223372036854775808");
    assert_string_equal(encoded_of(L, "12.0"), "12");
    assert_string_equal(encoded_of(L, "2^53"), "9007199254740992");
    assert_string_equal(encoded_of(L, "-2^53"), "-9007199254740992");
    assert_string_equal(encoded_of(L, "123456789012345.0"), "123456789012345");
    lua_close(L);
}

static void tables_become_arrays_or_objects_by_their_keys(void **state)
{
    lua_State *L = state_open();
    (void)state;

    assert_string_equal(encoded_of(L, "{1, 'two', true, 4.5}"),
                        "[1,\"two\",true,4.5]");
    assert_string_equal(encoded_of(L, "{{}, {{}}}"), "[{},[{}]]");
    assert_string_equal(encoded_of(L, "{}"), "{}");
    assert_string_equal(encoded_of(L, "{a = {b = {1}}}"),
                        "{\"a\":{\"b\":[1]}}");
    assert_string_equal(encoded_of(L, "{[2] = 'two'}"), "{\"2\":\"two\"}");
    assert_string_equal(encoded_of(L, "{[-7] = 1}"), "{\"-7\":1}");
    assert_string_equal(encoded_of(L, "{[1.0] = 'x'}"), "[\"x\"]");
    assert_true(decoded(L, encoded_of(L, "{'x', 'y', n = 2}")));
    lua_getfield(L, -1, "n");
    lua_getfield(L, -2, "1");
    assert_int_equal(lua_tointeger(L, -2), 2);
    assert_string_equal(lua_tostring(L, -1), "x");
    assert_true(decoded(L, encoded_of(L, "{1, nil, 3}")));
    assert_int_equal(lua_rawlen(L, -1), 0); /* an object, no hole is lost */
    lua_close(L);
}

static void keys_of_objects_are_written_in_order(void **state)
{
    lua_State *L = state_open();
    (void)state;
    assert_string_equal(
        encoded_of(L, "{b = 1, [10] = 2, a = 3, [-1] = 4, ['10'] = 5, "
                      "aa = 6, ['a\\0'] = 7, [''] = 8, [3] = {z = 1, y = 2}}"),
        "{\"-1\":4,\"3\":{\"y\":2,\"z\":1},\"10\":2,\"\":8,\"10\":5,"
        "\"a\":3,\"a\\u0000\":7,\"aa\":6,\"b\":1}");
    assert_int_equal(luaL_dostring(L, "local t = {} for i = 100, 1, -1 do "
                                      "t[('k%03d'):format(i)] = i end "
                                      "return t"),
                     LUA_OK);
    const char *text = encoded(L);
    assert_int_equal(strncmp(text, "{\"k001\":1,\"k002\":2,", 19), 0);
    assert_string_equal(text + strlen(text) - 11, "\"k100\":100}");
    assert_int_equal(lua_gettop(L), 0);
    lua_close(L);
}

static void an_object_has_no_endless_number_of_keys(void **state)
{
    lua_State *L = state_open();
    (void)state;
    assert_int_equal(luaL_dostring(L, "local t = {} for i = 2, 500002 do "
                                      "t[i] = 0 end return t"),
                     LUA_OK);
    assert_string_equal(encoded(L),
                        "!an object has too many keys (500000 at most)");
    assert_int_equal(lua_gettop(L), 0);
    lua_close(L);
}

static void empty_arrays_and_objects_stay_apart(void **state)
{
    static const char *const texts[][2] = {
        {"[]", "[]"},
        {"{}", "{}"},
        {" [ \n ] ", "[]"},
        {"[[],{},[[]]]", "[[],{},[[]]]"},
        {"{\"a\":[ ]}", "{\"a\":[]}"},
        {"[\"[]\"]", "[\"[]\"]"},
        {"[\"\\\"[]\",[]]", "[\"\\\"[]\",[]]"},
        {"{\"[]\":[\"[\"]}", "{\"[]\":[\"[\"]}"},
        {"[\"\\u0000\"]", "[\"\\u0000\"]"},
        {"[[1],[],[2.0]]", "[[1],[],[2]]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lua_State *L = state_open();
        assert_true(decoded(L, texts[i][0]));
        assert_string_equal(encoded(L), texts[i][1]);
        assert_int_equal(lua_gettop(L), 0);
        lua_close(L);
    }
}

static void a_marked_table_is_an_array_even_if_empty(void **state)
{
    lua_State *L = state_open();
    (void)state;

    lua_newtable(L);
    lua_json_mark_array(L, -1);
    assert_int_equal(lua_gettop(L), 1);
    lua_pushvalue(L, 1);
    assert_string_equal(encoded(L), "[]");
    lua_pushinteger(L, 5);
    lua_rawseti(L, 1, 1);
    lua_pushvalue(L, 1);
    assert_string_equal(encoded(L), "[5]");
    lua_pushinteger(L, 5);
    lua_rawseti(L, 1, 7);
    assert_string_equal(encoded(L), "!an array has keys other than 1..n");
    assert_string_equal(encoded_of(L, "setmetatable({}, {__index = print})"),
                        "{}");
    lua_close(L);
}

static void null_and_the_other_scalars(void **state)
{
    lua_State *L = state_open();
    (void)state;

    lua_json_push_null(L);
    assert_string_equal(encoded(L), "null");
    assert_true(decoded(L, "[null,true,false,\"\"]"));
    lua_rawgeti(L, -1, 1);
    lua_json_push_null(L);
    assert_true(lua_rawequal(L, -1, -2));
    lua_pop(L, 2);
    assert_string_equal(encoded(L), "[null,true,false,\"\"]");
    assert_string_equal(encoded_of(L, "nil"), "null");
    lua_close(L);
}

static void what_json_cannot_hold_is_refused(void **state)
{
    static const char *const refused[][2] = {
        {"0/0", "!a number is infinite or not a number"},
        {"1/0", "!a number is infinite or not a number"},
        {"{x = {-1/0}}", "!a number is infinite or not a number"},
        {"print", "!a function cannot be written as JSON"},
        {"coroutine.create(print)", "!a coroutine cannot be written as JSON"},
        {"io.stdout", "!a userdata cannot be written as JSON"},
        {"{[true] = 1}", "!a key is neither a string nor an integer"},
        {"{[1.5] = 1}", "!a key is neither a string nor an integer"},
        {"{[{}] = 1}", "!a key is neither a string nor an integer"},
        {"{a = {b = {print}}}", "!a function cannot be written as JSON"},
    };
    lua_State *L = state_open();
    (void)state;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_string_equal(encoded_of(L, refused[i][0]), refused[i][1]);
    lua_pushlightuserdata(L, L);
    assert_string_equal(encoded(L), "!a userdata cannot be written as JSON");
    lua_close(L);
}

/* {{{…}}} or {a={a={…}}}, n tables deep. */
static void push_nested(lua_State *L, int n, bool array)
{
    lua_newtable(L);
    for (int i = 1; i < n; i++) {
        lua_newtable(L);
        lua_insert(L, -2);
        if (array)
            lua_rawseti(L, -2, 1);
        else
            lua_setfield(L, -2, "a");
    }
}

static void nesting_is_bounded_both_ways(void **state)
{
    lua_State *L = state_open();
    struct buf out = {0};
    (void)state;

    for (int array = 0; array < 2; array++) {
        push_nested(L, LUA_JSON_MAX_DEPTH, array);
        buf_clear(&out);
        assert_null(lua_json_encode(L, -1, &out));
        assert_non_null(js_check(out.data, out.len).at);
        assert_true(decoded(L, out.data)); /* what base takes, Lua takes */
        push_nested(L, LUA_JSON_MAX_DEPTH + 1, array);
        assert_string_equal(encoded(L), "!tables are nested deeper than 512 "
                                        "levels (or in a circle)");
        lua_settop(L, 0);
    }
    buf_clear(&out);
    for (int i = 0; i < 100000; i++)
        buf_putc(&out, '[');
    assert_false(decoded(L, out.data));
    buf_free(&out);
    lua_close(L);
}

static void circles_are_refused(void **state)
{
    lua_State *L = state_open();
    (void)state;

    assert_int_equal(luaL_dostring(L, "a = {} a.a = a b = {} b[1] = {b}"),
                     LUA_OK);
    assert_string_equal(encoded_of(L, "a"), "!tables are nested deeper than "
                                            "512 levels (or in a circle)");
    assert_string_equal(encoded_of(L, "b"), "!tables are nested deeper than "
                                            "512 levels (or in a circle)");
    lua_close(L);
}

static void texts_come_through_whole(void **state)
{
    lua_State *L = state_open();
    (void)state;

    assert_true(decoded(L, "\"\\u0000\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\""));
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    assert_int_equal(len, 11);
    assert_memory_equal(text, "\0\n\"\\/\xc3\xa9\xf0\x9f\x98\x80", 11);
    assert_true(decoded(L, encoded(L)));
    text = lua_tolstring(L, -1, &len);
    assert_int_equal(len, 11);
    assert_memory_equal(text, "\0\n\"\\/\xc3\xa9\xf0\x9f\x98\x80", 11);
    lua_close(L);
}

static void invalid_utf8_is_replaced(void **state)
{
    lua_State *L = state_open();
    (void)state;

    assert_string_equal(encoded_of(L, "'a\\xffb\\xc3'"), "\"a\xef\xbf\xbd"
                                                         "b\xef\xbf\xbd\"");
    assert_string_equal(encoded_of(L, "{['\\x80'] = 1}"),
                        "{\"\xef\xbf\xbd\":1}");
    lua_close(L);
}

static void halves_of_surrogate_pairs_are_replaced(void **state)
{
    static const char *const texts[][2] = {
        {"\"\\ud800\"", "\xef\xbf\xbd"},
        {"\"\\uDfff\"", "\xef\xbf\xbd"},
        {"\"a\\ud83dx\\ude00\"", "a\xef\xbf\xbdx\xef\xbf\xbd"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {"\"\\ud83d\\ude00\\ud83d\"", "\xf0\x9f\x98\x80\xef\xbf\xbd"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"\\\\ud800\"", "\\ud800"},
        {"\"\\\\\\ud800\"", "\\\xef\xbf\xbd"},
    };
    lua_State *L = state_open();
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!decoded(L, texts[i][0]))
            fail_msg("%s: %s", texts[i][0], lua_tostring(L, -1));
        assert_string_equal(lua_tostring(L, -1), texts[i][1]);
        lua_pop(L, 1);
    }
    lua_close(L);
}

static void what_is_no_json_raises_a_text(void **state)
{
    static const char *const texts[] = {
        "",          "{",           "[1,]",     "{\"a\"}",   "{a:1}", "[1 2]",
        "nul",       "'x'",         "\"x",      "[1]x",      "nan",   "NaN",
        "inf",       "-inf",        "Infinity", "0x10",      "+1",    "01",
        "-",         ".5",          "\"\\x\"",  "\"\\u12\"", "\\",    "\"\\",
        "\"\\ud83d", "[\"\\ud8\"]", "--1",
    };
    lua_State *L = state_open();
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (decoded(L, texts[i]))
            fail_msg("%s was decoded", texts[i]);
        assert_int_equal(lua_type(L, -1), LUA_TSTRING);
        lua_settop(L, 0);
    }
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_up_to_2_to_the_53_are_exact_both_ways),
        cmocka_unit_test(a_user_id_of_52_bits_concatenates_as_it_is),
        cmocka_unit_test(integral_numbers_of_any_form_become_integers),
        cmocka_unit_test(floats_keep_their_value),
        cmocka_unit_test(integers_of_lua_are_written_whole),
        cmocka_unit_test(tables_become_arrays_or_objects_by_their_keys),
        cmocka_unit_test(keys_of_objects_are_written_in_order),
        cmocka_unit_test(an_object_has_no_endless_number_of_keys),
        cmocka_unit_test(empty_arrays_and_objects_stay_apart),
        cmocka_unit_test(a_marked_table_is_an_array_even_if_empty),
        cmocka_unit_test(null_and_the_other_scalars),
        cmocka_unit_test(what_json_cannot_hold_is_refused),
        cmocka_unit_test(nesting_is_bounded_both_ways),
        cmocka_unit_test(circles_are_refused),
        cmocka_unit_test(texts_come_through_whole),
        cmocka_unit_test(invalid_utf8_is_replaced),
        cmocka_unit_test(halves_of_surrogate_pairs_are_replaced),
        cmocka_unit_test(what_is_no_json_raises_a_text),
    };
    return FIXTURE_RUN(tests);
}
