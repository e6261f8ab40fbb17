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
#include <unistd.h>

#define STREAM_BLOCK (16 * 1024)
#define BODY_RESERVE (64 * 1024) /* the rest only when it comes */
#define DISCARD_MAX (8 * 1024 * 1024)

static const struct exchange_carrier request_carrier;

static void request_release(struct http_request *r)
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

static void request_let_go(struct http_request *r)
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
static void request_suspend(struct http_request *r)
{
    r->suspended = true;
    MHD_suspend_connection(r->connection);
    r->watched = r->x.gone || r->state == REQUEST_STREAMING;
    if (r->watched)
        pollset_set(r->all->hangups, request_socket(r), false, EPOLLRDHUP,
                    (epoll_data_t){.ptr = r});
}

static void request_wake(struct http_request *r)
{
    if (!r->suspended)
        return;
    r->suspended = false;
    if (r->watched)
        pollset_remove(r->all->hangups, request_socket(r));
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
        request_wake(r);
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

/* The declared length of the body; 0 if there is none or it is chunked. */
static uint64_t declared_length(const struct http_request *r)
{
    const char *text = MHD_lookup_connection_value(
        r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text ? strtoull(text, NULL, 10) : 0;
}

static enum MHD_Result request_queue(struct http_request *r)
{
    enum MHD_Result result =
        MHD_queue_response(r->connection, (unsigned)r->status, r->response);
    MHD_destroy_response(r->response);
    r->response = NULL;
    return result;
}

static enum MHD_Result request_continue(struct http_request *r)
{
    switch (r->state) {
    case REQUEST_READING:
        break;
    case REQUEST_WAITING:
        if (!r->suspended)
            request_suspend(r);
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
static enum MHD_Result request_end_early(struct http_request *r,
                                         uint64_t length)
{
    return length <= DISCARD_MAX ? MHD_YES : request_continue(r);
}

static bool is_chunked(const struct http_request *r)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Strangers shall not fill the memory with bodies that nobody wants; small
 * ones are read before the guards run. */
static bool request_admit(struct http_request *r)
{
    request_hold(r);
    if (!routes_admit(r->all->routes, &r->x))
        return false;
    request_let_go(r);
    r->state = REQUEST_READING;
    return true;
}

/* The headers are there. */
static enum MHD_Result request_begin(struct http_request *r, const char *method)
{
    const struct sockaddr *peer =
        MHD_get_connection_info(r->connection,
                                MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    exchange_init(&r->x, &request_carrier, method, r->target);
    r->x.peer_is_loopback = address_is_loopback(peer);
    uint64_t length = declared_length(r);
    if (length > r->all->body_max) {
        request_refuse(r);
        return request_end_early(r, length);
    }
    if ((length > BODY_RESERVE || is_chunked(r)) && !request_admit(r))
        return request_end_early(r, length);
    buf_reserve(&r->x.body, length < BODY_RESERVE ? length : BODY_RESERVE);
    return MHD_YES;
}

/* A chunked body shows its length only while it comes; what is too much is
 * read and thrown away, because no answer can be queued meanwhile. */
static void request_take(struct http_request *r, const char *data, size_t len)
{
    if (r->state != REQUEST_READING)
        return;
    if (len > r->all->body_max - r->x.body.len) {
        r->too_large = true;
        buf_free(&r->x.body);
    }
    if (!r->too_large)
        buf_append(&r->x.body, data, len);
}

enum MHD_Result http_request_access(void *cls,
                                    struct MHD_Connection *connection,
                                    const char *url, const char *method,
                                    const char *version, const char *data,
                                    size_t *len, void **context)
{
    struct http_request *r = *context;
    (void)cls;
    (void)url;
    (void)version;
    if (!r->x.method)
        return request_begin(r, method);
    if (*len > 0) {
        request_take(r, data, *len);
        *len = 0;
        return MHD_YES;
    }
    if (r->state == REQUEST_READING) {
        if (r->too_large) {
            request_refuse(r);
            return request_continue(r);
        }
        patience_pause(connection);
        request_hold(r);
        routes_run(r->all->routes, &r->x);
    }
    return request_continue(r);
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
    request_lose(r);
    r->connection = NULL;
    request_release(r);
}

static void put_headers(struct http_request *r, const char *content_type)
{
    if (content_type)
        MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                content_type);
    for (struct exchange_header *h = r->x.headers; h; h = h->next)
        MHD_add_response_header(r->response, h->name, h->value);
}

static void carry_reply(struct exchange *x, int status,
                        const char *content_type, const char *body, size_t len)
{
    struct http_request *r = (struct http_request *)(void *)x;
    if (r->connection && r->state == REQUEST_WAITING) {
        /* The body is only read: it is copied at once. */
        r->response = MHD_create_response_from_buffer(
            len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
        r->status = status;
        r->state = REQUEST_ANSWERED;
        put_headers(r, content_type);
        request_wake(r);
    }
    request_let_go(r);
    request_release(r);
}

static void carry_drop(struct exchange *x)
{
    struct http_request *r = (struct http_request *)(void *)x;
    r->state = REQUEST_DROPPED;
    request_wake(r);
    request_let_go(r);
    request_release(r);
}

/* Called by libmicrohttpd when the socket takes more bytes of a stream. */
static ssize_t read_stream(void *cls, uint64_t offset, char *out, size_t max)
{
    struct http_request *r = cls;
    size_t len = r->unread.len - r->unread_at;
    (void)offset;
    if (r->state == REQUEST_DROPPED)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (len == 0 && r->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (len == 0) {
        request_suspend(r);
        return 0;
    }
    if (len > max)
        len = max;
    memcpy(out, r->unread.data + r->unread_at, len);
    r->unread_at += len;
    if (r->unread_at == r->unread.len) {
        buf_free(&r->unread);
        r->unread_at = 0;
    }
    return (ssize_t)len;
}

static void carry_stream_begin(struct exchange *x, int status,
                               const char *content_type)
{
    struct http_request *r = (struct http_request *)(void *)x;
    if (!r->connection || r->state != REQUEST_WAITING)
        return;
    r->response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r, NULL);
    r->status = status;
    r->state = REQUEST_STREAMING;
    put_headers(r, content_type);
    request_wake(r);
}

/* Forgets what the client has taken once that is more than what is left. */
static void stream_compact(struct http_request *r)
{
    size_t left = r->unread.len - r->unread_at;
    if (r->unread_at < left)
        return;
    memmove(r->unread.data, r->unread.data + r->unread_at, left);
    r->unread.len = left;
    r->unread_at = 0;
}

static bool carry_stream_write(struct exchange *x, const char *data, size_t len)
{
    struct http_request *r = (struct http_request *)(void *)x;
    if (!r->connection || r->state != REQUEST_STREAMING)
        return false;
    size_t waiting = r->unread.len - r->unread_at;
    if (len > HTTP_STREAM_MAX - waiting)
        return false;
    if (r->unread_at > 0)
        stream_compact(r);
    buf_append(&r->unread, data, len);
    if (len > 0)
        request_wake(r);
    return true;
}

static void carry_stream_end(struct exchange *x)
{
    struct http_request *r = (struct http_request *)(void *)x;
    r->ended = true;
    request_wake(r);
    request_let_go(r);
    request_release(r);
}

static const char *carry_header(const struct exchange *x, const char *name)
{
    const struct http_request *r = (const struct http_request *)(const void *)x;
    if (!r->connection)
        return NULL;
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

struct prefix_search {
    const char *prefix;
    bool found;
};

static enum MHD_Result compare_prefix(void *cls, enum MHD_ValueKind kind,
                                      const char *name, const char *value)
{
    struct prefix_search *s = cls;
    (void)kind;
    (void)value;
    s->found = strncasecmp(name, s->prefix, strlen(s->prefix)) == 0;
    return s->found ? MHD_NO : MHD_YES;
}

static bool carry_header_begins(const struct exchange *x, const char *prefix)
{
    const struct http_request *r = (const struct http_request *)(const void *)x;
    struct prefix_search s = {.prefix = prefix};
    if (r->connection)
        MHD_get_connection_values(r->connection, MHD_HEADER_KIND,
                                  compare_prefix, &s);
    return s.found;
}

static void carry_receive(struct exchange *x)
{
    (void)x;
}

static void carry_resume(struct exchange *x)
{
    (void)x;
}

/* -1 for a chunked body. */
static int64_t carry_body_length(const struct exchange *x)
{
    const struct http_request *r = (const struct http_request *)(const void *)x;
    (void)r;
    return -1;
}

/* libmicrohttpd sends it by sendfile where it can, and closes it. */
static void carry_reply_file(struct exchange *x, int status,
                             const char *content_type, int fd, uint64_t offset,
                             uint64_t len)
{
    (void)status;
    (void)content_type;
    (void)offset;
    (void)len;
    close(fd);
    exchange_fail(x, 501, "files need a connection of their own");
}

static const struct exchange_carrier request_carrier = {
    .reply = carry_reply,
    .drop = carry_drop,
    .stream_begin = carry_stream_begin,
    .stream_write = carry_stream_write,
    .stream_end = carry_stream_end,
    .header = carry_header,
    .header_begins = carry_header_begins,
    .receive = carry_receive,
    .resume = carry_resume,
    .body_length = carry_body_length,
    .reply_file = carry_reply_file,
};
