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
    void (*each_header)(const struct exchange *x,
                        exchange_header_visitor *visit, void *arg);
    /* x->taker is set; it is called only after this has returned. */
    void (*receive)(struct exchange *x);
    void (*resume)(struct exchange *x); /* may come from within the taker */
    int64_t (*body_length)(const struct exchange *x);
    void (*reply_file)(struct exchange *x, int status, const char *content_type,
                       int fd, uint64_t offset, uint64_t len);
    void (*reply_cut)(struct exchange *x, int status, const char *content_type,
                      const char *body, size_t len, uint64_t promised);
};

/* First member of the carrier's own struct, which owns everything here. */
struct exchange {
    const struct exchange_carrier *carrier;
    char *method;
    char *path;
    char *raw_path; /* NULL: nothing in it is escaped */
    char *query;
    struct buf body;
    bool peer_is_loopback;
    char *wildcards[EXCHANGE_WILDCARDS];
    struct exchange_header *headers; /* of the answer */
    route_handler *handler;          /* NULL: not looked for, or none */
    void *handler_arg;
    bool streamed;                      /* so is its route */
    const struct exchange_taker *taker; /* NULL: has not been asked for */
    void *taker_arg;
    void (*gone)(struct exchange *x, void *arg);
    void *gone_arg;
};

/* Fills a zeroed exchange from a request target ("/a%20b?c=d"). */
void exchange_init(struct exchange *x, const struct exchange_carrier *carrier,
                   const char *method, const char *target);
void exchange_clear(struct exchange *x); /* frees the fields */

/* Whether the route of x takes its body while it comes: then routes_run is
 * due as soon as the head is there, with an empty body. */
bool routes_streamed(const struct routes *r, struct exchange *x);

#endif
