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

#define JSON_TEXT_EMPTY "\0moonlet []" /* who writes this himself gets [] */
#define JSON_TEXT_EMPTY_LEN 11

struct json_text {
    const char *at; /* the text to decode: the given one, or that of `copy` */
    size_t len;
    bool has_empty_arrays;
    struct buf copy; /* to be freed by the caller */
};

/* Could anything have to change? Cheap; false for nearly every text. */
bool json_text_is_suspect(const char *text, size_t len);

/* For a text that is suspect. */
void json_text_prepare(struct json_text *t, const char *text, size_t len);

#endif
