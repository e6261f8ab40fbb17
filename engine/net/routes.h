#ifndef MOONLET_NET_ROUTES_H
#define MOONLET_NET_ROUTES_H

/*
 * A table of handlers by method and path, and the exchange that a handler
 * answers. Who carries the exchange (libmicrohttpd, or http_client calling
 * directly) is not visible here. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct exchange;
struct routes;

typedef void route_handler(struct exchange *x, void *arg);

struct routes *routes_new(void);
void routes_free(struct routes *r);

/* method NULL: any. In the pattern a segment `*` takes one segment, `bot*` one
 * that begins with bot (and gives it whole), and a last segment `**` takes the
 * rest; what says more wins over what says less. arg is borrowed. */
void routes_add(struct routes *r, const char *method, const char *pattern,
                route_handler *handler, void *arg);

/* The same for bodies of any size: the handler runs when the head is there,
 * and either ends the exchange or calls exchange_receive. */
void routes_add_streamed(struct routes *r, const char *method,
                         const char *pattern, route_handler *handler,
                         void *arg);

/* A check that runs before the handlers: false means that it has answered.
 * For a large body it also runs before that is read, and finds it empty. */
void routes_guard(struct routes *r,
                  bool (*guard)(struct exchange *x, void *arg), void *arg);

/* Runs the guards alone; false: one has answered. */
bool routes_admit(struct routes *r, struct exchange *x);

/* Finds and runs the handler; answers 404 or 405 as JSON if there is none. */
void routes_run(struct routes *r, struct exchange *x);

/* The request. Texts live until the exchange has been answered. */
const char *exchange_method(const struct exchange *x);
/* The path percent-decoded, but for %2F and %00, which stay as they are. */
const char *exchange_path(const struct exchange *x);
const char *exchange_raw_path(const struct exchange *x); /* as it came */
const char *exchange_query(const struct exchange *x);    /* raw, "" if none */
const char *exchange_body(const struct exchange *x, size_t *len);
const char *exchange_header(const struct exchange *x, const char *name);
/* Whether the name of any header begins so, in letters of either case. */
bool exchange_header_begins(const struct exchange *x, const char *prefix);
/* Each header as it came; the texts are borrowed for the call. */
typedef void exchange_header_visitor(void *arg, const char *name,
                                     const char *value);
void exchange_each_header(const struct exchange *x,
                          exchange_header_visitor *visit, void *arg);
bool exchange_peer_is_loopback(const struct exchange *x);
/* Segment of the path that the pattern's nth wildcard took, from 0. */
const char *exchange_wildcard(const struct exchange *x, unsigned n);
/* First query parameter of that name, decoded into out; false: none. */
bool exchange_query_get(const struct exchange *x, const char *name,
                        struct buf *out);

/* Who takes the body of a streamed route while it comes. It may end the
 * exchange at any time; what is left of the body is then thrown away. */
struct exchange_taker {
    /* Returns how many bytes it has taken. Fewer than len: the rest comes
     * again after exchange_resume. */
    size_t (*take)(struct exchange *x, void *arg, const char *data, size_t len);
    /* There is no more: the exchange can be answered, now or later. */
    void (*end)(struct exchange *x, void *arg);
};
/* Once, from the handler. Both are borrowed until the exchange ends or is
 * gone (exchange_on_gone, to be set before). */
void exchange_receive(struct exchange *x, const struct exchange_taker *taker,
                      void *arg);
void exchange_resume(struct exchange *x);
/* What the peer says of the body's length; -1: nothing. */
int64_t exchange_body_length(const struct exchange *x);

/* Adds a header to the answer; before it is sent. */
void exchange_add_header(struct exchange *x, const char *name,
                         const char *value);

/* Each exchange ends by exactly one of these five, now or later; x is gone
 * afterwards. Bodies are copied. */
void exchange_reply(struct exchange *x, int status, const char *content_type,
                    const char *body, size_t len);
/* The body is `len` bytes of an open file from `offset` on; 500 if it has not
 * so many. Closes fd. */
void exchange_reply_file(struct exchange *x, int status,
                         const char *content_type, int fd, uint64_t offset,
                         uint64_t len);
/* For faults on demand: promises a body of `promised` bytes and closes behind
 * the first `len`, which are fewer. */
void exchange_reply_cut(struct exchange *x, int status,
                        const char *content_type, const char *body, size_t len,
                        uint64_t promised);
void exchange_drop(struct exchange *x); /* closes without any answer */
void exchange_stream_end(struct exchange *x);

/* {"error": text} with the status; text is formatted. */
void exchange_fail(struct exchange *x, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* An answer without known length (server-sent events). Write returns false
 * when the client's unread bytes would pass 256 KiB: nothing was queued. */
void exchange_stream_begin(struct exchange *x, int status,
                           const char *content_type);
bool exchange_stream_write(struct exchange *x, const char *data, size_t len);

/* Called when the peer is gone before the answer was complete; x is gone
 * when it returns. To be set before the handler returns. NULL takes it back;
 * without it x stays until it is answered, into the void if need be. */
void exchange_on_gone(struct exchange *x,
                      void (*gone)(struct exchange *x, void *arg), void *arg);

#endif
