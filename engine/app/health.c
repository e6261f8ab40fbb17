#include "app/health.h"

#include "base/buf.h"
#include "base/clock.h"
#include "net/routes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    bool needed; /* down: not ready; else only degraded */
} components[HEALTH_COMPONENTS] = {
    [HEALTH_DATABASE] = {"database", true},
    [HEALTH_REDIS] = {"redis", false},
    [HEALTH_TELEGRAM] = {"telegram", false},
    [HEALTH_INBOX] = {"inbox", true},
    [HEALTH_QUEUE] = {"queue", false},
    [HEALTH_SCRIPTS] = {"scripts", true},
};

void health_init(struct health *h, const struct clock *clock)
{
    memset(h, 0, sizeof *h);
    h->clock = clock;
    for (int c = 0; c < HEALTH_COMPONENTS; c++)
        h->components[c].since_ms = clock_unix_ms(clock);
}

void health_set(struct health *h, enum health_component c,
                enum health_state state)
{
    if (h->components[c].state == state)
        return;
    h->components[c].state = state;
    h->components[c].since_ms = clock_unix_ms(h->clock);
}

bool health_is_ready(const struct health *h)
{
    for (int c = 0; c < HEALTH_COMPONENTS; c++)
        if (components[c].needed && h->components[c].state == HEALTH_DOWN)
            return false;
    return !h->stopping && !h->standby;
}

static bool is_degraded(const struct health *h)
{
    for (int c = 0; c < HEALTH_COMPONENTS; c++)
        if (h->components[c].state == HEALTH_DOWN)
            return true;
    return false;
}

static const char *state_name(enum health_state state)
{
    switch (state) {
    case HEALTH_OFF:
        return "off";
    case HEALTH_UP:
        return "up";
    case HEALTH_DOWN:
        return "down";
    }
    return "";
}

static void serve_health(struct exchange *x, void *arg)
{
    static const char body[] = "{\"ok\":true}";
    (void)arg;
    exchange_reply(x, 200, "application/json", body, strlen(body));
}

void health_put(const struct health *h, struct buf *b)
{
    buf_printf(b,
               "\"role\":\"%s\",\"ready\":%s,\"degraded\":%s,"
               "\"components\":{",
               h->standby ? "standby" : "active",
               health_is_ready(h) ? "true" : "false",
               is_degraded(h) ? "true" : "false");
    for (int c = 0; c < HEALTH_COMPONENTS; c++)
        buf_printf(b, "%s\"%s\":{\"state\":\"%s\",\"since\":%.3f}",
                   c ? "," : "", components[c].name,
                   state_name(h->components[c].state),
                   (double)h->components[c].since_ms / 1000);
    buf_putc(b, '}');
}

static void serve_ready(struct exchange *x, void *arg)
{
    const struct health *h = arg;
    struct buf b = {0};

    buf_putc(&b, '{');
    health_put(h, &b);
    buf_putc(&b, '}');
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_reply(x, health_is_ready(h) ? 200 : 503, "application/json",
                   b.data, b.len);
    buf_free(&b);
}

static bool is_health_path(const char *path)
{
    return strcmp(path, "/health") == 0 || strcmp(path, "/ready") == 0;
}

static bool is_webhook(const struct health *h, const struct exchange *x)
{
    return h->webhook_path && strcmp(exchange_method(x), "POST") == 0 &&
           strcmp(exchange_path(x), h->webhook_path) == 0;
}

static bool is_open_path(const char *path)
{
    return strcmp(path, "/webhook") == 0 || strncmp(path, "/x/", 3) == 0;
}

/* "localhost", "127.x.y.z" or "[::1]", with any port. */
static bool is_loopback_host(const char *host)
{
    if (!host)
        return false;
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (n == 9 && strncasecmp(host, "localhost", 9) == 0)
        return true;
    if (n == 5 && strncmp(host, "[::1]", 5) == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n;
}

static bool is_forwarded(const struct exchange *x)
{
    return exchange_header(x, "Forwarded") || exchange_header(x, "X-Real-IP") ||
           exchange_header_begins(x, "X-Forwarded");
}

/* A page of another site can make a browser on this machine send requests
 * here; the browser tells where the page is from. */
static bool is_foreign_page(const struct exchange *x)
{
    const char *origin = exchange_header(x, "Origin");
    const char *host = exchange_header(x, "Host");
    if (!origin)
        return false;
    const char *name = strstr(origin, "://");
    return !name || !host || strcmp(name + 3, host) != 0;
}

/* 503 tells Telegram and balancers to try the other engine, or later. */
static bool is_for_active(struct exchange *x, const struct health *h)
{
    if (!h->standby)
        return false;
    exchange_add_header(x, "Retry-After", "1");
    exchange_fail(x, 503, "this engine is a standby");
    return true;
}

static bool guard(struct exchange *x, void *arg)
{
    const struct health *h = arg;
    if (is_health_path(exchange_path(x)))
        return true;
    if (is_for_active(x, h))
        return false;
    if (is_open_path(exchange_path(x)) || is_webhook(h, x))
        return true;
    if (h->webhook_path) {
        exchange_fail(x, 403, "with WEBHOOK_URL this needs a CONSOLE_TOKEN");
        return false;
    }
    if (!exchange_peer_is_loopback(x) || is_forwarded(x) ||
        !is_loopback_host(exchange_header(x, "Host"))) {
        exchange_fail(x, 403,
                      "only this machine may use this without a "
                      "CONSOLE_TOKEN");
        return false;
    }
    if (is_foreign_page(x)) {
        exchange_fail(x, 403, "a page of another origin may not do this");
        return false;
    }
    return true;
}

void health_mount(struct health *h, struct routes *routes)
{
    routes_guard(routes, guard, h);
    routes_add(routes, "GET", "/health", serve_health, h);
    routes_add(routes, "GET", "/ready", serve_ready, h);
}
