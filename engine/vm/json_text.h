#ifndef MOONLET_VM_JSON_TEXT_H
#define MOONLET_VM_JSON_TEXT_H

/*
 * Makes a JSON text one that lua-cjson decodes as we want it: halves of
 * surrogate pairs, which it refuses and JSON does not, become U+FFFD, and
 * empty arrays, which it cannot tell from empty objects, become an array
 * that holds JSON_TEXT_EMPTY. Most texts have neither.
 */

#include "base/buf.h"

#include <stdbool.h>

#define JSON_TEXT_EMPTY "\0[]" /* no text of Telegram's holds a zero byte */
#define JSON_TEXT_EMPTY_LEN 3

struct json_text {
    const char *at; /* the text to decode: the given one, or that of `copy` */
    size_t len;
    bool has_empty_arrays;
    struct buf copy; /* to be freed by the caller */
};

void json_text_prepare(struct json_text *t, const char *text, size_t len);

#endif
