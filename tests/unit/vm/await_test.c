#include "fixture.h"

/* Loads the scripts, starts the handler and lets it run until it waits. */
static void begin(struct site *s, struct run *r, const char *text)
{
    site_open(s);
    site_load(s, text);
    run_start(r, s);
    site_turn(s);
}

static void an_operation_starts_only_through_await(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() t.note(t.wait('a')) end)");
    run_start(&r, &s);
    assert_int_equal(s.started, 0);
    site_turn(&s);
    assert_int_equal(s.started, 1);
    assert_int_equal(s.pushed, 0);
    site_done(&s, "a", "result");
    assert_string_equal(site_notes(&s), ""); /* never from within done */
    site_turn(&s);
    assert_string_equal(site_notes(&s), "result;");
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.outcome, TASK_DONE);
    assert_int_equal(r.slices, 2);
    site_close(&s);
}

static void done_within_start_resumes_in_a_later_turn(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r,
          "t.on(function() for i = 1, 3 do\n"
          "t.note(t.now('n' .. i)) end end)");
    assert_string_equal(site_notes(&s), "n1;n2;n3;");
    assert_int_equal(r.outcome, TASK_DONE);
    assert_int_equal(r.slices, 4);
    assert_int_equal(s.pushed, 3);
    site_close(&s);
}

static void a_task_cancelled_while_its_result_waits_frees_it(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() t.note(t.wait('a')) end)");
    s.tasks[0] = run_start(&r, &s);
    site_turn(&s);
    site_done(&s, "a", "result");
    task_cancel(s.tasks[0]);
    site_turn(&s);
    assert_string_equal(site_notes(&s), "");
    assert_int_equal(r.outcome, TASK_CANCELLED);
    assert_int_equal(s.cancelled, 0); /* it was done already */
    site_close(&s);
}

static void a_timeout_raises_and_stops_the_operation(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r,
          "t.on(function()\n"
          "  local ok, e = pcall(t.wait, 'a', 1500)\n"
          "  t.note(ok, e.kind, e.retryable, tostring(e))\n"
          "  t.note(t.wait('b', 60000))\n"
          "end)");
    site_pass(&s, 1499);
    assert_string_equal(site_notes(&s), "");
    site_pass(&s, 1);
    assert_string_equal(site_notes(&s),
                        "false timeout true main.lua:2: probe: no result "
                        "within 1.5 s;");
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(s.live, 1);
    site_done(&s, "b", "still usable");
    loop_run(s.loop);
    assert_string_equal(site_notes(&s), "still usable;");
    assert_int_equal(loop_now_ms(s.loop), 1500); /* b's limit is gone too */
    site_close(&s);
}

static void a_timeout_that_nobody_catches_ends_the_task(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "\nt.on(function()\n  t.wait('a', 2000)\nend)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_string_equal(r.kind, "timeout");
    assert_string_equal(r.message, "probe: no result within 2 s");
    assert_string_equal(r.script, "main.lua");
    assert_int_equal(r.line, 3);
    site_close(&s);
}

static void a_completion_after_the_timeout_only_frees(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r,
          "t.on(function()\n"
          "  t.note(pcall(t.late, 'a', 10))\n"
          "  t.note(t.wait('b'))\n"
          "end)");
    site_pass(&s, 10);
    assert_string_equal(site_notes(&s),
                        "false main.lua:2: probe: no result within 0.01 s;");
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(s.live, 2);
    site_done(&s, "a", "too late");
    assert_int_equal(s.live, 1);
    site_turn(&s);
    assert_string_equal(site_notes(&s), "");
    site_done(&s, "b", "b");
    site_turn(&s);
    assert_string_equal(site_notes(&s), "b;");
    site_close(&s);
}

static void an_operation_may_outlive_its_generation(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r, "t.on(function() t.late('a') end)");
    generation_close(s.g);
    s.g = NULL;
    assert_int_equal(r.outcome, TASK_CANCELLED);
    assert_int_equal(s.live, 1);
    site_done(&s, "a", "too late");
    site_close(&s);
}

