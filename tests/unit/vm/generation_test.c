#include "fixture.h"

#include "loop/work.h"

/* Fails to load and gives the error, to be cleared by the caller. */
static void fail_load(struct site *s, struct script_error *e)
{
    assert_null(generation_load(&s->host, 7, e));
    assert_non_null(e->kind);
    assert_non_null(e->traceback);
}

struct broken {
    const char *file, *text; /* beside main.lua; NULL: none */
    const char *main;
    const char *kind, *script, *message;
    int line;
};

#define LONG_DIR "a_folder_whose_name_is_long/and_another_one_below_it"
#define LONG_NAME "a_folder_whose_name_is_long.and_another_one_below_it.end"

static const struct broken broken[] = {
    {NULL, NULL, "\n\nlocal x = = 1", "script", "main.lua",
     "unexpected symbol near '='", 3},
    {NULL, NULL, "\nlocal x = {", "script", "main.lua",
     "unexpected symbol near <eof>", 2},
    {NULL, NULL, "\nerror 'at load'", "script", "main.lua", "at load", 2},
    {NULL, NULL, "\nlocal x = nil\nx.y = 1", "script", "main.lua",
     "attempt to index a nil value (local 'x')", 3},
    {NULL, NULL, "\nerror({ code = 1 })", "script", "main.lua",
     "(the error value is a table)", 2},
    {NULL, NULL, "\nrequire 'gone'", "misuse", "main.lua",
     "there is no script \"gone\" in SCRIPTS_DIR", 2},
    {"a.lua", "\n\nlocal function f(\n", "require 'a'", "script", "a.lua",
     "<name> or '...' expected near <eof>", 4},
    {"a.lua", "\nerror 'inside'", "\nrequire 'a'", "script", "a.lua", "inside",
     2},
    {"a/b.lua", "local x = 1 + {}", "\nrequire 'a.b'", "script", "a/b.lua",
     "attempt to perform arithmetic on a table value", 1},
    {"a.lua", "\nreturn { f = function() error 'called' end }",
     "\nrequire('a').f()", "script", "a.lua", "called", 2},
    {"a.lua", "\n\nrequire 'main'", "require 'a'", "misuse", "a.lua",
     "require \"main\": it is being loaded already (a circle), or has failed "
     "before",
     3},
    {"a.lua", "require 'a'", "\nrequire 'a'", "misuse", "a.lua",
     "require \"a\": it is being loaded already (a circle), or has failed "
     "before",
     1},
    {LONG_DIR "/end.lua", "\nlocal = 1", "require '" LONG_NAME "'", "script",
     LONG_DIR "/end.lua", "<name> expected near '='", 2},
    {LONG_DIR "/end.lua", "\nerror 'far down'", "require '" LONG_NAME "'",
     "script", LONG_DIR "/end.lua", "far down", 2},
    {"folder.lua/x", "", "\nrequire 'folder'", "script", "main.lua",
     "folder.lua: Is a directory", 2},
};

static void what_does_not_load_says_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct broken *b = &broken[i];
        struct script_error e;
        struct site s;
        site_open(&s);
        if (b->file)
            site_write(&s, b->file, b->text);
        site_main(&s, b->main);
        fail_load(&s, &e);
        if (strcmp(e.kind, b->kind) != 0 || strcmp(e.script, b->script) != 0 ||
            strcmp(e.message, b->message) != 0 || e.line != b->line)
            fail_msg("%s: got %s, %s:%d: %s", b->main, e.kind, e.script, e.line,
                     e.message);
        script_error_clear(&e);
        site_close(&s);
    }
}

static void a_missing_main_is_named(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;

    site_open(&s);
    fail_load(&s, &e);
    assert_string_equal(e.kind, "misuse");
    assert_string_equal(e.message,
                        "there is no script \"main\" in SCRIPTS_DIR");
    assert_string_equal(e.script, "");
    assert_int_equal(e.line, 0);
    script_error_clear(&e);
    site_close(&s);
}

static void the_error_of_a_load_has_the_authors_traceback(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;

    site_open(&s);
    site_write(&s, "a.lua", "local function f()\n  error 'x'\nend\nf()");
    site_main(&s, "\nrequire 'a'");
    fail_load(&s, &e);
    assert_string_equal(e.traceback, "a.lua:2: in function 'f'\n"
                                     "a.lua:4: in main chunk\n"
                                     "main.lua:2: in main chunk");
    script_error_clear(&e);
    site_close(&s);
}

