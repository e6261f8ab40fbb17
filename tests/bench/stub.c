/*
 * Telegram for benches: answers the few methods that an echo bot calls, in
 * one thread and with as little CPU as it can, so that what is measured is
 * the bot. HTTP/1.1 with kept connections on a free port of loopback.
 *
 * It is led by lines on stdin and tells what it sees in lines on stdout, one
 * JSON object each; times are nanoseconds of CLOCK_MONOTONIC:
 *
 *   > go N       N more updates, spread over CHATS chats
 *   > post N PORT   the same, posted to the webhook /hook at that port over
 *                   64 connections with the secret "bench"
 *   > step N, > step N PORT   the same one at a time: the next one comes
 *                   STUB_STEP_MS after the last was confirmed and answered
 *   < {"event":"listening","port":…}
 *   < {"event":"polling","at":…}    the first getUpdates was read
 *   < {"event":"webhook","at":…}    a setWebhook was read
 *   < {"event":"done",…}            all are confirmed and answered: what was
 *                                   seen since `go`
 *
 * It ends when stdin does. Updates are given in order of their ids, at most
 * 100 a call, strictly from `offset` on, and again until they are confirmed.
 */

#include "stub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 128
#define REQUEST_MAX 65536 /* more is no request of a bench */

int64_t stub_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void stub_die(const char *what)
{
    perror(what);
    exit(1);
}

char *bytes_room(struct bytes *b, size_t more)
{
    if (b->cap - b->len < more) {
        b->cap = 2 * b->cap + more;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            stub_die("realloc");
    }
    return b->data + b->len;
}

void bytes_add(struct bytes *b, const char *data, size_t len)
{
    memcpy(bytes_room(b, len), data, len);
    b->len += len;
}

void bytes_printf(struct bytes *b, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bytes_add(b, text, (size_t)len);
}

static void drop(struct stub *s, struct connection *c)
{
    if (s->poller == c)
        s->poller = NULL;
    for (size_t i = 0; i < STUB_POSTERS; i++)
        if (s->posters[i] == c)
            s->posters[i] = NULL;
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}

/* Waits for room only in the rare case that the socket has none. */
bool stub_flush(struct stub *s, struct connection *c)
{
    while (c->out_at < c->out.len) {
        ssize_t n =
            write(c->fd, c->out.data + c->out_at, c->out.len - c->out_at);
        if (n < 0 && errno == EAGAIN) {
            struct epoll_event e = {EPOLLIN | EPOLLOUT, {.ptr = c}};
            return epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e) == 0;
        }
        if (n < 0)
            return false;
        c->out_at += (size_t)n;
    }
    c->out.len = c->out_at = 0;
    return true;
}

/* Answers the requests that have come in whole. False: not HTTP as we know
 * it. The text behind a body is overwritten by a NUL for a moment. */
static bool answer_all(struct stub *s, struct connection *c)
{
    size_t at = 0;
    for (;;) {
        char *head = c->in.data + at;
        char *end = memmem(head, c->in.len - at, "\r\n\r\n", 4);
        if (!end)
            break;
        *end = '\0';
        const char *target = strchr(head, ' ');
        const char *length = strcasestr(head, "\r\nContent-Length:");
        size_t body = length ? strtoul(length + 17, NULL, 10) : 0;
        size_t whole = (size_t)(end - head) + 4 + body;
        if (!target || body > REQUEST_MAX)
            return false;
        *end = '\r';
        if (c->in.len - at < whole)
            break;
        char saved = head[whole];
        head[whole] = '\0';
        stub_answer(s, c, target + 1, end + 4);
        head[whole] = saved;
        at += whole;
    }
    c->in.len -= at;
    memmove(c->in.data, c->in.data + at, c->in.len);
    return c->in.len <= REQUEST_MAX;
}

