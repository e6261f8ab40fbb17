#include "telegram/chat_action.h"

#include "base/list.h"
#include "base/log.h"
#include "loop/loop.h"

#include <string.h>
#include <strings.h>

#define FIRST_MS 1000
#define AGAIN_MS 4500 /* it shows for 5 s at most (SERVER.md 7) */

struct row {
    const char *name; /* a method, or a type of an album's items */
    const char *action;
};

static const struct row methods[] = {
    {"sendAnimation", "upload_video"},   {"sendAudio", "upload_voice"},
    {"sendDocument", "upload_document"}, {"sendLivePhoto", "upload_video"},
    {"sendPhoto", "upload_photo"},       {"sendSticker", "choose_sticker"},
    {"sendVideo", "upload_video"},       {"sendVideoNote", "upload_video_note"},
    {"sendVoice", "upload_voice"},       {NULL, NULL},
};

static const struct row items[] = {
    {"audio", "upload_voice"},      {"document", "upload_document"},
    {"live_photo", "upload_video"}, {"photo", "upload_photo"},
    {"video", "upload_video"},      {NULL, NULL},
};

static const char *action_of_item(struct jslice params)
{
    struct jslice first = {0};
    size_t cursor = 0;
    js_each(js_get(params, "media"), &cursor, NULL, &first);
    for (const struct row *r = items; r->name; r++)
        if (js_equal(js_get(first, "type"), r->name))
            return r->action;
    return NULL;
}

static const char *find_action(const char *method, struct jslice params)
{
    if (strcasecmp(method, "sendMediaGroup") == 0 ||
        strcasecmp(method, "sendPaidMedia") == 0)
        return action_of_item(params);
    for (const struct row *r = methods; r->name; r++)
        if (strcasecmp(method, r->name) == 0)
            return r->action;
    return NULL;
}

/* The chat will refuse it again: its id has changed, the bot was blocked. */
static bool is_final(const struct err *e)
{
    return e->code == ERR_API && (e->detail == 400 || e->detail == 403);
}

static void on_done(struct api_call *call, const struct err *e)
{
    struct chat_action *a = LIST_ENTRY(call, struct chat_action, call);
    if (e->code != ERR_OK)
        LOG_AT(loop_log(a->next.loop), LOG_DEBUG, "chat_action.failed",
               LOG_S("reason", e->message));
    if (is_final(e))
        timer_stop(&a->next);
    a->calling = false;
    api_call_free(&a->call);
}

static void on_timer(struct timer *timer)
{
    struct chat_action *a = LIST_ENTRY(timer, struct chat_action, next);
    timer_start(&a->next, AGAIN_MS);
    if (a->calling)
        return;
    a->calling = true;
    a->call = (struct api_call){
        .method = "sendChatAction",
        .params = a->params.data,
        .params_len = a->params.len,
        .once = true,
        .done = on_done,
    };
    api_start(a->api, &a->call);
}

static void copy_param(struct chat_action *a, struct jslice params,
                       const char *name)
{
    struct jslice value = js_get(params, name);
    if (!value.at)
        return;
    buf_printf(&a->params, ",\"%s\":", name);
    buf_append(&a->params, value.at, value.len);
}

void chat_action_start(struct chat_action *a, struct loop *loop,
                       struct api *api, const char *method,
                       struct jslice params)
{
    const char *action = find_action(method, params);
    if (!action || !js_get(params, "chat_id").at)
        return;
    a->api = api;
    buf_printf(&a->params, "{\"action\":\"%s\"", action);
    copy_param(a, params, "chat_id");
    copy_param(a, params, "message_thread_id");
    copy_param(a, params, "business_connection_id");
    buf_putc(&a->params, '}');
    timer_init(&a->next, loop, on_timer);
    timer_start(&a->next, FIRST_MS);
}

void chat_action_stop(struct chat_action *a)
{
    if (!a->api)
        return;
    timer_stop(&a->next);
    if (a->calling)
        api_cancel(&a->call);
    api_call_free(&a->call);
    buf_free(&a->params);
    memset(a, 0, sizeof(*a));
}
