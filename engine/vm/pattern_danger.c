/*
 * What can be said of a pattern without a text. Two repeated items that
 * stand side by side and take the same characters can share these out in
 * as many ways as there are characters, and a matcher that fails behind them
 * tries all; three of them cost the third power of the text's length.
 */
#include "vm/pattern.h"

#include "vm/pattern_items.h"

#include <stdlib.h>
#include <string.h>

#define MANY_WAYS 3

/* A run of items; `anywhere`: it may begin at any character of the text. */
struct part {
    const struct item *first, *end;
    bool anywhere;
};

static bool is_repeated(const struct item *item)
{
    return item->kind == ITEM_BACK ||
           (item->repeat != '\0' && item->repeat != '?');
}

/* It fits everywhere, if need be to nothing. */
static bool is_optional(const struct item *item)
{
    return item->kind == ITEM_OPEN || item->kind == ITEM_CLOSE ||
           item->kind == ITEM_HERE ||
           (item->repeat != '\0' && item->repeat != '+');
}

static bool is_anything(const struct item *item)
{
    for (int i = 0; i < 8; i++)
        if (item->set[i] != UINT32_MAX)
            return false;
    return is_repeated(item);
}

/* Adds the characters that the item can begin with. False: it takes at least
 * one, so that what stands behind it cannot be next. */
static bool add_next(uint32_t *set, const struct item *item)
{
    bool takes = item->kind == ITEM_CHAR || item->kind == ITEM_BALANCED;
    for (int i = 0; i < 8; i++)
        set[i] |= item->kind == ITEM_BACK ? UINT32_MAX
                  : takes                 ? item->set[i]
                                          : 0;
    return !takes || is_optional(item);
}

static bool overlap(const uint32_t *set, const struct item *item)
{
    for (int i = 0; i < 8; i++)
        if (item->kind == ITEM_BACK ? set[i] : set[i] & item->set[i])
            return true;
    return false;
}

/* Where it ends is open: what follows may begin with what it takes. */
static bool overlaps_next(const struct part *part, const struct item *item)
{
    uint32_t next[8] = {0};
    for (const struct item *i = item + 1; i < part->end; i++)
        if (!add_next(next, i))
            break;
    return overlap(next, item);
}

/* Where it begins is open in the same way. */
static bool overlaps_before(const struct part *part, const struct item *item)
{
    uint32_t before[8] = {0};
    const struct item *i = item;
    while (i > part->first)
        if (!add_next(before, --i))
            return overlap(before, item);
    return part->anywhere || overlap(before, item);
}

/* The power with which the ways through the part grow with the text. */
static int ways(const struct part *part)
{
    int power = part->anywhere && part->first < part->end;
    for (const struct item *i = part->first; i < part->end; i++)
        if (is_repeated(i) &&
            (overlaps_next(part, i) || (power && overlaps_before(part, i))))
            power++;
    return power;
}

/* Cuts off what cannot fail and so is never tried in a second way. A last
 * "+" needs one character and no more. */
static void cut_optional(struct part *part, struct item *items)
{
    while (part->end > part->first && is_optional(part->end - 1))
        part->end--;
    if (part->end > part->first && part->end[-1].repeat == '+')
        items[part->end - 1 - items].repeat = '\0';
}

/* Of a pattern that ends with "$": the item from which on it fits every
 * text, as in "(.-)%s*$"; NULL: there is none. */
static const struct item *fitting_end(const struct part *part)
{
    const struct item *i = part->end;
    while (i > part->first) {
        i--;
        if (is_anything(i))
            return i;
        if (!is_optional(i))
            return NULL;
    }
    return NULL;
}

static int worst_ways(struct item *items, size_t count, bool anchored)
{
    struct part head = {items, items + count, !anchored};
    struct part tail = {items, items, false};
    bool to_last = count > 0 && items[count - 1].kind == ITEM_LAST;

    if (to_last)
        head.end--;
    const struct item *fits = to_last ? fitting_end(&head) : NULL;
    if (fits) {
        tail = (struct part){fits, head.end, false};
        head.end = fits;
    }
    if (fits || !to_last)
        cut_optional(&head, items);
    int first = ways(&head), last = ways(&tail);
    return first > last ? first : last;
}

bool pattern_is_dangerous(const char *pattern, size_t len)
{
    bool anchored = len > 0 && pattern[0] == '^';
    const char *problem;
    size_t count = 0;
    struct item *items =
        pattern_items(pattern + anchored, len - anchored, &problem);

    while (items[count].kind != ITEM_END && items[count].kind != ITEM_BROKEN)
        count++;
    bool dangerous = worst_ways(items, count, anchored) >= MANY_WAYS;
    free(items);
    return dangerous;
}

const char *pattern_problem(const char *pattern, size_t len)
{
    bool anchored = len > 0 && pattern[0] == '^';
    const char *problem;
    free(pattern_items(pattern + anchored, len - anchored, &problem));
    return problem;
}
