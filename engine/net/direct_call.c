/* A direct call from the side of the handler: the exchange. */

#include "net/direct_call.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static struct direct_call *of(struct exchange *x)
{
    return (struct direct_call *)(void *)x;
}

static void run_handler(struct direct_call *d)
{
    d->held = true;
    routes_run(d->routes, &d->x);
}

static void lose(struct direct_call *d, bool written, const char *what)
{
    char host[HTTP_HOST_MAX];
    http_host(d->hop.url, host);
    http_lost(&d->err, written, 0, "%s: %s", host, what);
}

void direct_call__run(struct direct_call *d)
{
    d->routes = d->client->routes;
    if (!d->routes) {
        lose(d, d->hop.count > 0, "connection refused");
        direct_call__fail(d, &d->err);
        return;
    }
    d->arrived = true;
    if (routes_streamed(d->routes, &d->x)) {
        run_handler(d);
    } else if (!d->hop.source) {
        if (d->hop.body_len > 0)
            buf_append(&d->x.body, d->hop.body, d->hop.body_len);
        run_handler(d);
    } else if (d->hop.body_len > DIRECT_BODY_MAX) {
        d->held = true;
        exchange_fail(&d->x, 413, "the body is larger than %d bytes",
                      DIRECT_BODY_MAX);
    } else {
        loop_defer(d->client->loop, &d->feed);
    }
}

/* False: there is none; the source waits, or the call is over. */
static bool next_piece(struct direct_call *d)
{
    size_t left = d->hop.body_len - d->read;
    size_t max = left < DIRECT_BLOCK ? left : DIRECT_BLOCK;
    if (!d->hop.source) {
        d->piece = d->hop.body + d->read;
        d->piece_len = max;
    } else {
        d->piece = direct_call__block(d);
        ssize_t n = d->hop.source->read(d->hop.source, d->block, max);
        if (n == HTTP_WAIT) {
            d->source_waits = true;
            direct_call__touch(d);
            return false;
        }
        if (n <= 0) {
            struct err e;
            http_broken(&e, BREACH_SOURCE, d->call);
            direct_call__fail(d, &e);
            return false;
        }
        d->piece_len = (size_t)n;
    }
    d->piece_at = 0;
    d->read += d->piece_len;
    return true;
}

static void end_body(struct direct_call *d)
{
    d->whole = true;
    if (d->x.streamed) {
        d->x.taker->end(&d->x, d->x.taker_arg);
    } else if (d->routes == d->client->routes) {
        run_handler(d);
    } else {
        lose(d, true, "connection closed without an answer");
        direct_call__answer(d);
    }
}

/* Whether the handler still wants the body. */
static bool wanted(const struct direct_call *d)
{
    return d->call && (!d->answered || (d->streaming && d->held));
}

void direct_call__feed(struct direct_call *d)
{
    if (d->source_waits || d->whole || !wanted(d))
        return;
    if (d->piece_at == d->piece_len) {
        if (d->read == d->hop.body_len) {
            end_body(d);
            return;
        }
        if (!next_piece(d))
            return;
    }
    const char *data = d->piece + d->piece_at;
    size_t len = d->piece_len - d->piece_at;
    size_t taken = len;
    d->resumed = false;
    if (d->x.streamed)
        taken = d->x.taker->take(&d->x, d->x.taker_arg, data, len);
    else
        buf_append(&d->x.body, data, len);
    if (!wanted(d))
        return;
    d->piece_at += taken;
    if (taken > 0)
        direct_call__touch(d);
    if (taken == len || d->resumed)
        loop_defer(d->client->loop, &d->feed);
}

static void carry_receive(struct exchange *x)
{
    loop_defer(of(x)->client->loop, &of(x)->feed);
}

static void carry_resume(struct exchange *x)
{
    struct direct_call *d = of(x);
    d->resumed = true;
    if (x->taker && wanted(d))
        loop_defer(d->client->loop, &d->feed);
}

static int64_t carry_body_length(const struct exchange *x)
{
    const struct direct_call *d = (const struct direct_call *)(const void *)x;
    return (int64_t)d->hop.body_len;
}

static void let_go(struct direct_call *d)
{
    d->held = false;
    d->x.gone = NULL;
    direct_call__release(d);
}

static void keep_line(struct direct_call *d, const char *name,
                      const char *value)
{
    char *line = mem_printf("%s: %s", name, value);
    http_head_add(&d->response.head, line, strlen(line));
    free(line);
}

static void fill_head(struct direct_call *d, int status, const char *type,
                      int64_t length)
{
    struct http_response *r = &d->response;
    r->status = status;
    r->length = length;
    snprintf(r->content_type, sizeof(r->content_type), "%s", type ? type : "");
    for (struct exchange_header *h = d->x.headers; h; h = h->next) {
        if (strcasecmp(h->name, "Retry-After") == 0)
            r->retry_after = strtod(h->value, NULL);
        if (d->call->keep_head)
            keep_line(d, h->name, h->value);
    }
    if (d->call->keep_head && type)
        keep_line(d, "Content-Type", type);
    if (d->call->keep_head && length >= 0) {
        char text[24];
        snprintf(text, sizeof(text), "%lld", (long long)length);
        keep_line(d, "Content-Length", text);
    }
}

/* An answer counts once: the first one, and only while the call waits. */
static bool can_answer(const struct direct_call *d)
{
    return d->call && !d->answered;
}

static bool without_body(const struct direct_call *d)
{
    return strcmp(d->hop.method, "HEAD") == 0;
}

/* Whether so long a body may be kept; else there is an error. */
static bool fits(struct direct_call *d, uint64_t len)
{
    if (d->call->sink || len <= d->call->response_max || without_body(d))
        return true;
    http_too_long(&d->err, d->call, d->call->response_max);
    return false;
}

