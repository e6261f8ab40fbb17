#include "net/http_request.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "net/patience.h"
#include "net/pollset.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#define BODY_RESERVE (64 * 1024) /* the rest only when it comes */
#define DISCARD_MAX (8 * 1024 * 1024)
#define HEAD_ROW 64    /* what libmicrohttpd keeps of a name besides */
#define MOVED_MIN 1024 /* an upload that moves brings more in idle_ms */

void http_request__release(struct http_request *r)
{
    if (r->held || r->connection)
        return;
    if (r->response)
        MHD_destroy_response(r->response);
    exchange_clear(&r->x);
    buf_free(&r->unread);
    free(r->target);
    free(r);
}

void http_request__let_go(struct http_request *r)
{
    r->held = false;
    r->x.gone = NULL;
    list_remove(&r->link);
}

static int request_socket(const struct http_request *r)
{
    return MHD_get_connection_info(r->connection,
                                   MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

/* libmicrohttpd does not notice that the peer of a suspended connection has
 * left, so its socket is watched for that alone, if someone wants to know:
 * two system calls a request are much for an answer that comes soon. */
void http_request__suspend(struct http_request *r)
{
    r->suspended = true;
    patience_pause(r->connection);
    MHD_suspend_connection(r->connection);
    r->watched = r->x.gone || r->state == REQUEST_STREAMING;
    if (r->watched)
        pollset_set(r->all->hangups, request_socket(r), false, EPOLLRDHUP,
                    (epoll_data_t){.ptr = r});
}

void http_request__wake(struct http_request *r)
{
    if (!r->suspended)
        return;
    r->suspended = false;
    if (r->watched)
        pollset_remove(r->all->hangups, request_socket(r));
    if (!r->whole)
        patience_begin(r->all->patience, r->connection);
    MHD_resume_connection(r->connection);
    loop_defer(r->all->loop, r->all->run);
}

/* The answer can reach nobody any more. A handler that did not ask to be
 * told keeps the exchange until it answers into the void. */
static void request_lose(struct http_request *r)
{
    r->state = REQUEST_DROPPED;
    list_remove(&r->link);
    if (!r->held || !r->x.gone)
        return;
    void (*gone)(struct exchange *, void *) = r->x.gone;
    r->x.gone = NULL;
    gone(&r->x, r->x.gone_arg);
    r->held = false;
}

void http_request_hung_up(struct http_request *r)
{
    list_remove(&r->link);
    list_push(&r->all->lost, &r->link);
}

void http_requests_end_lost(struct http_requests *all)
{
    struct list *link;
    while ((link = list_shift(&all->lost))) {
        struct http_request *r = LIST_ENTRY(link, struct http_request, link);
        request_lose(r);
        http_request__wake(r);
    }
}

static bool address_is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_UNIX)
        return true;
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)a;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    if (a->sa_family != AF_INET6)
        return false;
    const struct in6_addr *v6 =
        &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) ||
           (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

void *http_request_target(void *cls, const char *target,
                          struct MHD_Connection *connection)
{
    struct http_request *r = MEM_NEW(struct http_request);
    r->all = cls;
    r->connection = connection;
    r->target = mem_strdup(target);
    list_init(&r->link);
    return r;
}

static bool is_chunked(const struct http_request *r)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static int64_t declared_length(const struct http_request *r)
{
    if (is_chunked(r))
        return -1;
    const char *text = MHD_lookup_connection_value(
        r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text ? strtoll(text, NULL, 10) : 0;
}

static enum MHD_Result count_frames(void *cls, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    int *frames = cls;
    (void)kind;
    (void)value;
    *frames += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
               strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* Two headers say where the body ends. A proxy may go by the other one, and
 * take for a request of the next client what a body held. */
static bool is_ambiguous(const struct http_request *r)
{
    int frames = 0;
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_frames,
                              &frames);
    return frames > 1;
}

/* The peer sends its body only after our word. */
static bool awaits_word(const struct http_request *r)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_EXPECT);
}

static enum MHD_Result request_queue(struct http_request *r)
{
    enum MHD_Result result =
        MHD_queue_response(r->connection, (unsigned)r->status, r->response);
    MHD_destroy_response(r->response);
    r->response = NULL;
    r->whole = true;
    patience_pause(r->connection);
    return result;
}

static enum MHD_Result request_continue(struct http_request *r)
{
    switch (r->state) {
    case REQUEST_READING:
    case REQUEST_TAKING:
        break;
    case REQUEST_WAITING:
        if (!r->suspended)
            http_request__suspend(r);
        break;
    case REQUEST_ANSWERED:
    case REQUEST_STREAMING:
        return r->response ? request_queue(r) : MHD_YES;
    case REQUEST_DROPPED:
        return MHD_NO;
    }
    return MHD_YES;
}

static void request_hold(struct http_request *r)
{
    r->state = REQUEST_WAITING;
    r->held = true;
    list_push(&r->all->held, &r->link);
}

static void request_refuse(struct http_request *r)
{
    request_hold(r);
    exchange_fail(&r->x, 413, "the body is larger than %zu bytes",
                  r->all->body_max);
}

/* The answer is known before the body. Many clients read nothing while they
 * send, so a body that is not too long is thrown away first. */
static enum MHD_Result request_end_early(struct http_request *r)
{
    bool throw_away = r->length <= DISCARD_MAX && !awaits_word(r);
    return throw_away ? MHD_YES : request_continue(r);
}

/* libmicrohttpd takes the head of the answer from the memory that is left. If
 * that is too little it says nothing at all, after the handler has run. */
