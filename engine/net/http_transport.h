#ifndef MOONLET_NET_HTTP_TRANSPORT_H
#define MOONLET_NET_HTTP_TRANSPORT_H

/* What a transport of http_client provides. Included by net alone. */

#include "net/http_client.h"

struct http_transport {
    void (*start)(struct http_client *c, struct http_call *call);
    void (*resume)(struct http_client *c, struct http_call *call);
    void (*cancel)(struct http_client *c, struct http_call *call);
    void (*free)(struct http_client *c);
};

/* First member of the transport's own struct. */
struct http_client {
    const struct http_transport *transport;
};

#define HTTP_HOST_MAX 128

/* "host" or "host:port" of a URL, without user, path and query: these may
 * hold secrets. Cut to size. */
void http_host(const char *url, char out[HTTP_HOST_MAX]);

/* How a call ends when no answer came. `written`: a byte of the request may
 * have reached the peer. Returns e->code; only ERR_NOT_SENT is retryable. */
int http_lost(struct err *e, bool written, int detail, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The detail of both is ETIMEDOUT. */
int http_timed_out(struct err *e, bool written, const struct http_call *call);
int http_stalled(struct err *e, bool written, const struct http_call *call);
int http_too_long(struct err *e, const struct http_call *call, size_t max);
int http_too_far(struct err *e, const struct http_call *call);

/* The call's own source or sink has given up. */
enum http_breach { BREACH_NONE, BREACH_SOURCE, BREACH_SINK };
int http_broken(struct err *e, enum http_breach breach,
                const struct http_call *call);

/* What a redirect's own body may measure before its connection is closed. */
#define HTTP_REDIRECT_BODY_MAX 65536

/* Appends a line of a head as response.head holds it. */
void http_head_add(struct buf *head, const char *line, size_t len);

#endif
