#include "cli/engine_internal.h"

#include "app/admins.h"
#include "app/control.h"
#include "app/dispatch.h"
#include "app/errors.h"
#include "app/health.h"
#include "app/notices.h"
#include "app/order.h"
#include "app/script_http.h"
#include "app/scripts.h"
#include "app/timers.h"
#include "base/embedded.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bindings/bindings.h"
#include "cli/commands.h"
#include "cli/library.h"
#include "cli/restart.h"
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
#include "telegram/intake.h"
#include "telegram/polling.h"
#include "telegram/transfers.h"
#include "telegram/webhook.h"
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

static void on_dropped(void *arg, int64_t count)
{
    struct engine *e = arg;
    LOG_AT(e->log, LOG_INFO, "updates.dropped", LOG_I("count", count));
    printf("%lld pending updates were dropped\n", (long long)count);
    fflush(stdout);
}

static void on_intake_started(void *arg)
{
    struct engine *e = arg;
    LOG_AT(e->log, LOG_INFO,
           e->webhook ? "webhook.started" : "polling.started");
}

static void on_caught_up(void *arg)
{
    struct engine *e = arg;
    timers_open(e->timers);
}

static void on_refused(void *arg, const struct err *error)
{
    struct engine *e = arg;
    LOG_AT(e->log, LOG_ERROR, "telegram.refused",
           LOG_S("reason", error->message),
           LOG_S("remedy", "BOT_TOKEN is wrong or was revoked: get a new one "
                           "from BotFather"));
    e->exit_code = EXIT_FAILED;
    engine_stop(e);
}

/* A call has found it out, maybe before the service message comes. */
static void on_migrated(void *arg, int64_t from, int64_t to)
{
    struct engine *e = arg;
    if (e->state)
        state_move_chat(e->state, "fsm.", from, to, NULL, NULL);
}

static void on_telegram_state(void *arg, bool up)
{
    struct engine *e = arg;
    if (up && e->telegram_lost)
        LOG_AT(e->log, LOG_INFO, "telegram.back");
    e->telegram_lost = !up;
    health_set(&e->health, HEALTH_TELEGRAM, up ? HEALTH_UP : HEALTH_DOWN);
}

static void on_order(void *arg, struct jslice update, struct update_head *h)
{
    struct engine *e = arg;
    order_choose(scripts_current(e->scripts), e->log, update, h);
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

    if (e->webhook)
        webhook_set_kinds(e->webhook, kinds);
    else
        polling_set_kinds(e->polling, kinds);
    free(kinds);
    task_spawn(g, &start);
    dispatch_use(e->dispatch, g);
    script_http_use(e->script_http, g);
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

static struct http_client *new_client(struct engine *e, size_t connections)
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
    web->client = e->home ? e->home->web : new_client(e, WEB_AT_ONCE);
    semaphore_init(&web->places, WEB_AT_ONCE, WEB_WAITING_MAX);
    web->timeout_ms = (uint64_t)c->request_timeout_ms;
    web->transfer_ms = (uint64_t)c->file_download_timeout_ms;
    web->stall_ms = (uint64_t)c->transfer_stall_timeout_ms;
    e->services.max_retries = (unsigned)c->max_retries;
    e->services.backoff_base = c->retry_backoff_base;
}

static void open_telegram(struct engine *e)
{
    const struct config *c = &e->settings.config;
    const struct api_options api = {
        .url = c->bot_api_url,
        .token = c->bot_token,
        .request_timeout_ms = (uint64_t)c->request_timeout_ms,
        .transfer_stall_ms = (uint64_t)c->transfer_stall_timeout_ms,
        .max_retries = c->max_retries,
        .backoff_base = c->retry_backoff_base,
        .migrated = on_migrated,
        .arg = e,
    };
    if (e->home)
        e->client = e->home->telegram;
    else
        e->client = e->sim ? http_client_new_direct(e->loop, e->routes)
                           : new_client(e, CLIENT_CONNECTIONS_MAX);
    e->api = api_new(e->loop, e->client, &api);
    e->services.api = e->api;
    e->services.token = c->bot_token;
    health_set(&e->health, HEALTH_TELEGRAM, HEALTH_DOWN);
    e->admins = admins_new(e->loop, e->api, c->admin_ids, c->admin_count);
    e->services.admin_ids = c->admin_ids;
    e->services.admins_count = c->admin_count;
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

static void open_transfers(struct engine *e)
{
    const struct config *c = &e->settings.config;
    const struct transfers_options options = {
        .url = c->bot_api_url,
        .token = c->bot_token,
        .stall_ms = (uint64_t)c->transfer_stall_timeout_ms,
        .max_retries = (unsigned)c->max_retries,
        .backoff_base = c->retry_backoff_base,
    };
    e->services.transfers =
        transfers_new(e->loop, e->api, e->client, e->services.files, &options);
    e->services.download_timeout_ms = (uint64_t)c->file_download_timeout_ms;
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
    open_transfers(e);
    free(folder);
    e->inbox = inbox_open(e->loop, &e->dir, &options, error);
    if (!e->inbox)
        return error->code;
    health_set(&e->health, HEALTH_INBOX, HEALTH_UP);
    return 0;
}

static int open_state(struct engine *e, struct err *error)
{
    struct state_options options = {.due = timers_due};
    options.arg = e->timers = timers_new(e->loop);
    e->state = state_open(e->loop, &e->dir, &options, error);
    if (!e->state)
        return error->code;
    timers_use(e->timers, e->state, e->inbox);
    e->services.state = e->state;
    e->services.inbox = e->inbox;
    e->services.db_timeout_ms = (uint64_t)e->settings.config.db_timeout_ms;
    return 0;
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
        .watch = e->settings.config.hot_reload && !e->home,
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

/* Before the other routes: a path that one of them has too is its. */
static void open_intake(struct engine *e, bool drop_pending)
{
    const struct config *c = &e->settings.config;
    const struct intake_options options = {
        .loop = e->loop,
        .api = e->api,
        .inbox = e->inbox,
        .request_timeout_ms = (uint64_t)c->request_timeout_ms,
        .drop_pending = drop_pending,
        .hurry = timers_late(e->timers),
        .identified = on_identified,
        .dropped = on_dropped,
        .started = on_intake_started,
        .caught_up = on_caught_up,
        .refused = on_refused,
        .state = on_telegram_state,
        .storage = on_inbox_state,
        .order = on_order,
        .arg = e,
    };
    if (!*c->webhook_url) {
        e->polling = polling_new(&options);
        return;
    }
    e->webhook = webhook_new(&options, c->webhook_url, c->webhook_secret);
    webhook_mount(e->webhook, e->routes);
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
        open_state(e, error) != 0 || open_scripts(e, error) != 0)
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
    open_telegram(e);
    open_web(e);
    if (open_parts(e, start->standby, error) != 0) {
        memset(settings, 0, sizeof *settings);
        engine_free(e);
        return NULL;
    }
    open_app(e);
    open_intake(e, start->drop_pending);
    open_control(e);
    return e;
}
