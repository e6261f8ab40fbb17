#include "sim/markup_parser.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *tag;
    const char *type; /* NULL: see close_special */
} tags[] = {
    {"a", NULL},
    {"b", "bold"},
    {"blockquote", NULL},
    {"code", NULL},
    {"del", "strikethrough"},
    {"em", "italic"},
    {"i", "italic"},
    {"ins", "underline"},
    {"pre", NULL},
    {"s", "strikethrough"},
    {"span", "spoiler"},
    {"strike", "strikethrough"},
    {"strong", "bold"},
    {"tg-emoji", NULL},
    {"tg-spoiler", "spoiler"},
    {"tg-time", NULL},
    {"u", "underline"},
};

/* The tag as spelt in the table; NULL: unknown. */
static const char *known_tag(const char *name)
{
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (strcmp(tags[i].tag, name) == 0)
            return tags[i].tag;
    return NULL;
}

static const char *type_of(const char *tag)
{
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (strcmp(tags[i].tag, tag) == 0)
            return tags[i].type;
    return NULL;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static uint32_t number(const char *digits, size_t len, int base)
{
    char text[12];
    if (len == 0 || len >= sizeof(text))
        return 0;
    memcpy(text, digits, len);
    text[len] = '\0';
    unsigned long code = strtoul(text, NULL, base);
    bool half = code >= 0xd800 && code <= 0xdfff;
    return code < 0x10ffff && !half ? (uint32_t)code : 0;
}

/* The character that &...; at `at` stands for; 0: it stands for itself. */
static uint32_t read_reference(const char *at, size_t *len)
{
    static const struct {
        const char *name;
        char code;
    } names[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}};
    const char *from = at + 1;
    const char *end = from;
    uint32_t code = 0;
    if (at[1] == '#' && at[2] == 'x') {
        for (end = from += 2; isxdigit((unsigned char)*end);)
            end++;
        code = number(from, (size_t)(end - from), 16);
    } else if (at[1] == '#') {
        for (end = from += 1; isdigit((unsigned char)*end);)
            end++;
        code = number(from, (size_t)(end - from), 10);
    } else {
        while (isalpha((unsigned char)*end))
            end++;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strlen(names[i].name) == (size_t)(end - from) &&
                strncmp(names[i].name, from, (size_t)(end - from)) == 0)
                code = (uint32_t)names[i].code;
    }
    *len = (size_t)(end - at) + (*end == ';');
    return code;
}

static void skip_space(struct markup *m)
{
    while (m->text[m->at] != '\0' && markup_is_space(m->text[m->at]))
        m->at++;
}

static char *lower_word(const char *from, size_t len)
{
    char *word = mem_dup(from, len);
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return word;
}

static void append_quoted(struct markup *m, struct buf *value)
{
    struct markup part = {.text = m->text, .out = value};
    char end = m->text[m->at++];
    while (m->text[m->at] != end && m->text[m->at] != '\0') {
        size_t len = 0;
        uint32_t code =
            m->text[m->at] == '&' ? read_reference(m->text + m->at, &len) : 0;
        if (code != 0)
            markup_put_code_point(&part, code);
        else
            buf_putc(value, m->text[m->at]);
        m->at += code != 0 ? len : 1;
    }
    m->at += m->text[m->at] == end;
}

/* The value behind =. False: failed. */
static bool read_value(struct markup *m, struct buf *value)
{
    size_t from = m->at;
    if (m->text[m->at] == '\'' || m->text[m->at] == '"') {
        append_quoted(m, value);
        return true;
    }
    while (isalnum((unsigned char)m->text[m->at]) || m->text[m->at] == '.' ||
           m->text[m->at] == '-')
        m->at++;
    if (!markup_is_space(m->text[m->at]) && m->text[m->at] != '>')
        return markup_fail(m, "Unexpected end of name token at byte offset %zu",
                           from);
    char *word = lower_word(m->text + from, m->at - from);
    buf_puts(value, word);
    free(word);
    return true;
}

static void set_argument(struct markup_open *o, const char *text)
{
    free(o->argument);
    o->argument = mem_strdup(text);
}

