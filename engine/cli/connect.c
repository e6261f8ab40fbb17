#include "cli/connect.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/settings.h"
#include "loop/loop.h"
#include "net/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MAX (64u * 1024)

/* One getMe on its way. */
struct asking {
    struct http_call call;
    struct loop *loop;
    struct err err;
};

static void on_done(struct http_call *call, const struct err *e)
{
    struct asking *a = (struct asking *)call;
    a->err = *e;
    loop_stop(a->loop);
}

static char *text_of(struct jslice v)
{
    struct buf text = {0};
    js_text(v, &text);
    return buf_steal(&text);
}

static int judge(const struct settings *s, const struct asking *a,
                 struct err *e)
{
    const struct buf *body = &a->call.response.body;
    const char *url = s->config.bot_api_url;
    struct jslice answer = js_check(body->data ? body->data : "", body->len);
    if (a->err.code != ERR_OK)
        return err_set(e, a->err.code, 0, "Telegram at %s: %s", url,
                       a->err.message);
    struct jslice name = js_path(answer, "result.username");
    char *text = text_of(js_bool(js_get(answer, "ok"), false)
                             ? name
                             : js_get(answer, "description"));
    if (js_type(name) == JS_STRING)
        printf("Telegram at %s knows the bot @%s\n", url, text);
    else if (a->call.response.status == 401 || a->call.response.status == 404)
        err_set(e, ERR_API, a->call.response.status,
                "Telegram at %s refuses BOT_TOKEN: %s; BotFather tells the "
                "right one",
                url, *text ? text : "no reason given");
    else
        err_set(e, ERR_API, a->call.response.status,
                "%s answers getMe with status %d%s%s; is BOT_API_URL right?",
                url, a->call.response.status, *text ? ": " : "", text);
    free(text);
    return e->code;
}

static int ask(const struct settings *s, struct log *log, struct clock *clock,
               struct err *e)
{
    const struct config *c = &s->config;
    struct rng rng;
    rng_seed(&rng, (uint64_t)clock_unix_ms(clock));
    struct loop *loop = loop_new(clock, log, &rng);
    const struct http_client_options options = settings_client(s, 1);
    struct http_client *client = http_client_new_curl(loop, &options);
    char *url = mem_printf("%s/bot%s/getMe", c->bot_api_url, c->bot_token);
    struct asking a = {
        .call = {.method = "GET",
                 .url = url,
                 .response_max = ANSWER_MAX,
                 .timeout_ms = (uint64_t)c->request_timeout_ms,
                 .done = on_done},
        .loop = loop,
    };
    http_start(client, &a.call);
    loop_run(loop);
    judge(s, &a, e);
    http_call_free(&a.call);
    http_client_free(client);
    loop_free(loop);
    free(url);
    return e->code;
}

int connect_check(const struct settings *s, struct err *e)
{
    struct clock clock;
    err_set(e, ERR_OK, 0, "%s", "");
    if (!*s->config.bot_token)
        return err_set(e, ERR_CONFIG, 0,
                       "--connect needs BOT_TOKEN: set it in .env or in the "
                       "environment");
    clock_init_real(&clock);
    struct log *log = log_new(STDERR_FILENO, LOG_WARN, LOG_TEXT, &clock);
    int code = ask(s, log, &clock, e);
    log_free(log);
    return code;
}
