#include "vm/pattern.h"

#include "vm/pattern_items.h"

#include <stdlib.h>
#include <string.h>

/* Below this many steps in the worst case no walk is made. */
#define FREE_STEPS 1000000u
/* Patterns that long are no patterns any more; their items are 48 bytes. */
#define PATTERN_LEN_MAX 65536u
/* Lua's matcher raises "pattern too complex" when it is nested deeper. */
#define DEPTH_MAX 200

struct walk {
    const char *begin, *end; /* of the text */
    uint64_t steps, budget;
    int depth;
    bool raises;
    const char *from[PATTERN_CAPTURES], *to[PATTERN_CAPTURES];
};

static const char *walk_from(struct walk *w, const char *s,
                             const struct item *item);

/* True: no further step is to be made, whatever would come next. */
static bool is_over(const struct walk *w)
{
    return w->raises || w->steps > w->budget;
}

static bool takes(struct walk *w, const struct item *item, const char *s)
{
    w->steps += item->weight;
    return s < w->end && item_takes(item, (unsigned char)*s);
}

/* As many as there are, then fewer. */
static const char *walk_longest(struct walk *w, const char *s,
                                const struct item *item, size_t least)
{
    size_t n = 0;
    while (takes(w, item, s + n) && !is_over(w))
        n++;
    for (n++; n > least && !is_over(w); n--) {
        const char *end = walk_from(w, s + n - 1, item + 1);
        if (end)
            return end;
    }
    return NULL;
}

/* As few as possible, then more. */
static const char *walk_shortest(struct walk *w, const char *s,
                                 const struct item *item)
{
    while (!is_over(w)) {
        const char *end = walk_from(w, s, item + 1);
        if (end || !takes(w, item, s))
            return end;
        s++;
    }
    return NULL;
}

static const char *walk_balanced(struct walk *w, const char *s,
                                 const struct item *item)
{
    size_t open = 1;
    if (!takes(w, item, s))
        return NULL;
    for (s++; s < w->end; s++) {
        w->steps++;
        if ((unsigned char)*s == item->close) {
            if (--open == 0)
                return s + 1;
        } else if ((unsigned char)*s == item->open) {
            open++;
        }
    }
    return NULL;
}

/* The text's two ends count as NUL. */
static bool is_frontier(struct walk *w, const char *s, const struct item *item)
{
    unsigned char before = s == w->begin ? 0 : (unsigned char)s[-1];
    unsigned char here = s == w->end ? 0 : (unsigned char)*s;
    w->steps += 2 * item->weight;
    return !item_takes(item, before) && item_takes(item, here);
}

static const char *walk_back(struct walk *w, const char *s,
                             const struct item *item)
{
    size_t len = (size_t)(w->to[item->index] - w->from[item->index]);
    if ((size_t)(w->end - s) < len)
        return NULL;
    w->steps += len / 16;
    return memcmp(s, w->from[item->index], len) == 0 ? s + len : NULL;
}

/* One item that is not repeated: where it ends, NULL if it does not fit. */
static const char *walk_one(struct walk *w, const char *s,
                            const struct item *item)
{
    switch (item->kind) {
    case ITEM_CHAR:
        return takes(w, item, s) ? s + 1 : NULL;
    case ITEM_OPEN:
        w->from[item->index] = s;
        return s;
    case ITEM_CLOSE:
        w->to[item->index] = s;
        return s;
    case ITEM_HERE:
        return s;
    case ITEM_BACK:
        return walk_back(w, s, item);
    case ITEM_BALANCED:
        return walk_balanced(w, s, item);
    case ITEM_FRONTIER:
        return is_frontier(w, s, item) ? s : NULL;
    case ITEM_LAST:
        return s == w->end ? s : NULL;
    case ITEM_END:
    case ITEM_BROKEN:
        break;
    }
    w->raises = true;
    return NULL;
}

/* Lua's matcher nests at captures and counts how deep. */
static bool is_capture(const struct item *item)
{
    return item->kind == ITEM_OPEN || item->kind == ITEM_CLOSE ||
           item->kind == ITEM_HERE;
}

/* Where a match of the items that begins at s ends; NULL: there is none, or
 * the walk is over. Nests exactly where Lua does: deeper would take a
 * pattern for too complex that Lua still runs. */
static const char *walk_items(struct walk *w, const char *s,
                              const struct item *item)
{
    const char *end;
    for (; s && item->kind != ITEM_END && !is_over(w); item++) {
        w->steps++;
        if (is_capture(item))
            return walk_from(w, walk_one(w, s, item), item + 1);
        if (!item->repeat)
            s = walk_one(w, s, item);
        else if (!takes(w, item, s))
            s = item->repeat == '+' ? NULL : s;
        else if (item->repeat == '-')
            return walk_shortest(w, s, item);
        else if (item->repeat != '?')
            return walk_longest(w, s, item, item->repeat == '+');
        else if ((end = walk_from(w, s + 1, item + 1)))
            return end;
    }
    return is_over(w) ? NULL : s;
}

