#ifndef MOONLET_NET_HTTP_SERVER_H
#define MOONLET_NET_HTTP_SERVER_H

/*
 * HTTP/1.1 server: libmicrohttpd with its epoll descriptor inside our loop.
 * Runs requests through a table of routes; exchanges may be answered later
 * (the connection is suspended meanwhile). The process must ignore SIGPIPE:
 * files are sent by sendfile. Loop thread only.
 */

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct http_server;
struct loop;
struct routes;

struct http_server_options {
    const char *host;       /* numeric address or "localhost" */
    int port;               /* 0: any free one */
    const char *path;       /* instead of both: a Unix socket, mode 0600 */
    size_t connections_max; /* further ones wait in the backlog */
    size_t body_max;        /* more is answered 413; a head that is longer
                               than about 14 KiB 431 or 414 */
    uint64_t idle_ms;       /* closes silent connections, and those that take
                               longer for a request */
};

/* NULL and *e ("cannot listen on 127.0.0.1:8080: ...") on failure. routes are
 * borrowed. Serves as soon as the loop runs. A Unix socket that stands at the
 * path is replaced, so the caller must know that nobody serves it; it goes
 * with the server. */
struct http_server *http_server_new(struct loop *loop, struct routes *routes,
                                    const struct http_server_options *o,
                                    struct err *e);

/* What stands behind a status: "Not Found"; "Unknown" for an unknown one. */
const char *http_reason(int status);

int http_server_port(const struct http_server *s); /* 0: a Unix socket */

/* done comes once, from the loop, when every answer that has been given is with
 * the system whole; streams do not count. Once; not after http_server_free. */
void http_server_drain(struct http_server *s, void (*done)(void *arg),
                       void *arg);

/* Stops accepting; open exchanges get their `gone` callback; closes. Not from
 * within a handler. Memory frees itself in later loop turns. */
void http_server_free(struct http_server *s);

#endif
