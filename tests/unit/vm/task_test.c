#include "fixture.h"

static void ready_tasks_run_in_order_once_a_turn(void **state)
{
    struct site s;
    struct run r[3];
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function(_, name)\n"
                  "  for i = 1, 2 do t.note(name, i) t.now('x') end\n"
                  "end)");
    run_start_for(&r[0], &s, "a", 0);
    run_start_for(&r[1], &s, "b", 0);
    run_start_for(&r[2], &s, "c", 0);
    assert_int_equal(generation_tasks(s.g), 3);
    loop_turn(s.loop);
    assert_string_equal(site_notes(&s), "a 1;b 1;c 1;");
    loop_turn(s.loop);
    assert_string_equal(site_notes(&s), "a 2;b 2;c 2;");
    loop_turn(s.loop);
    assert_int_equal(generation_tasks(s.g), 0);
    site_close(&s);
}

static void what_becomes_ready_in_a_batch_waits_for_the_next(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  t.detach(function(...)\n"
                  "    t.note('child', ...)\n"
                  "    t.detach(function() t.note('grandchild') end)\n"
                  "  end, 1, nil, 'two')\n"
                  "  t.note('parent')\n"
                  "end)");
    run_start(&r, &s);
    loop_turn(s.loop);
    assert_string_equal(site_notes(&s), "parent;");
    assert_int_equal(r.ended, 1);
    loop_turn(s.loop);
    assert_string_equal(site_notes(&s), "child 1 nil two;");
    loop_turn(s.loop);
    assert_string_equal(site_notes(&s), "grandchild;");
    site_close(&s);
}

static void a_cancelled_task_leaves_the_batch(void **state)
{
    struct site s;
    struct run r[3];
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function(_, name)\n"
                  "  if name == 'a' then t.cancel(1) end\n"
                  "  t.note(name)\n"
                  "end)");
    run_start_for(&r[0], &s, "a", 0);
    s.tasks[1] = run_start_for(&r[1], &s, "b", 0);
    run_start_for(&r[2], &s, "c", 0);
    loop_run(s.loop);
    assert_string_equal(site_notes(&s), "a;c;");
    assert_int_equal(r[1].ended, 1);
    assert_int_equal(r[1].outcome, TASK_CANCELLED);
    site_close(&s);
}

static void a_task_gets_its_arguments(void **state)
{
    static const char json[] = "{\"id\":4503599627370497,\"f\":1.5}";
    struct site s;
    struct run r = {0};
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function(json, text, flag)\n"
                  "  t.note(json.id, json.f, text, flag) end)\n"
                  "t.on_start(function(json, text, flag)\n"
                  "  t.note(json, text, flag) end)");
    const struct task_spec update = {.json = json,
                                     .json_len = sizeof json - 1,
                                     .flag = true,
                                     .ended = run_ended,
                                     .arg = &r};
    assert_non_null(task_spawn(s.g, &update));
    const struct task_spec start = {.entry = VM_ON_START, .text = "reload"};
    assert_non_null(task_spawn(s.g, &start));
    loop_run(s.loop);
    assert_string_equal(site_notes(&s),
                        "4503599627370497 1.5 nil true;nil reload false;");
    assert_int_equal(r.outcome, TASK_DONE);
    site_close(&s);
}

static void an_argument_that_is_no_json_makes_no_task(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() end)");
    const struct task_spec spec = {.json = "{", .json_len = 1};
    assert_null(task_spawn(s.g, &spec));
    assert_int_equal(generation_tasks(s.g), 0);
    assert_int_equal(site_logged(&s, "task.spawn"), 1);
    site_close(&s);
}

static void without_a_handler_there_is_no_task(void **state)
{
    struct site s;
    const struct task_spec spec = {.entry = VM_ON_UPDATE};
    (void)state;

    site_open(&s);
    site_load(&s, "");
    assert_null(task_spawn(s.g, &spec));
    site_close(&s);
}