static void take_attribute(struct markup_open *o, const char *name,
                           const char *value)
{
    if ((is(o->type, "a") && is(name, "href")) ||
        (is(o->type, "tg-emoji") && is(name, "emoji-id")) ||
        (is(o->type, "tg-time") && is(name, "format")))
        set_argument(o, value);
    else if (is(o->type, "code") && is(name, "class") &&
             strncmp(value, "language-", 9) == 0)
        set_argument(o, value + 9);
    else if (is(o->type, "span") && is(name, "class") &&
             strncmp(value, "tg-", 3) == 0)
        set_argument(o, value + 3);
    else if (is(o->type, "blockquote") && is(name, "expandable"))
        set_argument(o, "1");
    else if (is(o->type, "tg-time") && is(name, "unix"))
        o->unix_time = strtoll(value, NULL, 10);
}

static size_t name_length(const char *at)
{
    size_t len = 0;
    while (!markup_is_space(at[len]) && strchr("=>/\"'", at[len]) == NULL)
        len++;
    return len;
}

/* One attribute of the tag that was begun last. False: failed. */
static bool read_attribute(struct markup *m)
{
    const char *tag = markup_innermost(m)->type;
    size_t begin = markup_innermost(m)->at;
    size_t len = name_length(m->text + m->at);
    if (len == 0)
        return markup_fail(
            m, "Empty attribute name in the tag \"%s\" at byte offset %zu", tag,
            begin);
    char *name = mem_dup(m->text + m->at, len);
    struct buf value = {0};
    bool fine = true;
    m->at += len;
    skip_space(m);
    if (m->text[m->at] == '=') {
        m->at++;
        skip_space(m);
        fine = m->text[m->at] == '\0' || read_value(m, &value);
    }
    if (fine && m->text[m->at] == '\0')
        fine = markup_fail(m, "Unclosed start tag \"%s\" at byte offset %zu",
                           tag, begin);
    if (fine)
        take_attribute(markup_innermost(m), name,
                       value.data != NULL ? value.data : "");
    free(name);
    buf_free(&value);
    return fine;
}

static bool read_attributes(struct markup *m)
{
    for (;;) {
        skip_space(m);
        if (m->text[m->at] == '>')
            break;
        if (!read_attribute(m))
            return false;
    }
    m->at++;
    const struct markup_open *o = markup_innermost(m);
    if (is(o->type, "span") &&
        (o->argument == NULL || !is(o->argument, "spoiler")))
        return markup_fail(m,
                           "Tag \"span\" must have class \"tg-spoiler\" at "
                           "byte offset %zu",
                           o->at);
    return true;
}

static size_t tag_length(const char *at)
{
    size_t len = 0;
    while (!markup_is_space(at[len]) && at[len] != '>')
        len++;
    return len;
}

static bool open_tag(struct markup *m)
{
    size_t begin = m->at++;
    size_t len = tag_length(m->text + m->at);
    if (m->text[m->at + len] == '\0')
        return markup_fail(m, "Unclosed start tag at byte offset %zu", begin);
    char *name = lower_word(m->text + m->at, len);
    const char *tag = known_tag(name);
    m->at += len;
    if (tag != NULL)
        markup_begin(m, tag, NULL, begin);
    else
        markup_fail(m, "Unsupported start tag \"%.100s\" at byte offset %zu",
                    name, begin);
    free(name);
    return tag != NULL && read_attributes(m);
}

/* <pre> around <code class=language-x> and the other way round are one
 * entity with a language. */
static bool merge_code(struct markup *m, const struct markup_open *o)
{
    struct markup_entity *last =
        m->found_count > 0 ? &m->found[m->found_count - 1] : NULL;
    bool same = last != NULL && last->offset == o->offset &&
                last->length == m->units - o->offset;
    if (same && is(o->type, "pre") && is(last->type, "code") &&
        last->more != NULL) {
        last->type = "pre";
        return true;
    }
    if (same && is(o->type, "code") && is(last->type, "pre") &&
        o->argument != NULL) {
        json_decref(last->more);
        last->more = json_pack("{s:s}", "language", o->argument);
        return true;
    }
    return false;
}

