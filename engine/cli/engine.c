#include "cli/engine.h"

#include "app/admins.h"
#include "app/control.h"
#include "app/dispatch.h"
#include "app/errors.h"
#include "app/script_http.h"
#include "app/scripts.h"
#include "app/timers.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/engine_internal.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/routes.h"
#include "sim/sim.h"
#include "store/files.h"
#include "store/inbox.h"
#include "store/state.h"
#include "telegram/api.h"
#include "telegram/polling.h"
#include "telegram/transfers.h"
#include "telegram/webhook.h"
#include "vm/limits.h"

#include <stdlib.h>
#include <unistd.h>

#define LOAD_END_MS 7000 /* for a load that runs at the end; it has 5 s */
#define DRAIN_MS 5000    /* for answers that are on their way */

static void finish_loop(void *arg)
{
    struct engine *e = arg;
    if (e->ended)
        return;
    timer_stop(&e->shutdown_limit);
    e->ended = true;
    if (!e->home)
        loop_stop(e->loop);
}

/* The scripts are closed; who was answered shall get it whole. */
static void drain(void *arg)
{
    struct engine *e = arg;
    if (!e->server) {
        finish_loop(e);
        return;
    }
    e->draining = true;
    timer_start(&e->shutdown_limit, DRAIN_MS);
    http_server_drain(e->server, finish_loop, e);
}

/* The last handler has ended, or the time for it is over. */
static void end_scripts_soon(struct engine *e)
{
    CRASH_POINT("engine.idle");
    timer_start(&e->shutdown_limit, LOAD_END_MS);
    if (e->scripts)
        scripts_close(e->scripts, drain, e);
    e->scripts = NULL;
}

static size_t handlers(const struct engine *e)
{
    return dispatch_running(e->dispatch) + script_http_running(e->script_http);
}

void engine__rest(void *arg)
{
    struct engine *e = arg;
    if (e->stopping && !e->ended && e->scripts && handlers(e) == 0)
        end_scripts_soon(e);
}

/* A call that no hook can stop holds the thread that loads the scripts. What
 * is to be kept is on disk after this. */
_Noreturn static void leave_stuck_load(struct engine *e)
{
    LOG_AT(e->log, LOG_WARN, "scripts.load_stuck");
    state_close(e->state);
    inbox_close(e->inbox);
    _exit(e->exit_code);
}

void engine__shutdown_limit(struct timer *timer)
{
    struct engine *e = LIST_ENTRY(timer, struct engine, shutdown_limit);
    if (e->draining) {
        finish_loop(e);
        return;
    }
    if (!e->scripts)
        leave_stuck_load(e);
    LOG_AT(e->log, LOG_WARN, "engine.shutdown_limit",
           LOG_I("handlers_left", (int64_t)handlers(e)));
    script_http_give_up(e->script_http);
    end_scripts_soon(e);
}

void engine_stop(struct engine *e)
{
    if (e->stopping)
        return;
    e->stopping = true;
    e->health.stopping = true;
    control_stop(e->control);
    LOG_AT(e->log, LOG_INFO, "engine.stopping",
           LOG_I("handlers", (int64_t)handlers(e)));
    if (e->webhook)
        webhook_stop(e->webhook);
    else
        polling_stop(e->polling);
    dispatch_stop(e->dispatch);
    timers_stop(e->timers);
    script_http_stop(e->script_http);
    CRASH_POINT("engine.stopping");
    timer_start(&e->shutdown_limit,
                (uint64_t)e->settings.config.shutdown_timeout_ms);
    engine__rest(e);
}

void engine__signal(uv_signal_t *handle, int number)
{
    struct engine *e = handle->data;
    if (number == SIGHUP) {
        if (!e->stopping && !e->health.standby)
            scripts_reload(e->scripts, NULL);
        return;
    }
    if (e->stopping)
        _exit(EXIT_FAILED); /* the second one: at once */
    if (e->health.standby) {
        e->stopping = true;
        loop_stop(e->loop);
    } else {
        engine_stop(e);
    }
}

