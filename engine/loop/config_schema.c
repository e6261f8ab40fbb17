#include "loop/config_schema.h"

#include "base/mem.h"
#include "base/nearest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo"
#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define MB (INT64_C(1) << 20)
#define GB (INT64_C(1) << 30)

static bool starts_with(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 && text[len] != '\0';
}

static bool is_line(const char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            return false;
    return true;
}

static bool is_graphic(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isgraph((unsigned char)*text))
            return false;
    return true;
}

static bool is_bot_token(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *rest = text + digits + 1;

    return digits > 0 && text[digits] == ':' && *rest != '\0' &&
           rest[strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static bool is_http_url(const char *text)
{
    const char *host = strstr(text, "://");

    return is_graphic(text) && host != NULL && !strchr("/:?#@", host[3]) &&
           (starts_with(text, "http://") || starts_with(text, "https://"));
}

static bool is_proxy(const char *text)
{
    return is_graphic(text) &&
           (starts_with(text, "http://") || starts_with(text, "https://") ||
            starts_with(text, "socks5://") || starts_with(text, "socks5h://"));
}

/* libc takes a zone that it does not know for UTC, without a word. */
static bool is_zone(const char *text)
{
    struct stat s;

    if (!is_graphic(text) || *text == '/' || strstr(text, "..") != NULL)
        return false;
    if (*text == '\0' || access(ZONES, F_OK) != 0)
        return true;
    char *path = mem_printf("%s/%s", ZONES, text);
    bool known = stat(path, &s) == 0 && S_ISREG(s.st_mode);
    free(path);
    return known;
}

/* The form that setWebhook asks for. */
static bool is_webhook_secret(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return text[len] == '\0' && len >= 1 && len <= 256;
}

/* sqlite://x is refused, because tools disagree on what x is relative to. */
static bool is_database_url(const char *text)
{
    if (starts_with(text, "sqlite:"))
        return is_line(text) && !starts_with(text, "sqlite://");
    return is_graphic(text) && (starts_with(text, "postgresql://") ||
                                starts_with(text, "postgres://"));
}

static bool is_redis_url(const char *text)
{
    return is_graphic(text) &&
           (starts_with(text, "redis://") || starts_with(text, "rediss://") ||
            starts_with(text, "unix://"));
}

static const struct setting_form line = {.fits = is_line,
                                         .allowed = "one line of text"};
static const struct setting_form word = {.fits = is_graphic,
                                         .allowed = "a text without spaces"};
static const struct setting_form zone = {
    .fits = is_zone, .allowed = "a time zone like Europe/Berlin"};
static const struct setting_form secret_line = {
    .fits = is_line, .allowed = "one line of text", .secret = true};
static const struct setting_form secret_word = {
    .fits = is_graphic, .allowed = "a text without spaces", .secret = true};
static const struct setting_form bot_token = {
    .fits = is_bot_token,
    .allowed = "a token like 123456:ABC-def (digits, colon, rest)",
    .secret = true};
static const struct setting_form api_url = {
    .fits = is_http_url,
    .allowed = "an address that begins with http:// or https://"};
static const struct setting_form webhook_url = {
    .fits = is_http_url,
    .allowed = "an address that begins with https://",
    .secret = true,
    .url = true};
static const struct setting_form proxy_url = {
    .fits = is_proxy,
    .allowed = "a proxy like http://host:3128 or socks5h://host:1080",
    .secret = true,
    .url = true};
static const struct setting_form webhook_secret = {
    .fits = is_webhook_secret,
    .allowed = "1 to 256 letters, digits, _ or -",
    .secret = true};
static const struct setting_form database_url = {
    .fits = is_database_url,
    .allowed = "sqlite:PATH or postgresql://…",
    .secret = true,
    .url = true};
static const struct setting_form redis_url = {
    .fits = is_redis_url,
    .allowed = "redis://…, rediss://… or unix://…",
    .secret = true,
    .url = true};

static const char *const levels[] = {"debug", "info", "warn",
                                     "error", "off",  NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const stores[] = {"database", "redis", NULL};

/* clang-format off */
#define AT(field) offsetof(struct config, field)
#define TEXT(name, field, value, form_)                                       \
    {name, SETTING_TEXT, AT(field), value, 0, 0, NULL, &(form_)}
#define PATH(name, field, value)                                              \
    {name, SETTING_PATH, AT(field), value, 0, 0, NULL, &line}
#define INT(name, field, value, min, max)                                     \
    {name, SETTING_INT, AT(field), value, min, max, NULL, NULL}
#define REAL(name, field, value, min, max)                                    \
    {name, SETTING_REAL, AT(field), value, min, max, NULL, NULL}
#define TIME(name, field, value, min, max)                                    \
    {name, SETTING_DURATION, AT(field), value, min, max, NULL, NULL}
#define SIZE(name, field, value, min, max)                                    \
    {name, SETTING_SIZE, AT(field), value, min, max, NULL, NULL}
#define BOOL(name, field, value)                                              \
    {name, SETTING_BOOL, AT(field), value, 0, 0, NULL, NULL}
#define WORD(name, field, value, words, first)                                \
    {name, SETTING_WORD, AT(field), value, first, 0, words, NULL}
#define IDS(name, field)                                                      \
    {name, SETTING_IDS, AT(field), "", 1, (INT64_C(1) << 52) - 1, NULL, NULL}
/* clang-format on */

const struct setting config__settings[] = {
    TEXT("BOT_TOKEN", bot_token, "", bot_token),
    TEXT("BOT_API_URL", bot_api_url, "https://api.telegram.org", api_url),
    TEXT("HTTPS_PROXY", https_proxy, "", proxy_url),
    TEXT("NO_PROXY", no_proxy, "", line),
    PATH("SSL_CERT_FILE", ssl_cert_file, ""),
    IDS("ADMIN_IDS", admin_ids),
    PATH("SCRIPTS_DIR", scripts_dir, "scripts/bot"),
    PATH("DATA_DIR", data_dir, "./data"),
    TEXT("TZ", tz, "", zone),
    WORD("LOG_LEVEL", log_level, "info", levels, 0),
    WORD("LOG_FORMAT", log_format, "text", formats, 0),
    TEXT("HTTP_HOST", http_host, "127.0.0.1", word),
    INT("HTTP_PORT", http_port, "8080", 1, 65535),
    TEXT("CONSOLE_TOKEN", console_token, "", secret_word),
    TEXT("WEBHOOK_URL", webhook_url, "", webhook_url),
    TEXT("WEBHOOK_SECRET", webhook_secret, "", webhook_secret),

    TEXT("DATABASE_URL", database_url, "", database_url),
    TEXT("POSTGRES_HOST", postgres_host, "", word),
    INT("POSTGRES_PORT", postgres_port, "5432", 1, 65535),
    TEXT("POSTGRES_USER", postgres_user, "", line),
    TEXT("POSTGRES_PASSWORD", postgres_password, "", secret_line),
    TEXT("POSTGRES_DB", postgres_db, "", line),
    INT("POSTGRES_POOL_SIZE", postgres_pool_size, "10", 1, 1000),
    INT("POSTGRES_MAX_OVERFLOW", postgres_max_overflow, "20", 0, 1000),
    TIME("POSTGRES_POOL_RECYCLE", postgres_pool_recycle_ms, "3600", 1000,
         365 * DAY_MS),
    TIME("POSTGRES_POOL_TIMEOUT", postgres_pool_timeout_ms, "30", 1, DAY_MS),
    BOOL("POSTGRES_POOL_PRE_PING", postgres_pool_pre_ping, "true"),

    TEXT("REDIS_URL", redis_url, "", redis_url),
    TEXT("REDIS_HOST", redis_host, "", word),
    INT("REDIS_PORT", redis_port, "6379", 1, 65535),
    INT("REDIS_DB", redis_db, "0", 0, 65535),
    TEXT("REDIS_PASSWORD", redis_password, "", secret_line),
    WORD("STATE_STORE", state_store, "", stores, STATE_STORE_DATABASE),
    TEXT("RQ_REDIS_URL", rq_redis_url, "", redis_url),
    TEXT("RQ_QUEUE_NAME", rq_queue_name, "default", word),
    INT("WORKERS", workers, "4", 0, 1000),

    TIME("REQUEST_TIMEOUT", request_timeout_ms, "30", 1, DAY_MS),
    TIME("FILE_DOWNLOAD_TIMEOUT", file_download_timeout_ms, "300", 1, DAY_MS),
    TIME("TRANSFER_STALL_TIMEOUT", transfer_stall_timeout_ms, "30", 1, DAY_MS),
    TIME("DB_TIMEOUT", db_timeout_ms, "30", 1, DAY_MS),
    INT("MAX_RETRIES", max_retries, "3", 0, 100),
    REAL("RETRY_BACKOFF_BASE", retry_backoff_base, "2.0", 1, 100),

    INT("BROADCAST_BATCH_SIZE", broadcast_batch_size, "30", 1, 1000),
    REAL("BROADCAST_RATE", broadcast_rate, "30", 0, 1000),
    TIME("BROADCAST_DELAY", broadcast_delay_ms, "0", 0, HOUR_MS),
    BOOL("BROADCAST_PAID", broadcast_paid, "false"),

    BOOL("HOT_RELOAD", hot_reload, "true"),
    TIME("HANDLER_CPU_LIMIT", handler_cpu_limit_ms, "200ms", 1, HOUR_MS),
    TIME("HANDLER_TIMEOUT", handler_timeout_ms, "10m", 1, 365 * DAY_MS),
    SIZE("LUA_MEMORY_LIMIT", lua_memory_limit, "256M", MB, 1024 * GB),
    INT("INBOX_LIMIT", inbox_limit, "100000", 1, 100000000),
    TIME("SHUTDOWN_TIMEOUT", shutdown_timeout_ms, "10", 0, DAY_MS),
    BOOL("SANDBOX", sandbox, "true"),
    BOOL("CORE_DUMPS", core_dumps, "false"),
};

const size_t config__setting_count =
    sizeof(config__settings) / sizeof(config__settings[0]);

bool config__is_secret(const struct setting *row)
{
    return row->form != NULL && row->form->secret;
}

int config__find(const char *name, size_t len)
{
    for (size_t i = 0; i < config__setting_count; i++)
        if (strlen(config__settings[i].name) == len &&
            strncasecmp(config__settings[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

const char *config_nearest(const char *name)
{
    struct nearest n = nearest_to(name);

    for (size_t i = 0; i < config__setting_count; i++)
        nearest_try(&n, config__settings[i].name);
    return n.found;
}