static void cancel_runs_close_variables_and_passes_pcall(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "local function guard(name)\n"
                  "  return setmetatable({}, {__close = function(_, e)\n"
                  "    t.note('close', name, e) end})\n"
                  "end\n"
                  "t.on(function()\n"
                  "  local a <close> = guard('a')\n"
                  "  t.note(pcall(pcall, function()\n"
                  "    local b <close> = guard('b')\n"
                  "    t.wait('x')\n"
                  "  end))\n"
                  "  t.note('never')\n"
                  "end)");
    s.tasks[0] = run_start(&r, &s);
    site_turn(&s);
    task_cancel(s.tasks[0]);
    assert_int_equal(r.ended, 0); /* `ended` comes from the loop */
    site_turn(&s);
    assert_string_equal(site_notes(&s), "close b nil;close a nil;");
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.outcome, TASK_CANCELLED);
    assert_false(r.has_error);
    assert_int_equal(r.slices, 2); /* closing is Lua code of this task too */
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(s.live, 0);
    site_close(&s);
}

static void an_await_while_a_task_is_ended_fails_clearly(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  local a <close> = setmetatable({}, {__close = function()\n"
                  "    t.note('closing')\n"
                  "    local ok, e = pcall(t.wait, 'in close')\n"
                  "    t.note(e.kind, e.message)\n"
                  "    t.unchecked('in close')\n"
                  "  end})\n"
                  "  t.wait('x')\n"
                  "end)");
    s.tasks[0] = run_start(&r, &s);
    site_turn(&s);
    task_cancel(s.tasks[0]);
    site_turn(&s);
    assert_string_equal(site_notes(&s),
                        "closing;misuse cannot wait while the handler is "
                        "being ended: clean up without waiting;");
    assert_int_equal(r.outcome, TASK_CANCELLED);
    assert_int_equal(s.started, 1);
    /* What a close variable raises then has nobody to hear it. */
    assert_int_equal(site_logged(&s, "task.close"), 1);
    assert_int_equal(site_logged(&s, "line=6"), 1);
    site_close(&s);
}

static void a_task_that_cancels_itself_goes_on_to_its_next_wait(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  t.cancel(0)\n"
                  "  t.note('still here')\n"
                  "  t.note(pcall(t.wait, 'x'))\n"
                  "end)");
    s.tasks[0] = run_start(&r, &s);
    site_turn(&s);
    assert_string_equal(site_notes(&s), "still here;");
    assert_int_equal(r.outcome, TASK_CANCELLED);
    assert_int_equal(r.ended, 1);
    site_close(&s);
}

static void a_push_that_raised_leaves_nothing_behind(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r,
          "t.on(function()\n"
          "  t.note(pcall(t.wait, 'a'))\n"
          "  t.note(x)\n"
          "  t.note(pcall(t.now, '!b'))\n"
          "  t.note(t.now('c'))\n"
          "  t.now('!d')\n"
          "end)");
    site_done(&s, "a", "!1");
    loop_turn(s.loop);
    assert_string_equal(site_notes(&s), "false push broke: !1;nil;");
    assert_int_equal(s.live, 1); /* the next await has released a */
    site_turn(&s);
    assert_string_equal(site_notes(&s), "false push broke: !b;c;");
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_string_equal(r.message, "push broke: !d");
    assert_int_equal(r.line, 6);
    assert_int_equal(s.live, 0);
    site_close(&s);
}

static void a_failed_operation_raises_an_error_table(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r, "\nt.on(function()\n\n  t.wait('a')\nend)");
    struct op *op = site_op(&s, "a");
    list_remove(&op->link);
    err_set(&await_result(&op->await)->err, ERR_IO, 5, "disk on fire");
    await_done(&op->await);
    site_turn(&s);
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_string_equal(r.kind, "io");
    assert_string_equal(r.message, "probe: disk on fire");
    assert_int_equal(r.line, 4);
    site_close(&s);
}

static void waiting_while_scripts_load_is_misuse(void **state)
{
    struct site s;
    struct script_error e;
    (void)state;

    for (int checked = 0; checked < 2; checked++) {
        site_open(&s);
        site_main(&s, checked ? "\nt.wait('x')" : "\nt.unchecked('x')");
        assert_null(generation_load(&s.host, 1, &e));
        assert_string_equal(e.kind, "misuse");
        assert_string_equal(e.message,
                            "cannot wait while a script loads: put this into "
                            "a handler or bot.on_start");
        assert_int_equal(e.line, 2);
        assert_int_equal(s.started, 0);
        script_error_clear(&e);
        site_close(&s);
    }
}

/* Runs `code` once for each of the two ways to await; it must end with a
 * misuse sentence that contains `expected`, at line 2, and start nothing. */
