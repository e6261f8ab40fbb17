#include "app/script_http.h"

#include "app/errors.h"
#include "app/notices.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/routes.h"
#include "vm/generation.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct script_http {
    struct script_http_options o;
    struct generation *generation;
    struct list requests;
    size_t running;
    size_t bodies; /* bytes of all of them */
    uint64_t last_id;
    bool stopped;
};

struct request {
    struct list link; /* in requests */
    struct script_http *all;
    struct exchange *x; /* NULL: has been answered */
    uint64_t id;
    size_t body_len;
    struct error_place place;
};

struct script_http *script_http_new(const struct script_http_options *o)
{
    struct script_http *h = MEM_NEW(struct script_http);
    h->o = *o;
    list_init(&h->requests);
    return h;
}

void script_http_use(struct script_http *h, struct generation *g)
{
    h->generation = g;
}

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, ",\"%s\":", key);
    js_put_string(b, text, strlen(text));
}

static void put_header(void *arg, const char *name, const char *value)
{
    struct buf *b = arg;
    if (b->data[b->len - 1] == ']')
        buf_putc(b, ',');
    buf_putc(b, '[');
    js_put_string(b, name, strlen(name));
    buf_putc(b, ',');
    js_put_string(b, value, strlen(value));
    buf_putc(b, ']');
}

/* The path behind its first name, which is "x" however it is written. */
static const char *raw_path(const struct exchange *x)
{
    const char *path = exchange_raw_path(x) + 1;
    return path + strcspn(path, "/");
}

/* All but the body, which may be no text. */
static void put_request(struct buf *b, const struct request *r)
{
    buf_printf(b, "{\"id\":%" PRIu64, r->id);
    put_text(b, "method", exchange_method(r->x));
    put_text(b, "path", exchange_path(r->x) + strlen("/x"));
    put_text(b, "raw_path", raw_path(r->x));
    put_text(b, "query", exchange_query(r->x));
    buf_puts(b, ",\"headers\":[");
    exchange_each_header(r->x, put_header, b);
    buf_puts(b, "]}");
}

static void fail_busy(struct exchange *x, const char *why)
{
    exchange_add_header(x, "Retry-After", "1");
    exchange_fail(x, 503, "%s", why);
}

/* The handler gave no answer. What went wrong is not the peer's business. */
static void answer_for(struct exchange *x, enum task_outcome outcome)
{
    switch (outcome) {
    case TASK_DONE:
        exchange_reply(x, 204, NULL, NULL, 0);
        return;
    case TASK_ERROR:
    case TASK_LIMITED:
        exchange_fail(x, 500, "the bot failed");
        return;
    case TASK_TIMEOUT:
        exchange_fail(x, 504, "the bot took too long");
        return;
    case TASK_CANCELLED:
    case TASK_EXPIRED:
        fail_busy(x, "the bot is stopping");
        return;
    }
}

static void request_free(struct request *r)
{
    struct script_http *h = r->all;
    list_remove(&r->link);
    free(r);
    if (h->stopped && h->running == 0)
        h->o.idle(h->o.arg);
}

static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error)
{
    struct request *r = arg;
    struct script_http *h = r->all;

    if (error) {
        notices_error(h->o.notices, error, 0, "http");
        errors_add(h->o.errors, error, &r->place, NULL);
    }
    if (r->x)
        answer_for(r->x, outcome);
    h->running--;
    h->bodies -= r->body_len;
    request_free(r);
}

static void on_loop(void *arg, bool running)
{
    struct request *r = arg;
    errors_on_loop(r->all->o.errors, running ? &r->place : NULL);
}

static void start(struct script_http *h, struct exchange *x, size_t body_len)
{
    struct request *r = MEM_NEW(struct request);
    struct buf json = {0};

    r->all = h;
    r->x = x;
    r->id = ++h->last_id;
    r->body_len = body_len;
    r->place.generation = generation_id(h->generation);
    list_push(&h->requests, &r->link);
    h->running++;
    h->bodies += body_len;
    put_request(&json, r);
    const struct task_spec spec = {
        .entry = VM_ON_HTTP,
        .json = json.data,
        .json_len = json.len,
        .timeout_ms = h->o.handler_timeout_ms,
        .ended = on_ended,
        .on_loop = on_loop,
        .arg = r,
    };
    if (!task_spawn(h->generation, &spec))
        on_ended(r, TASK_LIMITED, NULL); /* which is logged there */
    buf_free(&json);
}

static void serve(struct exchange *x, void *arg)
{
    struct script_http *h = arg;
    size_t len;

    exchange_body(x, &len);
    if (h->stopped || !h->generation)
        fail_busy(x, "the bot is not running");
    else if (!generation_has(h->generation, VM_ON_HTTP))
        exchange_fail(x, 404, "nothing here");
    else if (len > SCRIPT_HTTP_BODY_MAX)
        exchange_fail(x, 413, "the body is larger than %u bytes",
                      SCRIPT_HTTP_BODY_MAX);
    else if (h->running >= SCRIPT_HTTP_RUNNING_MAX ||
             h->bodies + len > SCRIPT_HTTP_BODIES_MAX)
        fail_busy(x, "the bot has too many requests at once");
    else
        start(h, x, len);
}

void script_http_mount(struct script_http *h, struct routes *routes)
{
    routes_add(routes, NULL, "/x/**", serve, h);
}

void script_http_stop(struct script_http *h)
{
    h->stopped = true;
}

size_t script_http_running(const struct script_http *h)
{
    return h->running;
}

static void end_all(struct script_http *h, void (*end)(struct exchange *x))
{
    for (struct list *l = h->requests.next; l != &h->requests; l = l->next) {
        struct request *r = LIST_ENTRY(l, struct request, link);
        if (r->x)
            end(r->x);
        r->x = NULL;
    }
}

static void fail_stopping(struct exchange *x)
{
    fail_busy(x, "the bot is stopping");
}

void script_http_give_up(struct script_http *h)
{
    end_all(h, fail_stopping);
}

void script_http_kill(struct script_http *h)
{
    h->stopped = true;
    end_all(h, exchange_drop);
}

void script_http_free(struct script_http *h)
{
    assert(h->running == 0);
    free(h);
}

static struct request *find(struct script_http *h, uint64_t id)
{
    for (struct list *l = h->requests.next; l != &h->requests; l = l->next) {
        struct request *r = LIST_ENTRY(l, struct request, link);
        if (r->id == id)
            return r->x ? r : NULL;
    }
    return NULL;
}

const char *script_http_body(struct script_http *h, uint64_t id, size_t *len)
{
    const struct request *r = find(h, id);
    return r ? exchange_body(r->x, len) : NULL;
}

struct exchange *script_http_take(struct script_http *h, uint64_t id)
{
    struct request *r = find(h, id);
    if (!r)
        return NULL;
    struct exchange *x = r->x;
    r->x = NULL;
    return x;
}
