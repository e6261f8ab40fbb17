/*
 * How long the loop is held while app/scripts replaces a generation. The
 * loop never waits and notes the time of each of its turns; the longest one
 * counts: of those while the scripts load beside it, of those within 5 ms
 * from the switch on (the old generation is freed there), and of as many
 * milliseconds without a reload.
 *
 *   bench_reload FOLDER COUNT    FOLDER: main.lua and what it requires
 */

#include "script_host.h"

#include "app/admins.h"
#include "app/notices.h"
#include "app/scripts.h"
#include "loop/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

#define COUNT_MAX 1000
#define QUIET_NS 20000000
#define SWITCH_NS 5000000

enum phase { QUIET, LOADING, SWITCH, PHASES };
static const char *const phase_names[PHASES] = {"quiet", "loading", "switch"};

/* Nanoseconds of a turn: all, and of them on a processor. */
struct turn {
    int64_t wall, cpu;
};

struct bench {
    struct script_host h; /* first member */
    struct notices notices;
    struct admins *admins;
    struct scripts *scripts;
    struct scripts_waiter waiter;
    uv_idle_t meter;
    struct turn last; /* the clocks when the turn began */
    enum phase phase;
    int64_t phase_began, phase_ends; /* ends 0: when the scripts switch */
    int count, done;
    struct turn longest[PHASES][COUNT_MAX];
    int64_t load_ns[COUNT_MAX];
    bool failed;
};

static int64_t clock_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void begin_phase(struct bench *b, enum phase phase, int64_t length)
{
    b->phase = phase;
    b->phase_began = clock_of(CLOCK_MONOTONIC);
    b->phase_ends = length > 0 ? b->phase_began + length : 0;
}

/* What the engine does, but for telling polling and dispatch, which keep a
 * text and a pointer. */
static void on_switched(void *arg, struct generation *g, const char *reason)
{
    struct bench *b = arg;
    const struct task_spec start = {.entry = VM_ON_START, .text = reason};
    free(generation_kinds(g));
    task_spawn(g, &start);
    if (b->phase != LOADING)
        return;
    b->load_ns[b->done] = clock_of(CLOCK_MONOTONIC) - b->phase_began;
    begin_phase(b, SWITCH, SWITCH_NS);
}

static void on_loaded(struct scripts_waiter *w, const struct scripts_outcome *o)
{
    struct bench *b = LIST_ENTRY(w, struct bench, waiter);
    if (!o->error)
        return;
    fprintf(stderr, "bench_reload: %s\n", o->error->message);
    b->failed = true;
    loop_stop(b->h.loop);
}

static void next_phase(struct bench *b)
{
    if (b->phase == QUIET) {
        begin_phase(b, LOADING, 0);
        scripts_reload(b->scripts, &b->waiter);
        return;
    }
    begin_phase(b, QUIET, QUIET_NS);
    if (++b->done == b->count)
        loop_stop(b->h.loop);
}

static void on_turn(uv_idle_t *meter)
{
    struct bench *b = meter->data;
    struct turn now = {clock_of(CLOCK_MONOTONIC),
                       clock_of(CLOCK_THREAD_CPUTIME_ID)};
    struct turn *longest = &b->longest[b->phase][b->done];
    if (now.wall - b->last.wall > longest->wall)
        longest->wall = now.wall - b->last.wall;
    if (now.cpu - b->last.cpu > longest->cpu)
        longest->cpu = now.cpu - b->last.cpu;
    if (b->phase_ends && now.wall >= b->phase_ends)
        next_phase(b);
    b->last = (struct turn){clock_of(CLOCK_MONOTONIC),
                            clock_of(CLOCK_THREAD_CPUTIME_ID)};
}

static void print_list(const struct bench *b, const char *name,
                       const int64_t *first, size_t stride)
{
    printf("\"%s\":[", name);
    for (int i = 0; i < b->count; i++)
        printf("%s%" PRId64, i ? "," : "", first[(size_t)i * stride]);
    printf("]");
}

static void print_all(const struct bench *b)
{
    char name[32];
    size_t stride = sizeof(struct turn) / sizeof(int64_t);
    printf("{");
    for (int i = 0; i < PHASES; i++) {
        snprintf(name, sizeof name, "%s_ns", phase_names[i]);
        print_list(b, name, &b->longest[i][0].wall, stride);
        snprintf(name, sizeof name, ",%s_cpu_ns", phase_names[i]);
        printf(",");
        print_list(b, name + 1, &b->longest[i][0].cpu, stride);
        printf(",");
    }
    print_list(b, "load_ns", b->load_ns, 1);
    printf("}\n");
}

static void on_closed(void *arg)
{
    loop_stop(((struct bench *)arg)->h.loop);
}

static void measure(struct bench *b)
{
    b->waiter.done = on_loaded;
    scripts_begin(b->scripts);
    uv_idle_init(loop_uv(b->h.loop), &b->meter);
    b->meter.data = b;
    uv_idle_start(&b->meter, on_turn);
    begin_phase(b, QUIET, QUIET_NS);
    b->last = (struct turn){clock_of(CLOCK_MONOTONIC),
                            clock_of(CLOCK_THREAD_CPUTIME_ID)};
    loop_run(b->h.loop);
    uv_close((uv_handle_t *)&b->meter, NULL);
    scripts_close(b->scripts, on_closed, b);
    loop_run(b->h.loop);
    if (!b->failed)
        print_all(b);
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct script_error why;
    b.count = argc == 3 ? atoi(argv[2]) : 0;
    if (b.count < 1 || b.count > COUNT_MAX) {
        fprintf(stderr, "usage: bench_reload FOLDER COUNT\n");
        return 2;
    }
    if (!script_host_open(&b.h, argv[1]))
        return 1;
    b.notices.log = b.h.log;
    b.admins = admins_new(b.h.loop, NULL, NULL, 0);
    const struct scripts_options options = {
        .loop = b.h.loop,
        .host = &b.h.host,
        .notices = &b.notices,
        .admins = b.admins,
        .switched = on_switched,
        .arg = &b,
    };
    b.scripts = scripts_new(&options, &why);
    if (b.scripts)
        measure(&b);
    else
        script_host_complain(&why);
    admins_free(b.admins);
    return script_host_close(&b.h) || b.failed || !b.scripts;
}
