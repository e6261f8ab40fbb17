#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64

char *buf_reserve(struct buf *b, size_t more)
{
    size_t need;

    if (__builtin_add_overflow(b->len, more, &need) ||
        __builtin_add_overflow(need, 1, &need))
        need = SIZE_MAX; /* no allocation of that size succeeds */
    if (need > b->cap) {
        size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;

        while (cap < need && cap <= SIZE_MAX / 2)
            cap *= 2;
        if (cap < need)
            cap = need;
        b->data = mem_grow(b->data, cap, 1);
        b->cap = cap;
    }
    b->data[b->len + more] = '\0';
    return b->data + b->len;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
    char *at = buf_reserve(b, len);

    if (len > 0)
        memcpy(at, data, len);
    b->len += len;
}

void buf_puts(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->len++;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);

    if (len > 0) {
        vsnprintf(buf_reserve(b, (size_t)len), (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void buf_int(struct buf *b, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    /* Negated as unsigned, so that the smallest value has a magnitude. */
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    buf_append(b, at, (size_t)(digits + sizeof(digits) - at));
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

char *buf_steal(struct buf *b)
{
    char *text = buf_reserve(b, 0) - b->len;

    *b = (struct buf){0};
    return text;
}
