#include "base/json.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FFFD "\xEF\xBF\xBD"

/* An update as Telegram sends it, with an escaped text and a nested entity
 * list in front of what is looked for. */
static const char update[] =
    "{\"update_id\":10000,\n \"message\" : {\"message_id\":1365,"
    "\"from\":{\"id\":4503599627370495,\"is_bot\":false,\"first_name\":"
    "\"Ann \\\"}{][\\\\\"},\"entities\":[{\"offset\":0,\"length\":6},[],{}],"
    "\"chat\":{\"id\":-1001234567890123,\"type\":\"private\"},"
    "\"date\":1441645532,\"text\":\"\\/start\\u0020\\ud83d\\ude00\"}} ";

static struct jslice check(const char *text)
{
    return js_check(text, strlen(text));
}

/* Checks a copy that ends where the text ends, so that the sanitizer sees
 * a read beyond it. */
static bool is_json(const char *text, size_t len)
{
    char *exact = malloc(len > 0 ? len : 1);

    memcpy(exact, text, len);
    bool good = js_check(exact, len).at != NULL;
    free(exact);
    return good;
}

static void accepts_what_the_rfc_allows(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "12",
        "-1.5e+10",
        "0.0",
        "1E5",
        "1e-5",
        "true",
        "false",
        "null",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r\n}\n",
        "[1,2]",
        "[[],{},[[]]]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"a\":2}",
        "{\"\":\"\"}",
        "\"\x7f\xd0\x9f\"",
        "\"\xff\xfe\"",
        "\"\\ud800\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!is_json(good[i], strlen(good[i])))
            fail_msg("refused: %s", good[i]);
}

static void refuses_everything_else(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "tru",
        "True",
        "nul",
        "nulll",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e5",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "-Infinity",
        "1 2",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "]",
        "[}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\":1",
        "{\"a\":1}}",
        "[1],",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u123",
        "\"\n\"",
        "\"\x01\"",
        "'a'",
        "[1]//",
        "/**/1",
        "\xEF\xBB\xBF{}",
        "{\"a\":1 \"b\":2}",
        "\f1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (is_json(bad[i], strlen(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    assert_false(is_json("1\0", 2));
    assert_false(is_json("\"a\0b\"", 5));
    assert_null(js_check(NULL, 0).at);
}

static void depth_is_bounded(void **state)
{
    struct buf b = {0};

    (void)state;
    for (int i = 0; i < JS_MAX_DEPTH; i++)
        buf_puts(&b, i % 3 ? "[" : "{\"k\":");
    buf_puts(&b, "7");
    for (int i = JS_MAX_DEPTH - 1; i >= 0; i--)
        buf_puts(&b, i % 3 ? "]" : "}");
    assert_true(is_json(b.data, b.len));

    char *deeper = mem_printf("[%s]", b.data);
    assert_false(is_json(deeper, strlen(deeper)));
    free(deeper);
    buf_free(&b);
}

static void no_prefix_of_an_object_is_json(void **state)
{
    size_t whole = sizeof(update) - 2; /* without the space at the end */

    (void)state;
    for (size_t len = 0; len < whole; len++)
        assert_false(is_json(update, len));
    assert_true(is_json(update, whole));
}

/* Also texts that did not pass the check may not lead a reader astray. */
static void readers_stay_within_damaged_text(void **state)
{
    struct rng rng;

    (void)state;
    rng_seed(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        size_t len = rng_below(&rng, sizeof(update));
        char *text = malloc(len + 1);
        struct buf out = {0};
        struct jslice key, value;
        size_t cursor = 0;
        int64_t n;

        memcpy(text, update, len);
        text[len] = "{}[]\",:\\u"[rng_below(&rng, 9)];
        if (len > 0)
            text[rng_below(&rng, len)] = "{}[]\",:\\u"[rng_below(&rng, 9)];
        struct jslice v = {text, len + 1};
        js_int(js_path(v, "message.chat.id"), &n);
        js_text(js_path(v, "message.text"), &out);
        int members = 0;
        while (js_each(v, &cursor, &key, &value))
            members++;
        assert_in_range(members, 0, len);
        assert_in_range(cursor, 0, len + 1);
        buf_free(&out);
        free(text);
    }
}

