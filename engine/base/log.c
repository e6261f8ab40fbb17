#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define LINE_BOUND (8192 - 16) /* leaves room to say that a line was cut */
#define SECRET_MIN 4

struct log {
    int fd;
    enum log_level level;
    enum log_format format;
    const struct clock *clock;
    pthread_mutex_t writing; /* pipes mix lines longer than PIPE_BUF */
    char **secrets;          /* longest first: one may hold another */
    size_t secret_count;
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn",
    [LOG_ERROR] = "error", [LOG_OFF] = "off",
};

struct log *log_new(int fd, enum log_level level, enum log_format format,
                    const struct clock *clock)
{
    struct log *log = MEM_NEW(struct log);

    log->fd = fd;
    log->level = level;
    log->format = format;
    log->clock = clock;
    pthread_mutex_init(&log->writing, NULL);
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    for (size_t i = 0; i < log->secret_count; i++) {
        explicit_bzero(log->secrets[i], strlen(log->secrets[i]));
        free(log->secrets[i]);
    }
    free(log->secrets);
    pthread_mutex_destroy(&log->writing);
    free(log);
}

bool log_parse_level(const char *name, enum log_level *out)
{
    for (enum log_level l = LOG_DEBUG; l <= LOG_OFF; l++) {
        if (strcasecmp(name, level_names[l]) == 0) {
            *out = l;
            return true;
        }
    }
    return false;
}

bool log_enabled(const struct log *log, enum log_level level)
{
    return log != NULL && level >= log->level && level < LOG_OFF;
}

void log_hide(struct log *log, const char *secret)
{
    if (log == NULL || secret == NULL || strlen(secret) < SECRET_MIN)
        return;
    size_t n = log->secret_count++;

    log->secrets = mem_grow(log->secrets, n + 1, sizeof(*log->secrets));
    for (; n > 0 && strlen(log->secrets[n - 1]) < strlen(secret); n--)
        log->secrets[n] = log->secrets[n - 1];
    log->secrets[n] = mem_strdup(secret);
}

/* Length of the secret that begins at p; 0: none does. */
static size_t secret_at(const struct log *log, const char *p)
{
    for (size_t i = 0; i < log->secret_count; i++) {
        size_t len = strlen(log->secrets[i]);
        if (strncmp(p, log->secrets[i], len) == 0)
            return len;
    }
    return 0;
}

static bool has_secret(const struct log *log, const char *text)
{
    for (size_t i = 0; i < log->secret_count; i++)
        if (strstr(text, log->secrets[i]) != NULL)
            return true;
    return false;
}

/* The text without secrets; `scratch` holds it if it had some. */
static const char *redact(const struct log *log, const char *text,
                          struct buf *scratch)
{
    if (!has_secret(log, text))
        return text;
    buf_clear(scratch);
    while (*text != '\0') {
        size_t len = secret_at(log, text);
        if (len > 0)
            buf_puts(scratch, "***");
        else
            buf_putc(scratch, *text);
        text += len > 0 ? len : 1;
    }
    return scratch->data;
}

/* Whether a word of a text line needs no quotes. */
static bool is_bare(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\')
            return false;
    }
    return len > 0;
}

static void put_word(const struct log *log, struct buf *line, const char *text,
                     size_t len)
{
    if (log->format == LOG_TEXT && is_bare(text, len))
        buf_append(line, text, len);
    else
        js_put_string(line, text, len);
}

/* Shortens a text of len bytes to at most `part` of `whole`. */
static size_t shorten(const char *text, size_t len, size_t part, size_t whole)
{
    len = len * part / whole;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    return len;
}

/* Appends a word, cut so that the line stays within its bound. What a byte
 * takes depends on its escape, so the right length is approached. False if
 * it was cut. */
static bool put_bounded(const struct log *log, struct buf *line,
                        const char *text)
{
    size_t start = line->len;
    size_t room = LINE_BOUND - start;
    size_t len = strnlen(text, LINE_BOUND);

    put_word(log, line, text, len);
    if (line->len <= LINE_BOUND)
        return true;
    while (line->len > LINE_BOUND && len > 0) {
        len = shorten(text, len, room, line->len - start);
        line->len = start;
        put_word(log, line, text, len);
    }
    return false;
}

static void put_number(const struct log *log, struct buf *line,
                       const struct log_field *f)
{
    if (f->type == LOG_TYPE_INT)
        buf_int(line, f->number);
    else if (isfinite(f->real) || log->format == LOG_TEXT)
        buf_printf(line, "%.15g", f->real);
    else
        buf_puts(line, "null");
}

static void put_key(const struct log *log, struct buf *line, const char *key)
{
    if (log->format == LOG_JSON) {
        buf_putc(line, ',');
        js_put_string(line, key, strlen(key));
        buf_putc(line, ':');
        return;
    }
    buf_putc(line, ' ');
    put_word(log, line, key, strlen(key));
    buf_putc(line, '=');
}

/* False, with a shortened text or the line as it was, if there is no room. */
static bool put_field(const struct log *log, struct buf *line,
                      const struct log_field *f, struct buf *scratch)
{
    size_t start = line->len;

    put_key(log, line, f->key);
    if (line->len <= LINE_BOUND && f->type == LOG_TYPE_TEXT) {
        const char *text = f->text != NULL ? f->text : "-";
        return put_bounded(log, line, redact(log, text, scratch));
    }
    if (line->len <= LINE_BOUND)
        put_number(log, line, f);
    if (line->len <= LINE_BOUND)
        return true;
    line->len = start;
    return false;
}

static void put_head(const struct log *log, struct buf *line,
                     enum log_level level)
{
    int64_t ms = clock_unix_ms(log->clock);
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char date[32];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(line,
               log->format == LOG_JSON
                   ? "{\"ts\":\"%s.%03dZ\",\"level\":\"%s\",\"event\":"
                   : "%s.%03dZ %-5s ",
               date, (int)(ms % 1000), level_names[level]);
}

static void put_line(const struct log *log, struct buf *line,
                     enum log_level level, const char *event,
                     const struct log_field *fields)
{
    struct buf scratch = {0};
    bool whole;

    put_head(log, line, level);
    whole = put_bounded(log, line, redact(log, event, &scratch));
    for (; whole && fields->type != LOG_END; fields++)
        whole = put_field(log, line, fields, &scratch);
    if (!whole)
        buf_puts(line, log->format == LOG_JSON ? ",\"cut\":true" : " cut=true");
    buf_puts(line, log->format == LOG_JSON ? "}\n" : "\n");
    buf_free(&scratch);
}

/* A line that cannot be written is lost: there is nobody to tell. */
static void write_whole(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields)
{
    struct buf line = {0};

    if (!log_enabled(log, level))
        return;
    put_line(log, &line, level, event, fields);
    pthread_mutex_lock(&log->writing);
    write_whole(log->fd, line.data, line.len);
    pthread_mutex_unlock(&log->writing);
    buf_free(&line);
}
