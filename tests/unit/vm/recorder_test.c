#include "fixture.h"

#include "vm/recorder.h"

/* A recorder that answers as told and counts what it hears. */
struct tape {
    struct recorder recorder;
    enum recorder_answer answers[8];
    int steps, results;
    char heard[64], argument[32];
    enum err_code heard_code;
    const struct journal_row *row;
};

static struct tape *tape;

static enum recorder_answer tape_step(struct recorder *r, lua_State *L,
                                      const struct await_ops *ops,
                                      const struct journal_row **row,
                                      struct await_result *result,
                                      struct err *error)
{
    struct tape *t = (struct tape *)r;
    enum recorder_answer answer = t->answers[t->steps++];
    assert_ptr_equal(ops, &probe_ops);
    snprintf(t->argument, sizeof t->argument, "%s", lua_tostring(L, 1));
    *row = NULL;
    if (answer == RECORDER_REPLAY) {
        err_set(&result->err, ERR_OK, 0, "%s", "");
        buf_printf(&result->bytes, "%s%d",
                   strcmp(t->argument, "!") == 0 ? "!" : "recorded ", t->steps);
    }
    if (answer == RECORDER_DIVERGED)
        err_set(error, ERR_MISUSE, 0, "the code has changed");
    return answer;
}

static void tape_result(struct recorder *r, const struct await_ops *ops,
                        const struct await_result *result)
{
    struct tape *t = (struct tape *)r;
    assert_ptr_equal(ops, &probe_ops);
    t->results++;
    t->heard_code = result->err.code;
    snprintf(t->heard, sizeof t->heard, "%s",
             result->bytes.data ? result->bytes.data : "");
}

static const struct recorder_ops tape_ops = {tape_step, tape_result};

static int give_tape(lua_State *L)
{
    task_set_recorder(L, &tape->recorder);
    return 0;
}

static int open_tape(lua_State *L)
{
    lua_pushcfunction(L, give_tape);
    return 1;
}

static void begin_taped(struct site *s, struct run *r, struct tape *t,
                        const char *text)
{
    tape = t;
    t->recorder.ops = &tape_ops;
    site_open(s);
    s->modules[1] = (struct vm_module){"tape", open_tape};
    site_load(s, text);
    run_start(r, s);
    site_turn(s);
}

static void a_recorded_step_is_pushed_and_starts_nothing(void **state)
{
    struct tape t = {
        .answers = {RECORDER_REPLAY, RECORDER_REPLAY, RECORDER_LIVE}};
    struct site s;
    struct run r;
    (void)state;

    begin_taped(&s, &r, &t,
                "local tape = require 'tape'\n"
                "t.on(function() tape()\n"
                "  t.note(t.wait('a')) t.note(t.late('b', 5))\n"
                "  t.note(t.wait('c')) end)");
    assert_string_equal(site_notes(&s), "recorded 1;recorded 2;");
    assert_int_equal(s.started, 1);
    assert_int_equal(s.live, 1);
    assert_int_equal(t.steps, 3);
    assert_string_equal(t.argument, "c");
    assert_int_equal(t.results, 0);
    assert_int_equal(r.slices, 1);
    site_done(&s, "c", "live");
    site_turn(&s);
    assert_string_equal(site_notes(&s), "live;");
    assert_int_equal(t.results, 1);
    assert_string_equal(t.heard, "live");
    assert_int_equal(r.outcome, TASK_DONE);
    site_close(&s);
}

static void a_diverged_step_raises_and_starts_nothing(void **state)
{
    struct tape t = {.answers = {RECORDER_DIVERGED}};
    struct site s;
    struct run r;
    (void)state;

    begin_taped(&s, &r, &t,
                "local tape = require 'tape'\n"
                "t.on(function() tape()\n"
                "  t.wait('a') end)");
    assert_int_equal(r.outcome, TASK_ERROR);
    assert_string_equal(r.message, "probe: the code has changed");
    assert_int_equal(r.line, 3);
    assert_int_equal(s.started, 0);
    site_close(&s);
}

static void a_timeout_is_a_result_that_is_recorded(void **state)
{
    struct tape t = {.answers = {RECORDER_LIVE, RECORDER_LIVE}};
    struct site s;
    struct run r;
    (void)state;

    begin_taped(&s, &r, &t,
                "local tape = require 'tape'\n"
                "t.on(function() tape()\n"
                "  t.note(pcall(t.wait, 'a', 50)) t.wait('b')\n"
                "end)");
    site_pass(&s, 50);
    assert_int_equal(t.results, 1);
    assert_int_equal(t.heard_code, ERR_TIMEOUT);
    generation_close(s.g);
    s.g = NULL;
    assert_int_equal(t.results, 1); /* an end by cancel is none */
    assert_int_equal(r.outcome, TASK_CANCELLED);
    site_close(&s);
}

static void a_replayed_push_that_raises_leaves_nothing(void **state)
{
    struct tape t = {.answers = {RECORDER_REPLAY, RECORDER_REPLAY}};
    struct site s;
    struct run r;
    (void)state;

    begin_taped(&s, &r, &t,
                "local tape = require 'tape'\n"
                "t.on(function() tape()\n"
                "  t.note(pcall(t.wait, '!'))\n"
                "  t.note(pcall(t.wait, '!')) end)");
    assert_string_equal(site_notes(&s),
                        "false push broke: !1;false push broke: !2;");
    assert_int_equal(r.outcome, TASK_DONE);
    assert_int_equal(s.live, 0);
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_step_is_pushed_and_starts_nothing),
        cmocka_unit_test(a_diverged_step_raises_and_starts_nothing),
        cmocka_unit_test(a_timeout_is_a_result_that_is_recorded),
        cmocka_unit_test(a_replayed_push_that_raises_leaves_nothing),
    };
    return FIXTURE_RUN(tests);
}
