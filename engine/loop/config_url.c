/* Settings that are URLs: what their parts are, that they win over the
 * settings of those parts, and which of them hold a password. */

#include "loop/config_schema.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static size_t row_of(const char *name)
{
    return (size_t)config__find(name, strlen(name));
}

static bool is_set(const struct config *c, size_t row)
{
    return strcmp(config_origin(c, config__settings[row].name), "default") != 0;
}

enum url_part {
    URL_HOST,
    URL_PORT,
    URL_USER,
    URL_PASSWORD,
    URL_PATH,
    URL_PARTS, /* their number */
};

struct url {
    char *part[URL_PARTS]; /* decoded; "" if the URL does not say */
};

struct part_row {
    const char *name;
    enum url_part part;
};

struct family {
    const char *url;
    struct part_row parts[6];
};

static const struct family families[] = {
    {"DATABASE_URL",
     {{"POSTGRES_HOST", URL_HOST},
      {"POSTGRES_PORT", URL_PORT},
      {"POSTGRES_USER", URL_USER},
      {"POSTGRES_PASSWORD", URL_PASSWORD},
      {"POSTGRES_DB", URL_PATH},
      {NULL, 0}}},
    {"REDIS_URL",
     {{"REDIS_HOST", URL_HOST},
      {"REDIS_PORT", URL_PORT},
      {"REDIS_DB", URL_PATH},
      {"REDIS_PASSWORD", URL_PASSWORD},
      {NULL, 0}}},
};

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    if (c >= '0' && c <= '9')
        return c - '0';
    return at != NULL ? (int)(at - digits) : -1;
}

static char *decode(const char *p, const char *end)
{
    struct buf out = {0};

    for (; p < end; p++) {
        int high = end - p > 2 && *p == '%' ? hex_digit(p[1]) : -1;
        int low = high >= 0 ? hex_digit(p[2]) : -1;

        if (low < 0) {
            buf_putc(&out, *p);
            continue;
        }
        buf_putc(&out, (char)(high * 16 + low));
        p += 2;
    }
    return buf_steal(&out);
}

/* Last c in [p, end), or `otherwise`. */
static const char *last(const char *p, const char *end, char c,
                        const char *otherwise)
{
    const char *at = memrchr(p, c, (size_t)(end - p));

    return at != NULL ? at : otherwise;
}

/* sqlite:PATH has no host. */
static const char *behind_scheme(const char *text)
{
    const char *scheme = strstr(text, "://");

    return scheme != NULL ? scheme + 3 : text;
}

static void split_url(struct url *u, const char *text)
{
    const char *first = behind_scheme(text);
    const char *end = first + strcspn(first, "/?#");
    const char *path = *end == '/' ? end + 1 : end;
    const char *at = last(first, end, '@', NULL);
    const char *host = at != NULL ? at + 1 : first;
    const char *bracket = last(host, end, ']', host);
    const char *port = last(bracket, end, ':', end);
    const char *name_end = at != NULL ? at : first;
    const char *colon = memchr(first, ':', (size_t)(name_end - first));

    if (colon == NULL)
        colon = name_end;
    u->part[URL_HOST] = *host == '[' && bracket > host
                            ? decode(host + 1, bracket)
                            : decode(host, port);
    u->part[URL_PORT] = decode(port + (port < end), end);
    u->part[URL_USER] = decode(first, colon);
    u->part[URL_PASSWORD] = decode(colon + (colon < name_end), name_end);
    u->part[URL_PATH] = decode(path, path + strcspn(path, "?#"));
}

static void free_url(struct url *u)
{
    for (int i = 0; i < URL_PARTS; i++) {
        explicit_bzero(u->part[i], strlen(u->part[i]));
        free(u->part[i]);
    }
}

static const char *text_of(const struct config *c, const struct setting *row)
{
    const char *text;

    memcpy(&text, (const char *)c + row->offset, sizeof(text));
    return text;
}

static bool part_differs(const struct config *c, const struct setting *row,
                         const char *in_url)
{
    const char *field = (const char *)c + row->offset;
    const char *wanted = *in_url != '\0' ? in_url : row->fallback;

    if (row->type == SETTING_INT) {
        int value;
        memcpy(&value, field, sizeof(value));
        return value != atoi(wanted);
    }
    return strcmp(text_of(c, row), wanted) != 0;
}

/* The parts become unset, so that nobody can take them for what counts. */
static void url_wins(struct config *c, const struct family *f,
                     const struct config_warn *warn)
{
    const struct setting *url_row = &config__settings[row_of(f->url)];
    struct url url;
    struct buf differing = {0};
    split_url(&url, text_of(c, url_row));
    for (const struct part_row *p = f->parts; p->name != NULL; p++) {
        const struct setting *row = &config__settings[row_of(p->name)];

        if (is_set(c, row_of(p->name)) &&
            part_differs(c, row, url.part[p->part]))
            buf_printf(&differing, "%s%s (%s)", differing.len > 0 ? ", " : "",
                       p->name, config_origin(c, p->name));
        config__reset(c, row);
    }
    free_url(&url);
    if (differing.len > 0) {
        char *line =
            mem_printf("%s: %s wins over %s, which it differs from",
                       config_origin(c, f->url), f->url, differing.data);
        warn->line(warn->arg, line);
        free(line);
    }
    buf_free(&differing);
}

void config__urls_win(struct config *c, const struct config_warn *warn)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (is_set(c, row_of(families[i].url)))
            url_wins(c, &families[i], warn);
}

/* The password of a URL, as it stands there and decoded: both may appear in
 * a message of a library. */
static void hide_in_url(const char *text, void (*hide)(void *, const char *),
                        void *arg)
{
    const char *first = behind_scheme(text);
    const char *end = first + strcspn(first, "/?#");
    const char *at = last(first, end, '@', first);
    const char *colon = memchr(first, ':', (size_t)(at - first));
    struct url url;

    if (colon == NULL)
        return;
    char *raw = mem_dup(colon + 1, (size_t)(at - colon - 1));

    split_url(&url, text);
    hide(arg, raw);
    if (strcmp(raw, url.part[URL_PASSWORD]) != 0)
        hide(arg, url.part[URL_PASSWORD]);
    free_url(&url);
    explicit_bzero(raw, strlen(raw));
    free(raw);
}

void config_secrets(const struct config *c,
                    void (*hide)(void *arg, const char *secret), void *arg)
{
    for (size_t i = 0; i < config__setting_count; i++) {
        const struct setting *row = &config__settings[i];

        if (!config__is_secret(row))
            continue;
        const char *text = text_of(c, row);

        if (row->form->url)
            hide_in_url(text, hide, arg);
        else if (*text != '\0')
            hide(arg, text);
    }
}
