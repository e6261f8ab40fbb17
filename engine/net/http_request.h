#ifndef MOONLET_NET_HTTP_REQUEST_H
#define MOONLET_NET_HTTP_REQUEST_H

/*
 * One request at http_server: the exchange that the handler sees, carried by
 * a connection of libmicrohttpd. Two hold it, the connection and the
 * handler; it frees itself when both have let go. Included by net alone.
 */

#include "base/list.h"
#include "net/exchange.h"

#include <microhttpd.h>
#include <stdint.h>

struct deferred;
struct loop;
struct patience;
struct pollset;
struct routes;

/* The head of a request, with what is kept of it besides; the answer has what
 * is left of the connection's memory. */
#define HTTP_HEAD_MAX 18432
#define HTTP_STREAM_MAX (256 * 1024)

/* What requests share; lives in the server. */
struct http_requests {
    struct routes *routes;
    struct loop *loop;
    struct deferred *run;    /* libmicrohttpd must run to see a resume */
    struct pollset *hangups; /* sockets of suspended connections */
    struct patience *patience;
    struct list held; /* requests that handlers hold */
    struct list lost; /* of those, peers that just hung up */
    size_t body_max;
    size_t unsent;         /* answers that are not yet with the system whole */
    struct deferred *sent; /* runs when there are none; NULL: nobody waits */
};

enum http_request_state {
    REQUEST_READING,
    REQUEST_WAITING,   /* the handler has not answered yet */
    REQUEST_TAKING,    /* the same, and its taker gets the body */
    REQUEST_ANSWERED,  /* `response` is to be queued or was */
    REQUEST_STREAMING, /* the same, and its body comes from `unread` */
    REQUEST_DROPPED,   /* the connection is to be closed */
};

struct http_request {
    struct exchange x; /* first member */
    struct list link;  /* in held or lost while `held` */
    struct http_requests *all;
    struct MHD_Connection *connection; /* NULL: has let go */
    char *target;
    enum http_request_state state;
    bool held;
    bool suspended;
    bool watched; /* while suspended: for a peer that leaves */
    bool too_large;
    bool at_head;   /* of a streamed route: no byte of the body came */
    bool whole;     /* all of it came */
    bool unsent;    /* counts in all->unsent */
    bool resumed;   /* by the taker, since it was last called */
    int64_t length; /* of the body, as declared; -1: chunked */
    size_t moved;   /* of the body since patience began again */
    size_t thrown_away;
    bool ended; /* a stream's last byte is in `unread` */
    int status;
    struct MHD_Response *response;
    struct buf unread;
    size_t unread_at;
};

/* The four callbacks of libmicrohttpd; cls is a struct http_requests. */
void *http_request_target(void *cls, const char *target,
                          struct MHD_Connection *connection);
enum MHD_Result http_request_access(void *cls,
                                    struct MHD_Connection *connection,
                                    const char *url, const char *method,
                                    const char *version, const char *data,
                                    size_t *len, void **context);
void http_request_completed(void *cls, struct MHD_Connection *connection,
                            void **context,
                            enum MHD_RequestTerminationCode code);

/* The peer has hung up while the connection was suspended. */
void http_request_hung_up(struct http_request *r);
/* Ends the requests in `lost`: calls gone, closes the connections. */
void http_requests_end_lost(struct http_requests *all);

/* Between http_request.c, which reads requests, and http_answer.c, which
 * carries what their handlers say. */
extern const struct exchange_carrier http_request__carrier;
void http_request__suspend(struct http_request *r);
void http_request__wake(struct http_request *r);
void http_request__let_go(struct http_request *r); /* the handler has */
void http_request__release(struct http_request *r);

#endif
