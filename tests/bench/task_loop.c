/*
 * What a task costs over a bare coroutine, and how much memory one holds
 * while it waits. Each round takes turns with COUNT coroutines of a plain
 * state that yield once, COUNT tasks that the engine starts, and COUNT child
 * tasks that a script starts and joins; the tasks sleep for 0. A hundred are
 * alive at once.
 *
 *   bench_task FOLDER COUNT ROUNDS    FOLDER: tests/bench/tasks
 */

#include "script_host.h"

#include "loop/loop.h"
#include "vm/vm_internal.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <lualib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 100
#define WAITING 10000
#define MODULES_MAX 64

struct bench {
    struct script_host h; /* first member */
    struct generation *g;
    int64_t count;
    int rounds;
    int64_t left;  /* tasks to be started */
    int64_t alive; /* that were started and have not ended */
    bool failed;
};

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- coroutines of a plain state */

static lua_State *open_plain(void)
{
    lua_State *L = luaL_newstate();
    if (!L)
        abort();
    luaL_openlibs(L);
    if (luaL_dostring(L, "local yield = coroutine.yield\n"
                         "function once() yield() end\n"))
        abort();
    return L;
}

static void resume(lua_State *co, lua_State *L, int status)
{
    int results;
    if (lua_resume(co, L, 0, &results) != status)
        abort();
}

static int64_t plain_round(lua_State *L, int64_t count)
{
    int64_t began = cpu_ns();
    luaL_checkstack(L, BATCH, NULL);
    for (int64_t done = 0; done < count; done += BATCH) {
        lua_State *co[BATCH];
        for (int i = 0; i < BATCH; i++) {
            co[i] = lua_newthread(L);
            lua_getglobal(co[i], "once");
            resume(co[i], L, LUA_YIELD);
        }
        for (int i = 0; i < BATCH; i++)
            resume(co[i], L, LUA_OK);
        lua_settop(L, 0);
    }
    return cpu_ns() - began;
}

/* --- tasks */

static void start_batch(struct bench *b);

static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error)
{
    struct bench *b = arg;
    if (outcome != TASK_DONE) {
        fprintf(stderr, "bench_task: %s\n", error ? error->message : "ended");
        b->failed = true;
    }
    if (--b->alive > 0)
        return;
    if (b->left > 0 && !b->failed)
        start_batch(b);
    else
        loop_stop(b->h.loop);
}

static void start_task(struct bench *b, enum vm_entry entry, const char *text)
{
    const struct task_spec spec = {
        .entry = entry, .text = text, .ended = on_ended, .arg = b};
    if (!task_spawn(b->g, &spec))
        abort();
    b->alive++;
}

static void start_batch(struct bench *b)
{
    for (int i = 0; i < BATCH; i++, b->left--)
        start_task(b, VM_ON_START, NULL);
}

static int64_t task_round(struct bench *b)
{
    int64_t began = cpu_ns();
    b->left = b->count;
    start_batch(b);
    loop_run(b->h.loop);
    return cpu_ns() - began;
}

static int64_t child_round(struct bench *b)
{
    char batches[24];
    int64_t began = cpu_ns();
    b->left = 0;
    snprintf(batches, sizeof batches, "%" PRId64, b->count / BATCH);
    start_task(b, VM_ON_UPDATE, batches);
    loop_run(b->h.loop);
    return cpu_ns() - began;
}

static void print_rounds(struct bench *b)
{
    lua_State *plain = open_plain();
    printf("{\"rounds\":[");
    for (int i = 0; i < b->rounds && !b->failed; i++) {
        int64_t bare = plain_round(plain, b->count);
        int64_t task = task_round(b);
        int64_t child = child_round(b);
        printf("%s{\"bare_ns\":%.1f,\"task_ns\":%.1f,\"child_ns\":%.1f}",
               i ? "," : "", (double)bare / (double)b->count,
               (double)task / (double)b->count,
               (double)child / (double)b->count);
    }
    lua_close(plain);
}

/* --- memory */

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* Until every task waits. */
static void settle(struct bench *b)
{
    for (int i = 0; i < 10; i++)
        loop_turn(b->h.loop);
    lua_gc(b->g->L, LUA_GCCOLLECT);
}

static void print_memory(struct bench *b)
{
    settle(b);
    size_t lua = b->g->memory.used;
    size_t heap = heap_bytes();
    for (int i = 0; i < WAITING; i++)
        start_task(b, VM_ON_FAILED, NULL);
    settle(b);
    lua = b->g->memory.used - lua;
    heap = heap_bytes() - heap;
    printf("],\"lua_bytes\":%.1f,\"heap_bytes\":%.1f}\n", (double)lua / WAITING,
           (double)heap / WAITING);
}

static int measure(struct bench *b)
{
    struct script_error why;
    b->g = generation_load(&b->h.host, 1, &why);
    if (!b->g) {
        script_host_complain(&why);
        return 1;
    }
    generation_adopt(b->g, b->h.loop);
    print_rounds(b);
    b->failed |= b->alive > 0;
    print_memory(b);
    b->failed |= generation_tasks(b->g) != WAITING;
    return b->failed;
}

static void ignore_end(struct bench *b)
{
    struct list *link = b->g->tasks.next;
    for (; link != &b->g->tasks; link = link->next)
        LIST_ENTRY(link, struct task, link)->spec.ended = NULL;
    generation_close(b->g);
}

/* The bindings, and moonlet.core under a name that any script may require. */
static const struct vm_module *open_core(void)
{
    static struct vm_module rows[MODULES_MAX + 1];
    size_t n = 0;
    for (const struct vm_module *m = bindings_modules; m->name; m++) {
        if (n + 2 > MODULES_MAX)
            abort();
        rows[n++] = *m;
        if (strcmp(m->name, "moonlet.core") == 0)
            rows[n++] = (struct vm_module){"bench.core", m->open};
    }
    return rows;
}

int main(int argc, char **argv)
{
    static struct bench b;
    b.count = argc == 4 ? atoll(argv[2]) : 0;
    b.rounds = argc == 4 ? atoi(argv[3]) : 0;
    if (b.count < BATCH || b.count % BATCH != 0 || b.rounds < 1) {
        fprintf(stderr,
                "usage: bench_task FOLDER COUNT ROUNDS, COUNT a "
                "multiple of %d\n",
                BATCH);
        return 2;
    }
    if (!script_host_open(&b.h, argv[1]))
        return 1;
    b.h.host.modules = open_core();
    int code = measure(&b);
    if (b.g)
        ignore_end(&b);
    return script_host_close(&b.h) || code;
}