static void expect_misuse(const char *code, const char *expected)
{
    static const char *const calls[] = {"wait", "unchecked"};

    for (int i = 0; i < 2; i++) {
        struct site s;
        struct run r;
        char *text = mem_printf("t.on(function() local wait = t.%s;\n%s end)",
                                calls[i], code);
        begin(&s, &r, text);
        assert_int_equal(r.ended, 1);
        assert_int_equal(r.outcome, TASK_ERROR);
        if (strcmp(r.kind, "misuse") != 0 || !strstr(r.message, expected))
            fail_msg("%s: %s: %s", code, r.kind, r.message);
        assert_string_equal(r.script, "main.lua");
        assert_int_equal(r.line, 2);
        assert_int_equal(s.started, 0);
        free(text);
        site_close(&s);
    }
}

static void waiting_where_lua_cannot_suspend_is_misuse(void **state)
{
    static const char *const codes[] = {
        "('x'):gsub('x', function() wait('a') end)",
        "table.sort({2, 1, 3}, function() return wait('a') end)",
        "tostring(setmetatable({}, {__tostring = function() "
        "return wait('a') end}))",
        "table.concat(setmetatable({}, {__len = function() "
        "return wait('a') end}))",
    };
    (void)state;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        expect_misuse(codes[i], "cannot wait inside a callback of gsub, sort");
}

static void waiting_in_a_coroutine_of_ones_own_is_misuse(void **state)
{
    (void)state;
    expect_misuse("coroutine.wrap(function() wait('a') end)()",
                  "cannot wait inside a coroutine of your own");
    expect_misuse("local ok, e = coroutine.resume(coroutine.create(wait), "
                  "'a') error(e)",
                  "cannot wait inside a coroutine of your own");
}

static void own_coroutines_are_plain_generators(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    begin(&s, &r,
          "t.on(function()\n"
          "  local gen = coroutine.wrap(function()\n"
          "    for i = 1, 3 do coroutine.yield(i) end end)\n"
          "  for i in gen do t.note(i, t.now('n')) end\n"
          "end)");
    assert_string_equal(site_notes(&s), "1 n;2 n;3 n;");
    assert_int_equal(r.outcome, TASK_DONE);
    site_close(&s);
}

/* A script that gets hold of a handler's coroutine must not drive it. */
static void a_task_cannot_be_resumed_or_closed_by_scripts(void **state)
{
    struct site s;
    struct run first, second;
    (void)state;

    site_open(&s);
    site_load(&s, "local co\n"
                  "t.on(function(_, name)\n"
                  "  if name == 'first' then\n"
                  "    co = coroutine.running()\n"
                  "    t.note(t.wait('x'))\n"
                  "    return\n"
                  "  end\n"
                  "  t.note(pcall(coroutine.resume, co))\n"
                  "\n"
                  "  t.note(pcall(coroutine.close, co))\n"
                  "  t.note(coroutine.status(co))\n"
                  "end)");
    run_start_for(&first, &s, "first", 0);
    site_turn(&s);
    run_start_for(&second, &s, "second", 0);
    site_turn(&s);
    assert_string_equal(
        site_notes(&s),
        "false main.lua:8: coroutine.resume: this coroutine is a handler, "
        "only the engine runs it;"
        "false main.lua:10: coroutine.close: this coroutine is a handler, "
        "only the engine runs it;suspended;");
    assert_int_equal(second.outcome, TASK_DONE);
    site_done(&s, "x", "fine");
    site_turn(&s);
    assert_string_equal(site_notes(&s), "fine;");
    assert_int_equal(first.outcome, TASK_DONE);
    run_start_for(&second, &s, "third", 0); /* its task is freed by now */
    site_turn(&s);
    assert_string_equal(site_notes(&s),
                        "true false cannot resume dead coroutine;true true;"
                        "dead;");
    site_close(&s);
}

/* Runs the script; every t.now in it waits one turn. */
static void expect_notes(const char *script, const char *notes)
{
    struct site s;
    struct run r;

    site_open(&s);
    site_load(&s, script);
    run_all(&r, &s);
    if (r.outcome != TASK_DONE)
        fail_msg("line %d: %s", r.line, r.message);
    assert_string_equal(site_notes(&s), notes);
    assert_int_equal(s.live, 0);
    site_close(&s);
}

