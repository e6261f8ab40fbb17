#include "telegram/multipart.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char chat_id[] = "chat_id";

/* A run of the body: headers and parameters in `text` (data and reader are
 * NULL), or the content of a file. */
struct segment {
    size_t from; /* in text */
    const char *data;
    struct file_reader *reader;
    uint64_t len;
};

struct multipart {
    struct api_upload upload;
    struct http_source source;
    char boundary[48];
    char content_type[96];
    struct buf text;
    struct segment *segments;
    size_t count;
    size_t current;           /* segment that is being given out */
    uint64_t at;              /* in it */
    int64_t sent;             /* of files */
    int64_t total;            /* of files */
    size_t chat_at, chat_len; /* value of chat_id in text; at 0: none */
    struct err error;
};

struct multipart *multipart_new(struct rng *rng)
{
    struct multipart *m = MEM_NEW(struct multipart);
    uint64_t first = rng_next(rng);
    snprintf(m->boundary, sizeof(m->boundary),
             "moonlet-%016" PRIx64 "%016" PRIx64, first, rng_next(rng));
    snprintf(m->content_type, sizeof(m->content_type),
             "multipart/form-data; boundary=%s", m->boundary);
    return m;
}

void multipart_free(struct multipart *m)
{
    if (!m)
        return;
    buf_free(&m->text);
    free(m->segments);
    free(m);
}

/* Bytes of the UTF-8 character at text; 0: it is none, or a control one. */
static size_t plain_char(const unsigned char *text, size_t left)
{
    unsigned char c = text[0];
    if (c < 0x80)
        return c >= 0x20 && c != 0x7F && c != '"' && c != '\\';
    size_t len = c >= 0xF0 && c <= 0xF4   ? 4
                 : c >= 0xE0 && c <= 0xEF ? 3
                 : c >= 0xC2 && c <= 0xDF ? 2
                                          : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

void multipart_put_name(struct buf *out, const char *name, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = plain_char((const unsigned char *)name + at, len - at);
        if (n == 0)
            buf_putc(out, '_');
        else
            buf_append(out, name + at, n);
        at += n > 0 ? n : 1;
    }
}

static struct segment *add_segment(struct multipart *m)
{
    m->segments = mem_grow(m->segments, m->count + 1, sizeof(struct segment));
    m->segments[m->count] = (struct segment){.from = m->text.len};
    return &m->segments[m->count++];
}

/* The run of text that what is appended to m->text now belongs to. */
static struct segment *text_segment(struct multipart *m)
{
    struct segment *last = m->count > 0 ? &m->segments[m->count - 1] : NULL;
    bool is_text = last && !last->data && !last->reader;
    return is_text ? last : add_segment(m);
}

static void begin_part(struct multipart *m, const char *name, size_t len)
{
    buf_printf(&m->text, "--%s\r\nContent-Disposition: form-data; name=\"",
               m->boundary);
    multipart_put_name(&m->text, name, len);
    buf_putc(&m->text, '"');
}

static void mark_chat(struct multipart *m, size_t at)
{
    m->chat_at = at;
    m->chat_len = m->text.len - at;
}

void multipart_param(struct multipart *m, const char *name, size_t name_len,
                     struct jslice value)
{
    struct segment *s = text_segment(m);
    begin_part(m, name, name_len);
    buf_puts(&m->text, "\r\n\r\n");
    size_t at = m->text.len;
    if (!js_text(value, &m->text))
        buf_append(&m->text, value.at, value.len);
    if (name_len == sizeof(chat_id) - 1 && memcmp(name, chat_id, name_len) == 0)
        mark_chat(m, at);
    buf_puts(&m->text, "\r\n");
    s->len = m->text.len - s->from;
}

static void begin_file(struct multipart *m, const char *part,
                       const char *file_name)
{
    struct segment *s = text_segment(m);
    begin_part(m, part, strlen(part));
    buf_puts(&m->text, "; filename=\"");
    multipart_put_name(&m->text, file_name, strlen(file_name));
    buf_puts(&m->text, "\"\r\nContent-Type: application/octet-stream\r\n\r\n");
    s->len = m->text.len - s->from;
}

static void end_file(struct multipart *m, uint64_t len)
{
    m->total += (int64_t)len;
    struct segment *s = text_segment(m);
    buf_puts(&m->text, "\r\n");
    s->len = m->text.len - s->from;
}

