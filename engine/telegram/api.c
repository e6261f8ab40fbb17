#include "telegram/api.h"

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "telegram/api_about.h"
#include "telegram/outcome.h"
#include "telegram/tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Answers are small but for getUpdates: 4 MiB plus slack (SERVER.md 3). */
#define RESPONSE_MAX (16u * 1024 * 1024)
/* Of a 429 that says less or nothing: its repeats stay few. */
#define TOLD_MIN_S 1

struct api {
    struct loop *loop;
    struct http_client *client;
    struct limiter *limiter;
    struct api_options o; /* without its texts */
    char *base;           /* URL/botTOKEN/ */
    int64_t bot_id;
    struct tally repeats;
    struct tally unknown;
};

static void send_try(struct api_call *call);

struct api *api_new(struct loop *loop, struct http_client *client,
                    const struct api_options *o)
{
    struct api *api = MEM_NEW(struct api);
    api->loop = loop;
    api->client = client;
    api->limiter = limiter_new(loop, &o->limiter);
    api->o = *o;
    api->o.url = api->o.token = NULL;
    api->base = mem_printf("%s/bot%s/", o->url, o->token);
    api->bot_id = strtoll(o->token, NULL, 10);
    return api;
}

void api_free(struct api *api)
{
    limiter_free(api->limiter);
    tally_free(&api->repeats);
    tally_free(&api->unknown);
    free(api->base);
    free(api);
}

int64_t api_bot_id(const struct api *api)
{
    return api->bot_id;
}

struct limiter *api_limiter(const struct api *api)
{
    return api->limiter;
}

void api_put(const struct api *api, struct buf *b)
{
    buf_putc(b, '{');
    limiter_put(api->limiter, b);
    buf_puts(b, ",\"repeats\":");
    tally_put(&api->repeats, b);
    buf_puts(b, ",\"unknown\":");
    tally_put(&api->unknown, b);
    buf_putc(b, '}');
}

static void finish(struct api_call *call, const struct err *e)
{
    struct err copy = *e;
    if (copy.code != ERR_OK)
        call->result = (struct jslice){0};
    call->done(call, &copy);
}

/* --- repeats */

static void ask_turn(struct api_call *call, const struct err *own)
{
    struct err e;
    switch (limiter_ask(call->api->limiter, &call->ask, &e)) {
    case LIMITER_GO:
        send_try(call);
        return;
    case LIMITER_WAIT:
        return;
    case LIMITER_REFUSED:
        if (own) {
            finish(call, e.retry_after > own->retry_after ? &e : own);
            return;
        }
        /* Nothing may end before the call that started it has returned. */
        call->refusal = MEM_NEW(struct err);
        *call->refusal = e;
        timer_start(&call->wait, 0);
        return;
    }
}

static void on_turn(struct limiter_ask *ask, const struct err *e)
{
    struct api_call *call = LIST_ENTRY(ask, struct api_call, ask);
    if (e)
        finish(call, e);
    else
        send_try(call);
}

static void wait_over(struct timer *timer)
{
    struct api_call *call = LIST_ENTRY(timer, struct api_call, wait);
    if (call->refusal) {
        struct err e = *call->refusal;
        finish(call, &e);
        return;
    }
    ask_turn(call, NULL);
}

static void note_repeat(struct api_call *call, enum outcome o, int64_t wait_ms,
                        const struct err *e)
{
    tally_add(&call->api->repeats, call->method, outcome_name(o));
    LOG_AT(loop_log(call->api->loop), LOG_WARN, "api.repeat",
           LOG_S("method", call->method), LOG_I("try", call->tries),
           LOG_I("wait_ms", wait_ms), LOG_S("class", outcome_name(o)),
           LOG_S("reason", e->message));
}

/* MAX_RETRIES of them; a time that the server asks for and that is too long
 * to wait for ends it. */
