#ifndef MOONLET_NET_HTTP_CLIENT_H
#define MOONLET_NET_HTTP_CLIENT_H

/*
 * One face for outgoing HTTP, two transports: libcurl over sockets, or a
 * direct call into a table of routes in this process (play, simulation).
 * The seam is the HTTP message. Loop thread only.
 *
 * No request but GET and HEAD is ever sent twice by this module: one whose
 * connection was lost after a byte of it was written ends as ERR_UNKNOWN. So
 * does an answer that breaks off, also that to a GET, which the caller may
 * repeat or resume; and a sink has what came of it.
 */

#include "base/buf.h"
#include "base/err.h"
#include "loop/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct http_client;
struct loop;
struct routes;

struct http_response {
    int status;
    struct buf body;
    double retry_after;     /* seconds, from the header; 0: none */
    char content_type[128]; /* cut to size; "": none */
    int64_t length;         /* as announced; -1: not announced */
    char *url;              /* that redirects have led to; NULL: the call's */
    struct buf head;        /* "Name: value\r\n" for each header of the last
                               answer, if the call keeps it */
};

struct http_header {
    const char *name;
    const char *value;
};

#define HTTP_WAIT (-1)
#define HTTP_BROKEN (-2)

/* A body that is made while it is sent. Called from within the transport, so
 * it may neither start nor cancel calls, nor resume its own. */
struct http_source {
    /* Puts up to max bytes into out and returns how many, at least one.
     * HTTP_WAIT: there are none yet, http_resume follows. HTTP_BROKEN: there
     * never will be; ends the call with ERR_IO, since what the peer has got
     * is no whole request. The bytes are body_len in all; it is not asked for
     * more. An answer that comes before may leave some unasked for. */
    ssize_t (*read)(struct http_source *s, char *out, size_t max);
};

/* A body that is taken while it comes; called as a source is. */
struct http_sink {
    /* The head of the answer is there. False: its body is not wanted, which
     * ends the call with ERR_OK and an empty body. */
    bool (*begin)(struct http_sink *s, const struct http_response *r);
    /* 0: has taken all of it. HTTP_WAIT: has taken nothing, and gets the same
     * again after http_resume, maybe with more behind it. HTTP_BROKEN: ends
     * the call with ERR_IO. */
    int (*write)(struct http_sink *s, const char *data, size_t len);
};

/* Embedded in the caller's operation. Fields above the line are set by the
 * caller and must stay valid until done or cancel. */
struct http_call {
    const char *method;       /* "GET", "HEAD", "POST", "PUT", ... */
    const char *url;          /* absolute */
    const char *content_type; /* NULL: no body */
    const char *body;         /* borrowed */
    size_t body_len;
    struct http_source *source; /* in place of `body`; borrowed. One call, one
                                   source: it is never read twice */
    struct http_sink *sink; /* takes the body of an answer; then response.body
                               stays empty and response_max counts for
                               nothing; borrowed */
    const struct http_header *headers; /* more of them; borrowed */
    size_t headers_count;
    size_t response_max; /* bytes; more ends the call with ERR_LIMIT */
    uint64_t timeout_ms; /* whole call; ends it with ERR_UNKNOWN or,
                            if nothing was written, ERR_NOT_SENT,
                            "timed out after N s"; 0: none */
    uint64_t stall_ms;   /* the same when no byte has moved either way for so
                            long (or up to an eighth longer), "no byte for
                            N s"; does not run while the
                            call waits for its own source or sink; 0: none,
                            but not both */
    /* So many redirects are followed; one more is ERR_LIMIT. 0: an answer that
     * redirects is the answer, and so is always one to another scheme than
     * http(s), or one that asks for the bytes of a source again. As browsers
     * do, a POST becomes a GET by 301 and 302, and all but HEAD by 303; another
     * host, port or scheme gets neither Authorization nor Cookie, and neither
     * does whoever it redirects to. */
    unsigned redirects_max;
    bool keep_head; /* fills response.head */
    /* Called once, from the loop, never from within http_start. e->code 0:
     * a response of any status is in `response` (freed by http_call_free).
     * Else ERR_NOT_SENT, ERR_UNKNOWN, ERR_LIMIT or, by its own source or
     * sink, ERR_IO. ERR_NOT_SENT is retryable unless the URL is none. */
    void (*done)(struct http_call *call, const struct err *e);
    /* --- */
    struct http_response response;
    void *transport; /* the transport's own data; NULL: not running */
};

struct http_client_options {
    size_t connections_max; /* sockets in all */
    const char *proxy;      /* NULL: none */
    const char *no_proxy;   /* hosts that are asked without it, as libcurl
                               reads them; NULL: none */
    const char *ca_file;    /* certificates that are trusted; NULL: those of
                               the system */
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
/* The call's source or sink, which has made it wait, can go on; both are asked
 * again if both wait. */
void http_resume(struct http_client *c, struct http_call *call);
/* Stops the call; done is not called afterwards. Safe if not running. */
void http_cancel(struct http_client *c, struct http_call *call);
void http_call_free(struct http_call *call); /* the response's memory */

/* All calls must have ended or been cancelled. Handles close in later loop
 * turns; memory frees itself with the last of them. */
void http_client_free(struct http_client *c);

#endif
