#include "net/routes.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* In the order of preference. SEGMENT_NONE stands behind the last one. */
enum segment_kind {
    SEGMENT_EXACT,
    SEGMENT_PREFIX,
    SEGMENT_ONE,
    SEGMENT_REST,
    SEGMENT_NONE
};

struct route {
    char *method; /* NULL: any */
    char *pattern;
    route_handler *handler;
    void *arg;
};

struct guard {
    bool (*check)(struct exchange *x, void *arg);
    void *arg;
};

/* The routes stay sorted by preference, so the first that fits is the one. */
struct routes {
    struct route *items;
    size_t count;
    struct guard *guards;
    size_t guard_count;
};

struct span {
    const char *at;
    size_t len;
};

struct routes *routes_new(void)
{
    return MEM_NEW(struct routes);
}

void routes_free(struct routes *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->items[i].method);
        free(r->items[i].pattern);
    }
    free(r->items);
    free(r->guards);
    free(r);
}

/* Takes the next segment off *at, which points to its slash or to the end. */
static enum segment_kind next_segment(const char **at, struct span *segment)
{
    if (**at != '/')
        return SEGMENT_NONE;
    segment->at = *at + 1;
    segment->len = strcspn(segment->at, "/");
    *at = segment->at + segment->len;
    if (segment->len == 1 && *segment->at == '*')
        return SEGMENT_ONE;
    if (segment->len == 2 && memcmp(segment->at, "**", 2) == 0)
        return SEGMENT_REST;
    if (segment->len > 1 && segment->at[segment->len - 1] == '*')
        return SEGMENT_PREFIX;
    return SEGMENT_EXACT;
}

/* A named method before GET, which also takes HEAD, before any method. */
static int method_rank(const char *method)
{
    if (!method)
        return 2;
    return strcmp(method, "GET") == 0;
}

static bool route_before(const struct route *a, const struct route *b)
{
    const char *at_a = a->pattern;
    const char *at_b = b->pattern;
    struct span s;
    enum segment_kind kind_a;
    do {
        kind_a = next_segment(&at_a, &s);
        enum segment_kind kind_b = next_segment(&at_b, &s);
        if (kind_a != kind_b)
            return kind_a < kind_b;
    } while (kind_a != SEGMENT_NONE);
    return method_rank(a->method) < method_rank(b->method);
}

static void check_pattern(const char *pattern)
{
    struct span s;
    enum segment_kind kind;
    unsigned wildcards = 0;
    assert(*pattern == '/');
    while ((kind = next_segment(&pattern, &s)) != SEGMENT_NONE) {
        assert(kind != SEGMENT_REST || *pattern == '\0');
        wildcards += kind != SEGMENT_EXACT;
    }
    assert(wildcards <= EXCHANGE_WILDCARDS);
    (void)wildcards;
}

void routes_add(struct routes *r, const char *method, const char *pattern,
                route_handler *handler, void *arg)
{
    check_pattern(pattern);
    struct route added = {
        .method = method ? mem_strdup(method) : NULL,
        .pattern = mem_strdup(pattern),
        .handler = handler,
        .arg = arg,
    };
    r->items = mem_grow(r->items, r->count + 1, sizeof(*r->items));
    size_t place = r->count++;
    for (; place > 0 && route_before(&added, &r->items[place - 1]); place--)
        r->items[place] = r->items[place - 1];
    r->items[place] = added;
}

void routes_guard(struct routes *r,
                  bool (*guard)(struct exchange *x, void *arg), void *arg)
{
    r->guards = mem_grow(r->guards, r->guard_count + 1, sizeof(*r->guards));
    r->guards[r->guard_count++] = (struct guard){guard, arg};
}

/* For one segment against one: not SEGMENT_REST. */
static bool segment_fits(enum segment_kind kind, struct span want,
                         struct span have)
{
    if (kind == SEGMENT_ONE)
        return true;
    if (kind == SEGMENT_PREFIX)
        return have.len >= --want.len &&
               memcmp(want.at, have.at, want.len) == 0;
    return have.len == want.len && memcmp(want.at, have.at, want.len) == 0;
}

/* Returns whether the path fits; fills the spans of the wildcards. */
static bool path_fits(const char *pattern, const char *path,
                      struct span taken[EXCHANGE_WILDCARDS])
{
    struct span want;
    struct span have;
    enum segment_kind kind;
    while ((kind = next_segment(&pattern, &want)) != SEGMENT_NONE) {
        if (next_segment(&path, &have) == SEGMENT_NONE)
            return false;
        if (kind == SEGMENT_REST) {
            *taken = (struct span){have.at, strlen(have.at)};
            return true;
        }
        if (!segment_fits(kind, want, have))
            return false;
        if (kind != SEGMENT_EXACT)
            *taken++ = have;
    }
    return *path == '\0';
}

static bool method_fits(const char *wanted, const char *method)
{
    if (!wanted || strcmp(wanted, method) == 0)
        return true;
    return strcmp(method, "HEAD") == 0 && strcmp(wanted, "GET") == 0;
}

static void fail_method(struct exchange *x, const struct buf *allowed)
{
    exchange_add_header(x, "Allow", allowed->data);
    exchange_fail(x, 405, "method %s is not allowed here", x->method);
}

bool routes_admit(struct routes *r, struct exchange *x)
{
    for (size_t i = 0; i < r->guard_count; i++) {
        if (!r->guards[i].check(x, r->guards[i].arg))
            return false;
    }
    return true;
}

/* The best route for x with its wildcards filled; NULL if there is none, and
 * then the methods that the path would take are appended to `allowed`. */
static const struct route *find_route(const struct routes *r,
                                      struct exchange *x, struct buf *allowed)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct route *route = &r->items[i];
        struct span taken[EXCHANGE_WILDCARDS] = {{NULL, 0}};
        if (!path_fits(route->pattern, x->path, taken))
            continue;
        if (method_fits(route->method, x->method)) {
            for (size_t n = 0; n < EXCHANGE_WILDCARDS && taken[n].at; n++)
                x->wildcards[n] = mem_dup(taken[n].at, taken[n].len);
            return route;
        }
        if (allowed->len)
            buf_puts(allowed, ", ");
        buf_puts(allowed, route->method);
    }
    return NULL;
}

void routes_run(struct routes *r, struct exchange *x)
{
    if (!routes_admit(r, x))
        return;
    struct buf allowed = {0};
    const struct route *route = find_route(r, x, &allowed);
    if (route)
        route->handler(x, route->arg);
    else if (allowed.len)
        fail_method(x, &allowed);
    else
        exchange_fail(x, 404, "nothing here");
    buf_free(&allowed);
}
