/* Bodies and heads of a transfer on their way, called by libcurl. */

#include "net/curl_transfer.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t curl_transfer__read(char *out, size_t size, size_t count, void *arg)
{
    struct curl_transfer *t = arg;
    size_t max = size * count;
    if (t->source_waits)
        return CURL_READFUNC_PAUSE;
    if (max > t->hop.body_len - t->read)
        max = t->hop.body_len - t->read;
    if (max == 0)
        return 0;
    ssize_t n = t->hop.source->read(t->hop.source, out, max);
    if (n == HTTP_WAIT) {
        t->source_waits = true;
        return CURL_READFUNC_PAUSE;
    }
    if (n <= 0) {
        t->breach = BREACH_SOURCE;
        return CURL_READFUNC_ABORT;
    }
    assert((size_t)n <= max);
    t->read += (size_t)n;
    return (size_t)n;
}

static size_t write_sink(struct curl_transfer *t, const char *data, size_t len)
{
    struct http_sink *sink = t->call->sink;
    if (t->sink_waits)
        return CURL_WRITEFUNC_PAUSE;
    int taken = sink->write(sink, data, len);
    if (taken == 0)
        return len;
    if (taken == HTTP_WAIT) {
        t->sink_waits = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    t->breach = BREACH_SINK;
    return 0;
}

size_t curl_transfer__write(char *data, size_t size, size_t count, void *arg)
{
    struct curl_transfer *t = arg;
    struct buf *body = &t->call->response.body;
    size_t len = size * count;
    if (t->redirect == REDIRECT_FOLLOW) {
        t->discarded += len;
        return t->discarded > HTTP_REDIRECT_BODY_MAX ? 0 : len;
    }
    if (t->call->sink)
        return write_sink(t, data, len);
    if (len > t->call->response_max - body->len) {
        t->too_long = true;
        return 0;
    }
    buf_append(body, data, len);
    return len;
}

static void note_location(struct curl_transfer *t, const char *line, size_t len)
{
    static const char name[] = "Location:";
    size_t at = sizeof(name) - 1;
    if (len < at || strncasecmp(line, name, at) != 0)
        return;
    while (at < len && (line[at] == ' ' || line[at] == '\t'))
        at++;
    free(t->location);
    t->location = mem_dup(line + at, len - at);
    t->location[strcspn(t->location, "\r\n")] = '\0';
}

/* The head is whole. False: nothing more is wanted of this answer. */
static bool end_head(struct curl_transfer *t)
{
    struct http_call *call = t->call;
    curl_transfer__answer(t);
    t->in_head = false;
    if (call->response.status < 200 && call->response.status != 101) {
        curl_transfer_forget(t); /* another one follows */
        return true;
    }
    t->answered = true;
    t->redirect =
        http_hop_judge(&t->hop, call, call->response.status, t->location);
    /* libcurl sends no more of a body after a refusal, but it ends a paused
     * transfer only when that goes on. */
    if (t->source_waits && call->response.status >= 300)
        loop_defer(t->stall.loop, &t->resume);
    if (t->redirect != REDIRECT_NONE)
        return t->redirect == REDIRECT_FOLLOW;
    t->unwanted = call->sink && !call->sink->begin(call->sink, &call->response);
    return !t->unwanted;
}

/* Lines come one by one: a status, headers, an empty one. Before the request
 * they are a proxy's, after the head they are a chunked body's trailers. */
static bool take_line(struct curl_transfer *t, const char *line, size_t len)
{
    if (!t->begun || t->answered)
        return true;
    if (!t->in_head) {
        t->in_head = true;
        return true;
    }
    if (line[0] == '\r' || line[0] == '\n')
        return end_head(t);
    if (t->call->keep_head)
        http_head_add(&t->call->response.head, line, len);
    note_location(t, line, len);
    return true;
}

size_t curl_transfer__header(char *data, size_t size, size_t count, void *arg)
{
    struct curl_transfer *t = arg;
    size_t len = size * count;
    t->header_bytes += len;
    t->too_long = t->header_bytes > CURL_HEADERS_MAX;
    if (t->too_long)
        return 0;
    return t->reads_head && !take_line(t, data, len) ? 0 : len;
}
