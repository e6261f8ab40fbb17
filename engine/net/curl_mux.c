/*
 * The transport over sockets: libcurl's multi handle on our loop. libcurl is
 * never called from within one of its own callbacks: these only note what it
 * wants, and calls end after it has returned.
 */

#include "net/curl_transfer.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "net/pollset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_MAX 64
#define STALL_LOOKS 8
#define ABANDON_READS 64

/* A connection of libcurl's, by its descriptor. Between two calls libcurl
 * lets go of a kept one; it stays in the epoll set as it was, because the
 * next call will want the same. */
struct curl_socket {
    bool open;        /* its opening was told, and so will be its closing */
    uint32_t wanted;  /* by libcurl; 0: it has let go */
    uint32_t watched; /* in the epoll set; 0: not there */
    bool idle;        /* its call has ended; libcurl lets go, too, of one whose
                         call waits for its source or sink */
    uint64_t begun;   /* calls of the client when it became idle; a later one
                         may have taken it without a word of libcurl */
};

struct curl_mux {
    struct http_client client; /* first member */
    struct loop *loop;
    CURLM *multi;
    struct pollset sockets;
    struct curl_socket *table;
    size_t table_len;
    struct timer timer;
    struct deferred turn;
    struct list ended; /* transfers whose call is not told yet */
    struct list idle;  /* transfers to be used again */
    size_t idle_count;
    uint64_t begun; /* calls so far */
    struct http_client_options options;
};

static struct curl_transfer *transfer_of(struct list *link)
{
    return LIST_ENTRY(link, struct curl_transfer, link);
}

static void begin(struct curl_transfer *t)
{
    if (curl_multi_add_handle(t->mux->multi, t->easy))
        abort();
    t->added = true;
    t->mux->begun++;
}

static void take_off(struct curl_transfer *t)
{
    list_remove(&t->link);
    loop_undefer(&t->resume);
    if (t->added)
        curl_multi_remove_handle(t->mux->multi, t->easy);
    t->added = false;
}

static void put_back(struct curl_mux *mux, struct curl_transfer *t)
{
    timer_stop(&t->timer);
    timer_stop(&t->stall);
    loop_undefer(&t->resume);
    http_hop_end(&t->hop);
    t->call->transport = NULL;
    t->call = NULL;
    if (mux->idle_count >= IDLE_MAX) {
        curl_transfer_free(t);
        return;
    }
    list_push(&mux->idle, &t->link);
    mux->idle_count++;
}

/* `done` may start and cancel calls and, after the last one, free the
 * client, whose memory stays until its handle is closed. */
static void tell(struct curl_mux *mux)
{
    struct list *link;
    while ((link = list_shift(&mux->ended))) {
        struct curl_transfer *t = transfer_of(link);
        struct http_call *call = t->call;
        struct err e;
        assert(call);
        if (curl_transfer_follow(t)) {
            begin(t);
            continue;
        }
        curl_transfer_end(t, &e);
        put_back(mux, t);
        call->done(call, &e);
    }
}

static void end(struct curl_transfer *t, CURLcode result)
{
    t->result = result;
    take_off(t);
    list_push(&t->mux->ended, &t->link);
}

static struct curl_socket *socket_at(struct curl_mux *mux, curl_socket_t fd)
{
    size_t at = (size_t)fd;
    if (at >= mux->table_len) {
        size_t len = 2 * at + 16;
        mux->table = mem_grow(mux->table, len, sizeof(*mux->table));
        memset(mux->table + mux->table_len, 0,
               (len - mux->table_len) * sizeof(*mux->table));
        mux->table_len = len;
    }
    return &mux->table[at];
}

/* libcurl may keep the connection. */
static void note_idle(struct curl_mux *mux, CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD)
        return;
    struct curl_socket *s = socket_at(mux, fd);
    s->idle = s->open && !s->wanted;
    s->begun = mux->begun;
}

static void collect(struct curl_mux *mux)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(mux->multi, &left))) {
        struct curl_transfer *t = NULL;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        note_idle(mux, m->easy_handle);
        end(t, m->data.result);
    }
    tell(mux);
}

