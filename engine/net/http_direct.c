#include "net/http_transport.h"

#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct direct_client {
    struct http_client client; /* first member */
    struct loop *loop;
    struct routes *routes; /* NULL: nobody answers there */
    uint64_t travel_max_ms;
};

/* Two hold it, the call and the handler of the exchange; it frees itself
 * when both have let go. */
struct direct_call {
    struct exchange x; /* first member */
    struct direct_client *client;
    struct http_call *call; /* NULL: ended */
    bool held;              /* the handler has it */
    bool answered;
    struct deferred run;
    struct deferred deliver;
    struct timer travel; /* of the request, then of the answer */
    struct timer timer;
    struct http_response response;
    struct err err; /* code 0: there is a response */
};

static void direct_release(struct direct_call *d)
{
    if (d->held || d->call)
        return;
    exchange_clear(&d->x);
    buf_free(&d->response.body);
    free(d);
}

/* Takes the call off; nobody waits for the handler's answer afterwards. */
static struct http_call *direct_detach(struct direct_call *d)
{
    struct http_call *call = d->call;
    timer_stop(&d->timer);
    timer_stop(&d->travel);
    loop_undefer(&d->run);
    loop_undefer(&d->deliver);
    call->transport = NULL;
    d->call = NULL;
    if (d->held && d->x.gone) {
        void (*gone)(struct exchange *, void *) = d->x.gone;
        d->x.gone = NULL;
        gone(&d->x, d->x.gone_arg);
        d->held = false;
    }
    return call;
}

static void on_deliver(struct deferred *deferred)
{
    struct direct_call *d = LIST_ENTRY(deferred, struct direct_call, deliver);
    struct err e = d->err;
    struct http_call *call = direct_detach(d);
    if (e.code == ERR_OK) {
        call->response = d->response;
        memset(&d->response, 0, sizeof(d->response));
    }
    direct_release(d);
    call->done(call, &e);
}

static void on_timeout(struct timer *t)
{
    struct direct_call *d = LIST_ENTRY(t, struct direct_call, timer);
    struct err e;
    http_timed_out(&e, d->held, d->call);
    struct http_call *call = direct_detach(d);
    direct_release(d);
    call->done(call, &e);
}

static void on_run(struct deferred *deferred)
{
    struct direct_call *d = LIST_ENTRY(deferred, struct direct_call, run);
    if (!d->client->routes) {
        char host[HTTP_HOST_MAX];
        http_host(d->call->url, host);
        http_lost(&d->err, false, 0, "%s: connection refused", host);
        on_deliver(&d->deliver);
        return;
    }
    d->held = true;
    routes_run(d->client->routes, &d->x);
}

/* Time passes on the way only if there is chance in it; else the next turn is
 * near enough. */
static void send_off(struct direct_call *d, struct deferred *at_once)
{
    uint64_t max_ms = d->client->travel_max_ms;
    if (max_ms == 0)
        loop_defer(d->client->loop, at_once);
    else
        timer_start(&d->travel,
                    rng_below(loop_rng(d->client->loop), max_ms + 1));
}

static void on_arrival(struct timer *t)
{
    struct direct_call *d = LIST_ENTRY(t, struct direct_call, travel);
    if (d->answered)
        on_deliver(&d->deliver);
    else
        on_run(&d->run);
}

/* An answer counts once: the first one, and only while the call waits. */
static bool direct_answer(struct direct_call *d)
{
    if (!d->call || d->answered)
        return false;
    d->answered = true;
    timer_stop(&d->timer);
    send_off(d, &d->deliver);
    return true;
}

static void direct_let_go(struct direct_call *d)
{
    d->held = false;
    d->x.gone = NULL;
    direct_release(d);
}

static void take_response(struct direct_call *d, int status, const char *type,
                          const char *body, size_t len)
{
    if (len > d->call->response_max) {
        http_too_long(&d->err, d->call, d->call->response_max);
        return;
    }
    d->response.status = status;
    snprintf(d->response.content_type, sizeof(d->response.content_type), "%s",
             type ? type : "");
    buf_append(&d->response.body, body, len);
    for (struct exchange_header *h = d->x.headers; h; h = h->next) {
        if (strcasecmp(h->name, "Retry-After") == 0)
            d->response.retry_after = strtod(h->value, NULL);
    }
}

