#ifndef MOONLET_VM_PATTERN_ITEMS_H
#define MOONLET_VM_PATTERN_ITEMS_H

/*
 * A Lua pattern taken apart: what follows from its text alone, so that the
 * walk over it only compares. Between the files of pattern.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_CAPTURES 32 /* as many as Lua's matcher takes */

enum item_kind {
    ITEM_CHAR,     /* one character of `set`, repeated as `repeat` says */
    ITEM_OPEN,     /* capture `index` begins */
    ITEM_CLOSE,    /* and ends */
    ITEM_HERE,     /* the position is captured */
    ITEM_BACK,     /* the text of capture `index` again */
    ITEM_BALANCED, /* %b */
    ITEM_FRONTIER, /* %f */
    ITEM_LAST,     /* "$": the end of the text */
    ITEM_END,      /* of the pattern */
    ITEM_BROKEN    /* Lua raises an error when it comes here */
};

struct item {
    enum item_kind kind;
    char repeat; /* '*', '+', '-', '?' or NUL: once */
    uint8_t index;
    unsigned char open, close; /* ITEM_BALANCED */
    uint32_t weight;           /* steps that one comparison costs Lua */
    uint32_t set[8];           /* a bit for each character */
};

static inline bool item_takes(const struct item *item, unsigned char c)
{
    return (item->set[c >> 5] >> (c & 31)) & 1;
}

/* The items of a pattern without its "^"; the last one is ITEM_END or
 * ITEM_BROKEN, with *problem then set. Owned by the caller. */
struct item *pattern_items(const char *pattern, size_t len,
                           const char **problem);

#endif
