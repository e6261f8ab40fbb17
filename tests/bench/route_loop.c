/*
 * What it costs to find the handler of an update: the tasks of a bot with
 * many handlers, which do nothing, take turns with those of a function that
 * gets the same updates and does nothing either. A hundred are alive at once.
 *
 *   bench_route BOT BARE UPDATES COUNT ROUNDS
 *
 * BOT, BARE: folders with main.lua; that of BARE may require "bench.core".
 * UPDATES: a file with one update a line, which are used in turn.
 */

#include "script_host.h"

#include "loop/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 100
#define MODULES_MAX 64
#define UPDATES_MAX 10000

struct bench {
    struct script_host h; /* first member */
    struct generation *g; /* that runs now */
    char *updates[UPDATES_MAX];
    int64_t updates_count;
    int64_t next;
    int64_t left, alive;
    bool failed;
};

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void start_batch(struct bench *b);

static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error)
{
    struct bench *b = arg;
    if (outcome != TASK_DONE) {
        fprintf(stderr, "bench_route: %s\n", error ? error->message : "ended");
        b->failed = true;
    }
    if (--b->alive > 0)
        return;
    if (b->left > 0 && !b->failed)
        start_batch(b);
    else
        loop_stop(b->h.loop);
}

static void start_batch(struct bench *b)
{
    for (int i = 0; i < BATCH; i++, b->left--) {
        const char *update = b->updates[b->next++ % b->updates_count];
        const struct task_spec spec = {.entry = VM_ON_UPDATE,
                                       .json = update,
                                       .json_len = strlen(update),
                                       .ended = on_ended,
                                       .arg = b};
        if (!task_spawn(b->g, &spec))
            abort();
        b->alive++;
    }
}

static double run_round(struct bench *b, struct generation *g, int64_t count)
{
    b->g = g;
    b->left = count;
    b->next = 0;
    int64_t began = cpu_ns();
    start_batch(b);
    loop_run(b->h.loop);
    return (double)(cpu_ns() - began) / (double)count;
}

static bool read_updates(struct bench *b, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    while (file && getline(&line, &cap, file) > 0 &&
           b->updates_count < UPDATES_MAX) {
        line[strcspn(line, "\n")] = '\0';
        b->updates[b->updates_count++] = strdup(line);
    }
    free(line);
    if (file)
        fclose(file);
    return b->updates_count > 0;
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

static struct generation *load(struct bench *b, struct vm_host *host,
                               const char *folder)
{
    struct script_error why;
    *host = b->h.host;
    host->scripts_dir = folder;
    struct generation *g = generation_load(host, 1, &why);
    if (g)
        generation_adopt(g, b->h.loop);
    else
        script_host_complain(&why);
    return g;
}

static void measure(struct bench *b, struct generation *bot,
                    struct generation *bare, int64_t count, int rounds)
{
    printf("{\"rounds\":[");
    for (int i = 0; i < rounds && !b->failed; i++) {
        double bare_ns = run_round(b, bare, count);
        double bot_ns = run_round(b, bot, count);
        printf("%s{\"bare_ns\":%.1f,\"bot_ns\":%.1f}", i ? "," : "", bare_ns,
               bot_ns);
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct vm_host hosts[2];
    int64_t count = argc == 6 ? atoll(argv[4]) : 0;
    int rounds = argc == 6 ? atoi(argv[5]) : 0;
    if (count < BATCH || count % BATCH != 0 || rounds < 1 ||
        !read_updates(&b, argv[3])) {
        fprintf(stderr,
                "usage: bench_route BOT BARE UPDATES COUNT ROUNDS, "
                "COUNT a multiple of %d\n",
                BATCH);
        return 2;
    }
    if (!script_host_open(&b.h, argv[1]))
        return 1;
    b.h.host.modules = open_core();
    struct generation *bot = load(&b, &hosts[0], argv[1]);
    struct generation *bare = load(&b, &hosts[1], argv[2]);
    if (bot && bare)
        measure(&b, bot, bare, count, rounds);
    if (bot)
        generation_close(bot);
    if (bare)
        generation_close(bare);
    return script_host_close(&b.h) || b.failed || !bot || !bare;
}
