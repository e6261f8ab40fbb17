#include "app/dead.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/routes.h"
#include "store/inbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50

/* A request whose answer is with the inbox. */
struct pending {
    struct exchange *x; /* NULL: the peer is gone */
    struct dead *dead;
    int64_t id; /* 0: a list */
};

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, ",\"%s\":", key);
    js_put_string(b, text, strlen(text));
}

static const char *source_name(enum inbox_source source)
{
    switch (source) {
    case INBOX_TELEGRAM:
        return "telegram";
    case INBOX_TIMER:
        return "timer";
    case INBOX_REPLAY:
        return "replay";
    }
    return "";
}

/* Leaves the object open. */
static void put_letter(struct buf *b, const struct inbox_letter *l)
{
    buf_printf(b,
               "{\"id\":%" PRId64 ",\"update_id\":%" PRId64
               ",\"received\":%.3f,\"died\":%.3f,\"line\":%d",
               l->id, l->update_id, (double)l->received_ms / 1000,
               (double)l->died_ms / 1000, l->line);
    put_text(b, "source", source_name(l->source));
    put_text(b, "lane", l->lane);
    put_text(b, "reason", l->reason);
    put_text(b, "kind", l->kind);
    put_text(b, "script", l->script);
    put_text(b, "message", l->message);
}

static void put_whole(struct buf *b, const struct inbox_letter *l)
{
    put_letter(b, l);
    put_text(b, "traceback", l->traceback);
    if (js_check(l->body, l->body_len).at) {
        buf_puts(b, ",\"update\":");
        buf_append(b, l->body, l->body_len);
    }
    buf_putc(b, '}');
}

static void reply(struct exchange *x, struct buf *b)
{
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_reply(x, 200, "application/json", b->data, b->len);
    buf_free(b);
}

/* The request, if it can still be answered well; frees p. */
static struct exchange *take(struct pending *p,
                             const struct inbox_dead_answer *a)
{
    struct exchange *x = p->x;
    int64_t id = p->id;
    free(p);
    if (!x)
        return NULL;
    exchange_on_gone(x, NULL, NULL);
    if (a->error->code != ERR_OK)
        exchange_fail(x, 500, "%s", a->error->message);
    else if (id != 0 && a->count == 0)
        exchange_fail(x, 404, "there is no dead letter %" PRId64, id);
    else
        return x;
    return NULL;
}

static void on_listed(void *arg, const struct inbox_dead_answer *a)
{
    struct pending *p = arg;
    const struct inbox *inbox = p->dead->inbox;
    struct exchange *x = take(p, a);
    struct buf b = {0};
    if (!x)
        return;
    buf_puts(&b, "{\"dead\":[");
    for (size_t i = 0; i < a->count; i++) {
        buf_puts(&b, i ? "," : "");
        put_letter(&b, &a->letters[i]);
        buf_putc(&b, '}');
    }
    buf_putc(&b, ']');
    if (inbox)
        buf_printf(&b, ",\"count\":%zu", inbox_dead_count(inbox));
    buf_putc(&b, '}');
    reply(x, &b);
}

static void on_shown(void *arg, const struct inbox_dead_answer *a)
{
    struct exchange *x = take(arg, a);
    struct buf b = {0};
    if (!x)
        return;
    put_whole(&b, &a->letters[0]);
    reply(x, &b);
}

static void on_changed(void *arg, const struct inbox_dead_answer *a)
{
    struct exchange *x = take(arg, a);
    struct buf b = {0};
    if (!x)
        return;
    buf_puts(&b, "{\"ok\":true}");
    reply(x, &b);
}

static void on_gone(struct exchange *x, void *arg)
{
    (void)x;
    ((struct pending *)arg)->x = NULL;
}

/* False: not a number from 1 to INT64_MAX. */
static bool read_number(const char *text, int64_t *n)
{
    char *end;
    errno = 0;
    *n = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0 && *n > 0;
}

/* Leaves *n alone if the query has no such name; false: answered. */
static bool query_number(struct exchange *x, const char *name, int64_t *n)
{
    struct buf text = {0};
    bool fine = true;
    if (exchange_query_get(x, name, &text)) {
        fine = read_number(text.data ? text.data : "", n);
        if (!fine)
            exchange_fail(x, 400, "%s must be a positive number", name);
    }
    buf_free(&text);
    return fine;
}

/* The id in the path; 0: answered. */
static int64_t path_id(struct exchange *x)
{
    int64_t id;
    if (read_number(exchange_wildcard(x, 0), &id))
        return id;
    exchange_fail(x, 404, "there is no such dead letter");
    return 0;
}

/* True: the request was answered with 503. */
static bool is_stopping(const struct dead *d, struct exchange *x)
{
    if (d->inbox)
        return false;
    exchange_fail(x, 503, "the engine is stopping");
    return true;
}

static struct pending *pending_new(struct dead *d, struct exchange *x,
                                   int64_t id)
{
    struct pending *p = MEM_NEW(struct pending);
    *p = (struct pending){.x = x, .dead = d, .id = id};
    exchange_on_gone(x, on_gone, p);
    return p;
}

static void serve_list(struct exchange *x, void *arg)
{
    struct dead *d = arg;
    int64_t limit = LIST_DEFAULT;
    int64_t before = 0;
    if (is_stopping(d, x) || !query_number(x, "limit", &limit) ||
        !query_number(x, "before", &before))
        return;
    inbox_dead_list(d->inbox, before, (size_t)limit, on_listed,
                    pending_new(d, x, 0));
}

static void serve_show(struct exchange *x, void *arg)
{
    struct dead *d = arg;
    int64_t id = is_stopping(d, x) ? 0 : path_id(x);
    if (id != 0)
        inbox_dead_show(d->inbox, id, on_shown, pending_new(d, x, id));
}

static void serve_replay(struct exchange *x, void *arg)
{
    struct dead *d = arg;
    int64_t id = is_stopping(d, x) ? 0 : path_id(x);
    if (id != 0)
        inbox_dead_replay(d->inbox, id, on_changed, pending_new(d, x, id));
}

static void serve_drop(struct exchange *x, void *arg)
{
    struct dead *d = arg;
    int64_t id = is_stopping(d, x) ? 0 : path_id(x);
    if (id != 0)
        inbox_dead_drop(d->inbox, id, on_changed, pending_new(d, x, id));
}

void dead_serve(struct dead *d, struct routes *routes)
{
    routes_add(routes, "GET", "/api/dead", serve_list, d);
    routes_add(routes, "GET", "/api/dead/*", serve_show, d);
    routes_add(routes, "POST", "/api/dead/*/replay", serve_replay, d);
    routes_add(routes, "DELETE", "/api/dead/*", serve_drop, d);
}
