#include "cli/engine.h"

#include "app/admins.h"
#include "app/control.h"
#include "app/dispatch.h"
#include "app/errors.h"
#include "app/health.h"
#include "app/notices.h"
#include "app/scripts.h"
#include "base/embedded.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bindings/bindings.h"
#include "cli/commands.h"
#include "cli/library.h"
#include "cli/restart.h"
#include "cli/settings.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/routes.h"
#include "sim/sim.h"
#include "store/datadir.h"
#include "store/files.h"
#include "store/inbox.h"
#include "telegram/api.h"
#include "telegram/polling.h"
#include "vm/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HTTP_CONNECTIONS_MAX 1200
#define HTTP_BODY_MAX (1024u * 1024)
#define HTTP_IDLE_MS 60000
#define CLIENT_CONNECTIONS_MAX 256
#define CONTROL_CONNECTIONS_MAX 16

enum { SIGNAL_TERM, SIGNAL_INT, SIGNAL_HUP, SIGNALS };

struct engine {
    struct settings settings;
    struct clock clock;
    struct rng rng;
    struct log *log;
    struct loop *loop;
    struct datadir dir;
    struct routes *routes;
    struct http_server *server;
    struct routes *control_routes;
    struct http_server *control_server; /* DATA_DIR/moonlet.sock */
    struct control *control;
    struct http_client *client;
    struct sim *sim;
    struct api *api;
    struct inbox *inbox;
    struct health health;
    struct notices notices;
    struct errors *errors;
    struct admins *admins;
    struct services services;
    struct vm_source *library;
    struct limits *limits;
    struct vm_host host;
    struct scripts *scripts;
    struct dispatch *dispatch;
    struct polling *polling;
    uv_signal_t signals[SIGNALS];
    struct timer shutdown_limit;
    bool telegram_lost; /* a call has failed since the last that did not */
    bool stopping;
    int exit_code;
};

static void stop(struct engine *e);

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

static void on_identified(void *arg, struct jslice me)
{
    struct engine *e = arg;
    struct buf name = {0};
    free(e->services.me);
    e->services.me = mem_dup(me.at, me.len);
    dispatch_open(e->dispatch);
    js_text(js_get(me, "username"), &name);
    LOG_AT(e->log, LOG_INFO, "telegram.bot", LOG_S("username", name.data),
           LOG_I("id", api_bot_id(e->api)));
    buf_free(&name);
}

static void on_polling_started(void *arg)
{
    struct engine *e = arg;
    LOG_AT(e->log, LOG_INFO, "polling.started");
}

static void on_refused(void *arg, const struct err *error)
{
    struct engine *e = arg;
    LOG_AT(e->log, LOG_ERROR, "telegram.refused",
           LOG_S("reason", error->message),
           LOG_S("remedy", "BOT_TOKEN is wrong or was revoked: get a new one "
                           "from BotFather"));
    e->exit_code = EXIT_FAILED;
    stop(e);
}

static void on_telegram_state(void *arg, bool up)
{
    struct engine *e = arg;
    if (up && e->telegram_lost)
        LOG_AT(e->log, LOG_INFO, "telegram.back");
    e->telegram_lost = !up;
    health_set(&e->health, HEALTH_TELEGRAM, up ? HEALTH_UP : HEALTH_DOWN);
}

static void on_inbox_state(void *arg, bool up)
{
    struct engine *e = arg;
    if (up)
        LOG_AT(e->log, LOG_INFO, "inbox.back");
    health_set(&e->health, HEALTH_INBOX, up ? HEALTH_UP : HEALTH_DOWN);
}

static void on_switched(void *arg, struct generation *g, const char *reason)
{
    struct engine *e = arg;
    char *kinds = generation_kinds(g);
    const struct task_spec start = {.entry = VM_ON_START, .text = reason};

    polling_set_kinds(e->polling, kinds);
    free(kinds);
    task_spawn(g, &start);
    dispatch_use(e->dispatch, g);
}

static void on_notice(void *arg, const char *json)
{
    struct engine *e = arg;
    sim_notice(e->sim, json);
}