static void answer_whole(struct direct_call *d, int status, const char *type,
                         const char *body, size_t len)
{
    if (fits(d, len)) {
        fill_head(d, status, type, (int64_t)len);
        if (!without_body(d))
            buf_append(&d->response.body, body, len);
    }
    direct_call__answer(d);
}

static void carry_reply(struct exchange *x, int status,
                        const char *content_type, const char *body, size_t len)
{
    struct direct_call *d = of(x);
    if (can_answer(d))
        answer_whole(d, status, content_type, body, len);
    let_go(d);
}

static bool file_has(int fd, uint64_t offset, uint64_t len)
{
    struct stat st;
    return fstat(fd, &st) == 0 && offset <= (uint64_t)st.st_size &&
           len <= (uint64_t)st.st_size - offset;
}

static void carry_reply_file(struct exchange *x, int status,
                             const char *content_type, int fd, uint64_t offset,
                             uint64_t len)
{
    struct direct_call *d = of(x);
    if (!file_has(fd, offset, len)) {
        close(fd);
        exchange_fail(x, 500, "the file is shorter than expected");
        return;
    }
    if (can_answer(d) && fits(d, len) && !without_body(d)) {
        fill_head(d, status, content_type, (int64_t)len);
        d->file = fd;
        d->file_at = offset;
        d->file_left = len;
        direct_call__answer(d);
    } else {
        close(fd);
        if (can_answer(d)) {
            fill_head(d, status, content_type, (int64_t)len);
            direct_call__answer(d);
        }
    }
    let_go(d);
}

static void carry_drop(struct exchange *x)
{
    struct direct_call *d = of(x);
    if (can_answer(d)) {
        lose(d, true, "connection closed without an answer");
        direct_call__answer(d);
    } else if (d->call && d->streaming) {
        lose(d, true, "connection closed within the answer");
        d->streaming = false;
        loop_defer(d->client->loop, &d->pour);
    }
    let_go(d);
}

/* What came before the cut is lost with it. */
static void carry_reply_cut(struct exchange *x, int status,
                            const char *content_type, const char *body,
                            size_t len, uint64_t promised)
{
    struct direct_call *d = of(x);
    (void)status;
    (void)content_type;
    (void)body;
    (void)len;
    (void)promised;
    if (can_answer(d)) {
        lose(d, true, "connection closed within the answer");
        direct_call__answer(d);
    }
    let_go(d);
}

/* A stream has no end that a call without a sink could wait for. */
static void carry_stream_begin(struct exchange *x, int status,
                               const char *content_type)
{
    static const char refusal[] =
        "{\"error\":\"streams need a connection of their own\"}";
    struct direct_call *d = of(x);
    if (!can_answer(d))
        return;
    if (!d->call->sink) {
        answer_whole(d, 501, "application/json", refusal, sizeof(refusal) - 1);
        return;
    }
    fill_head(d, status, content_type, -1);
    d->streaming = true;
    direct_call__answer(d);
}

static bool carry_stream_write(struct exchange *x, const char *data, size_t len)
{
    struct direct_call *d = of(x);
    struct buf *body = &d->response.body;
    if (!d->call || !d->streaming ||
        body->len - d->poured + len > DIRECT_STREAM_MAX)
        return false;
    if (d->poured > body->len / 2) {
        body->len -= d->poured;
        memmove(body->data, body->data + d->poured, body->len);
        d->poured = 0;
    }
    buf_append(body, data, len);
    loop_defer(d->client->loop, &d->pour);
    return true;
}

static void carry_stream_end(struct exchange *x)
{
    struct direct_call *d = of(x);
    if (d->call && d->streaming) {
        d->streaming = false;
        loop_defer(d->client->loop, &d->pour);
    }
    let_go(d);
}

static const char *carry_header(const struct exchange *x, const char *name)
{
    const struct direct_call *d = (const struct direct_call *)(const void *)x;
    if (strcasecmp(name, "Host") == 0)
        return "localhost"; /* the caller is this process */
    if (!d->call)
        return NULL;
    if (strcasecmp(name, "Content-Type") == 0)
        return d->hop.content_type;
    if (!http_hop_sends(&d->hop, name))
        return NULL;
    for (size_t i = 0; i < d->call->headers_count; i++) {
        if (strcasecmp(name, d->call->headers[i].name) == 0)
            return d->call->headers[i].value;
    }
    return NULL;
}

static void carry_each_header(const struct exchange *x,
                              exchange_header_visitor *visit, void *arg)
{
    const struct direct_call *d = (const struct direct_call *)(const void *)x;
    visit(arg, "Host", carry_header(x, "Host"));
    if (carry_header(x, "Content-Type"))
        visit(arg, "Content-Type", carry_header(x, "Content-Type"));
    for (size_t i = 0; d->call && i < d->call->headers_count; i++) {
        const struct http_header *h = &d->call->headers[i];
        if (http_hop_sends(&d->hop, h->name))
            visit(arg, h->name, h->value);
    }
}

static bool carry_header_begins(const struct exchange *x, const char *prefix)
{
    static const char *const names[] = {"Host", "Content-Type"};
    const struct direct_call *d = (const struct direct_call *)(const void *)x;
    size_t len = strlen(prefix);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncasecmp(names[i], prefix, len) == 0 &&
            carry_header(x, names[i]))
            return true;
    }
    for (size_t i = 0; d->call && i < d->call->headers_count; i++) {
        const char *name = d->call->headers[i].name;
        if (strncasecmp(name, prefix, len) == 0 &&
            http_hop_sends(&d->hop, name))
            return true;
    }
    return false;
}

const struct exchange_carrier direct_call__carrier = {
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
