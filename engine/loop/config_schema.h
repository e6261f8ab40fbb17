#ifndef MOONLET_LOOP_CONFIG_SCHEMA_H
#define MOONLET_LOOP_CONFIG_SCHEMA_H

/* Shared by the sources of config, and by nobody else: the rows of the
 * schema, how a value becomes a field, and where values were found. */

#include "loop/config.h"

struct buf;

enum setting_type {
    SETTING_TEXT,     /* char *, fits the row's form */
    SETTING_PATH,     /* char *, made absolute after parsing */
    SETTING_INT,      /* int within min..max */
    SETTING_REAL,     /* double within min..max */
    SETTING_DURATION, /* int64_t milliseconds within min..max */
    SETTING_SIZE,     /* int64_t bytes within min..max */
    SETTING_BOOL,     /* bool */
    SETTING_WORD,     /* int: place among the words, counted from min */
    SETTING_IDS,      /* int64_t * with the count in admin_count */
};

/* What a text must look like, and how an error says so. */
struct setting_form {
    bool (*fits)(const char *text);
    const char *allowed;
    bool secret; /* its value is never shown … */
    bool url;    /* … but only a password within it is one */
};

struct setting {
    const char *name; /* in capitals */
    enum setting_type type;
    size_t offset;        /* of the field in struct config */
    const char *fallback; /* "" : unset */
    int64_t min, max;
    const char *const *words;
    const struct setting_form *form;
};

extern const struct setting config__settings[];
extern const size_t config__setting_count;

bool config__is_secret(const struct setting *row);

/* Row of a name in either case; -1: none. */
int config__find(const char *name, size_t len);

/* Puts the parsed text into its field. False, with the field as it was, if
 * it is not what the row allows. */
bool config__parse(struct config *c, const struct setting *row,
                   const char *text);

/* Gives a field its default, parsed like any other value. */
void config__reset(struct config *c, const struct setting *row);

/* Appends what a row allows ("1..65535"), and a value that is no secret
 * (", got \"abc\""). */
void config__put_allowed(struct buf *b, const struct setting *row);
void config__put_found(struct buf *b, const char *text);

/* The value that counts for a row, before it is parsed. */
struct config_found {
    char *text;   /* NULL: nobody set it */
    char *origin; /* as config_origin returns it; NULL: default */
    bool in_lua;  /* then its key is written small */
};

struct config_private {
    struct config_found *found; /* one for each row */
};

struct config_warn {
    void (*line)(void *arg, const char *line);
    void *arg;
};

/* ERR_CONFIG: "origin: key " and the text. */
int config__fail(const struct config *c, size_t row, struct err *e,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Reads NAME=value lines. A missing file is an empty one. */
int config__read_env(const char *path,
                     void (*put)(void *arg, const char *name, const char *value,
                                 int line),
                     void *arg, struct err *e);

/* What no single row can tell: settings that need or exclude each other. */
int config__check_rules(const struct config *c, struct err *e);

/* Unsets the parts of URLs that are set, with one warning for each URL whose
 * parts say something else. */
void config__urls_win(struct config *c, const struct config_warn *warn);

#endif
