#ifndef MOONLET_NET_CURL_TRANSFER_H
#define MOONLET_NET_CURL_TRANSFER_H

/*
 * One call on one easy handle of libcurl: its options, its body on the way
 * out and in, and what its end means. Transfers are used again, since setting
 * a handle up costs more than a call. Included by net alone.
 */

#include "base/list.h"
#include "net/http_transport.h"

#include <curl/curl.h>
#include <stdbool.h>

struct curl_mux;

struct curl_transfer {
    struct list link;
    struct curl_mux *mux;
    struct http_call *call;
    struct timer timer;
    CURL *easy;
    struct curl_slist *headers;
    char *content_type; /* that `headers` are for; NULL: none */
    bool own_headers;   /* `headers` hold more, of one call */
    size_t header_bytes;
    curl_off_t bytes_before; /* counted as sent before the request */
    bool is_post;
    bool begun;   /* the request was about to be sent */
    bool refused; /* libcurl was about to send it again */
    bool too_long;
    bool added; /* to the multi handle */
    CURLcode result;
    char reason[CURL_ERROR_SIZE];
};

struct curl_transfer *curl_transfer_new(const struct http_client_options *o);
void curl_transfer_free(struct curl_transfer *t);

/* Gets the handle ready for a call. */
void curl_transfer_prepare(struct curl_transfer *t, struct http_call *call);

/* Whether the peer may have got a request that it could carry out. */
bool curl_transfer_written(const struct curl_transfer *t);

/* After `result` is set: fills call->response and returns 0, or the error. */
int curl_transfer_end(struct curl_transfer *t, struct err *e);

#endif