void multipart_bytes(struct multipart *m, const char *part,
                     const char *file_name, const char *data, size_t len)
{
    begin_file(m, part, file_name);
    struct segment *s = add_segment(m);
    s->data = data;
    s->len = len;
    end_file(m, len);
}

void multipart_file(struct multipart *m, const char *part,
                    const char *file_name, struct file_reader *reader)
{
    begin_file(m, part, file_name);
    struct segment *s = add_segment(m);
    s->reader = reader;
    s->len = (uint64_t)file_reader_facts(reader).size;
    end_file(m, s->len);
}

/* What one segment gives, as http_source.read does; 0: it is at its end. */
static ssize_t give(struct multipart *m, const struct segment *s, char *out,
                    size_t max)
{
    uint64_t left = s->len - m->at;
    size_t n = left < max ? (size_t)left : max;
    if (n == 0)
        return 0;
    if (!s->reader) {
        const char *data = s->data ? s->data : m->text.data + s->from;
        memcpy(out, data + m->at, n);
        return (ssize_t)n;
    }
    ssize_t got = file_reader_read(s->reader, out, n);
    if (got > 0)
        return got;
    if (got == FILE_STREAM_WAIT)
        return HTTP_WAIT;
    if (file_reader_error(s->reader))
        m->error = *file_reader_error(s->reader);
    return HTTP_BROKEN;
}

static ssize_t read_body(struct http_source *source, char *out, size_t max)
{
    struct multipart *m = LIST_ENTRY(source, struct multipart, source);
    size_t done = 0;
    while (done < max && m->current < m->count) {
        const struct segment *s = &m->segments[m->current];
        ssize_t n = give(m, s, out + done, max - done);
        if (n < 0)
            return done > 0 && n == HTTP_WAIT ? (ssize_t)done : n;
        if (s->data || s->reader)
            m->sent += n;
        done += (size_t)n;
        m->at += (uint64_t)n;
        if (m->at == s->len) {
            m->current++;
            m->at = 0;
        }
    }
    return (ssize_t)done;
}

static void rewind_body(struct api_upload *upload)
{
    struct multipart *m = LIST_ENTRY(upload, struct multipart, upload);
    m->current = 0;
    m->at = 0;
    m->sent = 0;
    for (size_t i = 0; i < m->count; i++)
        if (m->segments[i].reader)
            file_reader_seek(m->segments[i].reader, 0);
}

/* All text is behind the parameters or among them, which are the first
 * segment. */
static void replace_chat(struct multipart *m, const char *id)
{
    size_t len = strlen(id);
    size_t behind = m->chat_at + m->chat_len;
    struct buf text = {0};
    buf_append(&text, m->text.data, m->chat_at);
    buf_append(&text, id, len);
    buf_append(&text, m->text.data + behind, m->text.len - behind);
    buf_free(&m->text);
    m->text = text;
    for (size_t i = 1; i < m->count; i++)
        m->segments[i].from += len - m->chat_len;
    m->segments[0].len += len - m->chat_len;
    m->upload.len += len - m->chat_len;
    m->chat_len = len;
}

static void set_chat(struct api_upload *upload, int64_t chat)
{
    struct multipart *m = LIST_ENTRY(upload, struct multipart, upload);
    char id[24];
    snprintf(id, sizeof(id), "%" PRId64, chat);
    if (m->chat_at > 0)
        replace_chat(m, id);
}

struct api_upload *multipart_end(struct multipart *m, void (*wake)(void *arg),
                                 void *arg)
{
    struct segment *s = text_segment(m);
    uint64_t len = 0;
    buf_printf(&m->text, "--%s--\r\n", m->boundary);
    s->len = m->text.len - s->from;
    for (size_t i = 0; i < m->count; i++) {
        len += m->segments[i].len;
        if (m->segments[i].reader)
            file_reader_on_wake(m->segments[i].reader, wake, arg);
    }
    m->source.read = read_body;
    m->upload = (struct api_upload){
        .content_type = m->content_type,
        .len = len,
        .source = &m->source,
        .rewind = rewind_body,
        .set_chat = set_chat,
    };
    return &m->upload;
}

int64_t multipart_sent(const struct multipart *m)
{
    return m->sent;
}

int64_t multipart_total(const struct multipart *m)
{
    return m->total;
}

const struct err *multipart_error(const struct multipart *m)
{
    return m->error.code == ERR_OK ? NULL : &m->error;
}