static void serve(struct stub *s, struct connection *c, uint32_t events)
{
    char *room = bytes_room(&c->in, 8192);
    ssize_t n = read(c->fd, room, 8191); /* one is for a NUL behind */
    bool fine = n > 0 || (n < 0 && errno == EAGAIN);
    if (n > 0) {
        c->in.len += (size_t)n;
        fine = c->posts ? stub_posted(s, c) : answer_all(s, c);
    }
    if (events & EPOLLOUT) {
        struct epoll_event e = {EPOLLIN, {.ptr = c}};
        epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e);
    }
    if (!fine || !stub_flush(s, c))
        drop(s, c);
}

struct connection *stub_watch(struct stub *s, int fd)
{
    int on = 1;
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        stub_die("calloc");
    struct epoll_event e = {EPOLLIN, {.ptr = c}};
    c->fd = fd; /* epoll holds c from here on */
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e))
        stub_die("epoll_ctl");
    return c;
}

static void take_connections(struct stub *s)
{
    int fd;
    while ((fd = accept4(s->listener, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        stub_watch(s, fd);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        s->connections++;
    }
}

static void answer_poller(struct stub *s)
{
    struct connection *c = s->poller;
    if (!c)
        return;
    s->poller = NULL;
    stub_give(s, c);
    if (!stub_flush(s, c)) /* dropped by the event that this makes */
        shutdown(c->fd, SHUT_RDWR);
}

/* False at the end of stdin. */
static bool take_command(struct stub *s)
{
    char line[64];
    ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);
    if (n <= 0)
        return false;
    line[n] = '\0';
    long long count = 0;
    int port = 0;
    bool steps = sscanf(line, "step %lld %d", &count, &port) >= 1;
    if (!steps && sscanf(line, "go %lld", &count) != 1 &&
        sscanf(line, "post %lld %d", &count, &port) != 2)
        count = 0;
    if (count <= 0 || count > 100000000) {
        fprintf(stderr, "stub: what is %s", line);
        exit(2);
    }
    stub_begin(s, count);
    s->stepping = steps;
    if (port)
        stub_post_all(s, port);
    else
        answer_poller(s);
    return true;
}

/* When something is to be done without an event; 0: never. */
static int64_t next_deadline(const struct stub *s)
{
    if (stub_may_step(s) && (s->poller || s->posting))
        return s->next_step;
    return s->poller ? s->poll_ends : 0;
}

static int wait_ms(const struct stub *s)
{
    int64_t deadline = next_deadline(s);
    int64_t left = (deadline - stub_now_ns()) / 1000000 + 1;
    if (!deadline)
        return -1;
    return left > 0 ? (int)left : 0;
}

static void meet_deadline(struct stub *s)
{
    int64_t deadline = next_deadline(s);
    if (!deadline || stub_now_ns() < deadline)
        return;
    if (s->poller)
        answer_poller(s);
    else
        stub_post_one(s);
}

static void serve_forever(struct stub *s)
{
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int n = epoll_wait(s->epoll, events, EVENTS_MAX, wait_ms(s));
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == s) {
                take_connections(s);
            } else if (events[i].data.ptr) {
                serve(s, events[i].data.ptr, events[i].events);
            } else if (!take_command(s)) {
                return;
            }
        }
        meet_deadline(s);
    }
}

static void start_listening(struct stub *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    struct epoll_event listen_event = {EPOLLIN, {.ptr = s}};
    struct epoll_event stdin_event = {EPOLLIN, {.ptr = NULL}};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->listener < 0 || s->epoll < 0 ||
        bind(s->listener, (struct sockaddr *)&address, size) ||
        listen(s->listener, 1024) ||
        getsockname(s->listener, (struct sockaddr *)&address, &size) ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &listen_event) ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &stdin_event))
        stub_die("listen");
    printf("{\"event\":\"listening\",\"port\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct stub s = {.next_id = STUB_FIRST_ID, .first_id = STUB_FIRST_ID};
    s.confirmed = STUB_FIRST_ID;
    s.chats = argc > 1 ? atoi(argv[1]) : 0;
    if (s.chats <= 0) {
        fprintf(stderr, "usage: bench_stub CHATS\n");
        return 2;
    }
    start_listening(&s);
    serve_forever(&s);
    return 0;
}
