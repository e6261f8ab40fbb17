/* Rules over several settings, checked once each of them is right. */

#include "loop/config_schema.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FREE_RATE 30 /* messages a second that Telegram allows everybody */

static size_t row_of(const char *name)
{
    return (size_t)config__find(name, strlen(name));
}

static bool api_is_telegram(const struct config *c)
{
    static const char host[] = "api.telegram.org";
    const char *at = strstr(c->bot_api_url, "://") + 3;
    size_t len = sizeof(host) - 1;

    return strncasecmp(at, host, len) == 0 && strchr("/:?", at[len]) != NULL;
}

/* What a table of routes would not take literally. */
static bool has_odd_path(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    const char *path = host + strcspn(host, "/?#");
    size_t len = strcspn(path, "?#");

    return strcspn(path, "*%") < len;
}

static int check_webhook(const struct config *c, struct err *e)
{
    if (c->webhook_url[0] == '\0')
        return 0;
    if (c->webhook_secret[0] == '\0')
        return config__fail(c, row_of("WEBHOOK_URL"), e,
                            "needs WEBHOOK_SECRET, which is not set");
    if (has_odd_path(c->webhook_url))
        return config__fail(c, row_of("WEBHOOK_URL"), e,
                            "must have neither * nor %% in its path");
    if (strncasecmp(c->webhook_url, "http://", 7) == 0 && api_is_telegram(c))
        return config__fail(c, row_of("WEBHOOK_URL"), e,
                            "must begin with https:// (http:// only with a "
                            "BOT_API_URL other than Telegram's)");
    return 0;
}

static int check_broadcast(const struct config *c, struct err *e)
{
    if (c->broadcast_rate > FREE_RATE && !c->broadcast_paid &&
        api_is_telegram(c))
        return config__fail(c, row_of("BROADCAST_RATE"), e,
                            "must be 0..30 without BROADCAST_PAID or a "
                            "BOT_API_URL other than Telegram's, got \"%g\"",
                            c->broadcast_rate);
    return 0;
}

static int check_state_store(const struct config *c, struct err *e)
{
    if (c->state_store == STATE_STORE_REDIS && c->redis_url[0] == '\0' &&
        c->redis_host[0] == '\0')
        return config__fail(c, row_of("STATE_STORE"), e,
                            "= redis needs REDIS_URL or REDIS_HOST, neither "
                            "is set");
    return 0;
}

/* Else each connection would fail, one by one. */
static int check_certificates(const struct config *c, struct err *e)
{
    if (c->ssl_cert_file[0] != '\0' && access(c->ssl_cert_file, R_OK) != 0)
        return config__fail(c, row_of("SSL_CERT_FILE"), e,
                            "must be a file of certificates, got \"%s\": %s",
                            c->ssl_cert_file, strerror(errno));
    return 0;
}

int config__check_rules(const struct config *c, struct err *e)
{
    static int (*const checks[])(const struct config *, struct err *) = {
        check_webhook, check_broadcast, check_state_store, check_certificates};

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (checks[i](c, e) != 0)
            return ERR_CONFIG;
    return 0;
}
