#ifndef MOONLET_TESTS_NET_FIXTURE_H
#define MOONLET_TESTS_NET_FIXTURE_H

/*
 * A loop on the real clock, plain clients that share the test's thread, and
 * peers that misbehave: scripts on blocking sockets in a thread of their own.
 */

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 20

struct fixture {
    struct clock clock;
    struct rng rng;
    struct loop *loop;
};

static inline void fixture_open(struct fixture *f)
{
    clock_init_real(&f->clock);
    rng_seed(&f->rng, 1);
    f->loop = loop_new(&f->clock, NULL, &f->rng);
}

static inline void fixture_close(struct fixture *f)
{
    assert_int_equal(loop_free(f->loop), 0);
}

/* Turns the loop once, waiting a moment for something to happen. */
static inline void fixture_turn(struct fixture *f)
{
    struct pollfd fd = {.fd = uv_backend_fd(loop_uv(f->loop)),
                        .events = POLLIN};
    loop_turn(f->loop);
    poll(&fd, 1, 1);
}

#define WAIT_UNTIL(f, condition)                                               \
    do {                                                                       \
        uint64_t end_ = loop_now_ms((f)->loop) + PATIENCE_S * 1000;            \
        while (!(condition)) {                                                 \
            if (loop_now_ms((f)->loop) > end_)                                 \
                fail_msg("waited in vain for %s", #condition);                 \
            fixture_turn(f);                                                   \
        }                                                                      \
    } while (0)

static inline struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* The kernel completes it without the server's help. */
static inline int client_connect(int port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static inline void client_send(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* What came so far; `ended` when the peer has closed. */
struct received {
    char text[1 << 20];
    size_t len;
    bool ended;
    int error;
};

static inline void client_take(int fd, struct received *r)
{
    ssize_t n =
        recv(fd, r->text + r->len, sizeof(r->text) - r->len - 1, MSG_DONTWAIT);
    if (n > 0)
        r->len += (size_t)n;
    else if (n == 0)
        r->ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        r->error = errno;
    r->text[r->len] = '\0';
}

static inline bool client_has(int fd, struct received *r, const char *text)
{
    client_take(fd, r);
    return strstr(r->text, text) != NULL;
}

static inline bool client_ended(int fd, struct received *r)
{
    client_take(fd, r);
    return r->ended || r->error;
}

static inline unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;
    while ((text = strstr(text, what))) {
        text += strlen(what);
        n++;
    }
    return n;
}

#define PEER_REQUEST_MAX (1 << 18)

/* A server whose script runs in its own thread until it returns. */
struct peer {
    int listen_fd;
    int port;
    pthread_t thread;
    void (*script)(struct peer *p);
    const char *answer;
    _Atomic int connections;
    _Atomic int requests;
    char last[PEER_REQUEST_MAX]; /* the last request, whole */
};

static inline void *peer_main(void *arg)
{
    struct peer *p = arg;
    p->script(p);
    return NULL;
}

static inline struct peer *peer_start(void (*script)(struct peer *p),
                                      const char *answer)
{
    struct peer *p = MEM_NEW(struct peer);
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof(a);
    p->script = script;
    p->answer = answer;
    p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&a, size), 0);
    assert_int_equal(listen(p->listen_fd, 128), 0);
    getsockname(p->listen_fd, (struct sockaddr *)&a, &size);
    p->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
    return p;
}

/* Wakes a script that waits for a connection, and ends it. */
static inline void peer_stop(struct peer *p)
{
    shutdown(p->listen_fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listen_fd);
    free(p);
}

static inline int peer_accept(struct peer *p)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = accept(p->listen_fd, NULL, NULL);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    p->connections++;
    return fd;
}

/* Reads one request with its body; false when the client has closed. */
static inline bool peer_read(struct peer *p, int fd)
{
    size_t len = 0;
    size_t want = 0;
    while (!want || len < want) {
        ssize_t n = recv(fd, p->last + len, sizeof(p->last) - 1 - len, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
        p->last[len] = '\0';
        char *head_end = strstr(p->last, "\r\n\r\n");
        if (!head_end)
            continue;
        char *length = strcasestr(p->last, "Content-Length: ");
        want = (size_t)(head_end + 4 - p->last) +
               (length ? strtoul(length + 16, NULL, 10) : 0);
    }
    p->requests++;
    return true;
}

static inline void peer_write(int fd, const char *text)
{
    send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Waits until the client closes. */
static inline void peer_linger(int fd)
{
    char rest[4096];
    while (recv(fd, rest, sizeof(rest), 0) > 0)
        ;
    close(fd);
}

#endif
