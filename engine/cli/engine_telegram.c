/*
 * The engine's talk with Telegram: calls, files, updates, and what these tell.
 */
#include "cli/engine_internal.h"

#include "app/admins.h"
#include "app/dispatch.h"
#include "app/order.h"
#include "app/scripts.h"
#include "app/timers.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "net/http_client.h"
#include "store/state.h"
#include "telegram/api.h"
#include "telegram/intake.h"
#include "telegram/polling.h"
#include "telegram/transfers.h"
#include "telegram/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#define CLIENT_CONNECTIONS_MAX 256

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

void engine__open_telegram(struct engine *e)
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
                           : engine__new_client(e, CLIENT_CONNECTIONS_MAX);
    e->api = api_new(e->loop, e->client, &api);
    e->services.api = e->api;
    e->services.token = c->bot_token;
    health_set(&e->health, HEALTH_TELEGRAM, HEALTH_DOWN);
    e->admins = admins_new(e->loop, e->api, c->admin_ids, c->admin_count);
    e->services.admin_ids = c->admin_ids;
    e->services.admins_count = c->admin_count;
}

void engine__open_transfers(struct engine *e)
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

/* Before the other routes: a path that one of them has too is its. */
void engine__open_intake(struct engine *e, bool drop_pending)
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
