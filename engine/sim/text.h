#ifndef MOONLET_SIM_TEXT_H
#define MOONLET_SIM_TEXT_H

/* A finished piece of JSON that several rings hold at once: it is counted,
 * not copied. */

#include <stddef.h>

struct text {
    unsigned refs;
    size_t len;
    char data[]; /* a NUL follows */
};

struct text *text_new(const char *data, size_t len); /* one reference */
struct text *text_ref(struct text *t);
void text_unref(struct text *t); /* NULL is allowed */

#endif
