#ifndef MOONLET_NET_HTTP_CLIENT_H
#define MOONLET_NET_HTTP_CLIENT_H

/*
 * One face for outgoing HTTP, two transports: libcurl over sockets, or a
 * direct call into a table of routes in this process (play, simulation).
 * The seam is the HTTP message. Loop thread only.
 *
 * No request is ever sent twice by this module: a POST whose connection was
 * lost after a body byte was written ends as ERR_UNKNOWN (FACTS: libcurl
 * repeats POSTs by itself unless its seek callback fails).
 */

#include "base/buf.h"
#include "base/err.h"
#include "loop/timer.h"

#include <stddef.h>
#include <stdint.h>

struct http_client;
struct loop;
struct routes;

struct http_response {
    int status;
    struct buf body;
    double retry_after;     /* seconds, from the header; 0: none */
    char content_type[128]; /* cut to size; "": none */
};

struct http_header {
    const char *name;
    const char *value;
};

/* Embedded in the caller's operation. Fields above the line are set by the
 * caller and must stay valid until done or cancel. */
struct http_call {
    const char *method;       /* "GET", "POST"; others only directly */
    const char *url;          /* absolute */
    const char *content_type; /* NULL: no body */
    const char *body;         /* borrowed */
    size_t body_len;
    const struct http_header *headers; /* more of them; borrowed */
    size_t headers_count;
    size_t response_max; /* bytes; more ends the call with ERR_LIMIT */
    uint64_t timeout_ms; /* whole call; ends it with ERR_UNKNOWN or,
                            if nothing was written, ERR_NOT_SENT,
                            "timed out after N s" */
    /* Called once, from the loop, never from within http_start. e->code 0:
     * a response of any status is in `response` (freed by http_call_free).
     * Else ERR_NOT_SENT, ERR_UNKNOWN or ERR_LIMIT. */
    void (*done)(struct http_call *call, const struct err *e);
    /* --- */
    struct http_response response;
    void *transport; /* the transport's own data; NULL: not running */
};

struct http_client_options {
    size_t connections_max; /* sockets in all */
    const char *proxy;      /* NULL: none */
    const char *user_agent;
};

struct http_client *http_client_new_curl(struct loop *loop,
                                         const struct http_client_options *o);
/* Requests to any host go to `routes` (borrowed). NULL: every connection is
 * refused. */
struct http_client *http_client_new_direct(struct loop *loop,
                                           struct routes *routes);
/* Changes where a direct client's requests go from now on. No request may be
 * with a handler of the old ones. */
void http_direct_connect(struct http_client *c, struct routes *routes);
/* Requests and answers of a direct client take 0 to max_ms each, drawn from
 * the loop's rng; so one may overtake another. */
void http_direct_travel(struct http_client *c, uint64_t max_ms);

void http_start(struct http_client *c, struct http_call *call);
/* Stops the call; done is not called afterwards. Safe if not running. */
void http_cancel(struct http_client *c, struct http_call *call);
void http_call_free(struct http_call *call); /* the response's memory */

/* All calls must have ended or been cancelled. Handles close in later loop
 * turns; memory frees itself with the last of them. */
void http_client_free(struct http_client *c);

#endif
