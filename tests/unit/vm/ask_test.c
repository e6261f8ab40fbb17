#include "fixture.h"

#include "vm/limits.h"

#define JSON "{\"n\":7}"

static char *ask(struct site *s, struct script_error *e)
{
    return generation_ask(s->g, VM_ON_START, JSON, strlen(JSON), e);
}

static void the_answer_comes_at_once(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;
    site_open(&s);
    site_load(&s, "t.on_start(function(x) t.note(x.n) return 'a' .. x.n end)");
    for (int i = 0; i < 3; i++) {
        char *text = ask(&s, &e);
        assert_string_equal(text, "a7");
        assert_null(e.kind);
        free(text);
    }
    assert_string_equal(site_notes(&s), "7;7;7;");
    assert_int_equal(generation_tasks(s.g), 0);
    site_close(&s);
}

static void anything_but_text_is_no_answer(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;
    site_open(&s);
    site_load(&s, "local i = 0 t.on_start(function() i = i + 1 "
                  "return ({ {}, 5, true, print })[i] end)");
    for (int i = 0; i < 5; i++) {
        assert_null(ask(&s, &e));
        assert_null(e.kind);
    }
    site_close(&s);
}

static const struct {
    const char *main, *kind, *message;
    int line;
} failures[] = {
    {"t.on_start(function()\nerror 'broken' end)", "script", "broken", 2},
    {"t.on_start(function()\nt.misuse 'wrong' end)", "misuse", "wrong", 2},
    {"t.on_start(function()\nt.wait 'x' end)", "misuse", "cannot wait", 2},
    {"t.on_start(function()\ncoroutine.yield() end)", "script", "yield", 2},
    {"t.on_start(function() error(setmetatable({},\n{ __tostring = function() "
     "error 'again' end })) end)",
     "script", "", 2},
};

static void an_error_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct script_error e;
        struct site s;
        site_open(&s);
        site_load(&s, failures[i].main);
        assert_null(ask(&s, &e));
        assert_string_equal(e.kind, failures[i].kind);
        if (!strstr(e.message, failures[i].message))
            fail_msg("%s: %s", failures[i].main, e.message);
        assert_int_equal(e.line, failures[i].line);
        script_error_clear(&e);
        assert_int_equal(s.live, 0);
        site_close(&s);
    }
}

static void no_json_is_an_error_too(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;
    site_open(&s);
    site_load(&s, "t.on_start(function() return 'x' end)");
    assert_null(generation_ask(s.g, VM_ON_START, "{", 1, &e));
    assert_non_null(e.kind);
    script_error_clear(&e);
    site_close(&s);
}

static void never(void *arg, lua_State *L)
{
    (void)arg;
    (void)L;
    abort();
}

/* No pcall hides it, and the next call has a limit of its own. */
static void an_endless_loop_is_ended(void **state)
{
    struct script_error e;
    struct err error;
    struct site s;
    (void)state;
    site_open(&s);
    s.host.limits = limits_new(50, never, NULL, &error);
    assert_non_null(s.host.limits);
    site_load(&s, "local first = true\n"
                  "t.on_start(function()\n"
                  "if not first then return 'well' end\n"
                  "first = false\n"
                  "while true do pcall(function() while true do end end) end\n"
                  "end)");
    assert_null(ask(&s, &e));
    assert_string_equal(e.kind, "limit");
    assert_string_equal(e.script, "main.lua");
    assert_int_equal(e.line, 5);
    script_error_clear(&e);
    char *text = ask(&s, &e);
    assert_string_equal(text, "well");
    assert_null(e.kind);
    free(text);
    generation_close(s.g);
    s.g = NULL;
    limits_free(s.host.limits);
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_comes_at_once),
        cmocka_unit_test(anything_but_text_is_no_answer),
        cmocka_unit_test(an_error_is_told_with_its_place),
        cmocka_unit_test(no_json_is_an_error_too),
        cmocka_unit_test(an_endless_loop_is_ended),
    };
    return FIXTURE_RUN(tests);
}
