#include "simulated_fixture.h"

/* Each counts how far it comes in t.mark. */
static const char *const endless[] = {
    "while true do n = n + 1 end",
    "while true do pcall(function() while true do n = n + 1 end end) end",
    "while true do pcall(error, n) n = n + 1 end",
    "local co = coroutine.wrap(function() while true do n = n + 1 end end) "
    "co()",
    "local co = coroutine.wrap(function() while true do n = n + 1 "
    "coroutine.yield() end end) while true do co() end",
    "while true do coroutine.wrap(function() for i = 1, 20 do n = n + 1 end "
    "end)() end",
    "while true do pcall(coroutine.wrap(function() while true do n = n + 1 "
    "end end)) end",
    "xpcall(function() while true do n = n + 1 end end, function() "
    "while true do n = n + 1 end end)",
    "table.sort({ 3, 1, 2 }, function() while true do n = n + 1 end end)",
    "setmetatable({}, { __index = function(_, k) while true do n = n + 1 end "
    "end }).x()",
    "local function deep() n = n + 1 return 1 + deep() end "
    "while true do pcall(deep) end",
};

/* How far the code comes, in a handler. */
static char *run_endless(const char *code)
{
    struct run r;
    struct site s;
    open_simulated(&s, 1);
    char *main = mem_printf("local n = 0 t.on_start(function() t.note(n) end)\n"
                            "t.on(function() n = 0 %s end)",
                            code);
    site_load(&s, main);
    free(main);
    for (int i = 0; i < 3; i++) {
        run_all(&r, &s);
        assert_int_equal(r.outcome, TASK_LIMITED);
        assert_string_equal(r.kind, "limit");
        if (r.line != 2)
            fail_msg("%s: line %d: %s", code, r.line, r.message);
        struct script_error e;
        assert_null(generation_ask(s.g, VM_ON_START, "1", 1, &e));
    }
    char *notes = mem_strdup(site_notes(&s));
    close_simulated(&s);
    return notes;
}

static void endless_code_ends_at_the_same_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        char *first = run_endless(endless[i]);
        char *again = run_endless(endless[i]);
        assert_string_equal(first, again);
        /* A slice of about LIMIT_MS, whatever ran before. */
        int a, b, c;
        assert_int_equal(sscanf(first, "%d;%d;%d;", &a, &b, &c), 3);
        if (a < LIMIT_MS * LIMITS_STEPS_PER_MS / 200 ||
            a > LIMIT_MS * LIMITS_STEPS_PER_MS)
            fail_msg("%s: %s", endless[i], first);
        assert_in_range(b, a * 9 / 10, a * 11 / 10);
        assert_in_range(c, a * 9 / 10, a * 11 / 10);
        free(first);
        free(again);
    }
}

static void a_coroutine_made_while_loading_ends_too(void **state)
{
    struct run r;
    struct site s;
    (void)state;
    open_simulated(&s, 1);
    site_load(&s, "local co = coroutine.wrap(function() while true do end end) "
                  "t.on(function() co() end)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_LIMITED);
    close_simulated(&s);
}

/* What runs outside of tasks is counted as well: questions and <close>. */
static void questions_and_closing_end_too(void **state)
{
    struct script_error e;
    struct run r;
    struct site s;
    (void)state;
    open_simulated(&s, 1);
    site_load(&s, "local function forever() while true do end end\n"
                  "t.on_start(function()\nforever() end)\n"
                  "t.on(function() local x <close> = setmetatable({}, "
                  "{ __close = forever }) t.sleep(5) end)");
    assert_null(generation_ask(s.g, VM_ON_START, "1", 1, &e));
    assert_string_equal(e.kind, "limit");
    assert_int_equal(e.line, 1);
    script_error_clear(&e);
    struct task *t = run_start(&r, &s);
    site_turn(&s);
    task_cancel(t);
    loop_run(s.loop);
    assert_int_equal(r.outcome, TASK_CANCELLED);
    assert_int_equal(site_logged(&s, "task.close"), 1);
    close_simulated(&s);
}

static void work_within_the_limit_is_not_ended(void **state)
{
    struct run r;
    struct site s;
    (void)state;
    open_simulated(&s, 1);
    /* 30 slices, each of half the limit. */
    site_load(&s, "t.on(function() for i = 1, 30 do "
                  "for j = 1, 40000 do end t.sleep(1) end "
                  "local co = coroutine.wrap(function() for i = 1, 30 do "
                  "for j = 1, 1000 do end coroutine.yield() end end) "
                  "for i = 1, 30 do co() end t.note('well') end)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_DONE);
    assert_string_equal(site_notes(&s), "well;");
    close_simulated(&s);
}

static void endless_loading_ends_too(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;
    if (stress) /* takes as long again and shows nothing new */
        return;
    open_simulated(&s, 1);
    site_main(&s, "\nwhile true do pcall(function() while true do end end) "
                  "end");
    assert_null(generation_load(&s.host, 1, &e));
    assert_non_null(strstr(e.message, "takes longer than 5 s"));
    assert_int_equal(e.line, 2);
    script_error_clear(&e);
    limits_free(s.host.limits);
    site_close(&s);
}

static char *fill_memory(void)
{
    struct run r;
    struct site s;
    open_simulated(&s, 1);
    site_load(&s, "t.on(function() local all, n = {}, 0\n"
                  "pcall(function() while true do\n"
                  "all[#all + 1] = ('x'):rep(1000) .. n n = n + 1 end end)\n"
                  "t.note(n, n % 7 == 0 and {} or 1) error 'full' end)");
    run_all(&r, &s);
    char *text =
        mem_printf("%s %s %d %s", site_notes(&s), r.kind, r.line, r.message);
    close_simulated(&s);
    return text;
}

static void memory_ends_at_the_same_place(void **state)
{
    char *first = fill_memory(), *again = fill_memory();
    (void)state;
    assert_string_equal(first, again);
    assert_true(atoi(first) > 1000);
    free(first);
    free(again);
}

/* Work of all kinds: objects as keys, deletions, finalizers, weak tables,
 * child tasks that wait. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_code_ends_at_the_same_place),
        cmocka_unit_test(a_coroutine_made_while_loading_ends_too),
        cmocka_unit_test(questions_and_closing_end_too),
        cmocka_unit_test(work_within_the_limit_is_not_ended),
        cmocka_unit_test(endless_loading_ends_too),
        cmocka_unit_test(memory_ends_at_the_same_place),
    };
    return FIXTURE_RUN(tests);
}