static void a_plain_yield_is_misuse(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  local a <close> = setmetatable({}, {__close = function()\n"
                  "    t.note('closed') end})\n"
                  "  pcall(t.now, '!push that raises')\n"
                  "  pcall(coroutine.yield, 1)\n"
                  "end)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_LIMITED);
    assert_string_equal(r.kind, "misuse");
    assert_string_equal(r.message, "coroutine.yield outside a coroutine of "
                                   "your own");
    assert_string_equal(r.script, "main.lua");
    assert_int_equal(r.line, 5);
    assert_string_equal(site_notes(&s), "closed;");
    assert_int_equal(s.live, 0);
    site_close(&s);
}

struct raised {
    const char *code; /* stands in line 3 */
    const char *kind, *message;
    int line;
};

static const struct raised raised[] = {
    {"error 'plain'", "script", "plain", 3},
    {"error('no place', 0)", "script", "no place", 3},
    {"error()", "script", "nil", 3},
    {"error(42)", "script", "42", 3},
    {"error(4.5)", "script", "4.5", 3},
    {"error(false)", "script", "false", 3},
    {"error {}", "script", "(the error value is a table)", 3},
    {"error(print)", "script", "(the error value is a function)", 3},
    {"error { message = 'inside' }", "script", "inside", 3},
    {"error(setmetatable({}, { __tostring = function() return 'own' end }))",
     "script", "own", 3},
    {"error(setmetatable({}, { __tostring = function() return 1 end }))",
     "script", "(the error value is a table)", 3},
    {"error(setmetatable({}, { __name = 'mine' }))", "script",
     "(the error value is a table)", 3},
    {"error('host:8080: refused', 0)", "script", "host:8080: refused", 3},
    {"error('other.lua:17: rethrown', 0)", "script", "rethrown", 17},
    {"local x = nil + 1", "script",
     "attempt to perform arithmetic on a nil value", 3},
    {"load('local x = nil + 1')()", "script",
     "(load):1: attempt to perform arithmetic on a nil value", 3},
    {"string.rep()", "script",
     "bad argument #1 to 'rep' (string expected, got no value)", 3},
    {"t.misuse 'wrongly used'", "misuse", "wrongly used", 3},
    {"local ok, e = pcall(t.misuse, 'again') error(e)", "misuse", "again", 3},
    {"local ok, e = pcall(error, 'text') error(e)", "script", "text", 3},
};

static void whatever_is_raised_is_reported_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
        struct site s;
        struct run r;
        char *text = mem_printf("\nt.on(function()\n %s\nend)", raised[i].code);
        site_open(&s);
        site_load(&s, text);
        run_all(&r, &s);
        assert_int_equal(r.outcome, TASK_ERROR);
        if (strcmp(r.kind, raised[i].kind) != 0 ||
            strcmp(r.message, raised[i].message) != 0 ||
            r.line != raised[i].line || !*r.script)
            fail_msg("%s: got %s, %s:%d: %s", raised[i].code, r.kind, r.script,
                     r.line, r.message);
        free(text);
        site_close(&s);
    }
}

static void
a_message_that_cannot_be_made_ends_the_task_all_the_same(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "local bad bad = setmetatable({}, {\n"
                  "  __tostring = function() error(bad) end})\n"
                  "t.on(function() error(bad) end)");
    run_all(&r, &s);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_string_equal(r.kind, "script");
    assert_true(r.message[0]);
    site_close(&s);
}

static void endless_recursion_ends_with_its_place(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "local function deeper() return 1 + deeper() end\n"
                  "t.on(function() deeper() end)");
    if (stress) { /* a collection every few of a million calls takes too long */
        site_close(&s);
        return;
    }
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_non_null(strstr(r.message, "stack overflow"));
    assert_string_equal(r.script, "main.lua");
    assert_int_equal(r.line, 1);
    assert_non_null(strstr(r.traceback, "\n..."));
    site_close(&s);
}

static const char wrap[] = "local lib = {}\n"
                           "function lib.call(f, ...) return (f(...)) end\n"
                           "function lib.fail() error 'in the library' end\n"
                           "return lib\n";

static void the_traceback_holds_only_the_authors_frames(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    s.library[0] = (struct vm_source){"moonlet.wrap", wrap, sizeof wrap - 1};
    site_write(&s, "handlers/deep.lua",
               "local wrap = require 'moonlet.wrap'\n"
               "local deep = {}\n"
               "function deep.work()\n"
               "  local x = wrap.call(string.rep)\n"
               "end\n"
               "return deep\n");
    site_load(&s, "\nlocal wrap = require 'moonlet.wrap'\n"
                  "local deep = require 'handlers.deep'\n"
                  "t.on(function()\n"
                  "  wrap.call(deep.work)\n"
                  "  t.note 'no tail call'\n"
                  "end)");
    run_all(&r, &s);
    assert_string_equal(r.script, "handlers/deep.lua");
    assert_int_equal(r.line, 4);
    assert_string_equal(r.traceback, "handlers/deep.lua:4: in function 'f'\n"
                                     "main.lua:5: in function <main.lua:4>");
    site_close(&s);
}

static void an_error_of_the_library_is_placed_at_its_caller(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    s.library[0] = (struct vm_source){"moonlet.wrap", wrap, sizeof wrap - 1};
    site_load(&s, "\nlocal wrap = require 'moonlet.wrap'\n"
                  "t.on(function()\n"
                  "  wrap.fail()\n"
                  "end)");
    run_all(&r, &s);
    assert_string_equal(r.script, "main.lua");
    assert_int_equal(r.line, 4);
    assert_string_equal(r.message, "[moonlet.wrap]:3: in the library");
    assert_string_equal(r.traceback, "main.lua:4: in function <main.lua:3>");
    site_close(&s);
}