static bool close_code(struct markup *m, const struct markup_open *o)
{
    if (merge_code(m, o))
        return true;
    markup_add(m, o->offset, o->type,
               is(o->type, "code") && o->argument != NULL
                   ? json_pack("{s:s}", "language", o->argument)
                   : NULL);
    return true;
}

static bool close_emoji(struct markup *m, const struct markup_open *o)
{
    const char *id = o->argument != NULL ? o->argument : "";
    if (id[strspn(id, "0123456789")] != '\0' || strtoll(id, NULL, 10) == 0)
        return markup_fail(m, "Invalid custom emoji identifier specified");
    markup_add(m, o->offset, "custom_emoji",
               json_pack("{s:s}", "custom_emoji_id", id));
    return true;
}

static void close_time(struct markup *m, const struct markup_open *o)
{
    if (o->unix_time <= 0)
        return;
    json_t *more = json_pack("{s:I}", "unix_time", (json_int_t)o->unix_time);
    if (o->argument != NULL)
        json_object_set_new(more, "date_time_format", json_string(o->argument));
    markup_add(m, o->offset, "date_time", more);
}

/* What more than a type belongs to. */
static bool close_special(struct markup *m, const struct markup_open *o)
{
    if (is(o->type, "code") || is(o->type, "pre"))
        return close_code(m, o);
    if (is(o->type, "tg-emoji"))
        return close_emoji(m, o);
    if (is(o->type, "tg-time"))
        close_time(m, o);
    else if (is(o->type, "blockquote"))
        markup_add(m, o->offset,
                   o->argument != NULL ? "expandable_blockquote" : "blockquote",
                   NULL);
    else if (o->argument != NULL && *o->argument != '\0')
        markup_add_link(m, o->offset, o->argument);
    else
        markup_add_link(m, o->offset, m->out->data + o->out_at);
    return true;
}

static bool close_innermost(struct markup *m)
{
    const struct markup_open *o = markup_innermost(m);
    const char *type = type_of(o->type);
    bool fine = true;
    if (m->units > o->offset && type != NULL)
        markup_add(m, o->offset, type, NULL);
    else if (m->units > o->offset)
        fine = close_special(m, o);
    markup_forget(m);
    return fine;
}

static bool close_tag(struct markup *m)
{
    size_t begin = m->at;
    const struct markup_open *o = markup_innermost(m);
    if (o == NULL)
        return markup_fail(m, "Unexpected end tag at byte offset %zu", begin);
    m->at += 2;
    size_t len = tag_length(m->text + m->at);
    char *name = lower_word(m->text + m->at, len);
    bool same = len == 0 || is(name, o->type);
    m->at += len;
    skip_space(m);
    bool closed = m->text[m->at] == '>';
    if (!closed)
        markup_fail(m, "Unclosed end tag at byte offset %zu", begin);
    else if (!same)
        markup_fail(m,
                    "Unmatched end tag at byte offset %zu, expected \"</%s>\", "
                    "found \"</%.100s>\"",
                    begin, o->type, name);
    free(name);
    m->at++;
    return closed && same && close_innermost(m);
}

/* <code class=...> alone has no language. */
static void drop_languages(struct markup *m)
{
    for (size_t i = 0; i < m->found_count; i++) {
        if (!is(m->found[i].type, "code"))
            continue;
        json_decref(m->found[i].more);
        m->found[i].more = NULL;
    }
}

bool markup_html(struct markup *m)
{
    while (m->at < m->len) {
        const char *at = m->text + m->at;
        size_t len = 0;
        uint32_t code = *at == '&' ? read_reference(at, &len) : 0;
        if (code != 0) {
            markup_put_code_point(m, code);
            m->at += len;
        } else if (*at != '<') {
            markup_take(m);
        } else if (!(at[1] == '/' ? close_tag(m) : open_tag(m))) {
            return false;
        }
    }
    if (markup_innermost(m) != NULL)
        return markup_fail(
            m, "Can't find end tag corresponding to start tag \"%s\"",
            markup_innermost(m)->type);
    drop_languages(m);
    return true;
}
