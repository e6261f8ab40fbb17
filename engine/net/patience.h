#ifndef MOONLET_NET_PATIENCE_H
#define MOONLET_NET_PATIENCE_H

/*
 * How long a client may take to ask: a connection that has not brought a
 * whole request in time is shut down, however often it sends a byte.
 * libmicrohttpd alone counts only the time since the last one. Included by
 * net alone.
 */

#include "base/list.h"
#include "loop/timer.h"

#include <microhttpd.h>
#include <stdint.h>

struct patience {
    struct loop *loop;
    uint64_t limit_ms;
    struct list asking; /* connections, the first one due first */
    struct timer timer;
};

void patience_init(struct patience *p, struct loop *loop, uint64_t limit_ms);
void patience_stop(struct patience *p); /* nothing is shut down any more */

/* For libmicrohttpd: a connection has come or gone; cls is the patience. */
void patience_notify(void *cls, struct MHD_Connection *connection,
                     void **socket_context,
                     enum MHD_ConnectionNotificationCode code);

/* Its request is whole: from now on it waits for us. */
void patience_pause(struct MHD_Connection *connection);
/* Its answer is complete: it may ask again. */
void patience_begin(struct patience *p, struct MHD_Connection *connection);

#endif
