#include "sim/markup_parser.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static char ahead(const struct markup *m, size_t n)
{
    return m->at + n <= m->len ? m->text[m->at + n] : '\0';
}

static bool is_fence(const struct markup *m)
{
    return ahead(m, 0) == '`' && ahead(m, 1) == '`' && ahead(m, 2) == '`';
}

/* Behind ```: a language up to a space, and one line break. New or NULL. */
static char *read_language(struct markup *m)
{
    const char *from = m->text + m->at;
    size_t len = 0;
    char *language = NULL;
    while (!markup_is_space(from[len]) && from[len] != '`')
        len++;
    if (len > 0 && from[len] != '\0' && from[len] != '`') {
        language = mem_dup(from, len);
        m->at += len;
    }
    char first = ahead(m, 0);
    char second = ahead(m, 1);
    if (first == '\n' || first == '\r') {
        bool pair = (second == '\n' || second == '\r') && second != first;
        m->at += pair ? 2 : 1;
    }
    return language;
}

static json_t *language_of(const char *language)
{
    return language != NULL ? json_pack("{s:s}", "language", language) : NULL;
}

/* The old Markdown: nothing nests, and inside an entity nothing is escaped. */
struct simple {
    char end;
    bool fenced;
    char *language;
    size_t at;
    int64_t from;
    size_t out_at;
};

static bool simple_ends(const struct markup *m, const struct simple *s)
{
    return s->fenced ? is_fence(m) : ahead(m, 0) == s->end;
}

/* (address) behind the text, or the text itself. */
static void simple_link(struct markup *m, const struct simple *s)
{
    if (ahead(m, 1) != '(') {
        markup_add_link(m, s->from,
                        m->out->len > s->out_at ? m->out->data + s->out_at
                                                : "");
        m->at++;
        return;
    }
    const char *from = m->text + m->at + 2;
    size_t len = strcspn(from, ")");
    char *url = mem_dup(from, len);
    markup_add_link(m, s->from, url);
    free(url);
    m->at += 2 + len;
    m->at += m->at < m->len;
}

static void simple_close(struct markup *m, const struct simple *s)
{
    switch (s->end) {
    case ']':
        simple_link(m, s);
        return;
    case '_':
        markup_add(m, s->from, "italic", NULL);
        break;
    case '*':
        markup_add(m, s->from, "bold", NULL);
        break;
    default:
        markup_add(m, s->from, s->fenced ? "pre" : "code",
                   language_of(s->language));
    }
    m->at += s->fenced ? 3 : 1;
}

static bool simple_entity(struct markup *m)
{
    char c = ahead(m, 0);
    struct simple s = {.end = c == '[' ? ']' : c, .fenced = is_fence(m)};
    s.at = m->at;
    m->at += s.fenced ? 3 : 1;
    if (s.fenced)
        s.language = read_language(m);
    s.from = m->units;
    s.out_at = m->out->len;
    while (m->at < m->len && !simple_ends(m, &s))
        markup_take(m);
    bool ended = m->at < m->len;
    if (ended)
        simple_close(m, &s);
    else
        markup_fail(m,
                    "Can't find end of the entity starting at byte offset %zu",
                    s.at);
    free(s.language);
    return ended;
}

static bool among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool markup_markdown(struct markup *m)
{
    while (m->at < m->len) {
        char c = ahead(m, 0);
        if (c == '\\' && among(ahead(m, 1), "_*`["))
            m->at++;
        else if (among(c, "_*`[")) {
            if (!simple_entity(m))
                return false;
            continue;
        }
        markup_take(m);
    }
    return true;
}

/* MarkdownV2 */

static bool is(const struct markup_open *o, const char *type)
{
    return o != NULL && strcmp(o->type, type) == 0;
}

static bool is_code(const struct markup_open *o)
{
    return is(o, "code") || is(o, "pre");
}

