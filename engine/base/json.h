#ifndef MOONLET_BASE_JSON_H
#define MOONLET_BASE_JSON_H

/*
 * Reads values out of a JSON text without building a tree, and writes JSON
 * into a buf. A slice borrows the document: it is valid as long as that is.
 * The document must have passed js_check first; the other functions trust
 * its syntax (they never read past its end, but may find nothing).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define JS_MAX_DEPTH 512

struct jslice {
    const char *at; /* first character of the value; NULL: absent */
    size_t len;
};

enum js_type {
    JS_ABSENT,
    JS_NULL,
    JS_BOOL,
    JS_NUMBER,
    JS_STRING,
    JS_ARRAY,
    JS_OBJECT,
};

/* Checks syntax and depth of one value with white space around it.
 * Returns its slice, or an absent one if the text is not JSON. */
struct jslice js_check(const char *text, size_t len);

enum js_type js_type(struct jslice v);

/* Member of an object by key (compared unescaped keys only: Telegram's keys
 * are plain). The first one wins. Absent if there is none. */
struct jslice js_get(struct jslice object, const char *key);

/* js_get along a dotted path, "message.chat.id". */
struct jslice js_path(struct jslice object, const char *path);

/* Walks members or elements. Start with *cursor = 0; false at the end.
 * `key` is the raw key without quotes and may be NULL. */
bool js_each(struct jslice container, size_t *cursor, struct jslice *key,
             struct jslice *value);

/* An integer of at most 63 bits, given as 12 or 12.0 or 1.2e1; false if v is
 * no such number. */
bool js_int(struct jslice v, int64_t *out);
bool js_double(struct jslice v, double *out);
bool js_bool(struct jslice v, bool fallback);
bool js_equal(struct jslice string, const char *text);

/* Appends the decoded text of a string (UTF-8; lone surrogates become
 * U+FFFD). False if v is no string. */
bool js_text(struct jslice v, struct buf *out);

/* Appends text as a JSON string with quotes. Control characters are escaped,
 * each byte that is not part of valid UTF-8 becomes U+FFFD. */
void js_put_string(struct buf *b, const char *text, size_t len);

#endif
