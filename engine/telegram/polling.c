#include "telegram/polling.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/inbox.h"
#include "telegram/api.h"
#include "telegram/update.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 100 /* what getUpdates gives at most */
#define WAIT_SECONDS 50
#define BACKOFF_MAX_MS 60000
/* The inbox has room again when someone has made some: found out soon. */
#define STORAGE_BACKOFF_MAX_MS 5000

enum polling_step {
    STEP_GET_ME,
    STEP_WEBHOOK_INFO,
    STEP_DELETE_WEBHOOK,
    STEP_GET_UPDATES
};

struct polling {
    struct polling_options o;
    enum polling_step step;
    struct api_call call;
    struct buf params;
    struct timer pause;
    char *kinds;
    int64_t offset;
    unsigned failures;   /* of calls, in a row */
    unsigned not_stored; /* batches in a row */
    bool in_flight;
    bool storing;
    bool waiting_for_room;
    bool stopped;
    bool up;
    bool state_known; /* Telegram was tried */
    bool storage_down;
    bool started;
};

static void step_run(struct polling *p);

static void on_pause_over(struct timer *timer)
{
    step_run(LIST_ENTRY(timer, struct polling, pause));
}

struct polling *polling_new(const struct polling_options *o)
{
    struct polling *p = MEM_NEW(struct polling);
    p->o = *o;
    p->offset = inbox_next_offset(o->inbox);
    p->kinds = mem_strdup("[]");
    timer_init(&p->pause, o->loop, on_pause_over);
    return p;
}

static void set_state(struct polling *p, bool up)
{
    if (p->state_known && p->up == up)
        return;
    p->state_known = true;
    p->up = up;
    p->o.state(p->o.arg, up);
}

static void set_storage(struct polling *p, bool up)
{
    if (p->storage_down == !up)
        return;
    p->storage_down = !up;
    p->o.storage(p->o.arg, up);
}

/* Delay before the next try: doubling, capped, with jitter. */
static uint64_t backoff_ms(struct polling *p, unsigned failures, uint64_t max)
{
    unsigned n = failures < 8 ? failures : 8;
    uint64_t ms = rng_backoff_ms(loop_rng(p->o.loop), 2.0, n);
    return ms < max ? ms : max;
}

static const char *remedy(const struct err *e)
{
    if (e->code == ERR_API && e->detail == 409)
        return "another program polls this token or a webhook is set: stop "
               "it, or revoke the token at BotFather";
    return "";
}

static void fail(struct polling *p, const struct err *e)
{
    p->failures++;
    uint64_t wait = backoff_ms(p, p->failures, BACKOFF_MAX_MS);
    if (e->retry_after > 0)
        wait = (uint64_t)(e->retry_after * 1000);
    LOG_AT(loop_log(p->o.loop), LOG_WARN, "polling.failed",
           LOG_S("method", p->call.method), LOG_I("code", e->detail),
           LOG_S("reason", e->message), LOG_S("remedy", remedy(e)),
           LOG_I("retry_ms", (int64_t)wait));
    set_state(p, false);
    timer_start(&p->pause, wait);
}

/* 401, or the 404 that the public server gives for a malformed token. */
static bool is_refused(const struct polling *p, const struct err *e)
{
    return e->code == ERR_API &&
           (e->detail == 401 || (e->detail == 404 && p->step == STEP_GET_ME));
}

/* Nothing was confirmed: Telegram keeps these updates. */
static void not_stored(struct polling *p, const struct err *e)
{
    p->not_stored++;
    uint64_t wait = backoff_ms(p, p->not_stored, STORAGE_BACKOFF_MAX_MS);
    p->offset = inbox_next_offset(p->o.inbox);
    LOG_AT(loop_log(p->o.loop), LOG_ERROR, "polling.not_stored",
           LOG_S("reason", e->message), LOG_I("retry_ms", (int64_t)wait));
    set_storage(p, false);
    timer_start(&p->pause, wait);
}

static void stored(void *arg, const struct err *e)
{
    struct polling *p = arg;
    p->storing = false;
    if (p->stopped)
        return;
    if (e->code != ERR_OK) {
        not_stored(p, e);
        return;
    }
    p->not_stored = 0;
    set_storage(p, true);
    step_run(p);
}

/* Telegram's ids are int32, but a stub's may not be: nothing is assumed. */
static size_t read_batch(struct polling *p, struct inbox_item *items,
                         struct update_head *heads, int64_t *last_id)
{
    size_t n = 0, cursor = 0;
    struct jslice update;

    while (n < BATCH_MAX && js_each(p->call.result, &cursor, NULL, &update)) {
        if (update_head_read(&heads[n], update) != 0) {
            int64_t id;
            if (js_int(js_get(update, "update_id"), &id))
                *last_id = id;
            LOG_AT(loop_log(p->o.loop), LOG_WARN, "polling.odd_update",
                   LOG_I("bytes", (int64_t)update.len));
            continue;
        }
        *last_id = heads[n].update_id;
        items[n] = (struct inbox_item){
            .update_id = heads[n].update_id,
            .source = INBOX_TELEGRAM,
            .lane = heads[n].lane,
            .body = update.at,
            .body_len = update.len,
        };
        n++;
    }
    return n;
}