static bool reserved(struct markup *m)
{
    return markup_fail(m,
                       "Character '%c' is reserved and must be escaped with "
                       "the preceding '\\'",
                       ahead(m, 0));
}

/* What the real server calls them. */
static const char *server_name(const char *type)
{
    static const struct {
        const char *type;
        const char *name;
    } names[] = {{"bold", "Bold"},
                 {"italic", "Italic"},
                 {"underline", "Underline"},
                 {"strikethrough", "Strikethrough"},
                 {"spoiler", "Spoiler"},
                 {"code", "Code"},
                 {"pre", "Pre"},
                 {"text_link", "TextUrl"},
                 {"blockquote", "BlockQuote"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].type, type) == 0)
            return names[i].name;
    return "CustomEmoji";
}

static bool unclosed(struct markup *m)
{
    const struct markup_open *o = markup_innermost(m);
    bool language = is(o, "pre") && o->argument != NULL;
    return markup_fail(m, "Can't find end of %s entity at byte offset %zu",
                       language ? "PreCode" : server_name(o->type), o->at);
}

/* Whether the mark at hand ends the innermost entity. */
static bool ends_innermost(struct markup *m)
{
    const struct markup_open *o = markup_innermost(m);
    char c = ahead(m, 0);
    if (o == NULL)
        return false;
    if (m->quoting && c == '\n' && ahead(m, 1) != '>')
        return true;
    if (is(o, "bold"))
        return c == '*';
    if (is(o, "italic"))
        return c == '_' && ahead(m, 1) != '_';
    if (is(o, "underline"))
        return c == '_' && ahead(m, 1) == '_';
    if (is(o, "strikethrough"))
        return c == '~';
    if (is(o, "spoiler"))
        return c == '|' && ahead(m, 1) == '|';
    if (is(o, "code"))
        return c == '`';
    if (is(o, "pre"))
        return is_fence(m);
    if (is(o, "text_link") || is(o, "custom_emoji"))
        return c == ']';
    return false;
}

static bool begin_mark(struct markup *m, const char *type, size_t width)
{
    size_t at = m->at;
    m->at += width;
    markup_begin(m, type, NULL, at);
    return true;
}

static bool begin_code(struct markup *m)
{
    size_t at = m->at;
    if (!is_fence(m))
        return begin_mark(m, "code", 1);
    m->at += 3;
    char *language = read_language(m);
    markup_begin(m, "pre", language, at);
    return true;
}

static bool begin_quote(struct markup *m)
{
    if (!m->line_start)
        return reserved(m);
    if (m->quoting) {
        m->at++;
        return true;
    }
    m->quoting = true;
    return begin_mark(m, "blockquote", 1);
}

static bool begin_entity(struct markup *m)
{
    switch (ahead(m, 0)) {
    case '_':
        return ahead(m, 1) == '_' ? begin_mark(m, "underline", 2)
                                  : begin_mark(m, "italic", 1);
    case '*':
        return begin_mark(m, "bold", 1);
    case '~':
        return begin_mark(m, "strikethrough", 1);
    case '|':
        return ahead(m, 1) == '|' ? begin_mark(m, "spoiler", 2) : reserved(m);
    case '[':
        return begin_mark(m, "text_link", 1);
    case '!':
        return ahead(m, 1) == '[' ? begin_mark(m, "custom_emoji", 2)
                                  : reserved(m);
    case '`':
        return begin_code(m);
    case '\n':
        markup_take(m);
        m->line_start = true;
        return true;
    case '>':
        return begin_quote(m);
    default:
        return reserved(m);
    }
}

/* The address in (...), with its escapes taken out; m->at is at the ). False:
 * failed. */
static bool read_url(struct markup *m, struct buf *url)
{
    size_t from = m->at;
    while (m->at < m->len && ahead(m, 0) != ')') {
        char next = ahead(m, 1);
        m->at += ahead(m, 0) == '\\' && next > 0 && next <= 126;
        buf_putc(url, m->text[m->at++]);
    }
    if (m->at < m->len)
        return true;
    return markup_fail(m, "Can't find end of a URL at byte offset %zu", from);
}

