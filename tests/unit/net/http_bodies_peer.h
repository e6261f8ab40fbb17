#ifndef MOONLET_TESTS_NET_HTTP_BODIES_PEER_H
#define MOONLET_TESTS_NET_HTTP_BODIES_PEER_H

/* Peers that take and give bodies over sockets, and calls for them. */

#include "http_bodies_fixture.h"
#include "http_client_fixture.h"

#include <limits.h>
#include <semaphore.h>

#define MB ((size_t)1 << 20)

/* How far a peer has come with a body. */
static struct {
    _Atomic size_t in;
    _Atomic size_t out;
    _Atomic bool differs;
    sem_t go;
} far;

static inline size_t head_length(const char *head, size_t len)
{
    const char *end = memmem(head, len, "\r\n\r\n", 4);
    return end ? (size_t)(end + 4 - head) : 0;
}

/* Reads a head into p->last; returns how much of the body is behind it. */
static inline size_t take_head_of(struct peer *p, int fd, size_t *len)
{
    size_t have = 0;
    *len = 0;
    while (*len == 0) {
        ssize_t n = recv(fd, p->last + have, 4096, 0);
        if (n <= 0)
            return 0;
        have += (size_t)n;
        p->last[have] = '\0';
        *len = head_length(p->last, have);
    }
    return have - *len;
}

static inline size_t announced(const struct peer *p)
{
    const char *length = strcasestr(p->last, "Content-Length: ");
    return length ? strtoul(length + 16, NULL, 10) : 0;
}

/* Reads up to `want` bytes of a body and checks them. */
static inline void take_body_of(struct peer *p, int fd, size_t head,
                                size_t have, size_t want)
{
    static char block[64 * 1024];
    size_t at = have;
    far.differs = far.differs || !are_bytes(p->last + head, 0, have);
    far.in = at;
    while (at < want) {
        ssize_t n = recv(fd, block, sizeof(block), 0);
        if (n <= 0)
            return;
        far.differs = far.differs || !are_bytes(block, at, (size_t)n);
        far.in = at += (size_t)n;
    }
}

static inline bool give_bytes(int fd, size_t len)
{
    static char block[64 * 1024];
    while (far.out < len) {
        size_t left = len - far.out;
        size_t n = left < sizeof(block) ? left : sizeof(block);
        fill_bytes(block, far.out, n);
        ssize_t sent = send(fd, block, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        far.out += (size_t)sent;
    }
    return true;
}

static inline void give_head(int fd, size_t length)
{
    char head[100];
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\n"
             "Content-Length: %zu\r\n\r\n",
             length);
    peer_write(fd, head);
}

/* Takes a body and answers, on every connection. */
static inline void take_uploads(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        size_t head;
        size_t have;
        while (have = take_head_of(p, fd, &head), head > 0) {
            take_body_of(p, fd, head, have, announced(p));
            p->requests++;
            peer_write(fd, p->answer);
        }
        close(fd);
    }
}

static inline void prepare_upload(struct ask *a, int port, struct giver *g,
                                  size_t len)
{
    prepare(a, port, "POST", NULL);
    a->call.content_type = "application/octet-stream";
    a->call.source = &g->source;
    a->call.body_len = len;
    far.in = far.out = 0;
    far.differs = false;
}

static inline void prepare_download(struct ask *a, int port, struct taker *t)
{
    prepare(a, port, "GET", NULL);
    a->call.sink = &t->sink;
    far.in = far.out = 0;
    far.differs = false;
}

static inline void stop(struct peer *p)
{
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

/* Takes the whole body, then gives as much back. */
static inline void mirror(struct peer *p)
{
    int fd = peer_accept(p);
    size_t head;
    size_t have;
    while (have = take_head_of(p, fd, &head), head > 0) {
        size_t len = announced(p);
        take_body_of(p, fd, head, have, len);
        far.out = 0;
        give_head(fd, len);
        give_bytes(fd, len);
    }
    close(fd);
}

static size_t download_len;

static inline void give_downloads(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        while (peer_read(p, fd)) {
            far.out = 0;
            give_head(fd, download_len);
            give_bytes(fd, download_len);
        }
        close(fd);
    }
}

#endif