static void finish_loop(void *arg)
{
    struct engine *e = arg;
    loop_stop(e->loop);
}

/* The last handler has ended, or the time for it is over. */
static void on_idle(void *arg)
{
    struct engine *e = arg;
    timer_stop(&e->shutdown_limit);
    if (e->scripts)
        scripts_close(e->scripts, finish_loop, e);
    e->scripts = NULL;
}

static void on_shutdown_limit(struct timer *timer)
{
    struct engine *e = LIST_ENTRY(timer, struct engine, shutdown_limit);
    LOG_AT(e->log, LOG_WARN, "engine.shutdown_limit",
           LOG_I("handlers_left", (int64_t)dispatch_running(e->dispatch)));
    on_idle(e);
}

static void stop(struct engine *e)
{
    if (e->stopping)
        return;
    e->stopping = true;
    e->health.stopping = true;
    control_stop(e->control);
    LOG_AT(e->log, LOG_INFO, "engine.stopping",
           LOG_I("handlers", (int64_t)dispatch_running(e->dispatch)));
    polling_stop(e->polling);
    dispatch_stop(e->dispatch);
    timer_start(&e->shutdown_limit,
                (uint64_t)e->settings.config.shutdown_timeout_ms);
    if (dispatch_running(e->dispatch) == 0)
        on_idle(e);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct engine *e = handle->data;
    if (number == SIGHUP) {
        if (!e->stopping)
            scripts_reload(e->scripts, NULL);
        return;
    }
    if (e->stopping)
        _exit(EXIT_FAILED); /* the second one: at once */
    stop(e);
}

static void hide_secret(void *arg, const char *secret)
{
    log_hide(arg, secret);
}

static void open_base(struct engine *e)
{
    const struct config *c = &e->settings.config;
    if (*c->tz)
        setenv("TZ", c->tz, 1);
    tzset();
    clock_init_real(&e->clock);
    rng_seed(&e->rng,
             (uint64_t)clock_unix_ms(&e->clock) ^ ((uint64_t)getpid() << 32));
    e->log = log_new(STDERR_FILENO, (enum log_level)c->log_level,
                     (enum log_format)c->log_format, &e->clock);
    config_secrets(c, hide_secret, e->log);
    e->loop = loop_new(&e->clock, e->log, &e->rng);
    timer_init(&e->shutdown_limit, e->loop, on_shutdown_limit);
    health_init(&e->health, &e->clock);
    e->errors = errors_new(&e->clock);
    e->services.errors = e->errors;
}

static void open_telegram(struct engine *e)
{
    const struct config *c = &e->settings.config;
    const struct http_client_options client = {
        .connections_max = CLIENT_CONNECTIONS_MAX,
        .proxy = *c->https_proxy ? c->https_proxy : NULL,
        .user_agent = "moonlet/" MOONLET_VERSION,
    };
    const struct api_options api = {
        .url = c->bot_api_url,
        .token = c->bot_token,
        .request_timeout_ms = (uint64_t)c->request_timeout_ms,
        .max_retries = c->max_retries,
        .backoff_base = c->retry_backoff_base,
    };
    e->client = e->sim ? http_client_new_direct(e->loop, e->routes)
                       : http_client_new_curl(e->loop, &client);
    e->api = api_new(e->loop, e->client, &api);
    e->services.api = e->api;
    health_set(&e->health, HEALTH_TELEGRAM, HEALTH_DOWN);
    e->admins = admins_new(e->loop, e->api, c->admin_ids, c->admin_count);
}