static const char *walk_from(struct walk *w, const char *s,
                             const struct item *item)
{
    const char *end = NULL;
    if (++w->depth > DEPTH_MAX)
        w->raises = true;
    else
        end = walk_items(w, s, item);
    w->depth--;
    return end;
}

/* All the matches that the call would make, from each start in turn. */
static void walk_text(struct walk *w, const struct pattern_call *call,
                      const struct item *items, bool anchored,
                      struct pattern_walk *out)
{
    const char *s = call->text + call->start;
    const char *last = NULL; /* an empty match there would be no new one */
    uint64_t most = call->use == PATTERN_GSUB ? call->most : UINT64_MAX;

    while (out->matches < most && !is_over(w)) {
        w->steps++;
        const char *end = walk_from(w, s, items);
        bool matched = end && end != last;
        if (matched && out->matches++ == 0) {
            out->from = (size_t)(s - call->text);
            out->to = (size_t)(end - call->text);
        }
        if (anchored || (matched && call->use == PATTERN_FIND))
            return;
        if (matched)
            s = last = end;
        else if (s < w->end)
            s++;
        else
            return;
    }
}

static uint64_t budget_of(const struct pattern_call *call)
{
    return PATTERN_STEPS + PATTERN_STEPS_BYTE * (uint64_t)call->len;
}

void pattern_walk(const struct pattern_call *call, struct pattern_walk *out)
{
    bool anchored = call->use != PATTERN_GMATCH && call->pattern_len > 0 &&
                    call->pattern[0] == '^';
    const char *problem;
    struct item *items = pattern_items(call->pattern + anchored,
                                       call->pattern_len - anchored, &problem);
    struct walk w = {
        .begin = call->text,
        .end = call->text + call->len,
        .budget = budget_of(call),
    };

    *out = (struct pattern_walk){0};
    walk_text(&w, call, items, anchored, out);
    free(items);
    out->steps = w.steps;
    out->verdict = w.raises             ? PATTERN_RAISES
                   : w.steps > w.budget ? PATTERN_OVER
                   : out->matches == 0  ? PATTERN_NO_MATCH
                                        : PATTERN_MATCH;
}

/* The power with which steps can grow with the text's length, and the factor
 * before it, read from the bytes of the pattern alone: never too low. */
static void estimate(const char *p, size_t len, unsigned *power,
                     uint64_t *factor)
{
    for (size_t i = 0; i < len; i++) {
        switch (p[i]) {
        case '*':
        case '+':
        case '-':
            ++*power;
            break;
        case '?':
            *factor *= *factor < FREE_STEPS ? 2 : 1;
            break;
        case '%': /* %b and %1 read on by themselves */
            *power += i + 1 < len &&
                      (p[i + 1] == 'b' || (p[i + 1] >= '0' && p[i + 1] <= '9'));
            break;
        }
    }
}

static bool is_cheap(const struct pattern_call *call)
{
    unsigned power = call->pattern_len == 0 || call->pattern[0] != '^' ||
                     call->use == PATTERN_GMATCH;
    uint64_t steps = call->pattern_len + 1;
    uint64_t n = call->len - call->start + 1;

    estimate(call->pattern, call->pattern_len, &power, &steps);
    while (power > 0 && steps <= FREE_STEPS) {
        if (n > FREE_STEPS || power > 20)
            return false;
        steps *= n;
        power--;
    }
    return steps <= FREE_STEPS;
}

bool pattern_within(const struct pattern_call *call)
{
    struct pattern_walk walk;
    if (is_cheap(call))
        return true;
    if (call->pattern_len > PATTERN_LEN_MAX)
        return false;
    pattern_walk(call, &walk);
    return walk.verdict != PATTERN_OVER;
}

bool pattern_is_plain(const char *pattern, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (pattern[i] && strchr("^$*+?.([%-", pattern[i]))
            return false;
    return true;
}

bool pattern_plain_within(const struct pattern_call *call)
{
    const char *at = call->text + call->start;
    const char *end = call->text + call->len;
    size_t len = call->pattern_len;
    size_t head = len < 16 ? len : 16;
    uint64_t left = budget_of(call);

    if (len == 0 || (uint64_t)(end - at) * len < FREE_STEPS)
        return true;
    for (; (size_t)(end - at) >= len; at++) {
        at = memchr(at, call->pattern[0], (size_t)(end - at) - len + 1);
        if (!at)
            return true;
        bool begins = memcmp(at, call->pattern, head) == 0;
        uint64_t steps = begins ? 1 + len / 16 : 1;
        if (begins && memcmp(at, call->pattern, len) == 0)
            return true;
        if (steps > left)
            return false;
        left -= steps;
    }
    return true;
}