static bool end_link(struct markup *m)
{
    struct markup_open *o = markup_innermost(m);
    struct buf url = {0};
    bool fine = true;
    if (ahead(m, 1) == '(') {
        m->at += 2;
        fine = read_url(m, &url);
    } else if (m->out->len > o->out_at) {
        buf_puts(&url, m->out->data + o->out_at);
    }
    if (fine)
        markup_add_link(m, o->offset, url.data != NULL ? url.data : "");
    buf_free(&url);
    m->at++;
    return fine;
}

static bool add_emoji(struct markup *m, const char *url)
{
    static const char prefix[] = "tg://emoji?id=";
    const char *id = url + sizeof(prefix) - 1;
    if (strncmp(url, prefix, sizeof(prefix) - 1) != 0 || *id == '\0' ||
        id[strspn(id, "0123456789")] != '\0')
        return markup_fail(m, "Invalid tg://emoji or tg://time URL specified");
    markup_add(m, markup_innermost(m)->offset, "custom_emoji",
               json_pack("{s:s}", "custom_emoji_id", id));
    return true;
}

static bool end_emoji(struct markup *m)
{
    struct buf url = {0};
    if (ahead(m, 1) != '(')
        return markup_fail(
            m, "The entity must contain a tg://emoji or tg://time URL");
    m->at += 2;
    bool fine =
        read_url(m, &url) && add_emoji(m, url.data != NULL ? url.data : "");
    buf_free(&url);
    m->at++;
    return fine;
}

/* A line that does not begin with > ends a quotation; || just before makes
 * it expandable. */
static bool end_quote(struct markup *m)
{
    const char *type = "blockquote";
    const struct markup_open *o = markup_innermost(m);
    if (is(o, "spoiler") && o->out_at == m->out->len && o->at + 2 == m->at) {
        markup_forget(m);
        type = "expandable_blockquote";
        o = markup_innermost(m);
    }
    if (!is(o, "blockquote"))
        return unclosed(m);
    m->quoting = false;
    if (m->at < m->len)
        markup_take(m);
    m->line_start = true;
    markup_add(m, o->offset, type, NULL);
    markup_forget(m);
    return true;
}

static bool end_entity(struct markup *m)
{
    const struct markup_open *o = markup_innermost(m);
    bool fine = true;
    if (ahead(m, 0) == '\n')
        return end_quote(m);
    if (is(o, "text_link")) {
        fine = end_link(m);
    } else if (is(o, "custom_emoji")) {
        fine = end_emoji(m);
    } else {
        markup_add(m, o->offset, o->type, language_of(o->argument));
        m->at += is(o, "pre")                             ? 3
                 : is(o, "underline") || is(o, "spoiler") ? 2
                                                          : 1;
    }
    if (fine)
        markup_forget(m);
    return fine;
}

static void take_plain(struct markup *m, bool escaped)
{
    char c = ahead(m, 0);
    markup_take(m);
    if (c != '\r')
        m->line_start = escaped && c == '\n';
}

bool markup_markdown_v2(struct markup *m)
{
    m->line_start = true;
    while (m->at < m->len) {
        char c = ahead(m, 0);
        char next = ahead(m, 1);
        bool code = is_code(markup_innermost(m));
        if (c == '\\' && next > 0 && next <= 126) {
            m->at++;
            take_plain(m, true);
        } else if (!among(c, code ? "`" : "_*[]()~`>#+-=|{}.!\n")) {
            take_plain(m, false);
        } else if (!(ends_innermost(m) ? end_entity(m) : begin_entity(m))) {
            return false;
        }
    }
    if (m->quoting && !end_quote(m))
        return false;
    return markup_innermost(m) == NULL || unclosed(m);
}
