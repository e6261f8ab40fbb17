#include "sim/text.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct text *text_new(const char *data, size_t len)
{
    struct text *t = mem_alloc(sizeof(*t) + len + 1);
    t->refs = 1;
    t->len = len;
    if (len > 0)
        memcpy(t->data, data, len);
    t->data[len] = '\0';
    return t;
}

struct text *text_ref(struct text *t)
{
    t->refs++;
    return t;
}

void text_unref(struct text *t)
{
    if (t != NULL && --t->refs == 0)
        free(t);
}
