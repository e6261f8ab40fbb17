#ifndef MOONLET_NET_HTTP_SCRIPTED_H
#define MOONLET_NET_HTTP_SCRIPTED_H

/*
 * A transport of http_client without sockets, for specs: a function stands
 * for all servers of the world. Redirects are followed as libcurl follows
 * them. Requests and answers take 0 to 20 ms each, drawn from the loop's rng.
 * Loop thread only.
 */

#include "net/http_client.h"

/* A request as a server would get it; borrowed while the function runs. */
struct http_asked {
    const char *method;
    const char *url; /* absolute */
    const char *content_type;
    const struct http_header *headers;
    size_t headers_count;
    const char *body;
    size_t body_len;
};

struct http_told {
    int status;      /* 0: there is no answer, `reason` says why */
    struct buf head; /* "Name: value\r\n" each; the client frees it */
    struct buf body; /* the same */
    uint64_t delay_ms;
    bool taken; /* without an answer: the server has got the request */
    char reason[256];
};

/* Called from the loop, never from within http_start; fills the zeroed *out.
 * It may neither turn the loop nor start or cancel calls. */
typedef void http_teller(void *arg, const struct http_asked *asked,
                         struct http_told *out);

struct http_client *http_client_new_scripted(struct loop *loop,
                                             http_teller *teller, void *arg);

#endif
