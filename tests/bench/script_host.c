#include "script_host.h"

#include "base/log.h"
#include "cli/library.h"
#include "loop/loop.h"
#include "vm/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU_LIMIT_MS 200
#define MEMORY_LIMIT (256u << 20)

static void on_stuck(void *arg, struct lua_State *L)
{
    (void)arg;
    (void)L;
    _exit(1);
}

bool script_host_open(struct script_host *h, const char *scripts_dir)
{
    struct err e;
    memset(h, 0, sizeof *h);
    clock_init_real(&h->clock);
    rng_seed(&h->rng, 1);
    h->log = log_new(STDERR_FILENO, LOG_WARN, LOG_TEXT, &h->clock);
    h->loop = loop_new(&h->clock, h->log, &h->rng);
    h->library = library_compiled();
    h->limits = limits_new(CPU_LIMIT_MS, on_stuck, NULL, &e);
    h->host = (struct vm_host){
        .log = h->log,
        .clock = &h->clock,
        .limits = h->limits,
        .memory_limit = MEMORY_LIMIT,
        .modules = bindings_modules,
        .library = h->library,
        .scripts_dir = scripts_dir,
        .services = &h->services,
    };
    if (!h->limits)
        fprintf(stderr, "%s\n", e.message);
    return h->limits != NULL;
}

int script_host_close(struct script_host *h)
{
    int leftovers = loop_free(h->loop);
    limits_free(h->limits);
    free(h->library);
    log_free(h->log);
    return leftovers != 0;
}

void script_host_complain(struct script_error *e)
{
    fprintf(stderr, "%s:%d: %s\n", e->script, e->line, e->message);
    script_error_clear(e);
}
