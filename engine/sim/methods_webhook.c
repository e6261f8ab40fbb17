/* The webhook of a bot: what is asked and answered about it. */
#include "sim/methods.h"

#include "base/mem.h"
#include "sim/address.h"
#include "sim/call.h"
#include "sim/content.h"
#include "sim/media.h"

#include <string.h>

#define SECRET_MAX 256
#define CONNECTIONS_DEFAULT 40
#define CONNECTIONS_MAX 100
#define CERTIFICATE_MAX (3u * 1024 * 1024)
#define PAUSE_MS 1000

static const struct param *certificate_of(const struct call *c)
{
    const struct param *file = media_upload(c, "certificate");
    return file != NULL && file->file_name != NULL ? file : NULL;
}

/* False: refused. */
static bool check(struct call *c)
{
    const char *secret = params_text(&c->params, "secret_token");
    const char *ip = params_text(&c->params, "ip_address");
    const struct param *file = certificate_of(c);
    size_t len = strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (!address_fits(params_text(&c->params, "url")))
        call_refuse(c, 400, "Bad Request: invalid webhook URL specified");
    else if (strlen(secret) > SECRET_MAX)
        call_refuse(c, 400, "Bad Request: secret token is too long");
    else if (secret[len] != '\0')
        call_refuse(c, 400,
                    "Bad Request: secret token contains unallowed characters");
    else if (file != NULL && file->content->size > CERTIFICATE_MAX)
        call_refuse(c, 400,
                    "Bad Request: certificate size is too big (%llu bytes)",
                    (unsigned long long)file->content->size);
    else if (*ip != '\0' && !address_is_ip(ip))
        call_refuse(c, 400,
                    "Bad Request: bad webhook: Invalid IP address specified");
    return c->status == 0;
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

static int64_t connections_of(const struct call *c)
{
    return params_int(&c->params, "max_connections", CONNECTIONS_DEFAULT, 1,
                      CONNECTIONS_MAX);
}

static bool is_text(const char *text, const char *other)
{
    return strcmp(text, other != NULL ? other : "") == 0;
}

/* Nothing would change; for url "" too. */
static bool is_same(const struct call *c, const char *url)
{
    const struct hook *h = &c->bot->hook;
    const struct params *p = &c->params;
    if (!is_text(url, h->url) || params_bool(p, "drop_pending_updates"))
        return false;
    return *url == '\0' ||
           (!h->certificate && certificate_of(c) == NULL &&
            connections_of(c) == h->connections &&
            is_text(params_text(p, "ip_address"), h->ip_address) &&
            is_text(params_text(p, "secret_token"), h->secret));
}

static json_t *put_hook(struct call *c, const char *url)
{
    struct hook *h = &c->bot->hook;
    const char *ip = params_text(&c->params, "ip_address");
    if (!check(c))
        return NULL;
    h->url = mem_strdup(url);
    h->secret = mem_strdup(params_text(&c->params, "secret_token"));
    h->ip_address = *ip != '\0' ? mem_strdup(ip) : NULL;
    h->certificate = certificate_of(c) != NULL;
    h->connections = connections_of(c);
    queue_allow(&c->bot->queue, params_text(&c->params, "allowed_updates"));
    if (c->sim->client != NULL)
        h->delivery = delivery_new(c->sim, c->bot);
    c->note = "Webhook was set";
    return json_true();
}

/* In the order of the real server: the webhook that was goes before the
 * values of the new one are looked at. */
static json_t *change_hook(struct call *c, const char *url)
{
    struct hook *h = &c->bot->hook;
    struct queue *q = &c->bot->queue;
    bool was_set = h->url != NULL;
    if (*url != '\0' && is_too_soon(c))
        return NULL;
    if (is_same(c, url)) {
        queue_allow(q, params_text(&c->params, "allowed_updates"));
        c->note =
            was_set ? "Webhook is already set" : "Webhook is already deleted";
        return json_true();
    }
    if (*url != '\0')
        long_poll_end(&c->bot->poll);
    hook_clear(h);
    if (params_bool(&c->params, "drop_pending_updates"))
        queue_drop(q, 0);
    if (*url != '\0')
        return put_hook(c, url);
    c->note = was_set ? "Webhook was deleted" : "Webhook is already deleted";
    return json_true();
}

json_t *method_set_webhook(struct call *c)
{
    return change_hook(c, params_text(&c->params, "url"));
}

json_t *method_delete_webhook(struct call *c)
{
    return change_hook(c, "");
}

static json_t *ip_address_of(const struct hook *h)
{
    char host[ADDRESS_MAX];
    if (h->ip_address != NULL)
        return json_string(h->ip_address);
    address_host(h->url, host);
    if (strcmp(host, "localhost") == 0)
        return json_string("127.0.0.1");
    return json_string(address_is_ip(host) ? host : "<unknown>");
}

json_t *method_get_webhook_info(struct call *c)
{
    struct queue *q = &c->bot->queue;
    const struct hook *h = &c->bot->hook;
    json_t *info = json_object();
    queue_expire(q);
    sim_set(info, "url", json_string(h->url != NULL ? h->url : ""));
    sim_set(info, "has_custom_certificate", json_boolean(h->certificate));
    sim_set(info, "pending_update_count",
            json_integer((json_int_t)q->live_count));
    if (h->error != NULL) {
        sim_set(info, "last_error_date", json_integer(h->error_date));
        sim_set(info, "last_error_message", json_string(h->error));
    }
    if (h->url != NULL) {
        sim_set(info, "max_connections", json_integer(h->connections));
        sim_set(info, "ip_address", ip_address_of(h));
    }
    if (!queue_default_filter(q))
        sim_set(info, "allowed_updates", queue_allowed(q));
    return info;
}
