#ifndef MOONLET_NET_CURL_TRANSFER_H
#define MOONLET_NET_CURL_TRANSFER_H

/*
 * One call on one easy handle of libcurl: its options, its body on the way
 * out and in, and what its end means. Transfers are used again, since setting
 * a handle up costs more than a call. Included by net alone.
 */

#include "base/list.h"
#include "loop/loop.h"
#include "net/http_hop.h"
#include "net/http_transport.h"

#include <curl/curl.h>
#include <stdbool.h>

#define CURL_HEADERS_MAX 65536

struct curl_mux;

struct curl_transfer {
    struct list link;
    struct curl_mux *mux;
    struct http_call *call;
    struct http_hop hop; /* the request that is to be sent */
    struct timer timer;
    struct timer stall; /* fires several times within stall_ms */
    uint64_t moved_ms;  /* when a byte was last found to have moved */
    curl_off_t moved;   /* bytes until then */
    struct deferred resume;
    CURL *easy;
    struct curl_slist *headers;
    char *content_type; /* that `headers` are for; NULL: none */
    bool own_headers;   /* `headers` hold more, of one call */
    bool own_method;    /* set by its name */
    bool large;         /* buffers for bodies that stream */
    bool once;          /* may not be sent twice */
    bool reads_head;
    size_t header_bytes;
    curl_off_t bytes_before; /* counted as sent before the request */
    bool begun;              /* the request was about to be sent */
    bool refused;            /* libcurl was about to send it again */
    bool too_long;
    bool added;    /* to the multi handle */
    bool in_head;  /* its first line was there */
    bool answered; /* the last head is whole */
    bool unwanted; /* so says the sink */
    enum http_redirect redirect;
    enum http_breach breach;
    bool source_waits;
    bool sink_waits;
    size_t read;      /* from the source */
    size_t discarded; /* the body of an answer that redirects */
    char *location;
    CURLcode result;
    char reason[CURL_ERROR_SIZE];
};

struct curl_transfer *curl_transfer_new(const struct http_client_options *o);
void curl_transfer_free(struct curl_transfer *t);

/* Gets the handle ready for a call. */
void curl_transfer_prepare(struct curl_transfer *t, struct http_call *call);
/* After `result` is set: whether the call goes on with another request, for
 * which the handle is then ready. */
bool curl_transfer_follow(struct curl_transfer *t);

/* Whether the peer may have got a request that it could carry out. */
bool curl_transfer_written(const struct curl_transfer *t);

/* Bytes that have moved so far in either direction. */
curl_off_t curl_transfer_moved(const struct curl_transfer *t);

/* Frees what of an answer has come. */
void curl_transfer_forget(struct curl_transfer *t);

/* After `result` is set: fills call->response and returns 0, or the error. */
int curl_transfer_end(struct curl_transfer *t, struct err *e);

/* What libcurl calls with the transfer as arg while bodies and heads pass. */
size_t curl_transfer__read(char *out, size_t size, size_t count, void *arg);
size_t curl_transfer__write(char *data, size_t size, size_t count, void *arg);
size_t curl_transfer__header(char *data, size_t size, size_t count, void *arg);
/* Fills call->response but for the body. */
void curl_transfer__answer(struct curl_transfer *t);

#endif