/* What a script does to the error that it caught cannot break the host. */
static void an_error_table_cannot_be_made_to_raise(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;

    site_open(&s);
    site_main(&s, "local ok, e = pcall(require, 'gone')\n"
                  "t.note(getmetatable(e), pcall(setmetatable, e, nil))\n"
                  "e.script, e.kind, e.line = nil, {}, 'x'\n"
                  "e.message = 4\n"
                  "t.collect() t.note(tostring(e))\n"
                  "error(e)");
    fail_load(&s, &e);
    assert_string_equal(site_notes(&s),
                        "false false cannot change a protected metatable;4;");
    assert_string_equal(e.message, "4");
    assert_string_equal(e.kind, "");
    script_error_clear(&e);
    site_close(&s);
}

static void a_byte_order_mark_is_skipped(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    site_write(&s, "a.lua", "\xEF\xBB\xBFreturn 'marked'");
    site_load(&s, "t.note(require 'a')");
    assert_string_equal(site_notes(&s), "marked;");
    site_close(&s);
}

static void a_file_runs_once_and_every_require_gets_its_value(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    site_write(&s, "a.lua",
               "local t = require 'probe' t.note('ran', ...)\n"
               "return { n = 1 }");
    site_write(&s, "b/init.lua", "local a = require 'a' a.n = a.n + 1");
    site_load(&s, "t.note(require 'b', require 'b', require('a').n,\n"
                  "  require 'a' == require 'a')");
    assert_string_equal(site_notes(&s), "ran a;true true 2 true;");
    site_close(&s);
}

static void wanted_kinds_come_out_once_as_json(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    site_load(&s, "");
    char *kinds = generation_kinds(s.g);
    assert_string_equal(kinds, "[]");
    free(kinds);
    generation_close(s.g);
    site_load(&s, "t.want('message') t.want('my_message')\n"
                  "t.want('message') t.want('poll')");
    kinds = generation_kinds(s.g);
    assert_string_equal(kinds, "[\"message\",\"my_message\",\"poll\"]");
    free(kinds);
    assert_int_equal(generation_id(s.g), 1);
    assert_int_equal(generation_tasks(s.g), 0);
    site_close(&s);
}

struct loading {
    struct work work;
    struct site *site;
    struct generation *g;
    struct script_error error;
    bool done;
};

static void load_run(struct work *w)
{
    struct loading *l = LIST_ENTRY(w, struct loading, work);
    l->g = generation_load(&l->site->host, 2, &l->error);
}

static void load_done(struct work *w)
{
    LIST_ENTRY(w, struct loading, work)->done = true;
}

static void it_loads_beside_the_loop_and_is_adopted(void **state)
{
    struct loading l = {0};
    struct site s;
    struct run old, new;
    (void)state;

    site_open_on(&s, false); /* on a virtual clock work runs inline */
    l.site = &s;
    site_load(&s, "t.on(function() for i = 1, 50 do t.now('x') end\n"
                  "t.note('old') end)");
    site_main(&s, "t.on(function() t.note('new') end)");
    run_start(&old, &s);
    work_start(&l.work, s.loop, load_run, load_done);
    loop_run(s.loop);
    assert_true(l.done);
    assert_non_null(l.g);
    assert_string_equal(site_notes(&s), "old;");
    generation_close(s.g);
    s.g = l.g;
    generation_adopt(s.g, s.loop);
    run_all(&new, &s);
    assert_string_equal(site_notes(&s), "new;");
    assert_int_equal(generation_id(s.g), 2);
    site_close(&s);
}

static void one_that_was_never_adopted_closes(void **state)
{
    struct script_error e;
    struct site s;
    (void)state;

    site_open(&s);
    site_main(&s, "t.on(function() end)\n"
                  "setmetatable({}, {__gc = function()\n"
                  "  t.note('collected', pcall(t.detach, print)) end})");
    struct generation *g = generation_load(&s.host, 1, &e);
    assert_non_null(g);
    generation_close(g);
    assert_non_null(strstr(site_notes(&s), "collected false"));
    site_close(&s);
}

static void on_gone(void *arg)
{
    ((struct site *)arg)->gone = true;
}

static void a_retired_generation_goes_with_its_last_task(void **state)
{
    struct site s;
    struct run r;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() t.wait('x') t.note('done') end)");
    run_start(&r, &s);
    site_turn(&s);
    generation_retire(s.g, on_gone, &s);
    const struct task_spec spec = {.entry = VM_ON_UPDATE};
    assert_null(task_spawn(s.g, &spec));
    site_turn(&s);
    assert_false(s.gone);
    site_done(&s, "x", "");
    loop_run(s.loop);
    assert_int_equal(r.outcome, TASK_DONE);
    assert_true(s.gone);
    s.g = NULL;
    site_close(&s);
}

