#ifndef MOONLET_SIM_MARKUP_H
#define MOONLET_SIM_MARKUP_H

/*
 * parse_mode: takes the marks out of a text and makes entities of them, or
 * says what is wrong in the real server's words. Knows no calls.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct world;

enum markup_mode {
    MARKUP_NONE,
    MARKUP_MARKDOWN,
    MARKUP_MARKDOWN_V2,
    MARKUP_HTML,
};

/* "" and "none" are MARKUP_NONE. False: there is no such mode. */
bool markup_mode_parse(const char *name, enum markup_mode *mode);

/* text is UTF-8 and ends with a NUL at text[len]. The world serves links to
 * people. Fills out with the plain text and *entities with a new array in
 * the order of the text; or returns false with the reason in out. */
bool markup_parse(const struct world *w, enum markup_mode mode,
                  const char *text, size_t len, struct buf *out,
                  json_t **entities);

#endif
