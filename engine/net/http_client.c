#include "net/http_client.h"

#include "net/http_transport.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void http_start(struct http_client *c, struct http_call *call)
{
    assert(call->done && (call->timeout_ms > 0 || call->stall_ms > 0));
    memset(&call->response, 0, sizeof(call->response));
    c->transport->start(c, call);
}

void http_resume(struct http_client *c, struct http_call *call)
{
    if (call->transport)
        c->transport->resume(c, call);
}

void http_cancel(struct http_client *c, struct http_call *call)
{
    if (call->transport)
        c->transport->cancel(c, call);
}

void http_call_free(struct http_call *call)
{
    buf_free(&call->response.body);
    buf_free(&call->response.head);
    free(call->response.url);
    call->response.url = NULL;
}

void http_client_free(struct http_client *c)
{
    c->transport->free(c);
}

void http_host(const char *url, char out[HTTP_HOST_MAX])
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    size_t len = strcspn(at, "/?#");
    const char *user_end = memrchr(at, '@', len);
    if (user_end) {
        len -= (size_t)(user_end + 1 - at);
        at = user_end + 1;
    }
    snprintf(out, HTTP_HOST_MAX, "%.*s", (int)(len < 1000 ? len : 1000), at);
}

int http_lost(struct err *e, bool written, int detail, const char *fmt, ...)
{
    char text[sizeof(e->message)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(e, written ? ERR_UNKNOWN : ERR_NOT_SENT, detail, "%s", text);
    e->retryable = !written;
    return e->code;
}

int http_timed_out(struct err *e, bool written, const struct http_call *call)
{
    char host[HTTP_HOST_MAX];
    http_host(call->url, host);
    return http_lost(e, written, ETIMEDOUT, "%s: timed out after %g s", host,
                     (double)call->timeout_ms / 1000);
}

int http_stalled(struct err *e, bool written, const struct http_call *call)
{
    char host[HTTP_HOST_MAX];
    http_host(call->url, host);
    return http_lost(e, written, ETIMEDOUT, "%s: no byte for %g s", host,
                     (double)call->stall_ms / 1000);
}

int http_too_long(struct err *e, const struct http_call *call, size_t max)
{
    char host[HTTP_HOST_MAX];
    http_host(call->url, host);
    return err_set(e, ERR_LIMIT, 0, "%s: the answer is over %zu bytes", host,
                   max);
}

int http_too_far(struct err *e, const struct http_call *call)
{
    char host[HTTP_HOST_MAX];
    http_host(call->url, host);
    return err_set(e, ERR_LIMIT, 0, "%s: over %u redirects", host,
                   call->redirects_max);
}

int http_broken(struct err *e, enum http_breach breach,
                const struct http_call *call)
{
    char host[HTTP_HOST_MAX];
    http_host(call->url, host);
    return err_set(e, ERR_IO, 0,
                   breach == BREACH_SOURCE
                       ? "%s: the body to be sent broke off"
                       : "%s: the answer could not be put away",
                   host);
}

void http_head_add(struct buf *head, const char *line, size_t len)
{
    while (len > 0 && strchr("\r\n\t ", line[len - 1]))
        len--;
    bool folded = len > 0 && (*line == ' ' || *line == '\t');
    size_t name = 0;
    if (!folded) {
        const char *colon = memchr(line, ':', len);
        if (!colon)
            return;
        name = (size_t)(colon - line);
        buf_append(head, line, name);
        buf_puts(head, ":");
        name++;
    } else if (head->len >= 2) {
        head->len -= 2; /* goes on with the line before */
    } else {
        return;
    }
    while (name < len && (line[name] == ' ' || line[name] == '\t'))
        name++;
    buf_puts(head, " ");
    buf_append(head, line + name, len - name);
    buf_puts(head, "\r\n");
}