static void carry_reply(struct exchange *x, int status,
                        const char *content_type, const char *body, size_t len)
{
    struct direct_call *d = (struct direct_call *)(void *)x;
    if (direct_answer(d))
        take_response(d, status, content_type, body, len);
    direct_let_go(d);
}

static void carry_drop(struct exchange *x)
{
    struct direct_call *d = (struct direct_call *)(void *)x;
    if (direct_answer(d)) {
        char host[HTTP_HOST_MAX];
        http_host(d->call->url, host);
        http_lost(&d->err, true, 0, "%s: connection closed without an answer",
                  host);
    }
    direct_let_go(d);
}

/* A stream has no end that a call could wait for. */
static void carry_stream_begin(struct exchange *x, int status,
                               const char *content_type)
{
    static const char refusal[] =
        "{\"error\":\"streams need a connection of their own\"}";
    struct direct_call *d = (struct direct_call *)(void *)x;
    (void)status;
    (void)content_type;
    if (direct_answer(d))
        take_response(d, 501, "application/json", refusal, sizeof(refusal) - 1);
}

static bool carry_stream_write(struct exchange *x, const char *data, size_t len)
{
    (void)x;
    (void)data;
    (void)len;
    return false;
}

static void carry_stream_end(struct exchange *x)
{
    direct_let_go((struct direct_call *)(void *)x);
}

static const char *carry_header(const struct exchange *x, const char *name)
{
    const struct direct_call *d = (const struct direct_call *)(const void *)x;
    if (strcasecmp(name, "Host") == 0)
        return "localhost"; /* the caller is this process */
    if (!d->call)
        return NULL;
    if (strcasecmp(name, "Content-Type") == 0)
        return d->call->content_type;
    for (size_t i = 0; i < d->call->headers_count; i++) {
        if (strcasecmp(name, d->call->headers[i].name) == 0)
            return d->call->headers[i].value;
    }
    return NULL;
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
        if (strncasecmp(d->call->headers[i].name, prefix, len) == 0)
            return true;
    }
    return false;
}

static void carry_receive(struct exchange *x)
{
    exchange_fail(x, 501, "bodies need a connection of their own");
}

static void carry_resume(struct exchange *x)
{
    (void)x;
}

static int64_t carry_body_length(const struct exchange *x)
{
    return (int64_t)x->body.len;
}

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

static const struct exchange_carrier direct_carrier = {
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

static void direct_start(struct http_client *c, struct http_call *call)
{
    struct direct_call *d = MEM_NEW(struct direct_call);
    d->client = (struct direct_client *)(void *)c;
    d->call = call;
    exchange_init(&d->x, &direct_carrier, call->method, call->url);
    d->x.peer_is_loopback = true;
    if (call->body_len > 0)
        buf_append(&d->x.body, call->body, call->body_len);
    deferred_init(&d->run, on_run);
    deferred_init(&d->deliver, on_deliver);
    timer_init(&d->timer, d->client->loop, on_timeout);
    timer_init(&d->travel, d->client->loop, on_arrival);
    if (call->timeout_ms > 0)
        timer_start(&d->timer, call->timeout_ms);
    send_off(d, &d->run);
    call->transport = d;
}

static void direct_resume(struct http_client *c, struct http_call *call)
{
    (void)c;
    (void)call;
}

static void direct_cancel(struct http_client *c, struct http_call *call)
{
    struct direct_call *d = call->transport;
    (void)c;
    direct_detach(d);
    direct_release(d);
}

static void direct_free(struct http_client *c)
{
    free(c);
}

void http_direct_connect(struct http_client *c, struct routes *routes)
{
    ((struct direct_client *)(void *)c)->routes = routes;
}

void http_direct_travel(struct http_client *c, uint64_t max_ms)
{
    ((struct direct_client *)(void *)c)->travel_max_ms = max_ms;
}

struct http_client *http_client_new_direct(struct loop *loop,
                                           struct routes *routes)
{
    static const struct http_transport transport = {
        .start = direct_start,
        .resume = direct_resume,
        .cancel = direct_cancel,
        .free = direct_free,
    };
    struct direct_client *c = MEM_NEW(struct direct_client);
    c->client.transport = &transport;
    c->loop = loop;
    c->routes = routes;
    return &c->client;
}
