#include "telegram/webhook.h"

#include "base/crash_point.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "net/routes.h"
#include "store/inbox.h"
#include "telegram/intake.h"
#include "telegram/update.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 40
#define RETRY_AFTER_S "2"

enum webhook_step { STEP_SET_WEBHOOK, STEP_SERVE };

struct webhook {
    struct intake intake;
    enum webhook_step step;
    char *url;
    char *path;
    char *secret;
    char *kinds;
    bool outdated; /* the kinds are newer than the setWebhook in flight */
    struct list posts;
};

/* A post whose update is being stored. */
struct post {
    struct list link;
    struct webhook *webhook;
    struct exchange *x;
};

static void on_step(struct intake *in);
static void step_done(struct intake *in, struct jslice result);

static struct webhook *webhook_of(struct intake *in)
{
    return LIST_ENTRY(in, struct webhook, intake);
}

struct webhook *webhook_new(const struct intake_options *o, const char *url,
                            const char *secret)
{
    struct webhook *w = MEM_NEW(struct webhook);
    w->intake.o = *o;
    w->intake.failed = "webhook.failed";
    w->intake.step = on_step;
    w->intake.answered = step_done;
    intake_init(&w->intake);
    w->url = mem_strdup(url);
    w->path = webhook_path(url);
    w->secret = mem_strdup(secret);
    w->kinds = mem_strdup("[]");
    list_init(&w->posts);
    return w;
}

/* --- what Telegram posts */

/* Takes the same time wherever the two differ. */
static bool is_equal(const char *given, const char *secret)
{
    size_t given_len = strlen(given);
    size_t len = strlen(secret);
    unsigned char differ = given_len != len;
    for (size_t i = 0; i < given_len; i++)
        differ |= (unsigned char)(given[i] ^ secret[i % len]);
    return differ == 0;
}

/* A proxy may add the path that the address lacks. */
static bool has_two_paths(const struct webhook *w)
{
    return strcmp(w->path, "/") == 0;
}

static bool is_ours(const struct webhook *w, const struct exchange *x)
{
    const char *path = exchange_path(x);
    return strcmp(exchange_method(x), "POST") == 0 &&
           (strcmp(path, w->path) == 0 ||
            (has_two_paths(w) && strcmp(path, WEBHOOK_PATH) == 0));
}

static bool guard(struct exchange *x, void *arg)
{
    const struct webhook *w = arg;
    const char *given = exchange_header(x, "X-Telegram-Bot-Api-Secret-Token");
    if (!is_ours(w, x) || (given && is_equal(given, w->secret)))
        return true;
    exchange_fail(x, 401, "the secret token is absent or wrong");
    return false;
}

static void refuse_for_now(struct exchange *x, const char *why)
{
    exchange_add_header(x, "Retry-After", RETRY_AFTER_S);
    exchange_fail(x, 503, "%s", why);
}

/* NULL: updates are taken. What was to be dropped is not taken before it
 * was. */
static const char *why_not_now(const struct webhook *w)
{
    if (w->intake.stopped)
        return "the engine is stopping";
    if (w->intake.o.drop_pending)
        return "the engine is starting";
    if (inbox_full(w->intake.o.inbox))
        return "the inbox is full";
    return NULL;
}

static void note_not_stored(struct webhook *w, const struct err *e)
{
    if (!w->intake.storage_down)
        LOG_AT(loop_log(w->intake.o.loop), LOG_ERROR, "webhook.not_stored",
               LOG_S("reason", e->message));
    intake_set_storage(&w->intake, false);
}

static void stored(void *arg, const struct err *e)
{
    struct post *post = arg;
    struct webhook *w = post->webhook;
    if (e->code == ERR_OK) {
        intake_set_storage(&w->intake, true);
        CRASH_POINT("webhook.stored");
        exchange_reply(post->x, 200, NULL, "", 0);
        CRASH_POINT("webhook.answered");
    } else {
        note_not_stored(w, e);
        refuse_for_now(post->x, "the update cannot be stored now");
    }
    list_remove(&post->link);
    free(post);
}

static void store(struct webhook *w, struct exchange *x,
                  struct update_head *head, struct jslice update)
{
    CRASH_POINT("webhook.posted");
    w->intake.o.order(w->intake.o.arg, update, head);
    const struct inbox_item item = {
        .update_id = head->update_id,
        .source = INBOX_TELEGRAM,
        .lane = head->lane,
        .body = update.at,
        .body_len = update.len,
    };
    struct post *post = MEM_NEW(struct post);
    post->webhook = w;
    post->x = x;
    list_push(&w->posts, &post->link);
    inbox_put(w->intake.o.inbox, &item, 1, 0, stored, post);
}

