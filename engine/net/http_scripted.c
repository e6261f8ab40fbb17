#include "net/http_scripted.h"

#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/http_hop.h"
#include "net/http_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TRAVEL_MAX_MS 20
#define BLOCK ((size_t)16 * 1024)

struct scripted_client {
    struct http_client client; /* first member */
    struct loop *loop;
    http_teller *teller;
    void *arg;
};

enum step { STEP_SENDS, STEP_ASKED, STEP_GIVES };

struct scripted_call {
    struct scripted_client *client;
    struct http_call *call;
    struct http_hop hop;
    struct timer travel; /* of the request, then of the answer */
    struct timer limit;
    struct deferred resume;
    enum step step;
    struct buf sent; /* of a source */
    size_t given;    /* to the sink */
    bool stalled;    /* the answer comes too late */
    struct http_told told;
};

static void forget_told(struct scripted_call *s)
{
    buf_free(&s->told.head);
    buf_free(&s->told.body);
    memset(&s->told, 0, sizeof s->told);
}

static struct http_call *detach(struct scripted_call *s)
{
    struct http_call *call = s->call;
    timer_stop(&s->travel);
    timer_stop(&s->limit);
    loop_undefer(&s->resume);
    call->transport = NULL;
    forget_told(s);
    buf_free(&s->sent);
    http_hop_end(&s->hop);
    free(s);
    return call;
}

static void end(struct scripted_call *s, const struct err *e)
{
    struct err copy = *e;
    struct http_call *call = detach(s);
    if (copy.code != ERR_OK)
        http_call_free(call);
    call->done(call, &copy);
}

static void end_well(struct scripted_call *s)
{
    static const struct err none;
    end(s, &none);
}

static void end_broken(struct scripted_call *s, enum http_breach breach)
{
    struct err e;
    http_broken(&e, breach, s->call);
    end(s, &e);
}

static void set_out(struct scripted_call *s, uint64_t delay_ms)
{
    struct rng *rng = loop_rng(s->client->loop);
    timer_start(&s->travel, delay_ms + rng_below(rng, TRAVEL_MAX_MS + 1));
}

/* The value of a header in "Name: value\r\n" lines, owned by the caller; or
 * NULL. */
