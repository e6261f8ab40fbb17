#ifndef MOONLET_SIM_PARAMS_H
#define MOONLET_SIM_PARAMS_H

/*
 * The parameters of one API call, from the four encodings that the server
 * takes: query, form, JSON object, multipart. The query comes first and the
 * first value of a name wins. JSON values that are no strings are kept as
 * their raw text, so "chat_id":5 and "chat_id":"5" read alike.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAMS_BYTES_MAX (1024 * 1024)
#define PARAMS_MAX 1000 /* each is looked for among all */

struct buf;
struct botapi_method;
struct content;

struct param {
    char *name;
    char *value; /* "" for an upload */
    size_t len;
    bool raw;        /* JSON text other than a string */
    char *file_name; /* an upload; NULL: an ordinary value */
    struct content *content;
};

struct params {
    struct param *list;
    size_t count;
    size_t cap;
    bool bad_text;  /* a value is not UTF-8; it is kept as "" */
    bool too_many;  /* more than PARAMS_MAX came; they were dropped */
    bool too_large; /* a file is; nothing behind it was read */
    int disk_error; /* errno: a file could not be kept */
};

/* The names and values of a query or a form. */
void params_parse_pairs(struct params *p, const char *text, size_t len);
/* Adds those of a body that is whole; type is its Content-Type, NULL if it
 * has none. Files stay in memory. A body of another type than the three is
 * not read. Returns 0, or the HTTP status that ends the request: 413 (over a
 * MiB of values, over 50 files), 400 (malformed parts). */
int params_parse_body(struct params *p, const char *type, const char *body,
                      size_t len);
/* To be called when all are there: 413 if they are more than a MiB, or more
 * than PARAMS_MAX. */
int params_check(struct params *p);
bool params_is_multipart(const char *type);
bool params_is_read(const char *type); /* of any of the three types */
void params_free(struct params *p);

/* Takes over nothing; copies. A second value of a name is ignored, and so is
 * what comes behind PARAMS_MAX of them. */
void params_add(struct params *p, const char *name, size_t name_len,
                const char *value, size_t len, bool raw);
/* A reference to the content is taken over. */
void params_add_file(struct params *p, const char *name, const char *file_name,
                     struct content *content);

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
/* The same of a JSON string; 0 if it is none. */
int64_t params_json_length(const json_t *text);

#endif