void engine_begin(struct engine *e)
{
    scripts_begin(e->scripts);
    LOG_AT(e->log, LOG_INFO, "ready",
           LOG_S("http_host", e->settings.config.http_host),
           LOG_I("http_port", engine_http_port(e)),
           LOG_S("scripts", e->settings.config.scripts_dir));
    if (e->webhook)
        webhook_start(e->webhook);
    else
        polling_start(e->polling);
    if (!timers_late(e->timers))
        timers_open(e->timers);
    else if (e->webhook)
        timers_open_later(e->timers);
    CRASH_POINT("engine.ready");
}

int engine_run(struct engine *e)
{
    engine_begin(e);
    loop_run(e->loop);
    return e->exit_code;
}

bool engine_ended(const struct engine *e)
{
    return e->ended;
}

uint64_t engine_shutdown_ms(const struct engine *e)
{
    return (uint64_t)e->settings.config.shutdown_timeout_ms;
}

struct routes *engine_routes(const struct engine *e)
{
    return e->routes;
}

struct routes *engine_control_routes(const struct engine *e)
{
    return e->control_routes;
}

/* What is left cannot be hurried: a signal that comes now must not make a
 * clean end look like a death. */
static void close_signals(struct engine *e)
{
    for (int i = 0; i < SIGNALS; i++) {
        if (!e->signals[i].data)
            continue;
        int number = e->signals[i].signum;
        uv_close((uv_handle_t *)&e->signals[i], NULL);
        signal(number, SIG_IGN);
    }
}

static void close_parts(struct engine *e, void (*end_inbox)(struct inbox *in),
                        void (*end_state)(struct state *s))
{
    if (e->timers)
        timers_stop(e->timers);
    if (e->state)
        end_state(e->state);
    if (e->dispatch)
        dispatch_free(e->dispatch);
    if (e->script_http)
        script_http_free(e->script_http);
    if (e->inbox)
        end_inbox(e->inbox);
    if (e->timers)
        timers_free(e->timers);
    if (e->polling)
        polling_free(e->polling);
    if (e->webhook)
        webhook_free(e->webhook);
    admins_free(e->admins);
    if (e->server)
        http_server_free(e->server);
    if (e->control_server)
        http_server_free(e->control_server);
    if (e->control)
        control_free(e->control);
    if (e->sim)
        sim_free(e->sim);
    if (!e->home) {
        http_client_free(e->client);
        http_client_free(e->services.web.client);
    }
    api_free(e->api);
    close_signals(e);
}

static void ignore_end(void *arg)
{
    (void)arg;
}

/* What no handle and nothing deferred points to any more. */
static void free_rest(struct engine *e)
{
    routes_free(e->routes);
    if (e->control_routes)
        routes_free(e->control_routes);
    errors_free(e->errors);
    transfers_free(e->services.transfers);
    files_free(e->services.files);
    limits_free(e->limits);
    free(e->library);
    free(e->services.me);
    free(e->webhook_path);
    datadir_close(&e->dir);
    settings_free(&e->settings);
    if (!e->home)
        log_free(e->log);
    free(e);
}

/* On a loop that goes on, everything has to let go of it at once. */
static void end_scripts(struct engine *e)
{
    struct scripts *scripts = e->scripts;
    e->scripts = NULL;
    if (scripts && e->home)
        scripts_kill(scripts);
    else if (scripts)
        scripts_close(scripts, ignore_end, NULL);
}

void engine_free(struct engine *e)
{
    end_scripts(e);
    close_parts(e, inbox_close, state_close);
    if (e->stopping)
        LOG_AT(e->log, LOG_INFO, "engine.stopped");
    if (!e->home)
        loop_free(e->loop);
    free_rest(e);
}

void engine_kill(struct engine *e)
{
    timer_stop(&e->shutdown_limit);
    e->stopping = e->ended = true;
    if (e->webhook)
        webhook_stop(e->webhook);
    else
        polling_stop(e->polling);
    dispatch_stop(e->dispatch);
    script_http_kill(e->script_http);
    end_scripts(e);
    close_parts(e, inbox_kill, state_kill);
    free_rest(e);
}

int engine_http_port(const struct engine *e)
{
    return e->server ? http_server_port(e->server) : 0;
}