static void paths_find_members(void **state)
{
    struct jslice v = check(update);
    int64_t n;

    (void)state;
    assert_int_equal(js_type(v), JS_OBJECT);
    assert_true(js_int(js_path(v, "message.chat.id"), &n));
    assert_int_equal(n, INT64_C(-1001234567890123));
    assert_true(js_int(js_path(v, "message.from.id"), &n));
    assert_int_equal(n, INT64_C(4503599627370495));
    assert_true(js_int(js_get(v, "update_id"), &n));
    assert_int_equal(n, 10000);
    assert_false(js_bool(js_path(v, "message.from.is_bot"), true));
    assert_true(js_equal(js_path(v, "message.chat.type"), "private"));
    assert_true(
        js_equal(js_path(v, "message.from.first_name"), "Ann \"}{][\\"));
    assert_null(js_path(v, "message.chat.title").at);
    assert_null(js_path(v, "message.text.x").at);
    assert_null(js_path(v, "chat").at);
    assert_null(js_get(check("[1]"), "a").at);
    assert_null(js_get((struct jslice){0}, "a").at);
}

static void the_first_of_two_equal_keys_wins(void **state)
{
    int64_t n;

    (void)state;
    assert_true(js_int(js_get(check("{\"a\":1,\"a\":2}"), "a"), &n));
    assert_int_equal(n, 1);
}

static void each_walks_members_and_elements(void **state)
{
    struct jslice v = check(" {\"a\" : 1 , \"b\":[\"]\" ,{}] ,\"c\\n\":null} ");
    struct jslice key, value;
    struct buf seen = {0};
    size_t cursor = 0;

    (void)state;
    while (js_each(v, &cursor, &key, &value))
        buf_printf(&seen, "%.*s=%.*s;", (int)key.len, key.at, (int)value.len,
                   value.at);
    assert_string_equal(seen.data, "a=1;b=[\"]\" ,{}];c\\n=null;");
    assert_false(js_each(v, &cursor, &key, &value));

    buf_clear(&seen);
    cursor = 0;
    while (js_each(js_get(v, "b"), &cursor, &key, &value)) {
        assert_null(key.at);
        buf_printf(&seen, "%.*s;", (int)value.len, value.at);
    }
    assert_string_equal(seen.data, "\"]\";{};");
    cursor = 0;
    assert_false(js_each(check("[ ]"), &cursor, NULL, &value));
    cursor = 0;
    assert_false(js_each(check("\"ab\""), &cursor, NULL, &value));
    buf_free(&seen);
}

