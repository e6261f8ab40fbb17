#include "net/http_server.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "net/http_request.h"
#include "net/listen.h"
#include "net/patience.h"
#include "net/pollset.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Holds the head of a request and that of its answer. libmicrohttpd clears
 * it all after each request, so its size is paid for each time. */
#define HEAD_MEMORY (32 * 1024)

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    int port;
    char *path;           /* of the Unix socket; NULL: TCP */
    bool running;         /* inside of libmicrohttpd */
    unsigned connections; /* after it ran last */
    struct http_requests requests;
    struct pollset hangups;
    struct patience patience;
    uv_poll_t poll; /* the daemon's epoll */
    struct timer timer;
    struct deferred turn;
    struct deferred sent;
    void (*drained)(void *arg);
    void *drained_arg;
    unsigned open_handles;
};

static int open_socket(const struct http_server_options *o, struct err *e)
{
    return o->path ? listen_unix(o->path, e) : listen_tcp(o->host, o->port, e);
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

static void on_sent(struct deferred *d)
{
    struct http_server *s = LIST_ENTRY(d, struct http_server, sent);
    if (s->requests.unsent > 0)
        return;
    s->requests.sent = NULL;
    s->drained(s->drained_arg);
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
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((o->idle_ms + 999) / 1000),
        MHD_OPTION_URI_LOG_CALLBACK, http_request_target, requests,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, requests,
        MHD_OPTION_NOTIFY_CONNECTION, patience_notify, requests->patience,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
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

static void remove_path(struct http_server *s)
{
    if (s->path)
        unlink(s->path);
    free(s->path);
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
    s->port = listen_port(fd);
    s->path = o->path ? mem_strdup(o->path) : NULL;
    s->requests.routes = routes;
    s->requests.loop = loop;
    s->requests.run = &s->turn;
    s->requests.hangups = &s->hangups;
    s->requests.patience = &s->patience;
    s->requests.body_max = o->body_max;
    patience_init(&s->patience, loop, o->idle_ms);
    list_init(&s->requests.held);
    list_init(&s->requests.lost);
    timer_init(&s->timer, loop, on_timer);
    deferred_init(&s->turn, on_turn);
    deferred_init(&s->sent, on_sent);
    s->daemon = start_daemon(&s->requests, fd, o);
    if (!s->daemon) {
        err_set(e, ERR_IO, 0, "cannot listen: no HTTP daemon");
        remove_path(s);
        free(s);
        return NULL;
    }
    open_handles(s);
    return s;
}

const char *http_reason(int status)
{
    return MHD_get_reason_phrase_for(status > 0 ? (unsigned)status : 0);
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_drain(struct http_server *s, void (*done)(void *arg),
                       void *arg)
{
    s->drained = done;
    s->drained_arg = arg;
    s->requests.sent = &s->sent;
    loop_defer(s->loop, &s->sent);
}

void http_server_free(struct http_server *s)
{
    assert(!s->running);
    list_splice(&s->requests.lost, &s->requests.held);
    http_requests_end_lost(&s->requests);
    timer_stop(&s->timer);
    loop_undefer(&s->turn);
    s->requests.sent = NULL;
    loop_undefer(&s->sent);
    remove_path(s);
    uv_close((uv_handle_t *)&s->poll, on_poll_closed);
    MHD_stop_daemon(s->daemon);
    patience_stop(&s->patience);
    pollset_close(&s->hangups);
}
