#include "base/json.h"

#include <string.h>

/* What a byte means to the scanners below; they look at every byte of an
 * update, so they ask a table. */
enum {
    C_SPACE = 1,
    C_DIGIT = 2,
    C_HEX = 4,
    C_TEXT_END = 8, /* ends a run of plain bytes within a string */
    C_MARK = 16,    /* opens or closes a container, or opens a string */
    C_SCALAR_END = 32,
};

#define SPACE_CONTROL (C_SPACE | C_SCALAR_END | C_TEXT_END)

static const unsigned char classes[256] = {
    [0 ... '\t' - 1] = C_TEXT_END,
    ['\t' ... '\n'] = SPACE_CONTROL,
    ['\n' + 1 ... '\r' - 1] = C_TEXT_END,
    ['\r'] = SPACE_CONTROL,
    ['\r' + 1 ... ' ' - 1] = C_TEXT_END,
    [' '] = C_SPACE | C_SCALAR_END,
    ['"'] = C_TEXT_END | C_MARK,
    ['\\'] = C_TEXT_END,
    ['0' ... '9'] = C_DIGIT | C_HEX,
    ['a' ... 'f'] = C_HEX,
    ['A' ... 'F'] = C_HEX,
    ['{'] = C_MARK,
    ['['] = C_MARK,
    ['}'] = C_MARK | C_SCALAR_END,
    [']'] = C_MARK | C_SCALAR_END,
    [','] = C_SCALAR_END,
};

static inline unsigned class_of(char c)
{
    return classes[(unsigned char)c];
}

static inline const char *skip_space(const char *p, const char *end)
{
    while (p < end && class_of(*p) & C_SPACE)
        p++;
    return p;
}

struct checker {
    const char *p, *end;
    unsigned depth;
    uint64_t objects[JS_MAX_DEPTH / 64]; /* a bit each level: an object? */
};

static char peek(const struct checker *c)
{
    return c->p < c->end ? *c->p : '\0';
}

static char peek_past_space(struct checker *c)
{
    c->p = skip_space(c->p, c->end);
    return peek(c);
}

static bool in_object(const struct checker *c)
{
    unsigned level = c->depth - 1;

    return c->objects[level / 64] >> level % 64 & 1;
}

static bool enter(struct checker *c, bool object)
{
    if (c->depth == JS_MAX_DEPTH)
        return false;
    uint64_t bit = UINT64_C(1) << c->depth % 64;
    uint64_t *word = &c->objects[c->depth / 64];

    *word = object ? *word | bit : *word & ~bit;
    c->depth++;
    c->p++;
    return true;
}

static bool check_escape(struct checker *c)
{
    c->p++;
    switch (peek(c)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        c->p++;
        return true;
    case 'u':
        for (int i = 0; i < 4; i++) {
            c->p++;
            if (!(class_of(peek(c)) & C_HEX))
                return false;
        }
        c->p++;
        return true;
    default:
        return false;
    }
}

static bool check_string(struct checker *c)
{
    c->p++;
    for (;;) {
        while (c->p < c->end && !(class_of(*c->p) & C_TEXT_END))
            c->p++;
        switch (peek(c)) {
        case '"':
            c->p++;
            return true;
        case '\\':
            if (!check_escape(c))
                return false;
            break;
        default:
            return false;
        }
    }
}

static bool check_digits(struct checker *c)
{
    const char *first = c->p;

    while (c->p < c->end && class_of(*c->p) & C_DIGIT)
        c->p++;
    return c->p > first;
}

static bool check_number(struct checker *c)
{
    if (peek(c) == '-')
        c->p++;
    if (peek(c) == '0')
        c->p++;
    else if (!check_digits(c))
        return false;
    if (peek(c) == '.') {
        c->p++;
        if (!check_digits(c))
            return false;
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->p++;
        if (peek(c) == '+' || peek(c) == '-')
            c->p++;
        return check_digits(c);
    }
    return true;
}

static bool check_word(struct checker *c, const char *word, size_t len)
{
    if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
        return false;
    c->p += len;
    return true;
}

static bool check_scalar(struct checker *c)
{
    switch (peek(c)) {
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true", 4);
    case 'f':
        return check_word(c, "false", 5);
    case 'n':
        return check_word(c, "null", 4);
    default:
        return check_number(c);
    }
}

static bool check_key(struct checker *c)
{
    if (peek_past_space(c) != '"' || !check_string(c) ||
        peek_past_space(c) != ':')
        return false;
    c->p++;
    return true;
}

/* Behind a value: closes the containers that end here and moves on to the
 * next value, if there is one. */
