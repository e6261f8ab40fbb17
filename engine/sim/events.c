#include "sim/events.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/routes.h"
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES (32u * 1024)
#define BEAT_MS 15000
#define RETRY_MS 50

struct reader {
    struct list link;
    struct events *events;
    struct exchange *x;
    int64_t next; /* the event that it gets next */
};

static struct event *slot(struct events *ev, int64_t id)
{
    return &ev->ring[id % EVENTS_RING];
}

static void put_event(struct buf *b, int64_t id, const char *type,
                      const char *data, size_t len)
{
    buf_printf(b, "id: %lld\nevent: %s\ndata: ", (long long)id, type);
    buf_append(b, data, len);
    buf_puts(b, "\n\n");
}

static void put_gap(struct buf *b, int64_t from, int64_t to)
{
    char data[80];
    int len = snprintf(data, sizeof(data), "{\"from\":%lld,\"to\":%lld}",
                       (long long)from, (long long)to);
    put_event(b, to, "gap", data, (size_t)len);
}

/* Fills b with what the reader gets next; returns its place after that. */
static int64_t gather(struct events *ev, int64_t next, struct buf *b)
{
    if (next < ev->first) {
        put_gap(b, next, ev->first - 1);
        next = ev->first;
    }
    for (; next < ev->next && b->len < BATCH_BYTES; next++) {
        struct event *e = slot(ev, next);
        put_event(b, next, e->type, e->data->data, e->data->len);
    }
    return next;
}

/* False: its buffer is full for now. */
static bool serve(struct events *ev, struct reader *r)
{
    struct buf b = {0};
    bool room = true;
    while (room && r->next < ev->next) {
        buf_clear(&b);
        int64_t next = gather(ev, r->next, &b);
        room = exchange_stream_write(r->x, b.data, b.len);
        if (room)
            r->next = next;
    }
    buf_free(&b);
    return room;
}

static void serve_all(struct events *ev)
{
    bool all = true;
    for (struct list *l = ev->readers.next, *next; l != &ev->readers;
         l = next) {
        next = l->next;
        all = serve(ev, LIST_ENTRY(l, struct reader, link)) && all;
    }
    if (!all)
        timer_start(&ev->retry, RETRY_MS);
}

static void pump(struct deferred *d)
{
    serve_all(LIST_ENTRY(d, struct events, pump));
}

static void retry(struct timer *t)
{
    serve_all(LIST_ENTRY(t, struct events, retry));
}

static void beat(struct timer *t)
{
    static const char comment[] = ": still here\n\n";
    struct events *ev = LIST_ENTRY(t, struct events, beat);
    for (struct list *l = ev->readers.next, *next; l != &ev->readers;
         l = next) {
        next = l->next;
        struct reader *r = LIST_ENTRY(l, struct reader, link);
        exchange_stream_write(r->x, comment, sizeof(comment) - 1);
    }
    timer_start(t, BEAT_MS);
}

void events_init(struct events *ev, struct sim *sim)
{
    memset(ev, 0, sizeof(*ev));
    ev->first = ev->next = 1;
    ev->sim = sim;
    list_init(&ev->readers);
    deferred_init(&ev->pump, pump);
    timer_init(&ev->beat, sim->loop, beat);
    timer_init(&ev->retry, sim->loop, retry);
}

static void forget_oldest(struct events *ev)
{
    struct event *e = slot(ev, ev->first++);
    ev->bytes -= e->data->len;
    text_unref(e->data);
    e->data = NULL;
}

static void end_reader(struct reader *r)
{
    struct events *ev = r->events;
    list_remove(&r->link);
    free(r);
    if (--ev->readers_count == 0) {
        timer_stop(&ev->beat);
        timer_stop(&ev->retry);
    }
}

static void gone(struct exchange *x, void *arg)
{
    (void)x;
    end_reader(arg);
}

void events_free(struct events *ev)
{
    struct list *link;
    while ((link = list_shift(&ev->readers))) {
        struct reader *r = LIST_ENTRY(link, struct reader, link);
        struct exchange *x = r->x;
        end_reader(r);
        exchange_on_gone(x, NULL, NULL);
        exchange_stream_end(x);
    }
    loop_undefer(&ev->pump);
    while (ev->first < ev->next)
        forget_oldest(ev);
}

void events_emit(struct events *ev, const char *type, struct text *data)
{
    if (ev->listener)
        ev->listener(ev->listener_arg, type, data->data, data->len);
    if (data->len > EVENTS_ONE_MAX) {
        struct buf b = {0};
        text_unref(data);
        type = "gap";
        buf_printf(&b, "{\"from\":%lld,\"to\":%lld}", (long long)ev->next,
                   (long long)ev->next);
        data = text_new(b.data, b.len);
        buf_free(&b);
    }
    while (ev->next - ev->first >= EVENTS_RING ||
           (ev->bytes > EVENTS_BYTES_MAX && ev->first < ev->next))
        forget_oldest(ev);
    *slot(ev, ev->next) = (struct event){.type = type, .data = data};
    ev->next++;
    ev->bytes += data->len;
    if (ev->readers_count > 0)
        loop_defer(ev->sim->loop, &ev->pump);
}

void events_stream(struct events *ev, struct exchange *x, int64_t after)
{
    if (ev->readers_count >= EVENTS_READERS_MAX) {
        exchange_fail(x, 503, "too many open event streams");
        return;
    }
    struct reader *r = MEM_NEW(struct reader);
    r->events = ev;
    r->x = x;
    /* A place ahead of us is one of an earlier run: begin anew, with a gap
     * that tells. */
    r->next = after < 0 ? ev->next : after < ev->next ? after + 1 : 0;
    list_push(&ev->readers, &r->link);
    if (ev->readers_count++ == 0)
        timer_start(&ev->beat, BEAT_MS);
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_on_gone(x, gone, r);
    exchange_stream_begin(x, 200, "text/event-stream");
    exchange_stream_write(x, ": hello\n\n", 9);
    loop_defer(ev->sim->loop, &ev->pump);
}