static void repeat_later(struct api_call *call, enum outcome o,
                         const struct err *e)
{
    struct err again = *e;
    again.retryable = true;
    int64_t wait = -1;
    if (e->retry_after * 1000 <= LIMITER_WAIT_MAX_MS)
        wait = retry_next(&call->retry, loop_rng(call->api->loop), &again);
    if (wait < 0) {
        finish(call, e);
        return;
    }
    note_repeat(call, o, wait, e);
    timer_start(&call->wait, (uint64_t)wait);
}

static void end_unknown(struct api_call *call, const struct err *e)
{
    bool skip = call->on_unknown == API_UNKNOWN_SKIP ||
                (call->on_unknown == API_UNKNOWN_DEFAULT &&
                 call->class == LIMITER_BROADCAST);
    call->skipped = skip;
    finish(call, e);
}

static void after_unknown(struct api_call *call, const struct err *e)
{
    bool may = call->on_unknown == API_UNKNOWN_RESEND ||
               outcome_may_repeat(call->method);
    tally_add(&call->api->unknown, call->method, "unknown");
    if (may && !call->once && call->retry.repeats < call->retry.max)
        repeat_later(call, OUTCOME_UNKNOWN, e);
    else
        end_unknown(call, e);
}

/* Being told to wait is not a try of ours: the limiter holds the call back,
 * and all others to its chat. */
static void after_told(struct api_call *call, struct err *e)
{
    if (e->retry_after < TOLD_MIN_S)
        e->retry_after = TOLD_MIN_S;
    limiter_told(call->api->limiter, &call->ask, e->retry_after);
    if (call->once || call->ask.told_us > LIMITER_WAIT_MAX_MS * INT64_C(1000)) {
        finish(call, e);
        return;
    }
    note_repeat(call, OUTCOME_TOLD, (int64_t)(e->retry_after * 1000), e);
    call->tries--;
    ask_turn(call, e);
}

/* --- a chat that has another id */

/* False: there is no chat_id to replace, or it was replaced before. */
static bool take_new_chat(struct api_call *call, int64_t to)
{
    if (call->migrated || !*call->chat)
        return false;
    if (call->upload) {
        if (!call->upload->set_chat)
            return false;
        call->upload->set_chat(call->upload, to);
    } else {
        call->own_params = api_about_move(call->params, call->params_len, to);
        if (!call->own_params)
            return false;
    }
    call->migrated = true;
    return true;
}

/* True: the call goes on with the new id. */
static bool follow_chat(struct api_call *call, struct jslice answer)
{
    struct api *api = call->api;
    char old[API_CHAT_MAX];
    int64_t to;
    if (!js_int(js_path(answer, "parameters.migrate_to_chat_id"), &to) ||
        !take_new_chat(call, to))
        return false;
    memcpy(old, call->chat, sizeof old);
    snprintf(call->chat, sizeof call->chat, "%" PRId64, to);
    limiter_migrate(api->limiter, &call->ask, old, call->chat);
    LOG_AT(loop_log(api->loop), LOG_INFO, "chat.migrated", LOG_S("from", old),
           LOG_I("to", to));
    tally_add(&api->repeats, call->method, "migrated");
    if (api->o.migrated)
        api->o.migrated(api->o.arg, strtoll(old, NULL, 10), to);
    return true;
}

/* What was sent to a @name tells its id: the message, or each of them. */
static void learn_name(const struct api_call *call)
{
    struct jslice message = call->result;
    size_t cursor = 0;
    int64_t id;
    if (*call->chat != '@')
        return;
    if (js_type(message) == JS_ARRAY &&
        !js_each(call->result, &cursor, NULL, &message))
        return;
    if (js_int(js_path(message, "chat.id"), &id))
        limiter_named(call->api->limiter, call->chat, id);
}

/* --- a try */

