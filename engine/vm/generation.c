#include "vm/generation.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "vm/limits.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/seal.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A sanitizer would not see what happens to a block that is gone. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define LOAD_SECONDS 5 /* of CPU, for main.lua and all that it requires */
#define LOAD_HOOK_STEPS 100000
/* The same in a simulation, which counts LOAD_HOOK_STEPS. */
#define LOAD_TICKS (LOAD_SECONDS * 1000 * LIMITS_STEPS_PER_MS / LOAD_HOOK_STEPS)

/* A simulation collects garbage after so much work: one VM instruction is 1,
 * a slice costs as much as SLICE_WORK. */
#define COLLECT_WORK 1000000
#define SLICE_WORK 1000

struct vm_thread *vm__thread(lua_State *L)
{
    return *(struct vm_thread **)lua_getextraspace(L);
}

struct generation *vm__generation(lua_State *L)
{
    return vm__thread(L)->gen;
}

void vm__bind(lua_State *L, struct vm_thread *thread)
{
    *(struct vm_thread **)lua_getextraspace(L) = thread;
}

void *vm_services(lua_State *L)
{
    return vm__generation(L)->host->services;
}

struct log *vm_log(lua_State *L)
{
    return vm__generation(L)->host->log;
}

const struct clock *vm_clock(lua_State *L)
{
    return vm__generation(L)->host->clock;
}

const char *vm_scripts_dir(lua_State *L)
{
    return vm__generation(L)->host->scripts_dir;
}

uint64_t vm_generation_id(lua_State *L)
{
    return vm__generation(L)->id;
}

struct loop *vm_loop(lua_State *L)
{
    return vm__generation(L)->loop;
}

enum task_class vm_task_class(lua_State *L)
{
    const struct task *t = vm__generation(L)->running;
    return t ? t->on_behalf : TASK_OF_NOBODY;
}

bool vm_loading(lua_State *L)
{
    return vm__generation(L)->loading;
}

void vm_set_entry(lua_State *L, enum vm_entry entry)
{
    struct generation *g = vm__generation(L);
    luaL_unref(L, LUA_REGISTRYINDEX, g->entries[entry]);
    g->entries[entry] = luaL_ref(L, LUA_REGISTRYINDEX);
}

void vm_want_kind(lua_State *L, const char *kind)
{
    struct buf *kinds = &vm__generation(L)->kinds;
    struct buf quoted = {0};
    js_put_string(&quoted, kind, strlen(kind));
    if (!kinds->data || !strstr(kinds->data, quoted.data)) {
        if (kinds->len)
            buf_putc(kinds, ',');
        buf_append(kinds, quoted.data, quoted.len);
    }
    buf_free(&quoted);
}

void generation__enter(struct generation *g, lua_State *L)
{
    g->memory.enforced = true;
    limits_enter(g->host->limits, L);
}

bool generation__leave(struct generation *g, lua_State *L)
{
    bool over = limits_leave(g->host->limits);
    g->memory.enforced = false;
    if (over)
        lua_sethook(L, NULL, 0, 0);
    g->uncollected += SLICE_WORK + limits_steps(g->host->limits);
    luaL_unref(g->L, LUA_REGISTRYINDEX, g->limit_error);
    g->limit_error = LUA_NOREF;
    return over;
}

static void collect(struct generation *g)
{
    limits_enter_long(g->host->limits, g->L);
    lua_gc(g->L, LUA_GCCOLLECT);
    limits_leave(g->host->limits);
    g->uncollected = 0;
}

/* How many bytes are in use depends on the seed of Lua's hashes, and with it
 * when the collector would run by itself. */
void generation__tidy(struct generation *g)
{
    if (g->host->simulated && g->uncollected >= COLLECT_WORK)
        collect(g);
}

/* At once, so that the next handler does not pay for the collection. If it
 * brings no relief, the scripts hold the memory in a global or an upvalue for
 * as long as they live; the handlers that are left get a quarter more. */
void generation__relieve(struct generation *g)
{
    struct memory *m = &g->memory;
    m->refused = false;
    collect(g);
    if (m->used <= m->limit / 2 || m->extended || !g->host->exhausted)
        return;
    m->limit += m->limit / 4;
    m->extended = true;
    g->host->exhausted(g->host->services, g);
}

/* Keeps the place of a task's first refusal: later ones may come from the
 * handling of its error. */
static void *allocate(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct generation *g = ud;
    void *block = memory_alloc(&g->memory, ptr, old_size, new_size);
    struct task *t = g->running;
    const char *script;
    /* A copy: that code may be garbage when the place is told. */
    if (!block && new_size > 0 && t && t->limit_line == 0 &&
        limits_place(t->L, &script, &t->limit_line))
        snprintf(t->limit_script, sizeof t->limit_script, "%s", script);
    return block;
}

bool generation__name_memory(const struct generation *g, const struct task *t,
                             struct script_error *e)
{
    if (strcmp(e->message, "not enough memory") != 0)
        return false;
    script_error_clear(e);
    e->kind = mem_strdup("limit");
    e->message = mem_printf("the scripts use more than LUA_MEMORY_LIMIT "
                            "(%zu MiB)",
                            g->memory.limit / (1024 * 1024));
    e->script = mem_strdup(t ? t->limit_script : "");
    e->line = t ? t->limit_line : 0;
    e->traceback = mem_strdup("");
    return true;
}

