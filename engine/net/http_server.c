#include "net/http_server.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "net/http_request.h"
#include "net/pollset.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    int port;
    bool running;         /* inside of libmicrohttpd */
    unsigned connections; /* after it ran last */
    struct http_requests requests;
    struct pollset hangups;
    uv_poll_t poll; /* the daemon's epoll */
    struct timer timer;
    struct deferred turn;
    unsigned open_handles;
};

/* Room for either family. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int parse_address(const char *host, int port, union address *a)
{
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (uv_ip4_addr(host, port, &a->v4) == 0)
        return 0;
    return uv_ip6_addr(host, port, &a->v6);
}

static socklen_t address_size(const union address *a)
{
    return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* A listening socket, or -1 with errno set. */
static int listen_at(const union address *a)
{
    int one = 1;
    int fd =
        socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, &a->any, address_size(a)) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int sys = errno;
    close(fd);
    errno = sys;
    return -1;
}

static int bound_port(int fd)
{
    union address a = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof(a);
    if (getsockname(fd, &a.any, &size))
        return 0;
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static int open_socket(const struct http_server_options *o, struct err *e)
{
    union address a;
    if (parse_address(o->host, o->port, &a)) {
        err_set(e, ERR_CONFIG, 0, "cannot listen on %s:%d: not an address",
                o->host, o->port);
        return -1;
    }
    int fd = listen_at(&a);
    if (fd < 0)
        err_errno(e, errno, "cannot listen on %s:%d", o->host, o->port);
    return fd;
}

/* Once it was full, libmicrohttpd accepts again only in the run after the
 * one that has closed a connection. */
static bool has_room_again(struct http_server *s)
{
    unsigned before = s->connections;
    s->connections =
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
            ->num_connections;
    return s->connections < before;
}

/* All connections have the same timeout, so the next deadline only moves
 * away: a timer that fires too early is cheaper than one that is moved with
 * each request. */
static void server_run(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    s->running = true;
    MHD_run(s->daemon);
    s->running = false;
    bool timed = MHD_get_timeout(s->daemon, &wait) == MHD_YES;
    if (has_room_again(s) || (timed && wait == 0))
        loop_defer(s->loop, &s->turn);
    if (timed && wait > 0 && !timer_active(&s->timer))
        timer_start(&s->timer, wait);
}

static void on_daemon_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    server_run(poll->data);
}

static void on_turn(struct deferred *d)
{
    server_run(LIST_ENTRY(d, struct http_server, turn));
}

static void on_timer(struct timer *t)
{
    server_run(LIST_ENTRY(t, struct http_server, timer));
}

static void on_hangup(struct pollset *p, epoll_data_t data, uint32_t events)
{
    (void)p;
    (void)events;
    http_request_hung_up(data.ptr);
}

static void on_hangups(struct pollset *p)
{
    struct http_server *s = LIST_ENTRY(p, struct http_server, hangups);
    http_requests_end_lost(&s->requests);
}

static void handle_closed(struct http_server *s)
{
    if (--s->open_handles == 0)
        free(s);
}

static void on_hangups_closed(struct pollset *p)
{
    handle_closed(LIST_ENTRY(p, struct http_server, hangups));
}

static void on_poll_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

/* libmicrohttpd owns the socket from here on, and closes it if it fails. */
static struct MHD_Daemon *start_daemon(struct http_requests *requests, int fd,
                                       const struct http_server_options *o)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        http_request_access, requests, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((o->idle_ms + 999) / 1000),
        MHD_OPTION_URI_LOG_CALLBACK, http_request_target, requests,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, requests,
        MHD_OPTION_END);
}

static void open_handles(struct http_server *s)
{
    int fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    s->hangups.ready = on_hangup;
    s->hangups.batch_end = on_hangups;
    s->hangups.closed = on_hangups_closed;
    pollset_open(&s->hangups, s->loop);
    uv_poll_init(loop_uv(s->loop), &s->poll, fd);
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_daemon_ready);
    s->open_handles = 2;
}

struct http_server *http_server_new(struct loop *loop, struct routes *routes,
                                    const struct http_server_options *o,
                                    struct err *e)
{
    int fd = open_socket(o, e);
    if (fd < 0)
        return NULL;
    struct http_server *s = MEM_NEW(struct http_server);
    s->loop = loop;
    s->port = bound_port(fd);
    s->requests.routes = routes;
    s->requests.loop = loop;
    s->requests.run = &s->turn;
    s->requests.hangups = &s->hangups;
    s->requests.body_max = o->body_max;
    list_init(&s->requests.held);
    list_init(&s->requests.lost);
    timer_init(&s->timer, loop, on_timer);
    deferred_init(&s->turn, on_turn);
    s->daemon = start_daemon(&s->requests, fd, o);
    if (!s->daemon) {
        err_set(e, ERR_IO, 0, "cannot listen on %s:%d: no HTTP daemon", o->host,
                o->port);
        free(s);
        return NULL;
    }
    open_handles(s);
    return s;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_free(struct http_server *s)
{
    assert(!s->running);
    list_splice(&s->requests.lost, &s->requests.held);
    http_requests_end_lost(&s->requests);
    timer_stop(&s->timer);
    loop_undefer(&s->turn);
    uv_close((uv_handle_t *)&s->poll, on_poll_closed);
    MHD_stop_daemon(s->daemon);
    pollset_close(&s->hangups);
}
