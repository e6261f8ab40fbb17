/* Scalars of JSON: numbers, and strings whose UTF-8 is made valid. */

#include "base/json.h"

#include "base/buf.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number n * 10^scale whose n has no trailing zero. */
struct decimal {
    uint64_t n;
    int64_t scale;
    bool fits;
};

static void add_digit(struct decimal *d, int64_t *zeros, char digit)
{
    if (digit == '0') {
        ++*zeros;
        return;
    }
    for (; d->n > 0 && d->fits && *zeros >= 0; --*zeros)
        d->fits = !__builtin_mul_overflow(d->n, 10, &d->n);
    *zeros = 0;
    if (__builtin_add_overflow(d->n, (uint64_t)(digit - '0'), &d->n))
        d->fits = false;
}

static int64_t read_exponent(const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    int64_t value = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && is_digit(*p); p++)
        if (value < INT64_MAX / 1000)
            value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

static struct decimal read_decimal(const char *p, const char *end)
{
    struct decimal d = {.fits = true};
    int64_t zeros = 0;
    bool fraction = false;

    for (; p < end; p++) {
        if (*p == '.')
            fraction = true;
        else if (!is_digit(*p))
            break;
        else {
            add_digit(&d, &zeros, *p);
            d.scale -= fraction;
        }
    }
    d.scale += zeros;
    if (p < end && (*p == 'e' || *p == 'E'))
        d.scale += read_exponent(p + 1, end);
    return d;
}

bool js_int(struct jslice v, int64_t *out)
{
    if (js_type(v) != JS_NUMBER)
        return false;
    bool negative = *v.at == '-';
    struct decimal d = read_decimal(v.at + negative, v.at + v.len);

    if (d.n == 0 && d.fits) {
        *out = 0;
        return true;
    }
    while (d.fits && d.scale > 0) {
        d.fits = !__builtin_mul_overflow(d.n, 10, &d.n);
        d.scale--;
    }
    if (!d.fits || d.scale < 0 || d.n > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)d.n : (int64_t)d.n;
    return true;
}

bool js_double(struct jslice v, double *out)
{
    char small[64];

    if (js_type(v) != JS_NUMBER)
        return false;
    if (v.len < sizeof(small)) {
        memcpy(small, v.at, v.len);
        small[v.len] = '\0';
        *out = strtod(small, NULL);
    } else {
        char *copy = mem_dup(v.at, v.len);
        *out = strtod(copy, NULL);
        free(copy);
    }
    return isfinite(*out);
}

bool js_bool(struct jslice v, bool fallback)
{
    return js_type(v) == JS_BOOL ? *v.at == 't' : fallback;
}

static bool is_tail(const unsigned char *p, const unsigned char *end)
{
    return p < end && (*p & 0xC0) == 0x80;
}

/* Bytes of the UTF-8 character at p; 0 if they are not one. Overlong forms,
 * surrogates and what lies beyond U+10FFFF are none. */
static size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
    unsigned char first = *p;

    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4 || !is_tail(p + 1, end))
        return 0;
    if (first < 0xE0)
        return 2;
    unsigned char second = p[1];

    if (!is_tail(p + 2, end))
        return 0;
    if (first < 0xF0)
        return (first == 0xE0 && second < 0xA0) ||
                       (first == 0xED && second > 0x9F)
                   ? 0
                   : 3;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
        return 0;
    return is_tail(p + 3, end) ? 4 : 0;
}

static void put_code_point(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_putc(b, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_putc(b, (char)(0xC0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_putc(b, (char)(0xE0 | c >> 12));
        } else {
            buf_putc(b, (char)(0xF0 | c >> 18));
            buf_putc(b, (char)(0x80 | (c >> 12 & 0x3F)));
        }
        buf_putc(b, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    buf_putc(b, (char)(0x80 | (c & 0x3F)));
}

/* Four hex digits at p; the syntax check has seen them. */
static uint32_t hex4(const char *p)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        value = value << 4 | ((uint32_t)digit & 15);
    }
    return value;
}

/* p is behind `\u`. A pair of surrogates is one character. */
static const char *decode_unicode(const char *p, const char *end,
                                  struct buf *out)
{
    if (end - p < 4)
        return end;
    uint32_t c = hex4(p);

    p += 4;
    if (c >= 0xD800 && c < 0xDC00 && end - p >= 6 && p[0] == '\\' &&
        p[1] == 'u') {
        uint32_t low = hex4(p + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            put_code_point(out,
                           0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
            return p + 6;
        }
    }
    if (c >= 0xD800 && c < 0xE000)
        buf_puts(out, REPLACEMENT);
    else
        put_code_point(out, c);
    return p;
}

/* p is behind the backslash. */
static const char *decode_escape(const char *p, const char *end,
                                 struct buf *out)
{
    static const char names[] = "bfnrt";
    static const char values[] = "\b\f\n\r\t";

    if (p == end)
        return end;
    if (*p == 'u')
        return decode_unicode(p + 1, end, out);
    const char *name = memchr(names, *p, sizeof(names) - 1);

    buf_putc(out, name != NULL ? values[name - names] : *p);
    return p + 1;
}

static void put_valid(struct buf *out, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + len;
    const unsigned char *run = p;

    while (p < end) {
        size_t n = utf8_len(p, end);
        if (n == 0) {
            buf_append(out, run, (size_t)(p - run));
            buf_puts(out, REPLACEMENT);
            run = ++p;
        }
        p += n;
    }
    buf_append(out, run, (size_t)(p - run));
}

bool js_text(struct jslice v, struct buf *out)
{
    if (js_type(v) != JS_STRING || v.len < 2)
        return false;
    const char *p = v.at + 1;
    const char *end = v.at + v.len - 1;

    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const char *stop = escape != NULL ? escape : end;

        put_valid(out, p, (size_t)(stop - p));
        p = escape != NULL ? decode_escape(escape + 1, end, out) : end;
    }
    buf_append(out, "", 0); /* an empty string is a text too, not NULL */
    return true;
}

bool js_equal(struct jslice string, const char *text)
{
    size_t len = strlen(text);

    if (js_type(string) != JS_STRING || string.len < 2)
        return false;
    if (memchr(string.at, '\\', string.len) == NULL)
        return string.len - 2 == len && memcmp(string.at + 1, text, len) == 0;
    struct buf decoded = {0};

    bool equal = js_text(string, &decoded) && decoded.len == len &&
                 (len == 0 || memcmp(decoded.data, text, len) == 0);

    buf_free(&decoded);
    return equal;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
}

static void put_escape(struct buf *b, unsigned char c)
{
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *at = memchr(named, c, sizeof(named) - 1);

    if (at == NULL) {
        buf_printf(b, "\\u%04x", c);
        return;
    }
    buf_putc(b, '\\');
    buf_putc(b, names[at - named]);
}

void js_put_string(struct buf *b, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + len;

    buf_putc(b, '"');
    while (p < end) {
        const unsigned char *run = p;

        while (p < end && is_plain(*p))
            p++;
        put_valid(b, (const char *)run, (size_t)(p - run));
        if (p < end)
            put_escape(b, *p++);
    }
    buf_putc(b, '"');
}
