#ifndef MOONLET_TESTS_NET_HTTP_BODIES_FIXTURE_H
#define MOONLET_TESTS_NET_HTTP_BODIES_FIXTURE_H

/* Bodies that exist nowhere as a whole: each byte follows from its place, so
 * that both ends can make and check them. */

#include "net/http_client.h"

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

static inline char byte_at(size_t place)
{
    return (char)((uint32_t)(place / 8 * 2654435761u) >> 13);
}

static inline void fill_bytes(char *out, size_t place, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = byte_at(place + i);
}

static inline bool are_bytes(const char *data, size_t place, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != byte_at(place + i))
            return false;
    }
    return true;
}

/* What a source gives. */
struct giver {
    struct http_source source; /* first member */
    size_t given;
    size_t step;    /* at most so much at once; 0: all that is wanted */
    bool pauses;    /* before each step */
    bool may;       /* of `pauses`: the next one */
    size_t wait_at; /* gives nothing from there on until that is moved */
    size_t break_at;
    unsigned asked;
    bool waits;
};

static inline ssize_t give(struct http_source *s, char *out, size_t max)
{
    struct giver *g = (struct giver *)(void *)s;
    size_t n = g->step && g->step < max ? g->step : max;
    g->asked++;
    if (g->given >= g->break_at)
        return HTTP_BROKEN;
    g->waits = g->given >= g->wait_at || (g->pauses && !g->may);
    if (g->waits)
        return HTTP_WAIT;
    g->may = false;
    if (n > g->wait_at - g->given)
        n = g->wait_at - g->given;
    if (n > g->break_at - g->given)
        n = g->break_at - g->given;
    fill_bytes(out, g->given, n);
    g->given += n;
    return (ssize_t)n;
}

static inline struct giver giver(void)
{
    return (struct giver){
        .source = {.read = give}, .wait_at = SIZE_MAX, .break_at = SIZE_MAX};
}

/* What a sink takes. */
struct taker {
    struct http_sink sink; /* first member */
    size_t taken;
    bool differs; /* from the bytes that were due */
    bool pauses;  /* before each piece */
    bool may;
    size_t wait_at;
    size_t break_at;
    bool refuses;
    bool waits;
    int begins;
    int status;
    int64_t length;
    char type[64];
};

static inline bool take_head(struct http_sink *s, const struct http_response *r)
{
    struct taker *t = (struct taker *)(void *)s;
    t->begins++;
    t->status = r->status;
    t->length = r->length;
    strncpy(t->type, r->content_type, sizeof(t->type) - 1);
    return !t->refuses;
}

static inline int take_piece(struct http_sink *s, const char *data, size_t len)
{
    struct taker *t = (struct taker *)(void *)s;
    if (t->taken >= t->break_at)
        return HTTP_BROKEN;
    t->waits = t->taken >= t->wait_at || (t->pauses && !t->may);
    if (t->waits)
        return HTTP_WAIT;
    t->may = false;
    t->differs =
        t->differs || t->begins == 0 || !are_bytes(data, t->taken, len);
    t->taken += len;
    return 0;
}

static inline struct taker taker(void)
{
    return (struct taker){.sink = {.begin = take_head, .write = take_piece},
                          .wait_at = SIZE_MAX,
                          .break_at = SIZE_MAX};
}

/* Lets go on what waits only to be told so. */
static inline void nudge(struct http_client *c, struct http_call *call,
                         struct giver *g, struct taker *t)
{
    bool source = g && g->waits && g->pauses && g->given < g->wait_at;
    bool sink = t && t->waits && t->pauses && t->taken < t->wait_at;
    if (source)
        g->may = true;
    if (sink)
        t->may = true;
    if (source || sink)
        http_resume(c, call);
}

#endif
