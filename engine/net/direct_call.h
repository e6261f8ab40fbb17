#ifndef MOONLET_NET_DIRECT_CALL_H
#define MOONLET_NET_DIRECT_CALL_H

/*
 * One call of the direct transport, which is the exchange of its handler,
 * too. Two hold it, the call and the handler; it frees itself when both have
 * let go and no file is being read for it. Bodies move in blocks, each in a
 * turn of its own. Included by net alone.
 */

#include "loop/work.h"
#include "net/exchange.h"
#include "net/http_hop.h"
#include "net/http_transport.h"

#define DIRECT_BLOCK 65536
#define DIRECT_BODY_MAX 16777216 /* of a source, collected */
#define DIRECT_STREAM_MAX 262144 /* unread by the sink */

struct direct_client {
    struct http_client client; /* first member */
    struct loop *loop;
    struct routes *routes; /* NULL: nobody answers there */
    uint64_t travel_max_ms;
};

struct direct_call {
    struct exchange x; /* first member */
    struct direct_client *client;
    struct http_call *call; /* NULL: ended */
    struct http_hop hop;
    struct deferred run;
    struct deferred deliver;
    struct timer travel; /* of the request, then of the answer */
    struct timer timer;
    struct timer stall;
    char *block; /* NULL until one is needed */

    /* The body on its way to the handler. */
    struct routes *routes; /* that it goes to */
    bool arrived;
    bool held;  /* the handler has the exchange */
    bool whole; /* so is the body */
    bool source_waits;
    bool resumed; /* by the taker, while it takes */
    struct deferred feed;
    const char *piece;
    size_t piece_len;
    size_t piece_at;
    size_t read; /* of the body, up to the end of the piece */

    /* The answer on its way back. */
    bool answered;
    bool streaming; /* its end is open */
    bool delivered; /* the caller has its head */
    bool sink_waits;
    struct deferred pour;
    struct http_response response; /* a sink takes its body by and by */
    size_t poured;
    struct err err; /* code 0: there is a response */
    int file;       /* the body is that of a file; -1: it is not */
    uint64_t file_at;
    uint64_t file_left;
    struct work work;
    bool reading;
    ssize_t got;
};

extern const struct exchange_carrier direct_call__carrier;

/* The request has arrived. */
void direct_call__run(struct direct_call *d);
/* Moves the next piece of the body towards the handler. */
void direct_call__feed(struct direct_call *d);

/* There is an answer, or d->err; it is under way from now on. */
void direct_call__answer(struct direct_call *d);
/* The call ends in failure, in this turn. */
void direct_call__fail(struct direct_call *d, const struct err *e);
/* A byte has moved, or an end waits or no longer does. */
void direct_call__touch(struct direct_call *d);
void direct_call__release(struct direct_call *d);
char *direct_call__block(struct direct_call *d);

#endif