static void on_warning(void *ud, const char *text, int more)
{
    struct generation *g = ud;
    (void)more;
    if (text[0] != '@') /* "@on" and "@off" are control messages */
        LOG_AT(g->host->log, LOG_WARN, "script.warning", LOG_S("text", text));
}

static uint64_t thread_cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool load_has_ended(struct generation *g)
{
    if (g->host->simulated)
        return ++g->load_ticks > LOAD_TICKS;
    return thread_cpu_ms() > g->load_until_ms;
}

/* Loading happens on any thread, without the limit's timer. */
static void check_load_time(lua_State *L, lua_Debug *ar)
{
    struct generation *g = vm__generation(L);
    (void)ar;
    if (!g->loading) {
        lua_sethook(L, NULL, 0, 0);
    } else if (g->load_over || load_has_ended(g)) {
        g->load_over = true;
        lua_sethook(L, check_load_time, LUA_MASKCOUNT, 1); /* past any pcall */
        luaL_error(L, "loading the scripts takes longer than %d s",
                   LOAD_SECONDS);
    }
}

static int load_main(lua_State *L)
{
    vm__open_sandbox(L);
    script_error_open(L);
    lua_json_open(L);
    seal_state(L);
    lua_pushcfunction(L, vm__require);
    lua_pushstring(L, "main");
    lua_call(L, 1, 0);
    return 0;
}

static void generation_free(struct generation *g)
{
    if (g->loop) {
        loop_undefer(&g->drain);
        loop_undefer(&g->bury);
    }
    bool entered = g->loop != NULL;
    if (entered) {
        limits_enter_long(g->host->limits, g->L);
    }
    g->loop = NULL; /* what a __gc detaches now has no one to run it */
    lua_close(g->L);
    memory_close(&g->memory);
    if (entered)
        limits_leave(g->host->limits);
    buf_free(&g->kinds);
    void (*gone)(void *arg) = g->gone;
    void *arg = g->gone_arg;
    free(g);
    if (gone)
        gone(arg);
}

static void generation_bury(struct deferred *d)
{
    generation_free(LIST_ENTRY(d, struct generation, bury));
}

struct generation *generation_load(const struct vm_host *host, uint64_t id,
                                   struct script_error *error)
{
    struct generation *g = MEM_NEW(struct generation);
    g->host = host;
    g->id = id;
    g->loading = true;
    list_init(&g->tasks);
    list_init(&g->ready);
    list_init(&g->later);
    deferred_init(&g->drain, task__drain);
    deferred_init(&g->bury, generation_bury);
    for (int i = 0; i < VM_ENTRIES; i++)
        g->entries[i] = LUA_NOREF;
    g->limit_error = LUA_NOREF;
    g->memory.limit = host->memory_limit;
    g->memory.enforced = true;
    g->memory.numbered = host->simulated;
    g->memory.slabs = !host->simulated && !SANITIZED;
    g->load_until_ms = thread_cpu_ms() + LOAD_SECONDS * 1000;
    rng_seed(&g->rng, host->random_seed ^ id << 32);
    g->L = lua_newstate(allocate, g);
    if (!g->L)
        abort();
    if (host->simulated)
        lua_gc(g->L, LUA_GCSTOP);
    if (host->stress_gc)
        lua_gc(g->L, LUA_GCSETPAUSE, 0);
    lua_setwarnf(g->L, on_warning, g);
    lua_sethook(g->L, check_load_time, LUA_MASKCOUNT, LOAD_HOOK_STEPS);
    g->thread.gen = g;
    vm__bind(g->L, &g->thread);

    lua_pushcfunction(g->L, script_error_handler);
    lua_pushcfunction(g->L, load_main);
    if (lua_pcall(g->L, 0, 0, 1) != LUA_OK) {
        script_error_take(g->L, error);
        generation__name_memory(g, NULL, error);
        generation_free(g);
        return NULL;
    }
    lua_settop(g->L, 0);
    lua_sethook(g->L, NULL, 0, 0);
    g->loading = false;
    g->memory.enforced = false;
    return g;
}

bool generation_has(const struct generation *g, enum vm_entry entry)
{
    return g->entries[entry] != LUA_NOREF;
}

void generation_adopt(struct generation *g, struct loop *loop)
{
    g->loop = loop;
}

uint64_t generation_id(const struct generation *g)
{
    return g->id;
}

size_t generation_tasks(const struct generation *g)
{
    return g->task_count;
}

char *generation_kinds(const struct generation *g)
{
    return mem_printf("[%s]", g->kinds.data ? g->kinds.data : "");
}

void generation_retire(struct generation *g, void (*gone)(void *arg), void *arg)
{
    g->retired = true;
    g->gone = gone;
    g->gone_arg = arg;
    if (g->task_count == 0)
        loop_defer(g->loop, &g->bury);
}

void generation_close(struct generation *g)
{
    g->retired = true;
    g->gone = NULL;
    task__drop_all(g);
    generation_free(g);
}

void generation_kill(struct generation *g)
{
    g->killed = true;
    generation_close(g);
}
