#include "telegram/api.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <string.h>

/* Answers are small but for getUpdates: 4 MiB plus slack (SERVER.md 3). */
#define RESPONSE_MAX (16u * 1024 * 1024)
#define TOLD_MS_MAX 90000 /* DESIGN section 1, promise 3 */

struct api {
    struct loop *loop;
    struct http_client *client;
    char *base; /* URL/botTOKEN/ */
    int64_t bot_id;
    uint64_t request_timeout_ms;
    int max_retries;
    double backoff_base;
};

struct api *api_new(struct loop *loop, struct http_client *client,
                    const struct api_options *o)
{
    struct api *api = MEM_NEW(struct api);
    api->loop = loop;
    api->client = client;
    api->base = mem_printf("%s/bot%s/", o->url, o->token);
    api->bot_id = strtoll(o->token, NULL, 10);
    api->request_timeout_ms = o->request_timeout_ms;
    api->max_retries = o->max_retries;
    api->backoff_base = o->backoff_base;
    return api;
}

void api_free(struct api *api)
{
    free(api->base);
    free(api);
}

int64_t api_bot_id(const struct api *api)
{
    return api->bot_id;
}

static void finish(struct api_call *call, const struct err *e)
{
    struct err copy = *e;
    if (copy.code != ERR_OK)
        call->result = (struct jslice){0};
    call->done(call, &copy);
}

/* {"ok":false,"error_code":400,"description":"…","parameters":{…}} */
static void read_failure(struct api_call *call, struct jslice answer,
                         struct err *e)
{
    int64_t code = call->http.response.status;
    double wait = call->http.response.retry_after;
    struct buf text = {0};

    js_int(js_get(answer, "error_code"), &code);
    js_double(js_path(answer, "parameters.retry_after"), &wait);
    if (!js_text(js_get(answer, "description"), &text))
        buf_printf(&text, "HTTP %d without a Bot API answer",
                   call->http.response.status);
    err_set(e, ERR_API, (int)code, "%s", text.data ? text.data : "");
    e->retry_after = wait;
    e->retryable = code == 429 || code >= 500;
    buf_free(&text);
}

/* A success whose answer cannot be read: the call may have been executed. */
static bool tells_nothing(const struct api_call *call, struct jslice answer)
{
    int status = call->http.response.status;
    return status >= 200 && status < 300 && js_bool(js_get(answer, "ok"), true);
}

static void read_answer(struct api_call *call, struct err *e)
{
    const struct buf *body = &call->http.response.body;
    struct jslice answer = js_check(body->data ? body->data : "", body->len);

    err_set(e, ERR_OK, 0, "%s", "");
    call->result = js_get(answer, "result");
    if (call->http.response.status == 200 &&
        js_bool(js_get(answer, "ok"), false) && call->result.at)
        return;
    if (tells_nothing(call, answer))
        err_set(e, ERR_UNKNOWN, call->http.response.status,
                "HTTP %d without a Bot API answer", call->http.response.status);
    else
        read_failure(call, answer, e);
}

/* What may be repeated without a second effect: a request that was surely
 * not executed. Returns how long to wait, or -1 for no repeat. */
static int64_t repeat_after_ms(struct api_call *call, const struct err *e)
{
    if (e->code == ERR_API && e->detail == 429 && e->retry_after > 0 &&
        e->retry_after * 1000 <= (double)(TOLD_MS_MAX - call->told_ms))
        return (int64_t)(e->retry_after * 1000);
    if (e->code != ERR_NOT_SENT ||
        call->tries > (unsigned)call->api->max_retries)
        return -1;
    return (int64_t)rng_backoff_ms(loop_rng(call->api->loop),
                                   call->api->backoff_base, call->tries);
}

static void on_response(struct http_call *http, const struct err *transport)
{
    struct api_call *call = LIST_ENTRY(http, struct api_call, http);
    struct err e = *transport;

    CRASH_POINT("api.answered");
    if (e.code == ERR_OK)
        read_answer(call, &e);
    int64_t wait = e.code == ERR_OK ? -1 : repeat_after_ms(call, &e);
    if (wait < 0) {
        finish(call, &e);
        return;
    }
    LOG_AT(loop_log(call->api->loop), LOG_WARN, "api.repeat",
           LOG_S("method", call->method), LOG_I("try", call->tries),
           LOG_I("wait_ms", wait), LOG_S("reason", e.message));
    if (e.code == ERR_API) {
        call->tries--; /* being told to wait is not a try of ours */
        call->told_ms += wait;
    }
    timer_start(&call->wait, (uint64_t)wait);
}

static void send_try(struct timer *timer)
{
    struct api_call *call = LIST_ENTRY(timer, struct api_call, wait);
    struct api *api = call->api;

    http_call_free(&call->http);
    call->tries++;
    call->http = (struct http_call){
        .method = "POST",
        .url = call->url,
        .content_type = "application/json",
        .body = call->params,
        .body_len = call->params_len,
        .response_max = RESPONSE_MAX,
        .timeout_ms =
            call->timeout_ms ? call->timeout_ms : api->request_timeout_ms,
        .done = on_response,
    };
    CRASH_POINT("api.before_request");
    http_start(api->client, &call->http);
    CRASH_POINT("api.requested");
}

void api_start(struct api *api, struct api_call *call)
{
    call->api = api;
    call->tries = 0;
    call->told_ms = 0;
    call->result = (struct jslice){0};
    memset(&call->http, 0, sizeof call->http);
    call->url = mem_printf("%s%s", api->base, call->method);
    timer_init(&call->wait, api->loop, send_try);
    send_try(&call->wait);
}

void api_cancel(struct api_call *call)
{
    if (!call->api)
        return;
    timer_stop(&call->wait);
    http_cancel(call->api->client, &call->http);
}

void api_call_free(struct api_call *call)
{
    http_call_free(&call->http);
    free(call->url);
    call->url = NULL;
}
