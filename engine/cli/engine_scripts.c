/*
 * The engine's scripts: how they are loaded, and who hears of a new generation.
 */
#include "cli/engine_internal.h"

#include "app/dispatch.h"
#include "app/script_http.h"
#include "app/scripts.h"
#include "base/embedded.h"
#include "base/list.h"
#include "base/log.h"
#include "cli/library.h"
#include "cli/restart.h"
#include "telegram/polling.h"
#include "telegram/webhook.h"
#include "vm/limits.h"

#include <stdlib.h>

static void on_switched(void *arg, struct generation *g, const char *reason)
{
    struct engine *e = arg;
    char *kinds = generation_kinds(g);
    const struct task_spec start = {.entry = VM_ON_START, .text = reason};

    if (e->webhook)
        webhook_set_kinds(e->webhook, kinds);
    else
        polling_set_kinds(e->polling, kinds);
    free(kinds);
    task_spawn(g, &start);
    dispatch_use(e->dispatch, g);
    script_http_use(e->script_http, g);
}

/* In a signal handler, over a C call that no hook can stop. */
static void on_stuck(void *arg, struct lua_State *L)
{
    const char *script = NULL;
    int line = 0;
    (void)arg;
    limits_place(L, &script, &line);
    restart_now("engine.stuck", script, line);
}

static void on_exhausted(void *services, struct generation *g)
{
    struct engine *e = LIST_ENTRY(services, struct engine, services);
    if (!e->scripts || g != scripts_current(e->scripts))
        return;
    LOG_AT(e->log, LOG_WARN, "scripts.memory",
           LOG_I("generation", (int64_t)generation_id(g)),
           LOG_S("remedy", "the scripts are loaded afresh; they keep too much "
                           "in their variables"));
    scripts_reload(e->scripts, NULL);
}

int engine__open_scripts(struct engine *e, struct err *error)
{
    struct script_error why;
    const struct scripts_options options = {
        .loop = e->loop,
        .host = &e->host,
        .notices = &e->notices,
        .admins = e->admins,
        .watch = e->settings.config.hot_reload && !e->home,
        .data_dir = e->dir.path,
        .switched = on_switched,
        .arg = e,
    };
    e->services.app_json = e->settings.file.app_json;
    if (e->home) {
        e->services.coverage = e->home->coverage;
        e->services.coverage_folder = e->home->coverage_folder;
    }
    if (!e->home)
        e->library = library_compiled();
    uint64_t limit_ms = (uint64_t)e->settings.config.handler_cpu_limit_ms;
    e->limits = e->home ? limits_new_counted(limit_ms)
                        : limits_new(limit_ms, on_stuck, e, error);
    if (!e->limits)
        return error->code;
    e->host = (struct vm_host){
        .log = e->log,
        .clock = e->clock,
        .random_seed = rng_next(e->rng),
        .simulated = e->home != NULL,
        .limits = e->limits,
        .memory_limit = (size_t)e->settings.config.lua_memory_limit,
        .stress_gc = getenv("MOONLET_GC_STRESS") != NULL,
        .exhausted = on_exhausted,
        .modules = bindings_modules,
        .library = e->home ? e->home->library : e->library,
        .scripts_dir = e->settings.config.scripts_dir,
        .services = &e->services,
    };
    e->scripts = scripts_new(&options, &why);
    if (!e->scripts) {
        library_describe(&why, e->host.scripts_dir, error);
        script_error_clear(&why);
        return error->code;
    }
    health_set(&e->health, HEALTH_SCRIPTS, HEALTH_UP);
    return 0;
}