static void open_sim(struct engine *e)
{
    const struct sim_options options = {.token = "1:PLAY"};
    e->sim = sim_new(e->loop, &options);
    sim_demo_world(e->sim);
    sim_mount(e->sim, e->routes);
    sim_mount_page(e->sim, e->routes, "/play");
    e->notices.listener = on_notice;
    e->notices.arg = e;
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
    if (datadir_open(&e->dir, e->settings.config.data_dir, error) != 0)
        return error->code;
    char *folder = datadir_file(&e->dir, "files");
    e->services.files = files_new(e->loop, folder);
    free(folder);
    e->inbox = inbox_open(e->loop, &e->dir, &options, error);
    if (!e->inbox)
        return error->code;
    health_set(&e->health, HEALTH_INBOX, HEALTH_UP);
    return 0;
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

static int open_scripts(struct engine *e, struct err *error)
{
    struct script_error why;
    const struct scripts_options options = {
        .loop = e->loop,
        .host = &e->host,
        .notices = &e->notices,
        .admins = e->admins,
        .watch = e->settings.config.hot_reload,
        .switched = on_switched,
        .arg = e,
    };
    e->services.app_json = e->settings.file.app_json;
    e->library = library_sources();
    e->limits = limits_new((uint64_t)e->settings.config.handler_cpu_limit_ms,
                           on_stuck, e, error);
    if (!e->limits)
        return error->code;
    e->host = (struct vm_host){
        .log = e->log,
        .limits = e->limits,
        .memory_limit = (size_t)e->settings.config.lua_memory_limit,
        .stress_gc = getenv("MOONLET_GC_STRESS") != NULL,
        .exhausted = on_exhausted,
        .modules = bindings_modules,
        .library = e->library,
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

static void open_app(struct engine *e)
{
    const struct config *c = &e->settings.config;
    const struct dispatch_options dispatch = {
        .loop = e->loop,
        .inbox = e->inbox,
        .notices = &e->notices,
        .errors = e->errors,
        .handler_timeout_ms = (uint64_t)c->handler_timeout_ms,
        .idle = on_idle,
        .arg = e,
    };
    const struct polling_options polling = {
        .loop = e->loop,
        .api = e->api,
        .inbox = e->inbox,
        .request_timeout_ms = (uint64_t)c->request_timeout_ms,
        .identified = on_identified,
        .started = on_polling_started,
        .refused = on_refused,
        .state = on_telegram_state,
        .storage = on_inbox_state,
        .arg = e,
    };
    e->dispatch = dispatch_new(&dispatch);
    e->polling = polling_new(&polling);
}

/* Without its socket the engine still works, but for two commands. */
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
                             : "moonlet reload and moonlet status need it; "
                               "SIGHUP loads the scripts too";
    LOG_AT(e->log, LOG_WARN, "control.off", LOG_S("reason", error.message),
           LOG_S("remedy", remedy));
}

static void open_control(struct engine *e)
{
    const struct control_options options = {
        .clock = &e->clock,
        .health = &e->health,
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
    open_socket(e);
}

static void watch_signals(struct engine *e)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(loop_uv(e->loop), &e->signals[i]);
        e->signals[i].data = e;
        uv_signal_start(&e->signals[i], on_signal, numbers[i]);
    }
}

struct engine *engine_new(struct settings *settings, bool with_sim, int deaths,
                          struct err *error)
{
    struct engine *e = MEM_NEW(struct engine);
    e->settings = *settings;
    e->dir.lock_fd = -1;
    open_base(e);
    if (deaths > 0)
        LOG_AT(e->log, LOG_WARN, "engine.restarted", LOG_I("deaths", deaths));
    e->notices.log = e->log;
    e->routes = routes_new();
    health_mount(&e->health, e->routes);
    if (with_sim)
        open_sim(e);
    open_telegram(e);
    if (open_inbox(e, error) != 0 || open_scripts(e, error) != 0 ||
        open_server(e, error) != 0) {
        memset(settings, 0, sizeof *settings);
        engine_free(e);
        return NULL;
    }
    open_app(e);
    open_control(e);
    watch_signals(e);
    return e;
}

int engine_run(struct engine *e)
{
    scripts_begin(e->scripts);
    LOG_AT(e->log, LOG_INFO, "ready",
           LOG_S("http_host", e->settings.config.http_host),
           LOG_I("http_port", http_server_port(e->server)),
           LOG_S("scripts", e->settings.config.scripts_dir));
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
    datadir_close(&e->dir);
    settings_free(&e->settings);
    log_free(e->log);
    free(e);
}

int engine_http_port(const struct engine *e)
{
    return http_server_port(e->server);
}