static void end_try(struct api_call *call, enum outcome o, struct err *e)
{
    switch (o) {
    case OUTCOME_DONE:
        learn_name(call);
        finish(call, e);
        return;
    case OUTCOME_REFUSED:
    case OUTCOME_ENDED:
        finish(call, e);
        return;
    case OUTCOME_TOLD:
        after_told(call, e);
        return;
    case OUTCOME_UNKNOWN:
        after_unknown(call, e);
        return;
    case OUTCOME_NOT_SENT:
    case OUTCOME_SERVER:
        if (call->once)
            finish(call, e);
        else
            repeat_later(call, o, e);
        return;
    }
}

/* An answer that was too long to be read was one all the same. */
static void say_maybe_done(struct api_call *call, struct err *e)
{
    size_t len = strlen(e->message);
    if (e->code != ERR_LIMIT)
        return;
    tally_add(&call->api->unknown, call->method, "unknown");
    snprintf(e->message + len, sizeof e->message - len,
             ": the call may have been carried out");
}

static void on_response(struct http_call *http, const struct err *transport)
{
    struct api_call *call = LIST_ENTRY(http, struct api_call, http);
    struct jslice answer = {0};
    struct err e = *transport;
    enum outcome o;

    CRASH_POINT("api.answered");
    if (e.code == ERR_OK)
        o = outcome_of_answer(&http->response, &answer, &e);
    else
        o = outcome_of_failure(&e);
    if (o == OUTCOME_ENDED)
        say_maybe_done(call, &e);
    call->result = js_get(answer, "result");
    bool moved =
        o == OUTCOME_REFUSED && !call->once && follow_chat(call, answer);
    limiter_end(call->api->limiter, &call->ask);
    if (moved)
        ask_turn(call, NULL);
    else
        end_try(call, o, &e);
}

static void fill_body(struct api_call *call)
{
    struct http_call *http = &call->http;
    struct api_upload *u = call->upload;
    if (!u) {
        http->content_type = "application/json";
        http->body = call->own_params ? call->own_params : call->params;
        http->body_len =
            call->own_params ? strlen(call->own_params) : call->params_len;
        http->timeout_ms = call->timeout_ms ? call->timeout_ms
                                            : call->api->o.request_timeout_ms;
        return;
    }
    u->rewind(u);
    http->content_type = u->content_type;
    http->source = u->source;
    http->body_len = u->len;
    http->timeout_ms = call->timeout_ms;
    http->stall_ms = call->api->o.transfer_stall_ms;
}

static void send_try(struct api_call *call)
{
    http_call_free(&call->http);
    call->tries++;
    call->http = (struct http_call){
        .method = "POST",
        .url = call->url,
        .response_max = RESPONSE_MAX,
        .done = on_response,
    };
    fill_body(call);
    CRASH_POINT("api.before_request");
    http_start(call->api->client, &call->http);
    CRASH_POINT("api.requested");
}

void api_start(struct api *api, struct api_call *call)
{
    call->api = api;
    call->tries = 0;
    call->migrated = call->skipped = false;
    call->own_params = NULL;
    call->refusal = NULL;
    call->result = (struct jslice){0};
    memset(&call->http, 0, sizeof call->http);
    call->url = mem_printf("%s%s", api->base, call->method);
    call->retry = (struct retry){
        .max = (unsigned)api->o.max_retries,
        .base = api->o.backoff_base,
    };
    call->ask = (struct limiter_ask){
        .chat = call->chat,
        .method = call->method,
        .class = call->class,
        .transfer = call->upload != NULL,
        .turn = on_turn,
    };
    api_about(call);
    timer_init(&call->wait, api->loop, wait_over);
    ask_turn(call, NULL);
}

void api_cancel(struct api_call *call)
{
    if (!call->api)
        return;
    timer_stop(&call->wait);
    http_cancel(call->api->client, &call->http);
    limiter_end(call->api->limiter, &call->ask);
}

void api_call_free(struct api_call *call)
{
    http_call_free(&call->http);
    free(call->url);
    free(call->own_params);
    free(call->refusal);
    call->url = call->own_params = NULL;
    call->refusal = NULL;
}