static bool check_after_value(struct checker *c)
{
    while (c->depth > 0) {
        char at = peek_past_space(c);

        if (at == ',') {
            c->p++;
            return !in_object(c) || check_key(c);
        }
        if (at != (in_object(c) ? '}' : ']'))
            return false;
        c->p++;
        c->depth--;
    }
    return true;
}

static bool check_value(struct checker *c)
{
    do {
        char at = peek_past_space(c);

        if (at == '{' || at == '[') {
            if (!enter(c, at == '{'))
                return false;
            if (peek_past_space(c) != (at == '{' ? '}' : ']')) {
                if (at == '{' && !check_key(c))
                    return false;
                continue;
            }
        } else if (!check_scalar(c)) {
            return false;
        }
        if (!check_after_value(c))
            return false;
    } while (c->depth > 0);
    return true;
}

struct jslice js_check(const char *text, size_t len)
{
    struct jslice absent = {0};

    if (text == NULL)
        return absent;
    const char *end = text + len;
    const char *first = skip_space(text, end);
    struct checker c = {.p = first, .end = end};

    if (!check_value(&c) || skip_space(c.p, end) != end)
        return absent;
    return (struct jslice){.at = first, .len = (size_t)(c.p - first)};
}

/* From here on the syntax is trusted, the end of the text is not. */

/* p is at the opening quote; returns the place behind the closing one. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (!(class_of(*p) & C_TEXT_END))
            continue;
        if (*p == '"')
            return p + 1;
        if (*p == '\\' && p + 1 < end)
            p++;
    }
    return end;
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        if (!(class_of(*p) & C_MARK)) {
            p++;
        } else if (*p == '"') {
            p = skip_string(p, end);
        } else if (*p == '{' || *p == '[') {
            p++;
            depth++;
        } else {
            p++;
            if (--depth == 0)
                return p;
        }
    }
    return end;
}

static const char *skip_value(const char *p, const char *end)
{
    if (*p == '"')
        return skip_string(p, end);
    if (*p == '{' || *p == '[')
        return skip_container(p, end);
    while (p < end && !(class_of(*p) & C_SCALAR_END))
        p++;
    return p;
}

enum js_type js_type(struct jslice v)
{
    if (v.at == NULL || v.len == 0)
        return JS_ABSENT;
    switch (*v.at) {
    case '{':
        return JS_OBJECT;
    case '[':
        return JS_ARRAY;
    case '"':
        return JS_STRING;
    case 't':
    case 'f':
        return JS_BOOL;
    case 'n':
        return JS_NULL;
    default:
        return JS_NUMBER;
    }
}

/* Reads `"key":` and the space around it. NULL if that is not there. */
static const char *read_key(const char *p, const char *end, struct jslice *key)
{
    if (p >= end || *p != '"')
        return NULL;
    const char *first = p + 1;

    p = skip_string(p, end);
    if (key != NULL)
        *key = (struct jslice){first, (size_t)(p - first - 1)};
    p = skip_space(p, end);
    if (p >= end || *p != ':')
        return NULL;
    return skip_space(p + 1, end);
}

bool js_each(struct jslice container, size_t *cursor, struct jslice *key,
             struct jslice *value)
{
    enum js_type type = js_type(container);
    const char *end = container.at + container.len;

    if ((type != JS_OBJECT && type != JS_ARRAY) || *cursor >= container.len)
        return false;
    const char *p = container.at + (*cursor == 0 ? 1 : *cursor);

    p = skip_space(p, end);
    if (p < end && *p == ',')
        p = skip_space(p + 1, end);
    if (p >= end || *p == '}' || *p == ']')
        return false;
    if (key != NULL)
        *key = (struct jslice){0};
    if (type == JS_OBJECT && (p = read_key(p, end, key)) == NULL)
        return false;
    const char *behind = p < end ? skip_value(p, end) : end;

    if (behind == p)
        return false;
    *value = (struct jslice){p, (size_t)(behind - p)};
    *cursor = (size_t)(behind - container.at);
    return true;
}

static struct jslice get_member(struct jslice object, const char *key,
                                size_t len)
{
    struct jslice name, value;
    size_t cursor = 0;

    if (js_type(object) != JS_OBJECT)
        return (struct jslice){0};
    while (js_each(object, &cursor, &name, &value))
        if (name.len == len && memcmp(name.at, key, len) == 0)
            return value;
    return (struct jslice){0};
}

struct jslice js_get(struct jslice object, const char *key)
{
    return get_member(object, key, strlen(key));
}

struct jslice js_path(struct jslice object, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, ".");

        object = get_member(object, path, len);
        if (path[len] == '\0' || object.at == NULL)
            return object;
        path += len + 1;
    }
}
