/* The webhook of a bot: what is asked and answered about it. */
#include "sim/methods.h"

#include "base/mem.h"
#include "sim/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECRET_MAX 256
#define URL_MAX 2048
#define CONNECTIONS_DEFAULT 40
#define CONNECTIONS_MAX 100
#define PAUSE_MS 1000

static json_t *remove_hook(struct call *c)
{
    struct hook *h = &c->bot->hook;
    c->note =
        h->url != NULL ? "Webhook was deleted" : "Webhook is already deleted";
    free(h->url);
    free(h->secret);
    h->url = h->secret = NULL;
    if (params_bool(&c->params, "drop_pending_updates"))
        queue_drop(&c->bot->queue, 0);
    return json_true();
}

json_t *method_delete_webhook(struct call *c)
{
    return remove_hook(c);
}

/* As a server of one's own, which takes plain HTTP too. */
static bool is_address(const char *url)
{
    const char *host = strstr(url, "://");
    bool known = strncasecmp(url, "http://", 7) == 0 ||
                 strncasecmp(url, "https://", 8) == 0;
    return known && strlen(url) <= URL_MAX && strcspn(host + 3, "/?#:") > 0;
}

static const char *fault_of_secret(const char *secret)
{
    size_t len = strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (strlen(secret) > SECRET_MAX)
        return "secret token is too long";
    return secret[len] != '\0' ? "secret token contains unallowed characters"
                               : NULL;
}

/* NULL: the call is fine. */
static const char *fault_of(const struct call *c)
{
    if (!is_address(params_text(&c->params, "url")))
        return "invalid webhook URL specified";
    return fault_of_secret(params_text(&c->params, "secret_token"));
}

/* At most one webhook a second. */
static bool is_too_soon(struct call *c)
{
    uint64_t now = loop_now_ms(c->sim->loop);
    struct hook *h = &c->bot->hook;
    if (now < h->calm_after_ms) {
        c->retry_after = 1;
        call_refuse(c, 429, "Too Many Requests: retry after 1");
        return true;
    }
    h->calm_after_ms = now + PAUSE_MS;
    return false;
}

static bool is_same(const struct hook *h, const char *url, const char *secret,
                    int64_t connections)
{
    return h->url != NULL && strcmp(h->url, url) == 0 &&
           strcmp(h->secret, secret) == 0 && h->connections == connections;
}

static void put_hook(struct call *c)
{
    struct hook *h = &c->bot->hook;
    const char *url = params_text(&c->params, "url");
    const char *secret = params_text(&c->params, "secret_token");
    bool drop = params_bool(&c->params, "drop_pending_updates");
    int64_t connections = params_int(&c->params, "max_connections",
                                     CONNECTIONS_DEFAULT, 1, CONNECTIONS_MAX);
    bool same = !drop && is_same(h, url, secret, connections);
    if (!same)
        remove_hook(c);
    c->note = same ? "Webhook is already set" : "Webhook was set";
    if (same)
        return;
    h->url = mem_strdup(url);
    h->secret = mem_strdup(secret);
    h->connections = connections;
    queue_end_poll(&c->bot->queue);
}

json_t *method_set_webhook(struct call *c)
{
    bool is_set = params_given(&c->params, "url");
    const char *fault = is_set ? fault_of(c) : NULL;
    if (fault != NULL)
        return call_refuse(c, 400, "Bad Request: %s", fault);
    if (is_set && is_too_soon(c))
        return NULL;
    queue_allow(&c->bot->queue, params_text(&c->params, "allowed_updates"));
    if (!is_set)
        return remove_hook(c);
    put_hook(c);
    return json_true();
}

json_t *method_get_webhook_info(struct call *c)
{
    const struct queue *q = &c->bot->queue;
    const struct hook *h = &c->bot->hook;
    json_t *info = json_object();
    sim_set(info, "url", json_string(h->url != NULL ? h->url : ""));
    sim_set(info, "has_custom_certificate", json_false());
    sim_set(info, "pending_update_count",
            json_integer((json_int_t)queue_live(q)));
    if (h->url != NULL) {
        sim_set(info, "max_connections", json_integer(h->connections));
        sim_set(info, "ip_address", json_string("<unknown>"));
    }
    if (!queue_default_filter(q))
        sim_set(info, "allowed_updates", queue_allowed(q));
    return info;
}
