#ifndef MOONLET_TESTS_VM_FIXTURE_H
#define MOONLET_TESTS_VM_FIXTURE_H

/*
 * A generation over scripts in a temporary folder, on a virtual clock, with
 * a C module "probe" whose operations the test completes by hand. Every test
 * runs twice, the second time with a collector that works all the time.
 * site_close fails on an operation, timer or handle that is left.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "vm/await.h"
#include "vm/generation.h"
#include "vm/script_error.h"
#include "vm/task.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A loop that waits forever is the failure that these tests look for. */
#define FIXTURE_SECONDS 110u
#define TASKS 8

static bool stress;

#define FIXTURE_RUN(tests) fixture_run(tests, sizeof(tests) / sizeof *(tests))

static inline int fixture_run(const struct CMUnitTest *tests, size_t n)
{
    alarm(FIXTURE_SECONDS);
    stress = false;
    int failed =
        _cmocka_run_group_tests("default collector", tests, n, NULL, NULL);
    stress = true;
    return failed + _cmocka_run_group_tests("collects all the time", tests, n,
                                            NULL, NULL);
}

struct site {
    struct clock clock;
    struct rng rng;
    struct log *log;
    int log_fd;
    struct loop *loop;
    char dir[64];
    struct vm_module modules[3];
    struct vm_source library[4];
    struct vm_host host;
    struct generation *g;
    struct buf notes; /* what scripts told, by t.note */
    struct list ops;  /* started and not done, by op.link */
    int live, started, cancelled, pushed;
    struct task *tasks[TASKS]; /* what t.cancel can reach */
    bool gone;
};

/* How a task ended. */
struct run {
    struct site *site;
    int ended;
    int slices;
    bool on_loop;
    enum task_outcome outcome;
    bool has_error;
    int line;
    char kind[32], message[600], script[200], traceback[2000];
};

enum op_mode {
    OP_HELD,  /* the test completes it */
    OP_LATE,  /* as OP_HELD, and its cancel takes until then too */
    OP_SLEEP, /* done after ms */
    OP_NOW    /* done within start */
};

struct op {
    struct await await;
    struct list link;
    struct timer timer;
    struct site *site;
    enum op_mode mode;
    uint64_t ms;
    char name[32];
};

/* Whatever C code forgot to hold on to is gone after this. */
static inline struct site *site_of(lua_State *L)
{
    if (stress)
        lua_gc(L, LUA_GCCOLLECT);
    return vm_services(L);
}

static inline void op_over(struct timer *timer)
{
    await_done(&LIST_ENTRY(timer, struct op, timer)->await);
}

static inline void op_start(struct await *aw, const struct journal_row *row)
{
    struct op *op = (struct op *)aw;
    (void)row;
    op->site->started++;
    list_push(&op->site->ops, &op->link);
    if (op->mode == OP_SLEEP)
        timer_start(&op->timer, op->ms);
    if (op->mode == OP_NOW) {
        buf_puts(&await_result(aw)->bytes, op->name);
        await_done(aw);
    }
}

/* Pushes the bytes; those that begin with "!" make it raise instead. */
static inline int op_push(lua_State *L, const struct await_result *result)
{
    const struct buf *bytes = &result->bytes;
    site_of(L)->pushed++;
    if (result->err.code != ERR_OK)
        return script_error_raise(L, "probe", &result->err);
    if (bytes->len && bytes->data[0] == '!')
        return luaL_error(L, "push broke: %s", bytes->data);
    lua_pushstring(L, bytes->data ? bytes->data : "");
    return 1;
}

static inline void op_cancel(struct await *aw)
{
    struct op *op = (struct op *)aw;
    op->site->cancelled++;
    timer_stop(&op->timer);
    if (op->mode != OP_LATE)
        await_done(aw);
}

static inline void op_free(struct await *aw)
{
    struct op *op = (struct op *)aw;
    op->site->live--;
    timer_stop(&op->timer);
    list_remove(&op->link);
    free(op);
}

static const struct await_ops probe_ops = {
    .op = "probe",
    .effect = EFFECT_READ,
    .start = op_start,
    .push = op_push,
    .cancel = op_cancel,
    .free = op_free,
};

static inline int op_await(lua_State *L, enum op_mode mode, const char *name,
                           uint64_t ms, uint64_t timeout)
{
    struct op *op = MEM_NEW(struct op);
    op->await.ops = &probe_ops;
    op->site = site_of(L);
    op->mode = mode;
    op->ms = ms;
    snprintf(op->name, sizeof op->name, "%s", name);
    list_init(&op->link);
    timer_init(&op->timer, vm_loop(L), op_over);
    op->site->live++;
    return await(L, &op->await, timeout);
}

