#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
    if (p == NULL) {
        fputs("moonlet: out of memory\n", stderr);
        abort();
    }
    return p;
}

/* Without "fast bins": they are emptied by every request of over 1 kB, and
 * here these are so frequent that emptying costs more than is saved. */
void mem_init(void)
{
#ifdef __GLIBC__
    mallopt(M_MXFAST, 0);
#endif
}

void *mem_alloc(size_t size)
{
    /* malloc(0) may return NULL, which would look like exhaustion. */
    return checked(malloc(size > 0 ? size : 1));
}

void *mem_zero(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return checked(calloc(count, size));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return checked(reallocarray(old, count, size));
}

char *mem_dup(const char *data, size_t len)
{
    char *copy = checked(len < SIZE_MAX ? malloc(len + 1) : NULL);

    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_dup(text, strlen(text));
}

char *mem_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    return checked(len < 0 ? NULL : text);
}
