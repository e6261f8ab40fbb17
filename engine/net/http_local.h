#ifndef MOONLET_NET_HTTP_LOCAL_H
#define MOONLET_NET_HTTP_LOCAL_H

/*
 * One blocking HTTP request over a Unix socket: for commands that ask a live
 * engine and have no loop of their own.
 */

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct http_local {
    const char *socket; /* path */
    const char *method; /* any; none sends a body */
    const char *target; /* "/api/status" */
    uint64_t timeout_ms;
    size_t response_max;
};

/* The status of the answer, whose body is appended to *body; or a negative
 * code: ERR_NOT_SENT with detail = errno of the connect (nobody listens
 * there), ERR_TIMEOUT, ERR_UNKNOWN. */
int http_local_request(const struct http_local *r, struct buf *body,
                       struct err *e);

#endif