/* t.wait(name [, timeout_ms]) */
static inline int probe_wait(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    uint64_t timeout = (uint64_t)luaL_optinteger(L, 2, 0);
    await_check(L);
    return op_await(L, OP_HELD, name, 0, timeout);
}

static inline int probe_late(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    uint64_t timeout = (uint64_t)luaL_optinteger(L, 2, 0);
    await_check(L);
    return op_await(L, OP_LATE, name, 0, timeout);
}

/* t.sleep(ms [, timeout_ms]) */
static inline int probe_sleep(lua_State *L)
{
    uint64_t ms = (uint64_t)luaL_checkinteger(L, 1);
    uint64_t timeout = (uint64_t)luaL_optinteger(L, 2, 0);
    await_check(L);
    return op_await(L, OP_SLEEP, "sleep", ms, timeout);
}

/* t.now(result): its operation is done before start returns. */
static inline int probe_now(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    await_check(L);
    return op_await(L, OP_NOW, name, 0, 0);
}

/* t.unchecked(name): a binding that forgot await_check. */
static inline int probe_unchecked(lua_State *L)
{
    return op_await(L, OP_HELD, luaL_checkstring(L, 1), 0, 0);
}

static inline int probe_note(lua_State *L)
{
    struct buf *notes = &site_of(L)->notes;
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            buf_putc(notes, ' ');
        buf_puts(notes, luaL_tolstring(L, i, NULL));
        lua_pop(L, 1);
    }
    buf_putc(notes, ';');
    return 0;
}

static inline int probe_on(lua_State *L)
{
    lua_settop(L, 1);
    vm_set_entry(L, VM_ON_UPDATE);
    return 0;
}

static inline int probe_on_start(lua_State *L)
{
    lua_settop(L, 1);
    vm_set_entry(L, VM_ON_START);
    return 0;
}

static inline int probe_want(lua_State *L)
{
    vm_want_kind(L, luaL_checkstring(L, 1));
    return 0;
}

static inline int probe_collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

static inline int probe_detach(lua_State *L)
{
    task_detach(L);
    return 0;
}

/* t.cancel(n): task_cancel of site.tasks[n]. */
static inline int probe_cancel(lua_State *L)
{
    task_cancel(site_of(L)->tasks[luaL_checkinteger(L, 1)]);
    return 0;
}

static inline int probe_misuse(lua_State *L)
{
    return script_error_misuse(L, "%s", luaL_checkstring(L, 1));
}

static const luaL_Reg probe_functions[] = {
    {"wait", probe_wait},
    {"late", probe_late},
    {"sleep", probe_sleep},
    {"now", probe_now},
    {"unchecked", probe_unchecked},
    {"note", probe_note},
    {"on", probe_on},
    {"on_start", probe_on_start},
    {"want", probe_want},
    {"collect", probe_collect},
    {"detach", probe_detach},
    {"cancel", probe_cancel},
    {"misuse", probe_misuse},
    {"error_of", script_error_handler},
    {NULL, NULL},
};

static inline int probe_open(lua_State *L)
{
    if (stress) {
        lua_gc(L, LUA_GCSETPAUSE, 0);
        lua_gc(L, LUA_GCSETSTEPMUL, 1000);
    }
    luaL_newlib(L, probe_functions);
    return 1;
}