static char *find_header(const struct buf *head, const char *name)
{
    size_t len = strlen(name);
    const char *line = head->data;
    while (line && *line) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            const char *value = line + len + 1;
            value += strspn(value, " ");
            return mem_dup(value, strcspn(value, "\r\n"));
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

/* --- the answer */

static void give(struct scripted_call *s)
{
    struct http_sink *sink = s->call->sink;
    const struct buf *body = &s->told.body;
    while (s->given < body->len) {
        size_t len = body->len - s->given;
        if (len > BLOCK)
            len = BLOCK;
        int taken = sink->write(sink, body->data + s->given, len);
        if (taken == HTTP_WAIT)
            return;
        if (taken != 0) {
            end_broken(s, BREACH_SINK);
            return;
        }
        s->given += len;
    }
    end_well(s);
}

static void fill_response(struct scripted_call *s)
{
    struct http_response *r = &s->call->response;
    char *type = find_header(&s->told.head, "Content-Type");
    char *wait = find_header(&s->told.head, "Retry-After");
    r->status = s->told.status;
    r->retry_after = wait ? strtod(wait, NULL) : 0;
    r->length = (int64_t)s->told.body.len;
    snprintf(r->content_type, sizeof r->content_type, "%s", type ? type : "");
    if (s->hop.count > 0)
        r->url = mem_strdup(s->hop.url);
    if (s->call->keep_head) {
        r->head = s->told.head;
        s->told.head = (struct buf){0};
    }
    free(type);
    free(wait);
}

static void take(struct scripted_call *s)
{
    struct http_call *call = s->call;
    struct err e;
    if (strcmp(s->hop.method, "HEAD") == 0)
        buf_free(&s->told.body);
    fill_response(s);
    if (call->sink) {
        s->step = STEP_GIVES;
        if (call->sink->begin(call->sink, &call->response))
            give(s);
        else
            end_well(s);
        return;
    }
    if (s->told.body.len > call->response_max) {
        http_too_long(&e, call, call->response_max);
        end(s, &e);
        return;
    }
    call->response.body = s->told.body;
    s->told.body = (struct buf){0};
    end_well(s);
}

static void follow(struct scripted_call *s)
{
    http_hop_follow(&s->hop, s->call);
    forget_told(s);
    buf_clear(&s->sent);
    s->step = STEP_SENDS;
    set_out(s, 0);
}

static void take_or_follow(struct scripted_call *s)
{
    struct err e;
    char *to = find_header(&s->told.head, "Location");
    enum http_redirect redirect =
        http_hop_judge(&s->hop, s->call, s->told.status, to);
    free(to);
    switch (redirect) {
    case REDIRECT_NONE:
        take(s);
        break;
    case REDIRECT_FOLLOW:
        follow(s);
        break;
    case REDIRECT_TOO_MANY:
        http_too_far(&e, s->call);
        end(s, &e);
        break;
    }
}

static void on_answer(struct scripted_call *s)
{
    struct err e;
    char host[HTTP_HOST_MAX];
    if (s->told.status > 0 && !s->stalled) {
        take_or_follow(s);
        return;
    }
    http_host(s->hop.url, host);
    if (s->stalled)
        http_stalled(&e, true, s->call);
    else
        http_lost(&e, s->told.taken, 0, "%s: %s", host, s->told.reason);
    end(s, &e);
}

/* --- the request */

static void ask(struct scripted_call *s)
{
    const struct http_call *call = s->call;
    const struct http_hop *hop = &s->hop;
    const char *body = hop->source ? s->sent.data : hop->body;
    struct http_header *headers =
        mem_zero(call->headers_count + 1, sizeof *headers);
    struct http_asked asked = {
        .method = hop->method,
        .url = hop->url,
        .content_type = hop->content_type,
        .headers = headers,
        .body = body ? body : "",
        .body_len = hop->body_len,
    };
    for (size_t i = 0; i < call->headers_count; i++) {
        if (http_hop_sends(hop, call->headers[i].name))
            headers[asked.headers_count++] = call->headers[i];
    }
    s->step = STEP_ASKED;
    s->client->teller(s->client->arg, &asked, &s->told);
    free(headers);
    s->stalled = call->stall_ms > 0 && s->told.delay_ms > call->stall_ms;
    set_out(s, s->stalled ? call->stall_ms : s->told.delay_ms);
}

static void send_body(struct scripted_call *s)
{
    struct http_source *source = s->hop.source;
    while (source && s->sent.len < s->hop.body_len) {
        size_t max = s->hop.body_len - s->sent.len;
        if (max > BLOCK)
            max = BLOCK;
        ssize_t n = source->read(source, buf_reserve(&s->sent, max), max);
        if (n == HTTP_WAIT)
            return;
        if (n <= 0) {
            end_broken(s, BREACH_SOURCE);
            return;
        }
        s->sent.len += (size_t)n;
    }
    ask(s);
}

static void go_on(struct scripted_call *s)
{
    switch (s->step) {
    case STEP_SENDS:
        send_body(s);
        break;
    case STEP_ASKED:
        on_answer(s);
        break;
    case STEP_GIVES:
        give(s);
        break;
    }
}

static void on_travel(struct timer *t)
{
    go_on(LIST_ENTRY(t, struct scripted_call, travel));
}

static void on_resume(struct deferred *d)
{
    struct scripted_call *s = LIST_ENTRY(d, struct scripted_call, resume);
    if (s->step != STEP_ASKED && !timer_active(&s->travel))
        go_on(s);
}

static void on_limit(struct timer *t)
{
    struct scripted_call *s = LIST_ENTRY(t, struct scripted_call, limit);
    struct err e;
    http_timed_out(&e, s->step != STEP_SENDS, s->call);
    end(s, &e);
}

/* --- the client */

static void scripted_start(struct http_client *c, struct http_call *call)
{
    struct scripted_call *s = MEM_NEW(struct scripted_call);
    s->client = (struct scripted_client *)(void *)c;
    s->call = call;
    http_hop_begin(&s->hop, call);
    timer_init(&s->travel, s->client->loop, on_travel);
    timer_init(&s->limit, s->client->loop, on_limit);
    deferred_init(&s->resume, on_resume);
    if (call->timeout_ms > 0)
        timer_start(&s->limit, call->timeout_ms);
    set_out(s, 0);
    call->transport = s;
}

static void scripted_resume(struct http_client *c, struct http_call *call)
{
    struct scripted_call *s = call->transport;
    loop_defer(((struct scripted_client *)(void *)c)->loop, &s->resume);
}

static void scripted_cancel(struct http_client *c, struct http_call *call)
{
    (void)c;
    detach(call->transport);
    http_call_free(call);
}

static void scripted_free(struct http_client *c)
{
    free(c);
}

struct http_client *http_client_new_scripted(struct loop *loop,
                                             http_teller *teller, void *arg)
{
    static const struct http_transport transport = {
        .start = scripted_start,
        .resume = scripted_resume,
        .cancel = scripted_cancel,
        .free = scripted_free,
    };
    struct scripted_client *c = MEM_NEW(struct scripted_client);
    c->client.transport = &transport;
    c->loop = loop;
    c->teller = teller;
    c->arg = arg;
    return &c->client;
}
