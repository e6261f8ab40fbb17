#include "app/errors.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "vm/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH_MS 1700000000000

struct world {
    struct clock clock;
    struct errors *errors;
    struct buf text;
};

static void setup(struct world *w)
{
    memset(w, 0, sizeof *w);
    clock_init_virtual(&w->clock, EPOCH_MS);
    w->errors = errors_new(&w->clock);
}

static void teardown(struct world *w)
{
    errors_free(w->errors);
    buf_free(&w->text);
}

static struct script_error script_error(const char *message, int line)
{
    return (struct script_error){
        .kind = (char *)"script",
        .message = (char *)message,
        .script = (char *)"main.lua",
        .line = line,
        .traceback = (char *)"main.lua:1: in main chunk",
    };
}

static void add(struct world *w, const char *message)
{
    const struct error_place place = {.generation = 1};
    const struct script_error e = script_error(message, 7);
    errors_add(w->errors, &e, &place, NULL);
}

/* The nth group, last seen first. */
static struct jslice group(struct world *w, size_t n)
{
    size_t cursor = 0;
    struct jslice value = {0};
    buf_clear(&w->text);
    errors_put(w->errors, &w->text);
    struct jslice all = js_check(w->text.data, w->text.len);
    assert_int_equal(js_type(all), JS_ARRAY);
    for (size_t i = 0; i <= n; i++)
        assert_true(js_each(all, &cursor, NULL, &value));
    return value;
}

static int64_t number(struct jslice object, const char *key)
{
    int64_t n = -1;
    assert_true(js_int(js_get(object, key), &n));
    return n;
}

static void assert_text(struct jslice object, const char *key,
                        const char *expected)
{
    struct buf b = {0};
    assert_true(js_text(js_get(object, key), &b));
    assert_string_equal(b.data, expected);
    buf_free(&b);
}

static void assert_json_null(struct jslice object, const char *key)
{
    assert_int_equal(js_type(js_get(object, key)), JS_NULL);
}

static void numbers_and_quoted_parts_do_not_count(void **state)
{
    static const char *const alike[][2] = {
        {"order 12 is gone", "order 9000 is gone"},
        {"no key 'a' in it", "no key 'b c' in it"},
        {"no key \"a\"", "no key \"it's\""},
        {"waited 3.5 s", "waited 10 s"},
        {"at 0x7f3a", "at 0x12"},
        {"at 10:30:01", "at 9:15"},
        {"can't read 'x'", "can't read 'y'"},
    };
    struct world w;
    (void)state;
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        setup(&w);
        add(&w, alike[i][0]);
        add(&w, alike[i][1]);
        assert_int_equal(errors_count(w.errors), 1);
        assert_int_equal(number(group(&w, 0), "count"), 2);
        assert_text(group(&w, 0), "message", alike[i][1]);
        teardown(&w);
    }
}

static void words_count(void **state)
{
    static const char *const unlike[][2] = {
        {"order gone", "order lost"},
        {"can't a", "can't b"},
        {"it's 'x' here", "it's 'x' there"},
        {"user 'x", "user 'y"}, /* a quote that does not end */
        {"", "x"},
    };
    struct world w;
    (void)state;
    for (size_t i = 0; i < sizeof unlike / sizeof *unlike; i++) {
        setup(&w);
        add(&w, unlike[i][0]);
        add(&w, unlike[i][1]);
        assert_int_equal(errors_count(w.errors), 2);
        teardown(&w);
    }
}

static void kind_script_and_line_count(void **state)
{
    const struct error_place place = {.generation = 1};
    struct world w;
    (void)state;
    setup(&w);
    struct script_error e = script_error("same", 7);
    errors_add(w.errors, &e, &place, NULL);
    e.line = 8;
    errors_add(w.errors, &e, &place, NULL);
    e.script = (char *)"parts/a.lua";
    errors_add(w.errors, &e, &place, NULL);
    e.kind = (char *)"api";
    errors_add(w.errors, &e, &place, NULL);
    assert_int_equal(errors_count(w.errors), 4);
    assert_text(group(&w, 0), "kind", "api");
    assert_text(group(&w, 0), "script", "parts/a.lua");
    assert_int_equal(number(group(&w, 0), "line"), 8);
    assert_int_equal(number(group(&w, 3), "line"), 7);
    teardown(&w);
}