/* Telegram would bring it again for a day if it were refused. */
static void skip(struct webhook *w, struct exchange *x, struct jslice update)
{
    LOG_AT(loop_log(w->intake.o.loop), LOG_WARN, "webhook.odd_update",
           LOG_I("bytes", (int64_t)update.len));
    exchange_reply(x, 200, NULL, "", 0);
}

static void take(struct webhook *w, struct exchange *x)
{
    struct update_head head;
    int64_t id;
    size_t len;
    const char *body = exchange_body(x, &len);
    struct jslice update = js_check(body, len);

    if (!update.at)
        exchange_fail(x, 400, "the body is not JSON");
    else if (!js_int(js_get(update, "update_id"), &id))
        exchange_fail(x, 400, "the body is no update: it has no update_id");
    else if (update_head_read(&head, update) != 0)
        skip(w, x, update);
    else
        store(w, x, &head, update);
}

static void serve(struct exchange *x, void *arg)
{
    struct webhook *w = arg;
    const char *why = why_not_now(w);
    if (why)
        refuse_for_now(x, why);
    else
        take(w, x);
}

char *webhook_path(const char *url)
{
    const char *authority = strstr(url, "://") + 3;
    const char *path = authority + strcspn(authority, "/?#");
    size_t len = strcspn(path, "?#");
    return len > 0 ? mem_dup(path, len) : mem_strdup("/");
}

void webhook_mount(struct webhook *w, struct routes *routes)
{
    routes_guard(routes, guard, w);
    routes_add(routes, "POST", w->path, serve, w);
    if (has_two_paths(w))
        routes_add(routes, "POST", WEBHOOK_PATH, serve, w);
}

/* --- what Telegram is told */

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, "\"%s\":", key);
    js_put_string(b, text, strlen(text));
    buf_putc(b, ',');
}

static void set_webhook(struct webhook *w)
{
    struct intake *in = &w->intake;
    w->outdated = false;
    buf_putc(&in->params, '{');
    put_text(&in->params, "url", w->url);
    put_text(&in->params, "secret_token", w->secret);
    buf_printf(&in->params,
               "\"max_connections\":%d,\"drop_pending_updates\":%s,"
               "\"allowed_updates\":%s}",
               CONNECTIONS_MAX, in->o.drop_pending ? "true" : "false",
               w->kinds);
    intake_call(in, "setWebhook", 0);
}

static void step_done(struct intake *in, struct jslice result)
{
    struct webhook *w = webhook_of(in);
    (void)result;
    switch (w->step) {
    case STEP_SET_WEBHOOK:
        CRASH_POINT("webhook.set");
        intake_note_dropped(in);
        if (w->outdated)
            break;
        w->step = STEP_SERVE;
        intake_note_started(in);
        LOG_AT(loop_log(in->o.loop), LOG_DEBUG, "webhook.set",
               LOG_S("allowed_updates", w->kinds));
        return;
    case STEP_SERVE:
        return;
    }
    intake_step(&w->intake);
}

static void on_step(struct intake *in)
{
    struct webhook *w = webhook_of(in);
    switch (w->step) {
    case STEP_SET_WEBHOOK:
        set_webhook(w);
        break;
    case STEP_SERVE:
        break;
    }
}

void webhook_start(struct webhook *w)
{
    intake_step(&w->intake);
}

void webhook_set_kinds(struct webhook *w, const char *kinds)
{
    if (strcmp(w->kinds, kinds) == 0)
        return;
    free(w->kinds);
    w->kinds = mem_strdup(kinds);
    w->outdated = true;
    if (w->step != STEP_SERVE)
        return;
    w->step = STEP_SET_WEBHOOK;
    intake_step(&w->intake);
}

void webhook_stop(struct webhook *w)
{
    intake_stop(&w->intake);
}

void webhook_free(struct webhook *w)
{
    struct list *link;
    while ((link = list_shift(&w->posts))) {
        struct post *post = LIST_ENTRY(link, struct post, link);
        exchange_drop(post->x);
        free(post);
    }
    intake_free(&w->intake);
    free(w->url);
    free(w->path);
    free(w->secret);
    free(w->kinds);
    free(w);
}
