#include "telegram/intake.h"

#include "base/log.h"
#include "loop/loop.h"

#include <string.h>

#define BACKOFF_MAX_MS 60000

static void on_pause_over(struct timer *timer)
{
    struct intake *in = LIST_ENTRY(timer, struct intake, pause);
    intake_step(in);
}

struct retry intake_retry(uint64_t cap_ms)
{
    return (struct retry){
        .max = RETRY_FOREVER,
        .base = 2.0,
        .cap_ms = cap_ms,
        .always = true,
    };
}

void intake_init(struct intake *in)
{
    timer_init(&in->pause, in->o.loop, on_pause_over);
    in->retry = intake_retry(BACKOFF_MAX_MS);
}

static void set_state(struct intake *in, bool up)
{
    if (in->state_known && in->up == up)
        return;
    in->state_known = true;
    in->up = up;
    in->o.state(in->o.arg, up);
}

void intake_set_storage(struct intake *in, bool up)
{
    if (in->storage_down == !up)
        return;
    in->storage_down = !up;
    in->o.storage(in->o.arg, up);
}

int64_t intake_pause(struct intake *in, struct retry *r, const struct err *e)
{
    int64_t ms = retry_next(r, loop_rng(in->o.loop), e);
    timer_start(&in->pause, (uint64_t)ms);
    return ms;
}

static const char *remedy(const struct intake *in, const struct err *e)
{
    if (e->code != ERR_API)
        return "";
    if (e->detail == 409)
        return "another program polls this token or a webhook is set: stop "
               "it, or revoke the token at BotFather";
    if (e->detail == 400 && strcmp(in->call.method, "setWebhook") == 0)
        return "Telegram does not take WEBHOOK_URL: correct it";
    return "";
}

void intake_fail(struct intake *in, const struct err *e)
{
    int64_t wait = intake_pause(in, &in->retry, e);
    LOG_AT(loop_log(in->o.loop), LOG_WARN, in->failed,
           LOG_S("method", in->call.method), LOG_I("code", e->detail),
           LOG_S("reason", e->message), LOG_S("remedy", remedy(in, e)),
           LOG_I("retry_ms", wait));
    set_state(in, false);
}

/* 401, or the 404 that the public server gives for a malformed token. */
static bool is_refused(const struct intake *in, const struct err *e)
{
    return e->code == ERR_API &&
           (e->detail == 401 ||
            (e->detail == 404 && strcmp(in->call.method, "getMe") == 0));
}

static bool needs_info(const struct intake *in)
{
    return in->informed || in->o.drop_pending;
}

static void note_info(struct intake *in, struct jslice info)
{
    if (!js_int(js_get(info, "pending_update_count"), &in->pending))
        in->pending = 0;
    if (in->informed)
        in->informed(in, info);
}

static void take_answer(struct intake *in, struct jslice result)
{
    switch (in->stage) {
    case INTAKE_GET_ME:
        in->o.identified(in->o.arg, result);
        in->stage = needs_info(in) ? INTAKE_WEBHOOK_INFO : INTAKE_STARTED;
        break;
    case INTAKE_WEBHOOK_INFO:
        note_info(in, result);
        in->stage = INTAKE_STARTED;
        break;
    case INTAKE_STARTED:
        in->answered(in, result);
        return;
    }
    intake_step(in);
}

static void on_answer(struct api_call *call, const struct err *e)
{
    struct intake *in = LIST_ENTRY(call, struct intake, call);

    in->in_flight = false;
    if (e->code == ERR_OK) {
        retry_reset(&in->retry);
        set_state(in, true);
        take_answer(in, call->result);
    } else if (is_refused(in, e)) {
        in->stopped = true;
        in->o.refused(in->o.arg, e);
    } else {
        intake_fail(in, e);
    }
}

void intake_call(struct intake *in, const char *method, uint64_t wait_ms)
{
    api_call_free(&in->call);
    in->call = (struct api_call){
        .method = method,
        .params = in->params.data,
        .params_len = in->params.len,
        .timeout_ms = in->o.request_timeout_ms + wait_ms,
        .once = true,
        .done = on_answer,
    };
    in->in_flight = true;
    api_start(in->o.api, &in->call);
}

static void call_without_params(struct intake *in, const char *method)
{
    buf_puts(&in->params, "{}");
    intake_call(in, method, 0);
}

void intake_step(struct intake *in)
{
    if (in->stopped)
        return;
    buf_clear(&in->params);
    switch (in->stage) {
    case INTAKE_GET_ME:
        call_without_params(in, "getMe");
        break;
    case INTAKE_WEBHOOK_INFO:
        call_without_params(in, "getWebhookInfo");
        break;
    case INTAKE_STARTED:
        in->step(in);
        break;
    }
}

/* Once: what comes later is no longer of before the start. */
void intake_note_dropped(struct intake *in)
{
    if (in->o.drop_pending)
        in->o.dropped(in->o.arg, in->pending);
    in->o.drop_pending = false;
}

void intake_note_started(struct intake *in)
{
    if (in->started)
        return;
    in->started = true;
    in->o.started(in->o.arg);
}

void intake_note_caught_up(struct intake *in)
{
    if (in->caught_up)
        return;
    in->caught_up = true;
    in->o.caught_up(in->o.arg);
}

void intake_cancel(struct intake *in)
{
    if (in->in_flight)
        api_cancel(&in->call);
    in->in_flight = false;
}

void intake_stop(struct intake *in)
{
    in->stopped = true;
    timer_stop(&in->pause);
    intake_cancel(in);
}

void intake_free(struct intake *in)
{
    api_call_free(&in->call);
    buf_free(&in->params);
}