static void a_deadline_ends_a_waiting_task(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  local a <close> = setmetatable({}, {__close = function()\n"
                  "    t.note('closed') end})\n"
                  "  t.note(pcall(t.wait, 'forever'))\n"
                  "end)");
    run_start_for(&r, &s, NULL, 1500);
    loop_run(s.loop);
    assert_int_equal(loop_now_ms(s.loop), 1500);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.outcome, TASK_TIMEOUT);
    assert_string_equal(site_notes(&s), "closed;");
    assert_string_equal(r.kind, "timeout");
    assert_string_equal(r.message, "it was not done in its time, 1.5 s");
    assert_string_equal(r.script, "main.lua");
    assert_int_equal(r.line, 4);
    assert_int_equal(s.cancelled, 1);
    site_close(&s);
}

static void a_task_that_ends_in_time_takes_its_deadline_along(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() t.sleep(10) end)");
    run_start_for(&r, &s, NULL, 3600000);
    loop_run(s.loop);
    assert_int_equal(loop_now_ms(s.loop), 10);
    assert_int_equal(r.outcome, TASK_DONE);
    site_close(&s);
}

static void a_cancel_stays_one_when_the_deadline_follows(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() t.wait('x') end)");
    s.tasks[0] = run_start_for(&r, &s, NULL, 50);
    site_turn(&s);
    task_cancel(s.tasks[0]);
    clock_advance_to(&s.clock, clock_ns(&s.clock) + 50 * 1000000);
    site_turn(&s); /* both are due in the first of these turns */
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.outcome, TASK_CANCELLED);
    site_close(&s);
}

static void a_detached_task_reports_its_error_to_the_log(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  t.detach(function() t.sleep(5)\n"
                  "    error 'alone' end)\n"
                  "end)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_DONE);
    assert_int_equal(site_logged(&s, "task.error"), 1);
    assert_int_equal(site_logged(&s, "script=main.lua line=3"), 1);
    assert_int_equal(site_logged(&s, "message=alone"), 1);
    site_close(&s);
}

static void detach_takes_many_arguments(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  local list = {}\n"
                  "  for i = 1, 200 do list[i] = i end\n"
                  "  t.detach(function(...)\n"
                  "    t.note(select('#', ...), (select(200, ...)))\n"
                  "  end, table.unpack(list))\n"
                  "end)");
    run_all(&r, &s);
    assert_string_equal(site_notes(&s), "200 200;");
    site_close(&s);
}

static void detach_needs_a_function_and_a_loop(void **state)
{
    struct site s;
    struct run r;
    struct script_error e;
    (void)state;

    site_open(&s);
    site_main(&s, "\nt.detach(print)");
    assert_null(generation_load(&s.host, 1, &e));
    assert_string_equal(e.kind, "misuse");
    assert_int_equal(e.line, 2);
    script_error_clear(&e);

    site_load(&s, "t.on(function()\n  t.detach('x')\nend)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_int_equal(r.line, 2);
    site_close(&s);
}

static void tasks_are_bounded(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function()\n"
                  "  local n, ok, e = 0\n"
                  "  repeat\n"
                  "    ok, e = pcall(t.detach, t.wait, 'x')\n"
                  "    n = n + 1\n"
                  "  until not ok\n"
                  "  t.note(n, e.kind, e.message)\n"
                  "end)");
    if (!stress) {
        run_start(&r, &s);
        site_turn(&s);
        assert_string_equal(site_notes(&s),
                            "10000 limit more than 10000 tasks;");
        assert_int_equal(generation_tasks(s.g), TASKS_MAX - 1);
        assert_int_equal(s.live, TASKS_MAX - 1);
    }
    site_close(&s);
    assert_int_equal(s.live, 0);
}

static void no_memory_ends_the_task_with_a_limit(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    s.host.memory_limit = 4 << 20;
    site_load(&s, "t.on(function()\n"
                  "  local all = {}\n"
                  "  for i = 1, 1e9 do all[i] = ('x'):rep(5000) .. i end\n"
                  "end)");
    for (int i = 0; i < 2; i++) { /* the generation lives on */
        run_all(&r, &s);
        assert_int_equal(r.outcome, TASK_LIMITED);
        assert_string_equal(r.kind, "limit");
        assert_string_equal(r.message,
                            "the scripts use more than LUA_MEMORY_LIMIT "
                            "(4 MiB)");
        assert_string_equal(r.script, "main.lua");
        assert_int_equal(r.line, 3);
    }
    site_close(&s);
}

