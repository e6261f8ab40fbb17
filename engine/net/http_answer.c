#include "net/http_request.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM_BLOCK (16 * 1024)

/* An answer counts while somebody can get it; the body of the request may
 * still be coming. */
static bool can_answer(const struct http_request *r)
{
    return r->connection &&
           (r->state == REQUEST_WAITING || r->state == REQUEST_TAKING);
}

static void put_headers(struct http_request *r, const char *content_type)
{
    if (content_type)
        MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                content_type);
    for (struct exchange_header *h = r->x.headers; h; h = h->next)
        MHD_add_response_header(r->response, h->name, h->value);
}

/* r->response is made. */
static void answer(struct http_request *r, enum http_request_state state,
                   int status, const char *content_type)
{
    r->status = status;
    r->state = state;
    r->unsent = state == REQUEST_ANSWERED;
    r->all->unsent += r->unsent;
    put_headers(r, content_type);
    http_request__wake(r);
}

static void carry_reply(struct exchange *x, int status,
                        const char *content_type, const char *body, size_t len)
{
    struct http_request *r = (struct http_request *)(void *)x;
    if (can_answer(r)) {
        /* The body is only read: it is copied at once. */
        r->response = MHD_create_response_from_buffer(
            len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
        answer(r, REQUEST_ANSWERED, status, content_type);
    }
    http_request__let_go(r);
    http_request__release(r);
}

/* libmicrohttpd would wait for what is missing until it loses patience. */
static bool file_has(int fd, uint64_t offset, uint64_t len)
{
    struct stat st;
    return fstat(fd, &st) == 0 && offset <= (uint64_t)st.st_size &&
           len <= (uint64_t)st.st_size - offset;
}

/* libmicrohttpd sends it by sendfile, and closes it. */
static void carry_reply_file(struct exchange *x, int status,
                             const char *content_type, int fd, uint64_t offset,
                             uint64_t len)
{
    struct http_request *r = (struct http_request *)(void *)x;
    struct MHD_Response *response = NULL;
    if (can_answer(r) && file_has(fd, offset, len))
        response = MHD_create_response_from_fd_at_offset64(len, fd, offset);
    if (!response) {
        close(fd);
        exchange_fail(x, 500, "the file is shorter than expected");
        return;
    }
    r->response = response;
    answer(r, REQUEST_ANSWERED, status, content_type);
    http_request__let_go(r);
    http_request__release(r);
}

static ssize_t read_until_cut(void *cls, uint64_t offset, char *out, size_t max)
{
    const struct http_request *r = cls;
    if (offset >= r->unread.len)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t len = r->unread.len - (size_t)offset;
    len = len < max ? len : max;
    memcpy(out, r->unread.data + offset, len);
    return (ssize_t)len;
}

static void carry_reply_cut(struct exchange *x, int status,
                            const char *content_type, const char *body,
                            size_t len, uint64_t promised)
{
    struct http_request *r = (struct http_request *)(void *)x;
    if (can_answer(r)) {
        buf_append(&r->unread, body, len);
        r->response = MHD_create_response_from_callback(
            promised, STREAM_BLOCK, read_until_cut, r, NULL);
        answer(r, REQUEST_ANSWERED, status, content_type);
    }
    http_request__let_go(r);
    http_request__release(r);
}

static void carry_drop(struct exchange *x)
{
    struct http_request *r = (struct http_request *)(void *)x;
    r->state = REQUEST_DROPPED;
    http_request__wake(r);
    http_request__let_go(r);
    http_request__release(r);
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
        http_request__suspend(r);
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
    if (!can_answer(r))
        return;
    r->response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r, NULL);
    answer(r, REQUEST_STREAMING, status, content_type);
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
        http_request__wake(r);
    return true;
}

static void carry_stream_end(struct exchange *x)
{
    struct http_request *r = (struct http_request *)(void *)x;
    r->ended = true;
    http_request__wake(r);
    http_request__let_go(r);
    http_request__release(r);
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

struct header_visit {
    exchange_header_visitor *visit;
    void *arg;
};

static enum MHD_Result visit_header(void *cls, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    const struct header_visit *v = cls;
    (void)kind;
    v->visit(v->arg, name, value ? value : "");
    return MHD_YES;
}

static void carry_each_header(const struct exchange *x,
                              exchange_header_visitor *visit, void *arg)
{
    const struct http_request *r = (const struct http_request *)(const void *)x;
    struct header_visit v = {visit, arg};
    if (r->connection)
        MHD_get_connection_values(r->connection, MHD_HEADER_KIND, visit_header,
                                  &v);
}

static void carry_receive(struct exchange *x)
{
    struct http_request *r = (struct http_request *)(void *)x;
    assert(x->gone); /* else an upload that breaks off would be held forever */
    if (r->state == REQUEST_WAITING)
        r->state = REQUEST_TAKING;
}

static void carry_resume(struct exchange *x)
{
    struct http_request *r = (struct http_request *)(void *)x;
    r->resumed = true;
    if (r->state == REQUEST_TAKING)
        http_request__wake(r);
}

static int64_t carry_body_length(const struct exchange *x)
{
    return ((const struct http_request *)(const void *)x)->length;
}

const struct exchange_carrier http_request__carrier = {
    .reply = carry_reply,
    .drop = carry_drop,
    .stream_begin = carry_stream_begin,
    .stream_write = carry_stream_write,
    .stream_end = carry_stream_end,
    .header = carry_header,
    .header_begins = carry_header_begins,
    .each_header = carry_each_header,
    .receive = carry_receive,
    .resume = carry_resume,
    .body_length = carry_body_length,
    .reply_file = carry_reply_file,
    .reply_cut = carry_reply_cut,
};
