#ifndef MOONLET_NET_EXCHANGE_H
#define MOONLET_NET_EXCHANGE_H

/*
 * What a carrier of exchanges (http_server, the direct transport) must
 * provide. Included by net alone.
 */

#include "base/buf.h"
#include "net/routes.h"

#define EXCHANGE_WILDCARDS 4

struct exchange_header {
    char *name;
    char *value;
    struct exchange_header *next;
};

struct exchange_carrier {
    void (*reply)(struct exchange *x, int status, const char *content_type,
                  const char *body, size_t len);
    void (*drop)(struct exchange *x);
    void (*stream_begin)(struct exchange *x, int status,
                         const char *content_type);
    bool (*stream_write)(struct exchange *x, const char *data, size_t len);
    void (*stream_end)(struct exchange *x);
    const char *(*header)(const struct exchange *x, const char *name);
    bool (*header_begins)(const struct exchange *x, const char *prefix);
};

/* First member of the carrier's own struct, which owns everything here. */
struct exchange {
    const struct exchange_carrier *carrier;
    char *method;
    char *path;
    char *query;
    struct buf body;
    bool peer_is_loopback;
    char *wildcards[EXCHANGE_WILDCARDS];
    struct exchange_header *headers; /* of the answer */
    void (*gone)(struct exchange *x, void *arg);
    void *gone_arg;
};

/* Fills a zeroed exchange from a request target ("/a%20b?c=d"). */
void exchange_init(struct exchange *x, const struct exchange_carrier *carrier,
                   const char *method, const char *target);
void exchange_clear(struct exchange *x); /* frees the fields */

#endif
