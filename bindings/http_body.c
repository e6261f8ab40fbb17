#include "bindings/http_body.h"

#include "base/list.h"
#include "store/file_stream.h"

/* --- the answer */

static bool fits(const struct http_body *b, int64_t more)
{
    return more <= b->max - file_writer_size(b->writer);
}

static bool sink_begin(struct http_sink *s, const struct http_response *r)
{
    struct http_body *b = LIST_ENTRY(s, struct http_body, sink);
    b->success = r->status >= 200 && r->status <= 299;
    b->too_long = b->success && r->length >= 0 && !fits(b, r->length);
    return !b->too_long;
}

static void keep(struct http_body *b, const char *data, size_t len)
{
    size_t room = HTTP_OTHER_MAX - b->other.len;
    buf_append(&b->other, data, len < room ? len : room);
}

static int sink_write(struct http_sink *s, const char *data, size_t len)
{
    struct http_body *b = LIST_ENTRY(s, struct http_body, sink);
    if (!b->success) {
        keep(b, data, len);
        return 0;
    }
    b->too_long = !fits(b, (int64_t)(len - b->taken.taken));
    return b->too_long ? HTTP_BROKEN : file_body_write(&b->taken, data, len);
}

/* --- the request */

static ssize_t source_read(struct http_source *s, char *out, size_t max)
{
    struct http_body *b = LIST_ENTRY(s, struct http_body, source);
    ssize_t n = file_reader_read(b->reader, out, max);
    if (n > 0)
        return n;
    return n == FILE_STREAM_WAIT ? HTTP_WAIT : HTTP_BROKEN;
}

static void on_wake(void *arg)
{
    struct http_body *b = arg;
    http_resume(b->client, b->call);
}

static void on_opened(void *arg)
{
    static const struct err none;
    struct http_body *b = arg;
    const struct err *e = file_reader_error(b->reader);
    if (!e) {
        b->call->body_len = (size_t)file_reader_facts(b->reader).size;
        b->call->source = b->call->body_len > 0 ? &b->source : NULL;
    }
    b->ready(b, e ? e : &none);
}

bool http_body_open(struct http_body *b)
{
    b->sink = (struct http_sink){.begin = sink_begin, .write = sink_write};
    b->source.read = source_read;
    if (b->to) {
        b->writer = file_writer_new(b->files, b->to);
        file_writer_on_wake(b->writer, on_wake, b);
        b->taken = (struct file_body){.writer = b->writer};
        b->call->sink = &b->sink;
    }
    if (!b->from)
        return true;
    b->reader = file_reader_open(b->files, b->from, false, on_opened, b);
    file_reader_on_wake(b->reader, on_wake, b);
    return false;
}

/* --- the end */

static int too_long(const struct http_body *b, struct err *e)
{
    return err_set(e, ERR_LIMIT, 0, "%s: the answer is over %lld bytes", b->to,
                   (long long)b->max);
}

static void on_finished(void *arg)
{
    static const struct err none;
    struct http_body *b = arg;
    const struct err *e = file_writer_error(b->writer);
    b->ready(b, e ? e : &none);
}

bool http_body_finish(struct http_body *b)
{
    if (!b->writer || !b->success || b->too_long)
        return true;
    file_writer_finish(b->writer, on_finished, b);
    return false;
}

void http_body_explain(const struct http_body *b, struct err *e)
{
    const struct err *reading = b->reader ? file_reader_error(b->reader) : NULL;
    const struct err *writing = b->writer ? file_writer_error(b->writer) : NULL;
    if (b->too_long)
        too_long(b, e);
    else if (e->code == ERR_IO && reading)
        *e = *reading;
    else if (e->code == ERR_IO && writing)
        *e = *writing;
}

int64_t http_body_size(const struct http_body *b)
{
    return b->writer && b->success ? file_writer_size(b->writer) : -1;
}

void http_body_close(struct http_body *b)
{
    file_reader_close(b->reader);
    file_writer_close(b->writer);
    b->reader = NULL;
    b->writer = NULL;
    buf_free(&b->other);
}