static void run_timeouts(struct curl_mux *mux)
{
    int running;
    curl_multi_socket_action(mux->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(mux);
}

static void on_turn(struct deferred *d)
{
    run_timeouts(LIST_ENTRY(d, struct curl_mux, turn));
}

static void on_timer(struct timer *t)
{
    run_timeouts(LIST_ENTRY(t, struct curl_mux, timer));
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct curl_mux *mux = arg;
    (void)multi;
    timer_stop(&mux->timer);
    loop_undefer(&mux->turn);
    if (ms > 0)
        timer_start(&mux->timer, (uint64_t)ms);
    else if (ms == 0)
        loop_defer(mux->loop, &mux->turn);
    return 0;
}

static uint32_t wanted_events(int what)
{
    switch (what) {
    case CURL_POLL_IN:
        return EPOLLIN;
    case CURL_POLL_OUT:
        return EPOLLOUT;
    case CURL_POLL_INOUT:
        return EPOLLIN | EPOLLOUT;
    }
    return 0;
}

static void unwatch(struct curl_mux *mux, curl_socket_t fd)
{
    struct curl_socket *s = socket_at(mux, fd);
    if (s->watched)
        pollset_remove(&mux->sockets, fd);
    s->watched = 0;
}

static int on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    *socket_at(arg, fd) = (struct curl_socket){.open = true};
    return CURL_SOCKOPT_OK;
}

static int on_closing(void *arg, curl_socket_t fd)
{
    unwatch(arg, fd);
    *socket_at(arg, fd) = (struct curl_socket){0};
    return close(fd);
}

/* The resolver's descriptors are no connections. known: what
 * curl_multi_assign stored; NULL until they are watched. */
static void want_other(struct curl_mux *mux, curl_socket_t fd, uint32_t events,
                       bool known)
{
    if (!events) {
        pollset_remove(&mux->sockets, fd);
        return;
    }
    pollset_set(&mux->sockets, fd, known, events, (epoll_data_t){.fd = fd});
    if (!known)
        curl_multi_assign(mux->multi, fd, mux);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                       void *known)
{
    struct curl_mux *mux = arg;
    struct curl_socket *s = socket_at(mux, fd);
    uint32_t events = wanted_events(what);
    (void)easy;
    if (!s->open) {
        want_other(mux, fd, events, known != NULL);
        return 0;
    }
    s->wanted = events;
    s->idle = s->idle && !events;
    if (events && s->watched != events) {
        pollset_set(&mux->sockets, fd, s->watched != 0, events,
                    (epoll_data_t){.fd = fd});
        s->watched = events;
    }
    return 0;
}

/* A kept connection that nobody asked for anything: its server ends it, or
 * says something first, such as a 408, which the next request would take for
 * its answer. libcurl looks whether a connection has ended before it uses it
 * again, so it is made to have. What comes later still resets it. */
static void abandon(curl_socket_t fd)
{
    char said[4096];
    for (int i = 0; i < ABANDON_READS; i++) {
        if (recv(fd, said, sizeof(said), MSG_DONTWAIT) <= 0)
            break;
    }
    shutdown(fd, SHUT_RDWR);
}

/* An event of this batch may be of a socket that an earlier one closed, and
 * even of its successor: libcurl then finds nothing to read. */
static void on_socket(struct pollset *p, epoll_data_t data, uint32_t events)
{
    struct curl_mux *mux = LIST_ENTRY(p, struct curl_mux, sockets);
    const struct curl_socket *s = socket_at(mux, data.fd);
    int flags = 0;
    int running;
    if (s->open && !s->wanted) {
        if (s->idle && s->begun == mux->begun)
            abandon(data.fd);
        unwatch(mux, data.fd); /* an event that nobody takes comes again */
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP))
        flags |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        flags |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        flags |= CURL_CSELECT_ERR;
    curl_multi_socket_action(mux->multi, data.fd, flags, &running);
}

static void on_sockets(struct pollset *p)
{
    collect(LIST_ENTRY(p, struct curl_mux, sockets));
}

static void on_sockets_closed(struct pollset *p)
{
    struct curl_mux *mux = LIST_ENTRY(p, struct curl_mux, sockets);
    free((void *)(uintptr_t)mux->options.proxy);
    free((void *)(uintptr_t)mux->options.no_proxy);
    free((void *)(uintptr_t)mux->options.ca_file);
    free((void *)(uintptr_t)mux->options.user_agent);
    free(mux->table);
    free(mux);
    curl_global_cleanup();
}

static void give_up(struct curl_transfer *t, const struct err *e)
{
    struct http_call *call = t->call;
    curl_transfer_forget(t);
    take_off(t);
    put_back(t->mux, t);
    call->done(call, e);
}

static void on_call_timeout(struct timer *timer)
{
    struct curl_transfer *t = LIST_ENTRY(timer, struct curl_transfer, timer);
    struct err e;
    http_timed_out(&e, curl_transfer_written(t), t->call);
    give_up(t, &e);
}

/* Bytes are counted by libcurl, which tells of none; so they are looked at
 * now and then. */
static void watch_stall(struct curl_transfer *t)
{
    timer_start(&t->stall, 1 + t->call->stall_ms / STALL_LOOKS);
}