/* The place is that of code which is garbage when it is told. */
static void no_memory_in_code_that_is_gone_has_its_place(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    s.host.memory_limit = 4 << 20;
    site_load(&s, "t.on(function()\n"
                  "  local a <close> = setmetatable({}, {__close = function()\n"
                  "    t.collect() end})\n"
                  "  load(\"local all = {}\\nfor i = 1, 1e9 do \" ..\n"
                  "    \"all[i] = ('x'):rep(5000) .. i end return 1\",\n"
                  "    '@' .. 'made' .. tostring(4) .. '.lua')()\n"
                  "end)");
    run_all(&r, &s);
    assert_int_equal(r.outcome, TASK_LIMITED);
    assert_string_equal(r.kind, "limit");
    assert_string_equal(r.script, "made4.lua");
    assert_int_equal(r.line, 2);
    site_close(&s);
}

enum { CROWD = 2000, SLEEPS = 20 };

static void cancel_some(struct site *s, struct run *runs, struct task **tasks,
                        int *cancels)
{
    for (int i = 0; i < CROWD; i++) {
        if (runs[i].ended || rng_below(&s->rng, 400) != 0)
            continue;
        task_cancel(tasks[i]);
        ++*cancels;
    }
}

static void a_crowd_of_tasks_with_random_cancels_ends_clean(void **state)
{
    struct site s;
    struct run *runs = mem_zero(CROWD, sizeof *runs);
    struct task **tasks = mem_zero(CROWD, sizeof *tasks);
    int cancels = 0, outcomes[4] = {0};
    bool collects = stress;
    (void)state;

    stress = false; /* a full collection each few instructions takes hours */
    site_open(&s);
    site_load(&s, "t.on(function(_, n)\n"
                  "  local a <close> = setmetatable({}, {\n"
                  "    __close = function() t.note('') end})\n"
                  "  local seed = tonumber(n)\n"
                  "  for i = 1, 20 do\n"
                  "    seed = (seed * 1103515245 + 12345) % 2147483648\n"
                  "    pcall(t.sleep, seed % 40, seed % 3 == 0 and 20 or 0)\n"
                  "  end\n"
                  "  if seed % 5 == 0 then error('by chance', 0) end\n"
                  "end)");
    for (int i = 0; i < CROWD; i++) {
        char n[16];
        snprintf(n, sizeof n, "%d", i);
        tasks[i] = run_start_for(&runs[i], &s, n, i % 7 == 0 ? 250 : 0);
    }
    site_turn(&s); /* all have begun */
    while (generation_tasks(s.g) > 0) {
        cancel_some(&s, runs, tasks, &cancels);
        site_pass(&s, 3);
    }
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(runs[i].ended, 1);
        outcomes[runs[i].outcome]++;
    }
    assert_int_equal(outcomes[TASK_CANCELLED], cancels);
    for (int i = 0; i < 4; i++)
        assert_true(outcomes[i] > CROWD / 50);
    assert_int_equal(s.notes.len, CROWD); /* each closed once */
    assert_int_equal(s.live, 0);
    assert_int_equal(list_empty(&s.ops), true);
    site_close(&s);
    stress = collects;
    free(runs);
    free(tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_tasks_run_in_order_once_a_turn),
        cmocka_unit_test(what_becomes_ready_in_a_batch_waits_for_the_next),
        cmocka_unit_test(a_cancelled_task_leaves_the_batch),
        cmocka_unit_test(a_task_gets_its_arguments),
        cmocka_unit_test(an_argument_that_is_no_json_makes_no_task),
        cmocka_unit_test(without_a_handler_there_is_no_task),
        cmocka_unit_test(a_plain_yield_is_misuse),
        cmocka_unit_test(whatever_is_raised_is_reported_with_its_place),
        cmocka_unit_test(
            a_message_that_cannot_be_made_ends_the_task_all_the_same),
        cmocka_unit_test(endless_recursion_ends_with_its_place),
        cmocka_unit_test(the_traceback_holds_only_the_authors_frames),
        cmocka_unit_test(an_error_of_the_library_is_placed_at_its_caller),
        cmocka_unit_test(a_deadline_ends_a_waiting_task),
        cmocka_unit_test(a_task_that_ends_in_time_takes_its_deadline_along),
        cmocka_unit_test(a_cancel_stays_one_when_the_deadline_follows),
        cmocka_unit_test(a_detached_task_reports_its_error_to_the_log),
        cmocka_unit_test(detach_takes_many_arguments),
        cmocka_unit_test(detach_needs_a_function_and_a_loop),
        cmocka_unit_test(tasks_are_bounded),
        cmocka_unit_test(no_memory_ends_the_task_with_a_limit),
        cmocka_unit_test(no_memory_in_code_that_is_gone_has_its_place),
        cmocka_unit_test(a_crowd_of_tasks_with_random_cancels_ends_clean),
    };
    return FIXTURE_RUN(tests);
}
