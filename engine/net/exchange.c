#include "net/exchange.h"

#include "base/json.h"
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that text[0..2] stands for, or -1 when it is no escape. %00 is
 * none: a NUL would cut the C strings that handlers compare. */
static int escaped_byte(const char *text, size_t len)
{
    if (len < 3 || text[0] != '%')
        return -1;
    int high = hex_digit(text[1]);
    int low = hex_digit(text[2]);
    if (high < 0 || low < 0 || high + low == 0)
        return -1;
    return high * 16 + low;
}

static void decode(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int byte = escaped_byte(text + i, len - i);
        if (byte >= 0) {
            buf_putc(out, (char)byte);
            i += 2;
        } else {
            buf_putc(out, text[i] == '+' ? ' ' : text[i]);
        }
    }
}

/* An escaped slash stays as it is: it belongs to a name, and would separate
 * two for whoever looks at the path. */
static char *decode_path(const char *text, size_t len)
{
    struct buf out = {0};
    for (size_t i = 0; i < len; i++) {
        int byte = escaped_byte(text + i, len - i);
        if (byte >= 0 && byte != '/') {
            buf_putc(&out, (char)byte);
            i += 2;
        } else {
            buf_putc(&out, text[i]);
        }
    }
    if (len == 0)
        buf_putc(&out, '/');
    return buf_steal(&out);
}

/* Skips scheme and host of an absolute target. */
static const char *target_path(const char *target)
{
    const char *authority = strstr(target, "://");
    if (*target == '/' || !authority)
        return target;
    authority += 3;
    return authority + strcspn(authority, "/?#");
}

void exchange_init(struct exchange *x, const struct exchange_carrier *carrier,
                   const char *method, const char *target)
{
    const char *path = target_path(target);
    size_t path_len = strcspn(path, "?#");
    const char *query = path + path_len;
    x->carrier = carrier;
    x->method = mem_strdup(method);
    x->path = decode_path(path, path_len);
    x->raw_path = memchr(path, '%', path_len) ? mem_dup(path, path_len) : NULL;
    if (*query == '?')
        query++;
    x->query = mem_dup(query, strcspn(query, "#"));
}

void exchange_clear(struct exchange *x)
{
    free(x->method);
    free(x->path);
    free(x->raw_path);
    free(x->query);
    buf_free(&x->body);
    for (size_t i = 0; i < EXCHANGE_WILDCARDS; i++)
        free(x->wildcards[i]);
    while (x->headers) {
        struct exchange_header *h = x->headers;
        x->headers = h->next;
        free(h->name);
        free(h->value);
        free(h);
    }
}

const char *exchange_method(const struct exchange *x)
{
    return x->method;
}

const char *exchange_path(const struct exchange *x)
{
    return x->path;
}

const char *exchange_raw_path(const struct exchange *x)
{
    return x->raw_path ? x->raw_path : x->path;
}

const char *exchange_query(const struct exchange *x)
{
    return x->query;
}

const char *exchange_body(const struct exchange *x, size_t *len)
{
    if (len)
        *len = x->body.len;
    return x->body.data ? x->body.data : "";
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return x->carrier->header(x, name);
}

bool exchange_header_begins(const struct exchange *x, const char *prefix)
{
    return x->carrier->header_begins(x, prefix);
}

void exchange_each_header(const struct exchange *x,
                          exchange_header_visitor *visit, void *arg)
{
    x->carrier->each_header(x, visit, arg);
}

bool exchange_peer_is_loopback(const struct exchange *x)
{
    return x->peer_is_loopback;
}

const char *exchange_wildcard(const struct exchange *x, unsigned n)
{
    if (n >= EXCHANGE_WILDCARDS || !x->wildcards[n])
        return "";
    return x->wildcards[n];
}

/* Whether the raw name stands for `name`; most need no decoding. */
static bool query_name_is(const char *raw, size_t len, const char *name)
{
    if (!memchr(raw, '%', len) && !memchr(raw, '+', len))
        return strlen(name) == len && memcmp(raw, name, len) == 0;
    struct buf decoded = {0};
    decode(&decoded, raw, len);
    bool same = decoded.data && strcmp(decoded.data, name) == 0;
    buf_free(&decoded);
    return same;
}

bool exchange_query_get(const struct exchange *x, const char *name,
                        struct buf *out)
{
    const char *at = x->query;
    while (*at) {
        size_t len = strcspn(at, "&");
        const char *equals = memchr(at, '=', len);
        size_t name_len = equals ? (size_t)(equals - at) : len;
        if (query_name_is(at, name_len, name)) {
            if (equals)
                decode(out, equals + 1, len - name_len - 1);
            return true;
        }
        at += len;
        at += *at == '&';
    }
    return false;
}

void exchange_add_header(struct exchange *x, const char *name,
                         const char *value)
{
    struct exchange_header *h = MEM_NEW(struct exchange_header);
    h->name = mem_strdup(name);
    h->value = mem_strdup(value);
    struct exchange_header **end = &x->headers;
    while (*end)
        end = &(*end)->next;
    *end = h;
}

void exchange_reply(struct exchange *x, int status, const char *content_type,
                    const char *body, size_t len)
{
    x->carrier->reply(x, status, content_type, body, len);
}

void exchange_receive(struct exchange *x, const struct exchange_taker *taker,
                      void *arg)
{
    assert(x->streamed && !x->taker);
    x->taker = taker;
    x->taker_arg = arg;
    x->carrier->receive(x);
}

void exchange_resume(struct exchange *x)
{
    x->carrier->resume(x);
}

int64_t exchange_body_length(const struct exchange *x)
{
    return x->carrier->body_length(x);
}

void exchange_reply_file(struct exchange *x, int status,
                         const char *content_type, int fd, uint64_t offset,
                         uint64_t len)
{
    x->carrier->reply_file(x, status, content_type, fd, offset, len);
}

void exchange_reply_cut(struct exchange *x, int status,
                        const char *content_type, const char *body, size_t len,
                        uint64_t promised)
{
    x->carrier->reply_cut(x, status, content_type, body, len, promised);
}

void exchange_drop(struct exchange *x)
{
    x->carrier->drop(x);
}

void exchange_stream_begin(struct exchange *x, int status,
                           const char *content_type)
{
    x->carrier->stream_begin(x, status, content_type);
}

bool exchange_stream_write(struct exchange *x, const char *data, size_t len)
{
    return x->carrier->stream_write(x, data, len);
}

void exchange_stream_end(struct exchange *x)
{
    x->carrier->stream_end(x);
}

void exchange_fail(struct exchange *x, int status, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct buf body = {0};
    buf_puts(&body, "{\"error\":");
    js_put_string(&body, text, strlen(text));
    buf_puts(&body, "}");
    exchange_reply(x, status, "application/json", body.data, body.len);
    buf_free(&body);
}

void exchange_on_gone(struct exchange *x,
                      void (*gone)(struct exchange *x, void *arg), void *arg)
{
    x->gone = gone;
    x->gone_arg = arg;
}
