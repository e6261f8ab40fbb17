#ifndef MOONLET_SIM_PARAMS_H
#define MOONLET_SIM_PARAMS_H

/*
 * The parameters of one API call, from the four encodings that the server
 * takes: query, form, JSON object, multipart. The query comes first and the
 * first value of a name wins. JSON values that are no strings are kept as
 * their raw text, so "chat_id":5 and "chat_id":"5" read alike.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct botapi_method;
struct exchange;

struct param {
    char *name;
    char *value; /* "" for an upload */
    size_t len;
    bool raw;        /* JSON text other than a string */
    char *file_name; /* an upload; NULL: an ordinary value */
    size_t file_size;
};

struct params {
    struct param *list;
    size_t count;
    size_t cap;
    bool bad_text; /* a value is not UTF-8; it is kept as "" */
};

/* The body alone: type is its Content-Type, NULL if it has none. */
int params_parse_body(struct params *p, const char *type, const char *body,
                      size_t len);
/* Returns 0, or the HTTP status that ends the request: 413 (over a MiB of
 * values, over 50 files), 415 (an encoded body), 400 (malformed parts). A
 * body of another type than these is not read. */
int params_parse(struct params *p, const struct exchange *x);
void params_free(struct params *p);

/* Takes over nothing; copies. A second value of a name is ignored. */
void params_add(struct params *p, const char *name, size_t name_len,
                const char *value, size_t len, bool raw);
void params_add_file(struct params *p, const char *name, size_t name_len,
                     const char *file_name, size_t file_name_len, size_t size);
/* Returns as params_parse does. */
int params_parse_multipart(struct params *p, const char *content_type,
                           const char *body, size_t len);

/* NULL: not given. */
const struct param *params_find(const struct params *p, const char *name);
/* Its text; "" if it was not given. */
const char *params_text(const struct params *p, const char *name);
bool params_given(const struct params *p, const char *name); /* not empty */

/* As the server reads numbers: what can be parsed, clamped; `fallback` if
 * the value is empty or absent. */
int64_t params_int(const struct params *p, const char *name, int64_t fallback,
                   int64_t min, int64_t max);
bool params_bool(const struct params *p, const char *name);

/* Appends {"name":value,...}: values as sent, as JSON where they are JSON
 * and the documented type is not plain text. One line. */
void params_to_json(const struct params *p, const struct botapi_method *m,
                    struct buf *out);

/* Code points of a text, or -1 if it is not UTF-8. */
int64_t params_utf8_length(const char *text, size_t len);

#endif
