#include "cli/engine_internal.h"

#include "app/control.h"
#include "app/dispatch.h"
#include "app/errors.h"
#include "app/health.h"
#include "app/notices.h"
#include "app/script_http.h"
#include "app/scripts.h"
#include "app/timers.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bindings/bindings.h"
#include "cli/settings.h"
#include "cli/standby.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/routes.h"
#include "sim/sim.h"
#include "store/datadir.h"
#include "store/file_stream.h"
#include "store/files.h"
#include "store/inbox.h"
#include "store/state.h"
#include "telegram/api.h"
#include "telegram/polling.h"
#include "telegram/webhook.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HTTP_CONNECTIONS_MAX 1200
#define HTTP_BODY_MAX (1024u * 1024)
#define HTTP_IDLE_MS 60000
#define WEB_AT_ONCE 64
#define WEB_WAITING_MAX 1000
#define CONTROL_CONNECTIONS_MAX 16

static void on_inbox_ready(void *arg)
{
    struct engine *e = arg;
    if (e->dispatch)
        dispatch_pump(e->dispatch);
}

static void on_inbox_drained(void *arg)
{
    struct engine *e = arg;
    if (e->polling)
        polling_resume(e->polling);
}

static void on_notice(void *arg, const char *json)
{
    struct engine *e = arg;
    sim_notice(e->sim, json);
}

static void hide_secret(void *arg, const char *secret)
{
    log_hide(arg, secret);
}

static void open_own(struct engine *e)
{
    const struct config *c = &e->settings.config;
    e->clock = &e->own_clock;
    e->rng = &e->own_rng;
    clock_init_real(e->clock);
    rng_seed(e->rng,
             (uint64_t)clock_unix_ms(e->clock) ^ ((uint64_t)getpid() << 32));
    e->log = log_new(STDERR_FILENO, (enum log_level)c->log_level,
                     (enum log_format)c->log_format, e->clock);
    e->loop = loop_new(e->clock, e->log, e->rng);
}

static void move_in(struct engine *e)
{
    e->clock = e->home->clock;
    e->rng = e->home->rng;
    e->log = e->home->log;
    e->loop = e->home->loop;
    e->notices.listener = e->home->notice;
    e->notices.arg = e->home->arg;
}

static void open_base(struct engine *e)
{
    const struct config *c = &e->settings.config;
    if (*c->tz)
        setenv("TZ", c->tz, 1);
    tzset();
    if (e->home)
        move_in(e);
    else
        open_own(e);
    config_secrets(c, hide_secret, e->log);
    timer_init(&e->shutdown_limit, e->loop, engine__shutdown_limit);
    health_init(&e->health, e->clock);
    e->errors = errors_new(e->clock);
    e->services.errors = e->errors;
    e->services.notices = &e->notices;
}

struct http_client *engine__new_client(struct engine *e, size_t connections)
{
    const struct http_client_options options =
        settings_client(&e->settings, connections);
    return http_client_new_curl(e->loop, &options);
}

/* Connections of its own: a slow site takes none from Telegram. */
static void open_web(struct engine *e)
{
    const struct config *c = &e->settings.config;
    struct web *web = &e->services.web;
    web->client = e->home ? e->home->web : engine__new_client(e, WEB_AT_ONCE);
    semaphore_init(&web->places, WEB_AT_ONCE, WEB_WAITING_MAX);
    web->timeout_ms = (uint64_t)c->request_timeout_ms;
    web->transfer_ms = (uint64_t)c->file_download_timeout_ms;
    web->stall_ms = (uint64_t)c->transfer_stall_timeout_ms;
    e->services.max_retries = (unsigned)c->max_retries;
    e->services.backoff_base = c->retry_backoff_base;
}

static void open_sim(struct engine *e)
{
    const struct sim_options options = {.token = "1:PLAY", .may_advance = true};
    e->sim = sim_new(e->loop, &options);
    sim_demo_world(e->sim);
    sim_mount(e->sim, e->routes);
    sim_mount_page(e->sim, e->routes, "/play");
    e->notices.listener = on_notice;
    e->notices.arg = e;
}

