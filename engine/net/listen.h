#ifndef MOONLET_NET_LISTEN_H
#define MOONLET_NET_LISTEN_H

/*
 * Listening sockets, TCP and Unix. Included by net alone.
 */

#include "base/err.h"

/* A non-blocking socket that listens, or -1 and *e ("cannot listen on
 * 127.0.0.1:8080: ..."). host: numeric address or "localhost"; port 0: any
 * free one. */
int listen_tcp(const char *host, int port, struct err *e);

/* The same at a path, with mode 0600 from its first moment on. A socket that
 * stands there is replaced: the caller knows that nobody serves it. */
int listen_unix(const char *path, struct err *e);

int listen_port(int fd); /* 0: it has none */

#endif