static inline void site_open_on(struct site *s, bool is_virtual)
{
    memset(s, 0, sizeof *s);
    if (is_virtual)
        clock_init_virtual(&s->clock, 1700000000000);
    else
        clock_init_real(&s->clock);
    rng_seed(&s->rng, 1);
    s->log_fd = memfd_create("log", MFD_CLOEXEC);
    s->log = log_new(s->log_fd, LOG_DEBUG, LOG_TEXT, &s->clock);
    s->loop = loop_new(&s->clock, s->log, &s->rng);
    list_init(&s->ops);
    strcpy(s->dir, "/tmp/moonlet-vm-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->modules[0] = (struct vm_module){"probe", probe_open};
    s->host = (struct vm_host){
        .log = s->log,
        .clock = &s->clock,
        .modules = s->modules,
        .library = s->library,
        .scripts_dir = s->dir,
        .services = s,
    };
}

static inline void site_open(struct site *s)
{
    site_open_on(s, true);
}

/* Writes DIR/name, making its folder. */
static inline void site_write(struct site *s, const char *name,
                              const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    for (char *p = path + strlen(s->dir) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Writes main.lua; the module probe is `t` in it, line numbers stay. */
static inline void site_main(struct site *s, const char *text)
{
    char *whole = mem_printf("local t = require \"probe\" %s", text);
    site_write(s, "main.lua", whole);
    free(whole);
}

/* Loads main.lua with this text and adopts it. */
static inline void site_load(struct site *s, const char *text)
{
    struct script_error e;
    site_main(s, text);
    s->g = generation_load(&s->host, 1, &e);
    if (!s->g)
        fail_msg("%s:%d: %s", e.script, e.line, e.message);
    generation_adopt(s->g, s->loop);
}

/* What the scripts told since the last call. */
static inline const char *site_notes(struct site *s)
{
    static char text[8192];
    snprintf(text, sizeof text, "%s", s->notes.data ? s->notes.data : "");
    buf_clear(&s->notes);
    if (s->notes.data)
        s->notes.data[0] = '\0';
    return text;
}

/* How often a text stands in the log. */
static inline int site_logged(const struct site *s, const char *text)
{
    static char all[1 << 16];
    ssize_t n = pread(s->log_fd, all, sizeof all - 1, 0);
    int count = 0;
    assert_true(n >= 0);
    all[n] = '\0';
    for (const char *p = all; (p = strstr(p, text)); p++)
        count++;
    return count;
}

static inline void site_close(struct site *s)
{
    char command[128];
    if (s->g)
        generation_close(s->g);
    assert_int_equal(s->live, 0);
    assert_int_equal(loop_free(s->loop), 0);
    assert_int_equal(site_logged(s, "loop.leftover"), 0);
    log_free(s->log);
    close(s->log_fd);
    buf_free(&s->notes);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    assert_int_equal(system(command), 0);
}

static inline void run_ended(void *arg, enum task_outcome outcome,
                             const struct script_error *e)
{
    struct run *r = arg;
    r->ended++;
    r->outcome = outcome;
    r->has_error = e != NULL;
    if (!e)
        return;
    r->line = e->line;
    snprintf(r->kind, sizeof r->kind, "%s", e->kind);
    snprintf(r->message, sizeof r->message, "%s", e->message);
    snprintf(r->script, sizeof r->script, "%s", e->script);
    snprintf(r->traceback, sizeof r->traceback, "%s", e->traceback);
}

static inline void run_on_loop(void *arg, bool running)
{
    struct run *r = arg;
    assert_true(r->on_loop != running);
    r->on_loop = running;
    r->slices += running;
}

/* Starts the handler of t.on as a task with this text as second argument. */
static inline struct task *run_start_for(struct run *r, struct site *s,
                                         const char *text, uint64_t ms)
{
    memset(r, 0, sizeof *r);
    r->site = s;
    const struct task_spec spec = {
        .entry = VM_ON_UPDATE,
        .text = text,
        .timeout_ms = ms,
        .ended = run_ended,
        .on_loop = run_on_loop,
        .arg = r,
    };
    struct task *t = task_spawn(s->g, &spec);
    assert_non_null(t);
    assert_int_equal(r->ended, 0);
    return t;
}

static inline struct task *run_start(struct run *r, struct site *s)
{
    return run_start_for(r, s, NULL, 0);
}

/* Runs the handler until nothing moves any more. */
static inline void run_all(struct run *r, struct site *s)
{
    run_start(r, s);
    loop_run(s->loop);
}

/* Turns the loop until nothing is due at this moment. */
static inline void site_turn(struct site *s)
{
    for (int i = 0; i < 6; i++)
        loop_turn(s->loop);
}

static inline void site_pass(struct site *s, uint64_t ms)
{
    site_turn(s);
    clock_advance_to(&s->clock, clock_ns(&s->clock) + ms * 1000000);
    site_turn(s);
}

static inline struct op *site_op(struct site *s, const char *name)
{
    for (struct list *l = s->ops.next; l != &s->ops; l = l->next)
        if (strcmp(LIST_ENTRY(l, struct op, link)->name, name) == 0)
            return LIST_ENTRY(l, struct op, link);
    fail_msg("no operation %s is under way", name);
    return NULL;
}

/* Completes the operation with these bytes. */
static inline void site_done(struct site *s, const char *name,
                             const char *bytes)
{
    struct op *op = site_op(s, name);
    list_remove(&op->link);
    buf_puts(&await_result(&op->await)->bytes, bytes);
    await_done(&op->await);
}

#endif