static void watch_signals(struct engine *e)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(loop_uv(e->loop), &e->signals[i]);
        e->signals[i].data = e;
        uv_signal_start(&e->signals[i], engine__signal, numbers[i]);
    }
}

static int open_server(struct engine *e, struct err *error)
{
    const struct http_server_options options = {
        .host = e->settings.config.http_host,
        .port = e->settings.config.http_port,
        .connections_max = HTTP_CONNECTIONS_MAX,
        .body_max = HTTP_BODY_MAX,
        .idle_ms = HTTP_IDLE_MS,
    };
    e->server = http_server_new(e->loop, e->routes, &options, error);
    return e->server ? 0 : error->code;
}

/* Serves /health and /ready until the folder is free. Not 0 with code ERR_OK:
 * told to end. */
static int stand_by(struct engine *e, struct err *error)
{
    const char *path = e->settings.config.data_dir;
    uint64_t began_ms = loop_now_ms(e->loop);
    const struct err held = *error;

    if (open_server(e, error) != 0)
        return error->code;
    e->health.standby = true;
    LOG_AT(e->log, LOG_INFO, "standby.waiting", LOG_S("reason", held.message),
           LOG_I("http_port", http_server_port(e->server)));
    int code = standby_wait(e->loop, &e->dir, path, error);
    e->health.standby = false;
    if (code != 0)
        return code;
    if (e->stopping) {
        error->code = ERR_OK;
        return -1;
    }
    LOG_AT(e->log, LOG_WARN, "standby.takes_over", LOG_S("data_dir", path),
           LOG_I("waited_ms", (int64_t)(loop_now_ms(e->loop) - began_ms)));
    return 0;
}

static int open_datadir(struct engine *e, bool standby, struct err *error)
{
    int code = datadir_open(&e->dir, e->settings.config.data_dir, error);
    return standby && code == ERR_MISUSE ? stand_by(e, error) : code;
}

static int open_inbox(struct engine *e, struct err *error)
{
    const struct inbox_options options = {
        .bot_id = api_bot_id(e->api),
        .limit = (size_t)e->settings.config.inbox_limit,
        .ready = on_inbox_ready,
        .drained = on_inbox_drained,
        .arg = e,
    };
    char *folder = datadir_file(&e->dir, "files");
    file_stream_sweep(folder);
    e->services.files = files_new(e->loop, folder);
    engine__open_transfers(e);
    free(folder);
    e->inbox = inbox_open(e->loop, &e->dir, &options, error);
    if (!e->inbox)
        return error->code;
    health_set(&e->health, HEALTH_INBOX, HEALTH_UP);
    return 0;
}

static void on_due(void *arg, int64_t due_ms)
{
    timers_due(((struct engine *)arg)->timers, due_ms);
}

static void on_database(void *arg, const struct err *failed)
{
    struct engine *e = arg;
    if (failed)
        LOG_AT(e->log, LOG_ERROR, "database.failed",
               LOG_S("error", failed->message));
    else
        LOG_AT(e->log, LOG_INFO, "database.back");
    health_set(&e->health, HEALTH_DATABASE, failed ? HEALTH_DOWN : HEALTH_UP);
}

/* DATABASE_URL is sqlite:PATH or nothing: settings.c has looked. */
static char *database_path(const struct engine *e)
{
    const char *url = e->settings.config.database_url;
    return *url ? mem_strdup(strchr(url, ':') + 1)
                : datadir_file(&e->dir, "bot.db");
}

static int open_state(struct engine *e, struct err *error)
{
    const struct state_options options = {
        .due = on_due, .failed = on_database, .arg = e};
    char *path = database_path(e);
    e->timers = timers_new(e->loop);
    e->state = state_open(e->loop, path, &options, error);
    free(path);
    if (!e->state)
        return error->code;
    health_set(&e->health, HEALTH_DATABASE, HEALTH_UP);
    timers_use(e->timers, e->state, e->inbox);
    e->services.state = e->state;
    e->services.inbox = e->inbox;
    e->services.db_timeout_ms = (uint64_t)e->settings.config.db_timeout_ms;
    return 0;
}