static void a_group_keeps_its_times_and_its_last_error(void **state)
{
    struct error_place place = {5, "chat:1", 1};
    struct script_error e = script_error("order 1", 7);
    struct world w;
    (void)state;
    setup(&w);
    errors_add(w.errors, &e, &place, "{\"a\":1}");
    clock_advance_to(&w.clock, 60500000000u);
    place = (struct error_place){6, "chat:2", 3};
    e.message = (char *)"order 2";
    e.traceback = (char *)"main.lua:9: in function 'f'";
    errors_add(w.errors, &e, &place, "{\"b\":[2]}");

    struct jslice g = group(&w, 0);
    double first = 0, last = 0;
    assert_true(js_double(js_get(g, "first_seen"), &first));
    assert_true(js_double(js_get(g, "last_seen"), &last));
    assert_int_equal((int64_t)(first * 1000), EPOCH_MS);
    assert_int_equal((int64_t)(last * 1000), EPOCH_MS + 60500);
    assert_int_equal(number(g, "count"), 2);
    assert_int_equal(number(g, "update_id"), 6);
    assert_int_equal(number(g, "generation"), 3);
    assert_text(g, "lane", "chat:2");
    assert_text(g, "message", "order 2");
    assert_text(g, "traceback", "main.lua:9: in function 'f'");
    assert_int_equal(js_type(js_path(g, "fields.b")), JS_ARRAY);
    assert_int_equal(js_type(js_path(g, "fields.a")), JS_ABSENT);
    teardown(&w);
}

static void an_error_of_no_update_has_none(void **state)
{
    struct world w;
    (void)state;
    setup(&w);
    add(&w, "in on_start");
    assert_json_null(group(&w, 0), "lane");
    assert_json_null(group(&w, 0), "update_id");
    assert_json_null(group(&w, 0), "fields");
    teardown(&w);
}

/* Messages that no number makes alike. */
static void add_numbered(struct world *w, int n)
{
    char name[16];
    snprintf(name, sizeof name, "%c%c%c", 'a' + n / 676, 'a' + n / 26 % 26,
             'a' + n % 26);
    add(w, name);
}

static void the_longest_unseen_is_dropped(void **state)
{
    struct world w;
    (void)state;
    setup(&w);
    for (int i = 0; i < ERRORS_MAX; i++)
        add_numbered(&w, i);
    assert_int_equal(errors_count(w.errors), ERRORS_MAX);
    add_numbered(&w, 0);
    add_numbered(&w, ERRORS_MAX);
    assert_int_equal(errors_count(w.errors), ERRORS_MAX);
    add_numbered(&w, 0); /* was seen again in time: still there */
    assert_int_equal(number(group(&w, 0), "count"), 3);
    add_numbered(&w, 1); /* was dropped: begins anew */
    assert_int_equal(number(group(&w, 0), "count"), 1);
    assert_int_equal(errors_count(w.errors), ERRORS_MAX);
    teardown(&w);
}

static void long_texts_are_cut_and_stay_json(void **state)
{
    const struct error_place place = {1, "chat:1", 1};
    struct world w;
    char *message = mem_zero(1, 100001);
    char *fields = mem_zero(1, 100001);
    (void)state;
    setup(&w);
    for (int i = 0; i + 3 < 100000; i += 3) /* no power of two fits */
        strcpy(message + i, "\xe2\x82\xac");
    memset(fields, ' ', 100000);
    fields[0] = '{';
    fields[1] = '}';
    struct script_error e = script_error(message, 7);
    e.traceback = message;
    errors_add(w.errors, &e, &place, fields);
    assert_json_null(group(&w, 0), "fields");
    assert_in_range(w.text.len, 4000, 8000);
    free(message);
    free(fields);
    teardown(&w);
}

static void the_update_on_the_loop_is_known(void **state)
{
    const struct error_place place = {1, "chat:1", 1};
    struct world w;
    (void)state;
    setup(&w);
    assert_null(errors_place(w.errors));
    errors_on_loop(w.errors, &place);
    assert_ptr_equal(errors_place(w.errors), &place);
    errors_on_loop(w.errors, NULL);
    assert_null(errors_place(w.errors));
    teardown(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_quoted_parts_do_not_count),
        cmocka_unit_test(words_count),
        cmocka_unit_test(kind_script_and_line_count),
        cmocka_unit_test(a_group_keeps_its_times_and_its_last_error),
        cmocka_unit_test(an_error_of_no_update_has_none),
        cmocka_unit_test(the_longest_unseen_is_dropped),
        cmocka_unit_test(long_texts_are_cut_and_stay_json),
        cmocka_unit_test(the_update_on_the_loop_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
