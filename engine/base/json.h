#ifndef MOONLET_BASE_JSON_H
#define MOONLET_BASE_JSON_H

/*
 * Reads values out of a JSON text without building a tree, and writes JSON
 * into a buf. A slice borrows the document: it is valid as long as that is.
 * The document must have passed json_check first; the other functions trust
 * its syntax (they never read past its end, but may find nothing).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define JSON_MAX_DEPTH 512

struct json {
    const char *at; /* first character of the value; NULL: absent */
    size_t len;
};

enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* Checks syntax and depth of one value with white space around it.
 * Returns its slice, or an absent one if the text is not JSON. */
struct json json_check(const char *text, size_t len);

enum json_type json_type(struct json v);

/* Member of an object by key (compared unescaped keys only: Telegram's keys
 * are plain). The first one wins. Absent if there is none. */
struct json json_get(struct json object, const char *key);

/* json_get along a dotted path, "message.chat.id". */
struct json json_path(struct json object, const char *path);

/* Walks members or elements. Start with *cursor = 0; false at the end.
 * `key` is the raw key without quotes and may be NULL. */
bool json_each(struct json container, size_t *cursor, struct json *key,
               struct json *value);

/* An integer of at most 63 bits, given as 12 or 12.0 or 1.2e1; false if v is
 * no such number. */
bool json_int(struct json v, int64_t *out);
bool json_double(struct json v, double *out);
bool json_bool(struct json v, bool fallback);
bool json_equal(struct json string, const char *text);

/* Appends the decoded text of a string (UTF-8; lone surrogates become
 * U+FFFD). False if v is no string. */
bool json_text(struct json v, struct buf *out);

/* Appends text as a JSON string with quotes. Control characters are escaped,
 * each byte that is not part of valid UTF-8 becomes U+FFFD. */
void json_put_string(struct buf *b, const char *text, size_t len);

#endif
