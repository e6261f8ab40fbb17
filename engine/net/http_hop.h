#ifndef MOONLET_NET_HTTP_HOP_H
#define MOONLET_NET_HTTP_HOP_H

/*
 * The request of a call as it stands: the caller's own at first, and after
 * each redirect what that makes of it. Both transports follow redirects by
 * this, one request after the other, so that "at most once" is counted for
 * each alone. Included by net alone.
 */

#include "net/http_client.h"

/* Borrows all from the call, but for `moved` and `next`. */
struct http_hop {
    const char *method;
    const char *url;
    const char *content_type; /* NULL: no body */
    const char *body;
    size_t body_len;
    struct http_source *source;
    unsigned count; /* redirects so far */
    bool foreign;   /* it has been at another origin than the call's */
    char *moved;    /* url after a redirect */
    char *next;     /* where the answer leads; NULL: nowhere */
    const char *next_method;
};

enum http_redirect {
    REDIRECT_NONE, /* the answer is the answer */
    REDIRECT_FOLLOW,
    REDIRECT_TOO_MANY,
};

void http_hop_begin(struct http_hop *h, const struct http_call *call);
void http_hop_end(struct http_hop *h);

/* What is to be done about an answer with that Location (NULL: none). */
enum http_redirect http_hop_judge(struct http_hop *h,
                                  const struct http_call *call, int status,
                                  const char *location);
/* After REDIRECT_FOLLOW: makes h the next request. */
void http_hop_follow(struct http_hop *h, const struct http_call *call);

/* Whether a header of the call belongs to this request, too. */
bool http_hop_sends(const struct http_hop *h, const char *name);

#endif
