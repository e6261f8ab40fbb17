#include "cli/engine.h"

#include "app/admins.h"
#include "app/control.h"
#include "app/dispatch.h"
#include "app/errors.h"
#include "app/scripts.h"
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
#include "telegram/api.h"
#include "telegram/polling.h"
#include "telegram/webhook.h"
#include "vm/limits.h"

#include <stdlib.h>
#include <unistd.h>

#define LOAD_END_MS 7000 /* for a load that runs at the end; it has 5 s */

static void finish_loop(void *arg)
{
    struct engine *e = arg;
    timer_stop(&e->shutdown_limit);
    loop_stop(e->loop);
}

/* The last handler has ended, or the time for it is over. */
void engine__idle(void *arg)
{
    struct engine *e = arg;
    timer_start(&e->shutdown_limit, LOAD_END_MS);
    if (e->scripts)
        scripts_close(e->scripts, finish_loop, e);
    e->scripts = NULL;
}

/* A call that no hook can stop holds the thread that loads the scripts. What
 * is to be kept is on disk after this. */
_Noreturn static void leave_stuck_load(struct engine *e)
{
    LOG_AT(e->log, LOG_WARN, "scripts.load_stuck");
    inbox_close(e->inbox);
    _exit(e->exit_code);
}

void engine__shutdown_limit(struct timer *timer)
{
    struct engine *e = LIST_ENTRY(timer, struct engine, shutdown_limit);
    if (!e->scripts)
        leave_stuck_load(e);
    LOG_AT(e->log, LOG_WARN, "engine.shutdown_limit",
           LOG_I("handlers_left", (int64_t)dispatch_running(e->dispatch)));
    engine__idle(e);
}

void engine__stop(struct engine *e)
{
    if (e->stopping)
        return;
    e->stopping = true;
    e->health.stopping = true;
    control_stop(e->control);
    LOG_AT(e->log, LOG_INFO, "engine.stopping",
           LOG_I("handlers", (int64_t)dispatch_running(e->dispatch)));
    if (e->webhook)
        webhook_stop(e->webhook);
    else
        polling_stop(e->polling);
    dispatch_stop(e->dispatch);
    timer_start(&e->shutdown_limit,
                (uint64_t)e->settings.config.shutdown_timeout_ms);
    if (dispatch_running(e->dispatch) == 0)
        engine__idle(e);
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
        engine__stop(e);
    }
}

int engine_run(struct engine *e)
{
    scripts_begin(e->scripts);
    LOG_AT(e->log, LOG_INFO, "ready",
           LOG_S("http_host", e->settings.config.http_host),
           LOG_I("http_port", http_server_port(e->server)),
           LOG_S("scripts", e->settings.config.scripts_dir));
    if (e->webhook)
        webhook_start(e->webhook);
    else
        polling_start(e->polling);
    loop_run(e->loop);
    return e->exit_code;
}

static void close_parts(struct engine *e)
{
    if (e->dispatch)
        dispatch_free(e->dispatch);
    if (e->inbox)
        inbox_close(e->inbox);
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
    http_client_free(e->client);
    api_free(e->api);
    for (int i = 0; i < SIGNALS; i++)
        if (e->signals[i].data)
            uv_close((uv_handle_t *)&e->signals[i], NULL);
}

static void ignore_end(void *arg)
{
    (void)arg;
}

void engine_free(struct engine *e)
{
    if (e->scripts)
        scripts_close(e->scripts, ignore_end, NULL);
    close_parts(e);
    if (e->stopping)
        LOG_AT(e->log, LOG_INFO, "engine.stopped");
    loop_free(e->loop);
    routes_free(e->routes);
    if (e->control_routes)
        routes_free(e->control_routes);
    errors_free(e->errors);
    files_free(e->services.files);
    limits_free(e->limits);
    free(e->library);
    free(e->services.me);
    free(e->webhook_path);
    datadir_close(&e->dir);
    settings_free(&e->settings);
    log_free(e->log);
    free(e);
}

int engine_http_port(const struct engine *e)
{
    return http_server_port(e->server);
}
