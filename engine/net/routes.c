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
    bool streamed;
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

static void add_route(struct routes *r, struct route added)
{
    r->items = mem_grow(r->items, r->count + 1, sizeof(*r->items));
    size_t place = r->count++;
    for (; place > 0 && route_before(&added, &r->items[place - 1]); place--)
        r->items[place] = r->items[place - 1];
    r->items[place] = added;
}

static struct route make_route(const char *method, const char *pattern,
                               route_handler *handler, void *arg)
{
    check_pattern(pattern);
    return (struct route){
        .method = method ? mem_strdup(method) : NULL,
        .pattern = mem_strdup(pattern),
        .handler = handler,
        .arg = arg,
    };
}

void routes_add(struct routes *r, const char *method, const char *pattern,
                route_handler *handler, void *arg)
{
    add_route(r, make_route(method, pattern, handler, arg));
}

void routes_add_streamed(struct routes *r, const char *method,
                         const char *pattern, route_handler *handler, void *arg)
{
    struct route added = make_route(method, pattern, handler, arg);
    added.streamed = true;
    add_route(r, added);
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

bool routes_admit(struct routes *r, struct exchange *x)
{
    for (size_t i = 0; i < r->guard_count; i++) {
        if (!r->guards[i].check(x, r->guards[i].arg))
            return false;
    }
    return true;
}

/* Looks for the best route, once, and fills the wildcards; false: none. */
static bool find_route(const struct routes *r, struct exchange *x)
{
    for (size_t i = 0; i < r->count && !x->handler; i++) {
        const struct route *route = &r->items[i];
        struct span taken[EXCHANGE_WILDCARDS] = {{NULL, 0}};
        if (!method_fits(route->method, x->method) ||
            !path_fits(route->pattern, x->path, taken))
            continue;
        for (size_t n = 0; n < EXCHANGE_WILDCARDS && taken[n].at; n++)
            x->wildcards[n] = mem_dup(taken[n].at, taken[n].len);
        x->handler = route->handler;
        x->handler_arg = route->arg;
        x->streamed = route->streamed;
    }
    return x->handler;
}

bool routes_streamed(const struct routes *r, struct exchange *x)
{
    return find_route(r, x) && x->streamed;
}

/* There is no route: because of the method alone? */
static void fail(const struct routes *r, struct exchange *x)
{
    struct buf allowed = {0};
    for (size_t i = 0; i < r->count; i++) {
        struct span taken[EXCHANGE_WILDCARDS];
        if (!path_fits(r->items[i].pattern, x->path, taken))
            continue;
        if (allowed.len)
            buf_puts(&allowed, ", ");
        buf_puts(&allowed, r->items[i].method);
    }
    if (allowed.len) {
        exchange_add_header(x, "Allow", allowed.data);
        exchange_fail(x, 405, "method %s is not allowed here", x->method);
    } else {
        exchange_fail(x, 404, "nothing here");
    }
    buf_free(&allowed);
}

void routes_run(struct routes *r, struct exchange *x)
{
    if (!routes_admit(r, x))
        return;
    if (find_route(r, x))
        x->handler(x, x->handler_arg);
    else
        fail(r, x);
}