static void waiting_works_inside_nested_pcalls(void **state)
{
    (void)state;
    expect_notes("t.on(function()\n"
                 "  t.note(pcall(function()\n"
                 "    local a = t.now('a')\n"
                 "    local ok, e = pcall(function()\n"
                 "      t.now('b') t.sleep(10) error('deep', 0)\n"
                 "    end)\n"
                 "    t.sleep(10)\n"
                 "    return a, ok, e, t.now('c')\n"
                 "  end))\n"
                 "  t.note(xpcall(function() t.now('d') error('x', 0) end,\n"
                 "    function(e) return 'handled ' .. e end))\n"
                 "end)",
                 "true a false deep c;false handled x;");
}

static void waiting_works_in_iterators_and_metamethods(void **state)
{
    (void)state;
    expect_notes("t.on(function()\n"
                 "  for a in function(_, i)\n"
                 "    i = (i or 0) + 1\n"
                 "    return i < 4 and tonumber(t.now(i)) or nil\n"
                 "  end do t.note(a) end\n"
                 "  local m = setmetatable({}, {\n"
                 "    __index = function(_, k) return t.now(k) end,\n"
                 "    __add = function() return t.now('sum') end,\n"
                 "    __call = function(_, x) return t.now(x) end})\n"
                 "  t.note(m.key, m + 1, m('call'))\n"
                 "end)",
                 "1;2;3;key sum call;");
}

static void waiting_works_in_close_at_a_normal_or_failed_end(void **state)
{
    (void)state;
    expect_notes("local function guard(name)\n"
                 "  return setmetatable({}, {__close = function(_, e)\n"
                 "    t.note(name, e, t.now('waited')) end})\n"
                 "end\n"
                 "t.on(function()\n"
                 "  do local a <close> = guard('block') end\n"
                 "  for _ = 1, 9 do\n"
                 "    local b <close> = guard('break') break end\n"
                 "  pcall(function()\n"
                 "    local c <close> = guard('error')\n"
                 "    t.now('x') error('why', 0)\n"
                 "  end)\n"
                 "  local d <close> = guard('return')\n"
                 "  return t.now('y')\n"
                 "end)",
                 "block nil waited;break nil waited;error why waited;"
                 "return nil waited;");
}

static void an_error_runs_close_variables_that_wait(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  local a <close> = setmetatable({}, {__close = "
                  "function(_, e) t.note(e, t.now('waited')) end})\n"
                  "  t.now('x')\n"
                  "  error 'lost'\n"
                  "end)");
    run_all(&r, &s);
    assert_string_equal(site_notes(&s), "main.lua:4: lost waited;");
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_string_equal(r.message, "lost");
    assert_int_equal(r.line, 4);
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_starts_only_through_await),
        cmocka_unit_test(done_within_start_resumes_in_a_later_turn),
        cmocka_unit_test(a_task_cancelled_while_its_result_waits_frees_it),
        cmocka_unit_test(a_timeout_raises_and_stops_the_operation),
        cmocka_unit_test(a_timeout_that_nobody_catches_ends_the_task),
        cmocka_unit_test(a_completion_after_the_timeout_only_frees),
        cmocka_unit_test(an_operation_may_outlive_its_generation),
        cmocka_unit_test(cancel_runs_close_variables_and_passes_pcall),
        cmocka_unit_test(an_await_while_a_task_is_ended_fails_clearly),
        cmocka_unit_test(a_task_that_cancels_itself_goes_on_to_its_next_wait),
        cmocka_unit_test(a_push_that_raised_leaves_nothing_behind),
        cmocka_unit_test(a_failed_operation_raises_an_error_table),
        cmocka_unit_test(waiting_while_scripts_load_is_misuse),
        cmocka_unit_test(waiting_where_lua_cannot_suspend_is_misuse),
        cmocka_unit_test(waiting_in_a_coroutine_of_ones_own_is_misuse),
        cmocka_unit_test(own_coroutines_are_plain_generators),
        cmocka_unit_test(a_task_cannot_be_resumed_or_closed_by_scripts),
        cmocka_unit_test(waiting_works_inside_nested_pcalls),
        cmocka_unit_test(waiting_works_in_iterators_and_metamethods),
        cmocka_unit_test(waiting_works_in_close_at_a_normal_or_failed_end),
        cmocka_unit_test(an_error_runs_close_variables_that_wait),
    };
    return FIXTURE_RUN(tests);
}
