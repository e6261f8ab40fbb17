#ifndef MOONLET_BASE_BUF_H
#define MOONLET_BASE_BUF_H

/*
 * A growable run of bytes. It always holds a NUL behind its last byte once
 * something was added, so that text in it can be used as a C string.
 * `struct buf b = {0}` is an empty one; buf_free returns it to that state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL while nothing was ever added */
    size_t len;
    size_t cap;
};

void buf_append(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_int(struct buf *b, int64_t value); /* decimal digits */

/* Room for at least `more` bytes behind len; the caller writes, adds to len
 * and may not pass cap - 1. Returns the place to write to. */
char *buf_reserve(struct buf *b, size_t more);

void buf_clear(struct buf *b); /* len 0, memory kept */
void buf_free(struct buf *b);
char *buf_steal(struct buf *b); /* the caller owns the text; never NULL */

#endif