static void open_app(struct engine *e)
{
    const struct config *c = &e->settings.config;
    const struct dispatch_options dispatch = {
        .loop = e->loop,
        .inbox = e->inbox,
        .notices = &e->notices,
        .errors = e->errors,
        .handler_timeout_ms = (uint64_t)c->handler_timeout_ms,
        .idle = engine__rest,
        .arg = e,
    };
    const struct script_http_options script_http = {
        .notices = &e->notices,
        .errors = e->errors,
        .handler_timeout_ms = (uint64_t)c->handler_timeout_ms,
        .idle = engine__rest,
        .arg = e,
    };
    e->dispatch = dispatch_new(&dispatch);
    e->script_http = script_http_new(&script_http);
    e->services.script_http = e->script_http;
    script_http_mount(e->script_http, e->routes);
}

/* Without its socket the engine still works, but for the commands that ask it.
 */
static void open_socket(struct engine *e)
{
    struct err error;
    char *path = datadir_file(&e->dir, "moonlet.sock");
    const struct http_server_options options = {
        .path = path,
        .connections_max = CONTROL_CONNECTIONS_MAX,
        .body_max = HTTP_BODY_MAX,
        .idle_ms = HTTP_IDLE_MS,
    };
    e->control_server =
        http_server_new(e->loop, e->control_routes, &options, &error);
    free(path);
    if (e->control_server)
        return;
    const char *remedy = error.code == ERR_CONFIG
                             ? "choose a DATA_DIR with a shorter path"
                             : "moonlet reload, status and dead need it; "
                               "SIGHUP loads the scripts too";
    LOG_AT(e->log, LOG_WARN, "control.off", LOG_S("reason", error.message),
           LOG_S("remedy", remedy));
}

static void open_control(struct engine *e)
{
    const struct control_options options = {
        .clock = e->clock,
        .health = &e->health,
        .api = e->api,
        .errors = e->errors,
        .inbox = e->inbox,
        .dispatch = e->dispatch,
        .scripts = e->scripts,
        .scripts_dir = e->settings.config.scripts_dir,
    };
    e->control = control_new(&options);
    e->control_routes = routes_new();
    control_serve(e->control, e->routes);
    control_serve(e->control, e->control_routes);
    if (!e->home)
        open_socket(e);
}

static int open_parts(struct engine *e, bool standby, struct err *error)
{
    if (open_datadir(e, standby, error) != 0 || open_inbox(e, error) != 0 ||
        open_state(e, error) != 0 || engine__open_scripts(e, error) != 0)
        return -1;
    return e->server || e->home ? 0 : open_server(e, error);
}

/* The same for whoever knocks, from the first moment on. */
static void open_routes(struct engine *e)
{
    const char *url = e->settings.config.webhook_url;
    e->routes = routes_new();
    if (*url)
        e->webhook_path = webhook_path(url);
    e->health.webhook_path = e->webhook_path;
    health_mount(&e->health, e->routes);
}

struct engine *engine_new(struct settings *settings,
                          const struct engine_start *start, struct err *error)
{
    struct engine *e = MEM_NEW(struct engine);
    e->settings = *settings;
    e->home = start->home;
    e->dir.lock_fd = -1;
    open_base(e);
    if (!e->home)
        watch_signals(e);
    if (start->deaths > 0)
        LOG_AT(e->log, LOG_WARN, "engine.restarted",
               LOG_I("deaths", start->deaths));
    e->notices.log = e->log;
    open_routes(e);
    if (start->with_sim)
        open_sim(e);
    engine__open_telegram(e);
    open_web(e);
    if (open_parts(e, start->standby, error) != 0) {
        memset(settings, 0, sizeof *settings);
        engine_free(e);
        return NULL;
    }
    open_app(e);
    engine__open_intake(e, start->drop_pending);
    open_control(e);
    return e;
}
