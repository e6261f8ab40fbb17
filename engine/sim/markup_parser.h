#ifndef MOONLET_SIM_MARKUP_PARSER_H
#define MOONLET_SIM_MARKUP_PARSER_H

/* What the parsers of the modes share: the text that comes out, counted in
 * UTF-16 units, the entities found and those that are open. For markup_*.c
 * alone. */

#include "base/buf.h"
#include "sim/markup.h"

#include <stdint.h>

struct markup_entity {
    int64_t offset; /* UTF-16 units */
    int64_t length;
    const char *type; /* as in the Bot API */
    json_t *more;     /* further members; NULL: none */
};

struct markup_open {
    const char *type; /* of the entity; of HTML: the tag as spelt here */
    char *argument;   /* NULL: none */
    int64_t unix_time;
    int64_t offset;
    size_t out_at; /* where its text begins */
    size_t at;     /* where the mark stands */
};

struct markup {
    const struct world *world;
    const char *text; /* ends with a NUL, so one byte ahead is readable */
    size_t len;
    size_t at;
    struct buf *out;
    int64_t units;
    struct markup_entity *found;
    size_t found_count;
    struct markup_open *open; /* innermost last */
    size_t open_count;
    bool quoting;    /* MarkdownV2: a > quotation is open */
    bool line_start; /* MarkdownV2: where one may begin */
};

/* Puts the reason in place of the text; returns false. */
bool markup_fail(struct markup *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes one byte of the text over. */
void markup_take(struct markup *m);
void markup_put_code_point(struct markup *m, uint32_t code);
bool markup_is_space(char c); /* the end of the text too */

/* argument is taken over. */
void markup_begin(struct markup *m, const char *type, char *argument,
                  size_t at);
struct markup_open *markup_innermost(struct markup *m); /* NULL: none */
void markup_forget(struct markup *m);                   /* the innermost */

/* An entity from `from` on; more is taken over. */
void markup_add(struct markup *m, int64_t from, const char *type, json_t *more);
/* A link, to a person or an address; nothing if it is neither. */
void markup_add_link(struct markup *m, int64_t from, const char *url);

bool markup_html(struct markup *m);
bool markup_markdown(struct markup *m);
bool markup_markdown_v2(struct markup *m);

#endif