static void integers_are_exact(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0.000e9", true, 0},
        {"12", true, 12},
        {"12.0", true, 12},
        {"1.2e1", true, 12},
        {"1200e-2", true, 12},
        {"0.0012e4", true, 12},
        {"100", true, 100},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775807", true, -INT64_MAX},
        {"9223372036854775808", false, 0},
        {"922337203685477580700e-2", true, INT64_MAX},
        {"1e18", true, INT64_C(1000000000000000000)},
        {"1e19", false, 0},
        {"1e999999999999999999999", false, 0},
        {"1e-999999999999999999999", false, 0},
        {"0e999999999999999999999", true, 0},
        {"1.5", false, 0},
        {"99999999999999999999999999", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
        {"[1]", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value = 0;

        assert_non_null(check(rows[i].text).at);
        if (js_int(check(rows[i].text), &value) != rows[i].good ||
            value != rows[i].value)
            fail_msg("%s became %lld", rows[i].text, (long long)value);
    }
}

static void doubles_are_read(void **state)
{
    char digits[400];
    double d;

    (void)state;
    assert_true(js_double(check("-1.5e2"), &d));
    assert_float_equal(d, -150, 0);
    assert_false(js_double(check("1e999"), &d));
    assert_false(js_double(check("\"1\""), &d));
    memset(digits, '0', sizeof(digits));
    memcpy(digits, "0.", 2);
    digits[200] = '7';
    digits[201] = '\0';
    assert_true(js_double(check(digits), &d));
    assert_true(d > 6.9e-199 && d < 7.1e-199);
    /* The digits behind the slice do not belong to it. */
    assert_true(js_double((struct jslice){"123456", 3}, &d));
    assert_float_equal(d, 123, 0);
}

static void strings_are_decoded(void **state)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"\"\"", ""},
        {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"},
        {"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!"},
        {"\"\\ud83d\"", FFFD},
        {"\"\\ud83dx\"", FFFD "x"},
        {"\"\\ud83d\\u0041\"", FFFD "A"},
        {"\"\\ude00\\ud83d\\ude00\"", FFFD "\xF0\x9F\x98\x80"},
        {"\"\xD0\x9F\xF0\x9F\x98\x80\"", "\xD0\x9F\xF0\x9F\x98\x80"},
        {"\"a\xFFz\"", "a" FFFD "z"},
        {"\"\xC0\xAF\"", FFFD FFFD},
        {"\"\xED\xA0\x80\"", FFFD FFFD FFFD},
        {"\"\xF4\x90\x80\x80\"", FFFD FFFD FFFD FFFD},
        {"\"\xE2\x82\"", FFFD FFFD},
        {"\"\xE2\x82\\n\"", FFFD FFFD "\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = {0};

        assert_true(js_text(check(rows[i].json), &out));
        assert_string_equal(out.data, rows[i].text);
        assert_true(js_equal(check(rows[i].json), rows[i].text) ||
                    strchr(rows[i].json, '\\') == NULL);
        buf_free(&out);
    }
    struct buf out = {0};

    assert_true(js_text(check("\"a\\u0000b\""), &out));
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.data, "a\0b", 4);
    assert_false(js_equal(check("\"a\\u0000b\""), "a"));
    assert_false(js_text(check("1"), &out));
    assert_false(js_text(check("{}"), &out));
    buf_free(&out);
}

static void strings_are_written(void **state)
{
    struct buf out = {0};

    (void)state;
    js_put_string(&out, "a\"\\\n\t\x01/\x7f\xD0\x9F\xFF\0z", 13);
    assert_string_equal(out.data, "\"a\\\"\\\\\\n\\t\\u0001/\\u007f"
                                  "\xD0\x9F" FFFD "\\u0000z\"");
    buf_clear(&out);
    js_put_string(&out, "", 0);
    assert_string_equal(out.data, "\"\"");
    buf_free(&out);
}

static void what_is_written_reads_back(void **state)
{
    struct rng rng;

    (void)state;
    rng_seed(&rng, 11);
    for (int round = 0; round < 2000; round++) {
        unsigned char text[40];
        size_t len = rng_below(&rng, sizeof(text));
        struct buf written = {0}, once = {0}, twice = {0};

        for (size_t i = 0; i < len; i++)
            text[i] = (unsigned char)rng_next(&rng);
        js_put_string(&written, (char *)text, len);
        assert_true(js_text(js_check(written.data, written.len), &once));
        buf_clear(&written);
        js_put_string(&written, once.data, once.len);
        assert_true(js_text(js_check(written.data, written.len), &twice));
        assert_int_equal(once.len, twice.len);
        assert_memory_equal(once.data, twice.data, once.len);
        buf_free(&written);
        buf_free(&once);
        buf_free(&twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_the_rfc_allows),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(no_prefix_of_an_object_is_json),
        cmocka_unit_test(readers_stay_within_damaged_text),
        cmocka_unit_test(paths_find_members),
        cmocka_unit_test(the_first_of_two_equal_keys_wins),
        cmocka_unit_test(each_walks_members_and_elements),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(doubles_are_read),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(strings_are_written),
        cmocka_unit_test(what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
