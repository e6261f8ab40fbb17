/* The direct transport from the side of the call. */

#include "net/http_transport.h"

#include "base/mem.h"
#include "base/rng.h"
#include "net/direct_call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static void close_file(struct direct_call *d)
{
    if (d->file >= 0)
        close(d->file);
    d->file = -1;
    d->file_left = 0;
}

void direct_call__release(struct direct_call *d)
{
    if (d->held || d->call || d->reading)
        return;
    close_file(d);
    exchange_clear(&d->x);
    http_hop_end(&d->hop);
    buf_free(&d->response.body);
    buf_free(&d->response.head);
    free(d->block);
    free(d);
}

char *direct_call__block(struct direct_call *d)
{
    if (!d->block)
        d->block = mem_zero(1, DIRECT_BLOCK);
    return d->block;
}

void direct_call__touch(struct direct_call *d)
{
    if (!d->call || d->call->stall_ms == 0)
        return;
    if (d->source_waits || d->sink_waits)
        timer_stop(&d->stall);
    else
        timer_start(&d->stall, d->call->stall_ms);
}

/* Takes the call off; nobody waits for the handler's answer afterwards. */
static struct http_call *detach(struct direct_call *d)
{
    struct http_call *call = d->call;
    timer_stop(&d->timer);
    timer_stop(&d->stall);
    timer_stop(&d->travel);
    loop_undefer(&d->run);
    loop_undefer(&d->feed);
    loop_undefer(&d->deliver);
    loop_undefer(&d->pour);
    if (d->reading && work_revoke(&d->work))
        d->reading = false;
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

void direct_call__fail(struct direct_call *d, const struct err *e)
{
    struct err copy = *e;
    struct http_call *call = detach(d);
    direct_call__release(d);
    call->done(call, &copy);
}

static void finish(struct direct_call *d)
{
    struct err e = {.code = ERR_OK};
    struct http_call *call = detach(d);
    if (call->sink)
        buf_free(&d->response.body);
    call->response = d->response;
    memset(&d->response, 0, sizeof(d->response));
    direct_call__release(d);
    call->done(call, &e);
}

static bool written(const struct direct_call *d)
{
    return d->arrived || d->hop.count > 0;
}

static void on_timeout(struct timer *t)
{
    struct direct_call *d = LIST_ENTRY(t, struct direct_call, timer);
    struct err e;
    http_timed_out(&e, written(d), d->call);
    direct_call__fail(d, &e);
}

static void on_stall(struct timer *t)
{
    struct direct_call *d = LIST_ENTRY(t, struct direct_call, stall);
    struct err e;
    http_stalled(&e, written(d), d->call);
    direct_call__fail(d, &e);
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

/* A sink may take its time, which is the call's. */
void direct_call__answer(struct direct_call *d)
{
    d->answered = true;
    if (!d->call->sink) {
        timer_stop(&d->timer);
        timer_stop(&d->stall);
    }
    if (!d->streaming)
        loop_undefer(&d->feed);
    send_off(d, &d->deliver);
}

static void begin(struct direct_call *d)
{
    exchange_init(&d->x, &direct_call__carrier, d->hop.method, d->hop.url);
    d->x.peer_is_loopback = true;
    send_off(d, &d->run);
}

static void follow(struct direct_call *d)
{
    assert(!d->held);
    http_hop_follow(&d->hop, d->call);
    exchange_clear(&d->x);
    memset(&d->x, 0, sizeof(d->x));
    buf_free(&d->response.body);
    buf_free(&d->response.head);
    memset(&d->response, 0, sizeof(d->response));
    close_file(d);
    d->answered = false;
    d->whole = false;
    d->source_waits = false;
    d->read = d->piece_at = d->piece_len = 0;
    begin(d);
}

static const char *location_of(const struct direct_call *d)
{
    for (struct exchange_header *h = d->x.headers; h; h = h->next) {
        if (strcasecmp(h->name, "Location") == 0)
            return h->value;
    }
    return NULL;
}

static void pour(struct direct_call *d);

static void read_file(struct work *w)
{
    struct direct_call *d = LIST_ENTRY(w, struct direct_call, work);
    size_t max = d->file_left < DIRECT_BLOCK ? (size_t)d->file_left
                                             : (size_t)DIRECT_BLOCK;
    d->got = pread(d->file, d->block, max, (off_t)d->file_at);
}

static void on_file_read(struct work *w)
{
    struct direct_call *d = LIST_ENTRY(w, struct direct_call, work);
    d->reading = false;
    if (!d->call) {
        direct_call__release(d);
        return;
    }
    if (d->got <= 0) {
        struct err e;
        char host[HTTP_HOST_MAX];
        http_host(d->hop.url, host);
        http_lost(&e, true, 0, "%s: connection closed within the answer", host);
        direct_call__fail(d, &e);
        return;
    }
    buf_append(&d->response.body, d->block, (size_t)d->got);
    d->file_at += (uint64_t)d->got;
    d->file_left -= (uint64_t)d->got;
    direct_call__touch(d);
    pour(d);
}

/* Puts the next piece into the sink. False: not in this turn, or never. */
static bool pour_piece(struct direct_call *d, size_t len)
{
    struct http_sink *sink = d->call->sink;
    int taken = sink->write(sink, d->response.body.data + d->poured,
                            len < DIRECT_BLOCK ? len : DIRECT_BLOCK);
    if (taken == HTTP_WAIT) {
        d->sink_waits = true;
        direct_call__touch(d);
        return false;
    }
    if (taken < 0) {
        struct err e;
        http_broken(&e, BREACH_SINK, d->call);
        direct_call__fail(d, &e);
        return false;
    }
    d->poured += len < DIRECT_BLOCK ? len : DIRECT_BLOCK;
    if (d->poured == d->response.body.len) {
        buf_clear(&d->response.body);
        d->poured = 0;
    }
    direct_call__touch(d);
    return true;
}

static void pour(struct direct_call *d)
{
    size_t len = d->response.body.len - d->poured;
    if (!d->delivered || d->sink_waits || d->reading)
        return;
    if (d->call->sink && len > 0) {
        if (pour_piece(d, len))
            loop_defer(d->client->loop, &d->pour);
    } else if (d->file_left > 0) {
        direct_call__block(d);
        d->reading = true;
        work_start(&d->work, d->client->loop, read_file, on_file_read);
    } else if (d->err.code) {
        direct_call__fail(d, &d->err);
    } else if (!d->streaming) {
        finish(d);
    }
}

static void on_pour(struct deferred *deferred)
{
    pour(LIST_ENTRY(deferred, struct direct_call, pour));
}

static void on_deliver(struct deferred *deferred)
{
    struct direct_call *d = LIST_ENTRY(deferred, struct direct_call, deliver);
    struct http_call *call = d->call;
    enum http_redirect redirect = REDIRECT_NONE;
    if (d->err.code == ERR_OK && !d->streaming && !d->held)
        redirect =
            http_hop_judge(&d->hop, call, d->response.status, location_of(d));
    if (redirect == REDIRECT_FOLLOW) {
        follow(d);
        return;
    }
    if (redirect == REDIRECT_TOO_MANY)
        http_too_far(&d->err, call);
    d->delivered = true;
    direct_call__touch(d);
    if (!d->err.code && call->sink &&
        !call->sink->begin(call->sink, &d->response)) {
        finish(d);
        return;
    }
    if (d->err.code && !d->streaming)
        direct_call__fail(d, &d->err);
    else
        pour(d);
}

static void on_run(struct deferred *deferred)
{
    direct_call__run(LIST_ENTRY(deferred, struct direct_call, run));
}

static void on_feed(struct deferred *deferred)
{
    direct_call__feed(LIST_ENTRY(deferred, struct direct_call, feed));
}

static void on_arrival(struct timer *t)
{
    struct direct_call *d = LIST_ENTRY(t, struct direct_call, travel);
    if (d->answered)
        on_deliver(&d->deliver);
    else
        on_run(&d->run);
}

static void direct_start(struct http_client *c, struct http_call *call)
{
    struct direct_call *d = MEM_NEW(struct direct_call);
    d->client = (struct direct_client *)(void *)c;
    d->call = call;
    d->file = -1;
    http_hop_begin(&d->hop, call);
    deferred_init(&d->run, on_run);
    deferred_init(&d->feed, on_feed);
    deferred_init(&d->deliver, on_deliver);
    deferred_init(&d->pour, on_pour);
    timer_init(&d->timer, d->client->loop, on_timeout);
    timer_init(&d->stall, d->client->loop, on_stall);
    timer_init(&d->travel, d->client->loop, on_arrival);
    if (call->timeout_ms > 0)
        timer_start(&d->timer, call->timeout_ms);
    direct_call__touch(d);
    begin(d);
    call->transport = d;
}

static void direct_resume(struct http_client *c, struct http_call *call)
{
    struct direct_call *d = call->transport;
    (void)c;
    if (d->source_waits) {
        d->source_waits = false;
        loop_defer(d->client->loop, &d->feed);
    }
    if (d->sink_waits) {
        d->sink_waits = false;
        loop_defer(d->client->loop, &d->pour);
    }
    direct_call__touch(d);
}

static void direct_cancel(struct http_client *c, struct http_call *call)
{
    struct direct_call *d = call->transport;
    (void)c;
    detach(d);
    direct_call__release(d);
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