static void on_stall_look(struct timer *timer)
{
    struct curl_transfer *t = LIST_ENTRY(timer, struct curl_transfer, stall);
    uint64_t now_ms = loop_now_ms(t->mux->loop);
    curl_off_t moved = curl_transfer_moved(t);
    if (moved != t->moved || t->source_waits || t->sink_waits)
        t->moved_ms = now_ms;
    t->moved = moved;
    if (now_ms - t->moved_ms < t->call->stall_ms) {
        watch_stall(t);
        return;
    }
    struct err e;
    http_stalled(&e, curl_transfer_written(t), t->call);
    give_up(t, &e);
}

/* libcurl hands over at once what it had kept for a paused sink, which may
 * fail; then the transfer is still its own to be taken off. */
static void on_resume(struct deferred *d)
{
    struct curl_transfer *t = LIST_ENTRY(d, struct curl_transfer, resume);
    struct curl_mux *mux = t->mux;
    if (!t->source_waits && !t->sink_waits)
        return;
    t->source_waits = false;
    t->sink_waits = false;
    t->moved_ms = loop_now_ms(mux->loop);
    CURLcode result = curl_easy_pause(t->easy, CURLPAUSE_CONT);
    if (result)
        end(t, result);
    run_timeouts(mux);
}

static struct curl_transfer *take_transfer(struct curl_mux *mux)
{
    struct list *link = list_shift(&mux->idle);
    if (link) {
        mux->idle_count--;
        return transfer_of(link);
    }
    struct curl_transfer *t = curl_transfer_new(&mux->options);
    t->mux = mux;
    curl_easy_setopt(t->easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
    curl_easy_setopt(t->easy, CURLOPT_SOCKOPTDATA, mux);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, on_closing);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETDATA, mux);
    timer_init(&t->timer, mux->loop, on_call_timeout);
    timer_init(&t->stall, mux->loop, on_stall_look);
    deferred_init(&t->resume, on_resume);
    return t;
}

static void mux_start(struct http_client *c, struct http_call *call)
{
    struct curl_mux *mux = (struct curl_mux *)(void *)c;
    struct curl_transfer *t = take_transfer(mux);
    call->transport = t;
    curl_transfer_prepare(t, call);
    if (call->timeout_ms > 0)
        timer_start(&t->timer, call->timeout_ms);
    if (call->stall_ms > 0) {
        t->moved_ms = loop_now_ms(mux->loop);
        watch_stall(t);
    }
    begin(t);
}

static void mux_resume(struct http_client *c, struct http_call *call)
{
    struct curl_transfer *t = call->transport;
    (void)c;
    if (t->source_waits || t->sink_waits)
        loop_defer(t->mux->loop, &t->resume);
}

static void mux_cancel(struct http_client *c, struct http_call *call)
{
    struct curl_transfer *t = call->transport;
    curl_transfer_forget(t);
    take_off(t);
    put_back((struct curl_mux *)(void *)c, t);
}

static void mux_free(struct http_client *c)
{
    struct curl_mux *mux = (struct curl_mux *)(void *)c;
    struct list *link;
    while ((link = list_shift(&mux->idle)))
        curl_transfer_free(transfer_of(link));
    curl_multi_cleanup(mux->multi);
    timer_stop(&mux->timer);
    loop_undefer(&mux->turn);
    pollset_close(&mux->sockets);
}

static CURLM *new_multi(struct curl_mux *mux, size_t connections_max)
{
    CURLM *multi = curl_multi_init();
    if (!multi)
        abort();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, mux);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, mux);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      (long)connections_max);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections_max);
    return multi;
}

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

struct http_client *http_client_new_curl(struct loop *loop,
                                         const struct http_client_options *o)
{
    static const struct http_transport transport = {
        .start = mux_start,
        .resume = mux_resume,
        .cancel = mux_cancel,
        .free = mux_free,
    };
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        abort();
    struct curl_mux *mux = MEM_NEW(struct curl_mux);
    mux->client.transport = &transport;
    mux->loop = loop;
    mux->options.proxy = copy(o->proxy);
    mux->options.no_proxy = copy(o->no_proxy);
    mux->options.ca_file = copy(o->ca_file);
    mux->options.user_agent = copy(o->user_agent);
    list_init(&mux->ended);
    list_init(&mux->idle);
    timer_init(&mux->timer, loop, on_timer);
    deferred_init(&mux->turn, on_turn);
    mux->sockets.ready = on_socket;
    mux->sockets.batch_end = on_sockets;
    mux->sockets.closed = on_sockets_closed;
    pollset_open(&mux->sockets, loop);
    mux->multi = new_multi(mux, o->connections_max);
    return &mux->client;
}