static bool leaves_room(const struct http_request *r)
{
    enum MHD_ValueKind kinds = (enum MHD_ValueKind)(
        MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND);
    int rows = MHD_get_connection_values(r->connection, kinds, NULL, NULL);
    const char *cookies = MHD_lookup_connection_value(
        r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE);
    size_t head = MHD_get_connection_info(
                      r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
                      ->header_size;
    return head + (size_t)rows * HEAD_ROW + (cookies ? strlen(cookies) : 0) <=
           HTTP_HEAD_MAX;
}

/* Nothing that the peer sends behind it is believed. */
static enum MHD_Result request_refuse_head(struct http_request *r, int status,
                                           const char *why)
{
    request_hold(r);
    exchange_add_header(&r->x, MHD_HTTP_HEADER_CONNECTION, "close");
    exchange_fail(&r->x, status, "%s", why);
    return request_end_early(r);
}

/* Strangers shall not fill the memory with bodies that nobody wants; small
 * ones are read before the guards run. */
static bool request_admit(struct http_request *r)
{
    request_hold(r);
    if (!routes_admit(r->all->routes, &r->x))
        return false;
    http_request__let_go(r);
    r->state = REQUEST_READING;
    return true;
}

/* libmicrohttpd asks again after a wait, so the head may pass here twice. */
static enum MHD_Result request_pass_head(struct http_request *r)
{
    if (r->state == REQUEST_WAITING)
        return request_continue(r);
    r->at_head = false;
    return r->state == REQUEST_TAKING ? MHD_YES : request_end_early(r);
}

/* The headers are there. */
static enum MHD_Result request_begin(struct http_request *r, const char *method)
{
    const struct sockaddr *peer =
        MHD_get_connection_info(r->connection,
                                MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    exchange_init(&r->x, &http_request__carrier, method, r->target);
    r->x.peer_is_loopback = address_is_loopback(peer);
    r->length = declared_length(r);
    if (!leaves_room(r))
        return request_refuse_head(r, 431, "the head is too large");
    if (is_ambiguous(r))
        return request_refuse_head(r, 400, "the body has two ends");
    if (routes_streamed(r->all->routes, &r->x)) {
        r->at_head = true;
        request_hold(r);
        routes_run(r->all->routes, &r->x);
        return request_pass_head(r);
    }
    if (r->length > 0 && (uint64_t)r->length > r->all->body_max) {
        request_refuse(r);
        return request_end_early(r);
    }
    if ((r->length > BODY_RESERVE || r->length < 0) && !request_admit(r))
        return request_end_early(r);
    if (r->length > 0)
        buf_reserve(&r->x.body, r->length < BODY_RESERVE ? (size_t)r->length
                                                         : BODY_RESERVE);
    return MHD_YES;
}

/* A chunked body shows its length only while it comes; what is too much is
 * read and thrown away, because no answer can be queued meanwhile. */
static void request_buffer(struct http_request *r, const char *data, size_t len)
{
    if (len > r->all->body_max - r->x.body.len) {
        r->too_large = true;
        buf_free(&r->x.body);
    }
    if (r->too_large)
        r->thrown_away += len;
    else
        buf_append(&r->x.body, data, len);
}

/* Returns what the taker has left; that comes again when it has resumed. An
 * upload that moves has all the time that it needs. */
static size_t request_feed(struct http_request *r, const char *data, size_t len)
{
    r->resumed = false;
    size_t taken = r->x.taker->take(&r->x, r->x.taker_arg, data, len);
    if (r->state != REQUEST_TAKING)
        return 0;
    r->moved += taken;
    if (r->moved >= MOVED_MIN) {
        r->moved = 0;
        patience_begin(r->all->patience, r->connection);
    }
    if (taken < len) {
        http_request__suspend(r);
        if (r->resumed)
            http_request__wake(r);
    }
    return len - taken;
}

/* A piece of the body; returns how much of it is to come again. */
static size_t request_take(struct http_request *r, const char *data, size_t len)
{
    switch (r->state) {
    case REQUEST_READING:
        request_buffer(r, data, len);
        return 0;
    case REQUEST_TAKING:
        return request_feed(r, data, len);
    case REQUEST_WAITING:
    case REQUEST_ANSWERED:
    case REQUEST_STREAMING:
    case REQUEST_DROPPED:
        break;
    }
    r->thrown_away += len;
    return 0;
}

/* The body is there. */
static enum MHD_Result request_end(struct http_request *r)
{
    r->whole = true;
    if (r->state == REQUEST_READING && r->too_large) {
        request_refuse(r);
    } else if (r->state == REQUEST_READING) {
        request_hold(r);
        routes_run(r->all->routes, &r->x);
    } else if (r->state == REQUEST_TAKING) {
        r->state = REQUEST_WAITING;
        r->x.taker->end(&r->x, r->x.taker_arg);
    }
    return request_continue(r);
}

enum MHD_Result http_request_access(void *cls,
                                    struct MHD_Connection *connection,
                                    const char *url, const char *method,
                                    const char *version, const char *data,
                                    size_t *len, void **context)
{
    struct http_request *r = *context;
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    if (!r->x.method)
        return request_begin(r, method);
    if (*len == 0)
        return r->at_head ? request_pass_head(r) : request_end(r);
    *len = request_take(r, data, *len);
    bool enough = r->state == REQUEST_DROPPED || r->thrown_away > DISCARD_MAX;
    return enough ? MHD_NO : MHD_YES;
}

void http_request_completed(void *cls, struct MHD_Connection *connection,
                            void **context,
                            enum MHD_RequestTerminationCode code)
{
    struct http_request *r = *context;
    (void)cls;
    (void)code;
    *context = NULL;
    if (!r)
        return;
    patience_begin(r->all->patience, connection);
    if (r->unsent && --r->all->unsent == 0 && r->all->sent)
        loop_defer(r->all->loop, r->all->sent);
    request_lose(r);
    r->connection = NULL;
    http_request__release(r);
}
