#include "vm/pattern_items.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>

struct reader {
    const char *at;
    const char *end;
    struct item *items;
    size_t count;
    const char *problem;
    uint8_t captures;               /* begun so far */
    uint8_t open[PATTERN_CAPTURES]; /* those not ended, innermost last */
    uint8_t depth;
    bool ended[PATTERN_CAPTURES];
    bool here[PATTERN_CAPTURES]; /* holds a position, no text */
};

static void set_add(uint32_t *set, unsigned c)
{
    set[c >> 5] |= (uint32_t)1 << (c & 31);
}

/* %z, which the manual no longer names but the matcher still knows. */
static int is_nul(int c)
{
    return c == '\0';
}

/* The test of %a, %d and so on; NULL for a letter that names no class. */
static int (*class_test(int letter))(int)
{
    static const struct {
        int letter;
        int (*test)(int);
    } classes[] = {
        {'a', isalpha}, {'c', iscntrl},  {'d', isdigit}, {'g', isgraph},
        {'l', islower}, {'p', ispunct},  {'s', isspace}, {'u', isupper},
        {'w', isalnum}, {'x', isxdigit}, {'z', is_nul},
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (classes[i].letter == letter)
            return classes[i].test;
    return NULL;
}

/* Adds what %LETTER stands for. */
static void set_add_class(uint32_t *set, unsigned char letter)
{
    int (*test)(int) = class_test(tolower(letter));
    if (!test) {
        set_add(set, letter);
        return;
    }
    for (int c = 0; c < 256; c++)
        if ((test(c) != 0) == (islower(letter) != 0))
            set_add(set, (unsigned)c);
}

/* The "]" that ends the set whose text begins at `at`; NULL: there is none.
 * One that comes first stands for itself. */
static const char *set_end(const char *at, const char *end)
{
    bool first = true;
    if (at < end && *at == '^')
        at++;
    for (; at < end; at++, first = false) {
        if (*at == ']' && !first)
            return at;
        if (*at == '%' && ++at == end)
            return NULL;
    }
    return NULL;
}

/* Adds the characters of a set's text, without brackets and "^". */
static void set_add_text(uint32_t *set, const char *at, const char *end)
{
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '%') {
            set_add_class(set, (unsigned char)*++at);
        } else if (at + 2 < end && at[1] == '-') {
            at += 2;
            for (unsigned i = c; i <= (unsigned char)*at; i++)
                set_add(set, i);
        } else {
            set_add(set, c);
        }
    }
}

static void broken(struct reader *r, struct item *item, const char *why)
{
    item->kind = ITEM_BROKEN;
    r->problem = why;
    r->at = r->end;
}

/* Reads "[...]" into the item's set; false: it is not closed. */
static bool read_set(struct reader *r, struct item *item)
{
    const char *text = r->at + 1;
    const char *close = set_end(text, r->end);
    if (!close)
        return false;
    bool inverted = *text == '^';
    set_add_text(item->set, text + inverted, close);
    for (int i = 0; i < 8 && inverted; i++)
        item->set[i] = ~item->set[i];
    item->weight += (uint32_t)(close - text) / 2;
    r->at = close + 1;
    return true;
}

/* One character, class or set, and how often. */
static void read_char(struct reader *r, struct item *item)
{
    item->kind = ITEM_CHAR;
    if (*r->at == '[') {
        if (!read_set(r, item)) {
            broken(r, item, "malformed pattern (missing ']')");
            return;
        }
    } else if (*r->at == '%') {
        if (r->end - r->at < 2) {
            broken(r, item, "malformed pattern (ends with '%')");
            return;
        }
        set_add_class(item->set, (unsigned char)r->at[1]);
        r->at += 2;
    } else {
        if (*r->at == '.')
            memset(item->set, 0xff, sizeof item->set);
        else
            set_add(item->set, (unsigned char)*r->at);
        r->at++;
    }
    if (r->at < r->end && *r->at && strchr("*+-?", *r->at))
        item->repeat = *r->at++;
}

static void read_open(struct reader *r, struct item *item)
{
    bool here = r->end - r->at > 1 && r->at[1] == ')';
    if (r->captures == PATTERN_CAPTURES) {
        broken(r, item, "too many captures");
        return;
    }
    item->kind = here ? ITEM_HERE : ITEM_OPEN;
    item->index = r->captures++;
    r->here[item->index] = r->ended[item->index] = here;
    if (!here)
        r->open[r->depth++] = item->index;
    r->at += here ? 2 : 1;
}

static void read_close(struct reader *r, struct item *item)
{
    if (r->depth == 0) {
        broken(r, item, "invalid pattern capture");
        return;
    }
    item->kind = ITEM_CLOSE;
    item->index = r->open[--r->depth];
    r->ended[item->index] = true;
    r->at++;
}

static void read_back(struct reader *r, struct item *item)
{
    int index = r->at[1] - '1';
    if (index < 0 || index >= r->captures || !r->ended[index]) {
        broken(r, item, "invalid capture index");
        return;
    }
    /* A position has no text: an empty set that takes nothing. */
    item->kind = r->here[index] ? ITEM_CHAR : ITEM_BACK;
    item->index = (uint8_t)index;
    r->at += 2;
}

static void read_balanced(struct reader *r, struct item *item)
{
    if (r->end - r->at < 4) {
        broken(r, item, "malformed pattern (missing arguments to '%b')");
        return;
    }
    item->kind = ITEM_BALANCED;
    item->open = (unsigned char)r->at[2];
    item->close = (unsigned char)r->at[3];
    set_add(item->set, item->open);
    r->at += 4;
}

static void read_frontier(struct reader *r, struct item *item)
{
    r->at += 2;
    if (r->at == r->end || *r->at != '[') {
        broken(r, item, "missing '[' after '%f' in pattern");
        return;
    }
    item->kind = ITEM_FRONTIER;
    if (!read_set(r, item))
        broken(r, item, "malformed pattern (missing ']')");
}

static void read_last(struct reader *r, struct item *item)
{
    item->kind = ITEM_LAST;
    r->at++;
}

static void read_item(struct reader *r)
{
    struct item *item = &r->items[r->count++];
    char c = *r->at;
    char next = r->end - r->at > 1 ? r->at[1] : '\0';

    item->weight = 1;
    if (c == '(')
        read_open(r, item);
    else if (c == ')')
        read_close(r, item);
    else if (c == '$' && r->end - r->at == 1)
        read_last(r, item);
    else if (c == '%' && next == 'b')
        read_balanced(r, item);
    else if (c == '%' && next == 'f')
        read_frontier(r, item);
    else if (c == '%' && isdigit((unsigned char)next))
        read_back(r, item);
    else
        read_char(r, item);
}

struct item *pattern_items(const char *pattern, size_t len,
                           const char **problem)
{
    struct reader r = {.at = pattern, .end = pattern + len};

    r.items = mem_zero(len + 1, sizeof *r.items);
    while (r.at < r.end)
        read_item(&r);
    if (!r.problem) {
        r.items[r.count].kind = ITEM_END;
        if (r.depth > 0)
            r.problem = "unfinished capture";
    }
    *problem = r.problem;
    return r.items;
}
