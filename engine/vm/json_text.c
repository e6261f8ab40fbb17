#include "vm/json_text.h"

#include <ctype.h>
#include <string.h>

#define ESCAPE_LEN 6 /* of \u0000 */
#define REPLACEMENT "\\ufffd"
#define EMPTY_ARRAY "[\"\\u0000moonlet []\"]"

/* The UTF-16 unit that an escape at p gives; 0: there is no escape. */
static unsigned escaped_unit(const char *p, const char *end)
{
    unsigned unit = 0;
    if (end - p < ESCAPE_LEN || p[0] != '\\' || p[1] != 'u')
        return 0;
    for (int i = 2; i < ESCAPE_LEN; i++) {
        if (!isxdigit((unsigned char)p[i]))
            return 0;
        unit = unit << 4 |
               (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    }
    return unit;
}

static bool is_surrogate(unsigned unit)
{
    return unit >= 0xD800 && unit <= 0xDFFF;
}

/* Length of the escape at p; *lone: it is half of a surrogate pair. */
static size_t escape_length(const char *p, const char *end, bool *lone)
{
    unsigned unit = escaped_unit(p, end);
    *lone = false;
    if (!is_surrogate(unit))
        return end - p > 1 ? 2 : 1;
    unsigned next = escaped_unit(p + ESCAPE_LEN, end);
    if (unit < 0xDC00 && next >= 0xDC00 && is_surrogate(next))
        return 2 * (size_t)ESCAPE_LEN;
    *lone = true;
    return ESCAPE_LEN;
}

/* The end of the empty array that begins at p, or NULL. */
static const char *empty_array_end(const char *p, const char *end)
{
    if (*p++ != '[')
        return NULL;
    while (p < end && strchr(" \t\r\n", *p))
        p++;
    return p < end && *p == ']' ? p + 1 : NULL;
}

bool json_text_is_suspect(const char *text, size_t len)
{
    const char *end = text + len;
    if (memchr(text, '\\', len))
        return true;
    for (const char *p = text; (p = memchr(p, '[', (size_t)(end - p))); p++)
        if (empty_array_end(p, end))
            return true;
    return false;
}

/* Takes what stands before p and was not yet taken. */
static void take_until(struct json_text *t, const char **taken, const char *p)
{
    buf_append(&t->copy, *taken, (size_t)(p - *taken));
}

static const char *pass_string(struct json_text *t, const char **taken,
                               const char *p, const char *end)
{
    for (p++; p < end && *p != '"';) {
        bool lone = false;
        size_t step = *p == '\\' ? escape_length(p, end, &lone) : 1;
        if (lone) {
            take_until(t, taken, p);
            buf_puts(&t->copy, REPLACEMENT);
            *taken = p + step;
        }
        p += step;
    }
    return p < end ? p + 1 : end;
}

void json_text_prepare(struct json_text *t, const char *text, size_t len)
{
    const char *end = text + len, *taken = text, *after;

    memset(t, 0, sizeof *t);
    t->at = text;
    t->len = len;
    for (const char *p = text; p < end;) {
        if (*p == '"') {
            p = pass_string(t, &taken, p, end);
        } else if ((after = empty_array_end(p, end))) {
            take_until(t, &taken, p);
            buf_puts(&t->copy, EMPTY_ARRAY);
            t->has_empty_arrays = true;
            taken = p = after;
        } else {
            p++;
        }
    }
    if (taken == text)
        return;
    take_until(t, &taken, end);
    t->at = t->copy.data;
    t->len = t->copy.len;
}
