/*
 * What a fresh generation costs: its state, the library and the scripts of
 * FOLDER. Each of COUNT is loaded, adopted and closed; the CPU time of the
 * first and of the last step is told apart. The mode "simulated" is that of
 * tests on a virtual clock, with a library that was compiled once.
 *
 *   bench_load FOLDER COUNT real|simulated
 */

#include "script_host.h"

#include "cli/library.h"
#include "vm/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT_MAX 10000

struct bench {
    struct script_host h;
    int count;
    int64_t load_ns[COUNT_MAX], close_ns[COUNT_MAX];
};

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void simulate(struct script_host *h)
{
    limits_free(h->limits);
    free(h->library);
    h->library = library_compiled();
    h->host.library = h->library;
    h->limits = limits_new_counted(200);
    h->host.limits = h->limits;
    h->host.simulated = true;
}

static bool measure(struct bench *b, int i)
{
    struct script_error why;
    int64_t began = cpu_ns();
    struct generation *g = generation_load(&b->h.host, (uint64_t)i + 1, &why);
    int64_t loaded = cpu_ns();
    if (!g) {
        script_host_complain(&why);
        return false;
    }
    generation_adopt(g, b->h.loop);
    int64_t adopted = cpu_ns();
    generation_close(g);
    b->load_ns[i] = loaded - began;
    b->close_ns[i] = cpu_ns() - adopted;
    return true;
}

static void print_list(const char *name, const int64_t *list, int n)
{
    printf("\"%s\":[", name);
    for (int i = 0; i < n; i++)
        printf("%s%" PRId64, i ? "," : "", list[i]);
    printf("]");
}

int main(int argc, char **argv)
{
    static struct bench b;
    b.count = argc == 4 ? atoi(argv[2]) : 0;
    if (b.count < 1 || b.count > COUNT_MAX) {
        fprintf(stderr, "usage: bench_load FOLDER COUNT real|simulated\n");
        return 2;
    }
    if (!script_host_open(&b.h, argv[1]))
        return 1;
    if (strcmp(argv[3], "simulated") == 0)
        simulate(&b.h);
    bool fine = true;
    for (int i = 0; fine && i < b.count; i++)
        fine = measure(&b, i);
    if (fine) {
        printf("{");
        print_list("load_ns", b.load_ns, b.count);
        printf(",");
        print_list("close_ns", b.close_ns, b.count);
        printf("}\n");
    }
    return script_host_close(&b.h) || !fine;
}