static void an_idle_generation_retires_in_the_next_turn(void **state)
{
    struct site s;
    (void)state;

    site_open(&s);
    site_load(&s, "");
    generation_retire(s.g, on_gone, &s);
    assert_false(s.gone);
    loop_run(s.loop);
    assert_true(s.gone);
    s.g = NULL;
    site_close(&s);
}

static void close_ends_waiting_and_unstarted_tasks(void **state)
{
    struct site s;
    struct run r[3];
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function(_, name)\n"
                  "  local a <close> = setmetatable({}, {__close = function()\n"
                  "    t.note('closed', name)\n"
                  "    t.detach(t.note, 'never')\n"
                  "    setmetatable({}, {__gc = function()\n"
                  "      t.detach(t.note, 'never') end})\n"
                  "  end})\n"
                  "  t.sleep(1000, 2000)\n"
                  "end)");
    run_start_for(&r[0], &s, "a", 5000);
    run_start_for(&r[1], &s, "b", 0);
    site_turn(&s);
    run_start_for(&r[2], &s, "c", 5000);
    generation_close(s.g);
    s.g = NULL;
    assert_string_equal(site_notes(&s), "closed a;closed b;");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].ended, 1);
        assert_int_equal(r[i].outcome, TASK_CANCELLED);
    }
    loop_run(s.loop);
    assert_string_equal(site_notes(&s), "");
    assert_int_equal(loop_now_ms(s.loop), 0); /* no timer was left */
    site_close(&s);
}

static void two_generations_share_nothing(void **state)
{
    static const char text[] = "local count = 0\n"
                               "own = (own or 0) + 1\n"
                               "local shared = require 'shared'\n"
                               "t.on(function(_, name)\n"
                               "  for i = 1, 3 do\n"
                               "    count, shared.n = count + 1, shared.n + 1\n"
                               "    t.now('x')\n"
                               "  end\n"
                               "  t.note(name, count, shared.n, own)\n"
                               "end)";
    struct site s;
    struct run r[3];
    (void)state;

    site_open(&s);
    site_write(&s, "shared.lua", "return { n = 100 }");
    site_load(&s, text);
    struct generation *first = s.g;
    run_start_for(&r[0], &s, "first", 0);
    site_load(&s, text);
    run_start_for(&r[1], &s, "second", 0);
    run_start_for(&r[2], &s, "second", 0);
    loop_run(s.loop);
    assert_string_equal(site_notes(&s),
                        "first 3 103 1;second 6 106 1;second 6 106 1;");
    generation_close(first);
    run_all(&r[0], &s);
    assert_int_equal(r[0].outcome, TASK_DONE);
    site_close(&s);
}

static void retiring_one_leaves_the_other_alone(void **state)
{
    struct site s;
    struct run old, new;
    (void)state;

    site_open(&s);
    site_load(&s, "t.on(function() t.wait('x') t.note('old') end)");
    struct generation *first = s.g;
    run_start(&old, &s);
    site_turn(&s);
    site_load(&s, "t.on(function() t.wait('y') t.note('new') end)");
    generation_retire(first, NULL, NULL);
    run_start(&new, &s);
    site_turn(&s);
    site_done(&s, "x", "");
    site_turn(&s);
    assert_string_equal(site_notes(&s), "old;");
    assert_int_equal(old.outcome, TASK_DONE);
    site_done(&s, "y", "");
    site_turn(&s);
    assert_string_equal(site_notes(&s), "new;");
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_load_says_where),
        cmocka_unit_test(a_missing_main_is_named),
        cmocka_unit_test(the_error_of_a_load_has_the_authors_traceback),
        cmocka_unit_test(an_error_table_cannot_be_made_to_raise),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(a_file_runs_once_and_every_require_gets_its_value),
        cmocka_unit_test(wanted_kinds_come_out_once_as_json),
        cmocka_unit_test(it_loads_beside_the_loop_and_is_adopted),
        cmocka_unit_test(one_that_was_never_adopted_closes),
        cmocka_unit_test(a_retired_generation_goes_with_its_last_task),
        cmocka_unit_test(an_idle_generation_retires_in_the_next_turn),
        cmocka_unit_test(close_ends_waiting_and_unstarted_tasks),
        cmocka_unit_test(two_generations_share_nothing),
        cmocka_unit_test(retiring_one_leaves_the_other_alone),
    };
    return FIXTURE_RUN(tests);
}
