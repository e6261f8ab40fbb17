#include "sim/markup.h"

#include "base/mem.h"
#include "sim/core.h"
#include "sim/markup_parser.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool markup_fail(struct markup *m, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_clear(m->out);
    buf_puts(m->out, text);
    return false;
}

static void count(struct markup *m, unsigned char c)
{
    if ((c & 0xc0) != 0x80)
        m->units += 1 + (c >= 0xf0);
}

void markup_take(struct markup *m)
{
    char c = m->text[m->at++];
    count(m, (unsigned char)c);
    buf_putc(m->out, c);
}

void markup_put_code_point(struct markup *m, uint32_t code)
{
    char utf8[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; code >>= 6)
        utf8[i] = (char)(0x80 | (code & 0x3f));
    utf8[0] = (char)(heads[len] | code);
    count(m, (unsigned char)utf8[0]);
    buf_append(m->out, utf8, len);
}

bool markup_is_space(char c)
{
    return c == '\0' || strchr(" \t\r\n\v", c) != NULL;
}

void markup_begin(struct markup *m, const char *type, char *argument, size_t at)
{
    m->open = mem_grow(m->open, m->open_count + 1, sizeof(*m->open));
    m->open[m->open_count++] = (struct markup_open){
        .type = type,
        .argument = argument,
        .offset = m->units,
        .out_at = m->out->len,
        .at = at,
    };
}

struct markup_open *markup_innermost(struct markup *m)
{
    return m->open_count > 0 ? &m->open[m->open_count - 1] : NULL;
}

void markup_forget(struct markup *m)
{
    free(m->open[--m->open_count].argument);
}

void markup_add(struct markup *m, int64_t from, const char *type, json_t *more)
{
    if (m->units == from) {
        json_decref(more);
        return;
    }
    m->found = mem_grow(m->found, m->found_count + 1, sizeof(*m->found));
    m->found[m->found_count++] = (struct markup_entity){
        .offset = from,
        .length = m->units - from,
        .type = type,
        .more = more,
    };
}

/* With its scheme, and a slash behind a bare host, as the server has it.
 * NULL: no address. */
static char *full_address(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "tg://"};
    size_t scheme = 0;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            scheme = strlen(schemes[i]);
    const char *host = url + scheme;
    size_t len = strcspn(host, "/?#");
    bool is_web = strncasecmp(url, "tg:", 3) != 0;
    bool is_host = len > 0 && strcspn(host, " \t\r\n:@") >= len &&
                   memchr(host, '.', len) != NULL && host[0] != '.' &&
                   host[len - 1] != '.';
    bool with_port = len > 0 && memchr(host, ':', len) != NULL &&
                     isdigit((unsigned char)host[len - 1]);
    if (len == 0 || (is_web && !is_host && !with_port))
        return NULL;
    return mem_printf("%s%s%s", scheme == 0 ? "http://" : "", url,
                      is_web && host[len] == '\0' ? "/" : "");
}

/* Of people whom the bot cannot know nothing stays. */
static void add_mention(struct markup *m, int64_t from, int64_t id)
{
    const struct user *user = world_user(m->world, id);
    if (user != NULL)
        markup_add(m, from, "text_mention",
                   json_pack("{s:O}", "user", user->json));
}

void markup_add_link(struct markup *m, int64_t from, const char *url)
{
    static const char person[] = "tg://user?id=";
    size_t len = sizeof(person) - 1;
    if (strncasecmp(url, person, len) == 0) {
        add_mention(m, from, strtoll(url + len, NULL, 10));
        return;
    }
    char *address = full_address(url);
    if (address != NULL)
        markup_add(m, from, "text_link", json_pack("{s:s}", "url", address));
    free(address);
}

static int by_place(const void *a, const void *b)
{
    const struct markup_entity *left = a;
    const struct markup_entity *right = b;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return (left->length < right->length) - (left->length > right->length);
}

static json_t *entity_view(const struct markup_entity *e)
{
    json_t *view = json_object();
    sim_set(view, "offset", json_integer(e->offset));
    sim_set(view, "length", json_integer(e->length));
    sim_set(view, "type", json_string(e->type));
    json_object_update(view, e->more);
    return view;
}

static json_t *entities_view(struct markup *m)
{
    json_t *list = json_array();
    if (m->found_count > 1)
        qsort(m->found, m->found_count, sizeof(*m->found), by_place);
    for (size_t i = 0; i < m->found_count; i++)
        json_array_append_new(list, entity_view(&m->found[i]));
    return list;
}

static void clear(struct markup *m)
{
    while (m->open_count > 0)
        markup_forget(m);
    for (size_t i = 0; i < m->found_count; i++)
        json_decref(m->found[i].more);
    free(m->open);
    free(m->found);
}

bool markup_mode_parse(const char *name, enum markup_mode *mode)
{
    static const char *const names[] = {
        [MARKUP_NONE] = "none",
        [MARKUP_MARKDOWN] = "markdown",
        [MARKUP_MARKDOWN_V2] = "markdownv2",
        [MARKUP_HTML] = "html",
    };
    *mode = MARKUP_NONE;
    for (int i = MARKUP_NONE; i <= MARKUP_HTML; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            *mode = (enum markup_mode)i;
            return true;
        }
    }
    return *name == '\0';
}

static bool parse(struct markup *m, enum markup_mode mode)
{
    switch (mode) {
    case MARKUP_NONE:
        buf_append(m->out, m->text, m->len);
        return true;
    case MARKUP_MARKDOWN:
        return markup_markdown(m);
    case MARKUP_MARKDOWN_V2:
        return markup_markdown_v2(m);
    case MARKUP_HTML:
        return markup_html(m);
    }
    return true;
}

bool markup_parse(const struct world *w, enum markup_mode mode,
                  const char *text, size_t len, struct buf *out,
                  json_t **entities)
{
    struct markup m = {.world = w, .text = text, .len = len, .out = out};
    bool fine = parse(&m, mode);
    *entities = fine ? entities_view(&m) : NULL;
    clear(&m);
    return fine;
}