/* Any other answer without an update would come again at once, for ever. */
static bool is_empty_list(struct jslice list)
{
    size_t cursor = 0;
    struct jslice first;
    return js_type(list) == JS_ARRAY && !js_each(list, &cursor, NULL, &first);
}

static void take_updates(struct polling *p)
{
    struct inbox_item items[BATCH_MAX];
    struct update_head heads[BATCH_MAX];
    int64_t last_id = p->offset - 1;
    size_t n = read_batch(p, items, heads, &last_id);
    struct err e;

    if (n == 0 && last_id < p->offset && !is_empty_list(p->call.result)) {
        err_set(&e, ERR_PARSE, 0, "the answer is no list of updates");
        fail(p, &e);
        return;
    }
    p->offset = last_id + 1;
    if (n == 0) {
        step_run(p);
        return;
    }
    p->storing = true;
    inbox_put(p->o.inbox, items, n, p->offset, stored, p);
}

static void step_done(struct polling *p)
{
    switch (p->step) {
    case STEP_GET_ME:
        p->o.identified(p->o.arg, p->call.result);
        p->step = STEP_WEBHOOK_INFO;
        break;
    case STEP_WEBHOOK_INFO:
        p->step = js_get(p->call.result, "url").len > 2 ? STEP_DELETE_WEBHOOK
                                                        : STEP_GET_UPDATES;
        break;
    case STEP_DELETE_WEBHOOK:
        p->step = STEP_GET_UPDATES;
        break;
    case STEP_GET_UPDATES:
        take_updates(p);
        return;
    }
    step_run(p);
}

static void on_answer(struct api_call *call, const struct err *e)
{
    struct polling *p = LIST_ENTRY(call, struct polling, call);

    p->in_flight = false;
    if (e->code == ERR_OK) {
        p->failures = 0;
        set_state(p, true);
        step_done(p);
    } else if (is_refused(p, e)) {
        p->stopped = true;
        p->o.refused(p->o.arg, e);
    } else {
        fail(p, e);
    }
}

static void start_call(struct polling *p, const char *method)
{
    api_call_free(&p->call);
    p->call = (struct api_call){
        .method = method,
        .params = p->params.data,
        .params_len = p->params.len,
        .timeout_ms = p->o.request_timeout_ms,
        .done = on_answer,
    };
    if (p->step == STEP_GET_UPDATES)
        p->call.timeout_ms += WAIT_SECONDS * 1000;
    p->in_flight = true;
    api_start(p->o.api, &p->call);
}

static void get_updates(struct polling *p)
{
    if (inbox_full(p->o.inbox)) {
        p->waiting_for_room = true;
        return;
    }
    buf_printf(&p->params,
               "{\"offset\":%" PRId64 ",\"limit\":%d,\"timeout\":%d,"
               "\"allowed_updates\":%s}",
               p->offset, BATCH_MAX, WAIT_SECONDS, p->kinds);
    start_call(p, "getUpdates");
    if (!p->started) {
        p->started = true;
        p->o.started(p->o.arg);
    }
}

static void step_run(struct polling *p)
{
    if (p->stopped)
        return;
    buf_clear(&p->params);
    switch (p->step) {
    case STEP_GET_ME:
        buf_puts(&p->params, "{}");
        start_call(p, "getMe");
        break;
    case STEP_WEBHOOK_INFO:
        buf_puts(&p->params, "{}");
        start_call(p, "getWebhookInfo");
        break;
    case STEP_DELETE_WEBHOOK:
        buf_puts(&p->params, "{\"drop_pending_updates\":false}");
        start_call(p, "deleteWebhook");
        break;
    case STEP_GET_UPDATES:
        get_updates(p);
        break;
    }
}

void polling_start(struct polling *p)
{
    step_run(p);
}

void polling_set_kinds(struct polling *p, const char *kinds)
{
    if (strcmp(p->kinds, kinds) == 0)
        return;
    free(p->kinds);
    p->kinds = mem_strdup(kinds);
    if (!p->in_flight || p->step != STEP_GET_UPDATES)
        return;
    /* The waiting call would filter by the old kinds for up to 50 s. */
    api_cancel(&p->call);
    step_run(p);
}

void polling_resume(struct polling *p)
{
    if (!p->waiting_for_room)
        return;
    p->waiting_for_room = false;
    step_run(p);
}

void polling_stop(struct polling *p)
{
    p->stopped = true;
    timer_stop(&p->pause);
    if (p->in_flight)
        api_cancel(&p->call);
    p->in_flight = false;
}

bool polling_storing(const struct polling *p)
{
    return p->storing;
}

void polling_free(struct polling *p)
{
    api_call_free(&p->call);
    buf_free(&p->params);
    free(p->kinds);
    free(p);
}
