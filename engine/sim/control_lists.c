#include "sim/control.h"

#include "base/buf.h"
#include "base/mem.h"
#include "sim/serving.h"

#include <ctype.h>
#include <stdlib.h>

/* An integer of the query; `fallback` if it is absent. False: it is no
 * integer, and an answer was sent. */
static bool query_int(struct exchange *x, const char *name, int64_t fallback,
                      int64_t *out)
{
    struct buf text = {0};
    char *end = NULL;
    *out = fallback;
    bool fine = true;
    if (exchange_query_get(x, name, &text)) {
        const char *digits = text.len > 0 ? text.data : "";
        *out = strtoll(digits, &end, 10);
        fine = *digits != '\0' && *end == '\0';
    }
    buf_free(&text);
    if (!fine)
        exchange_fail(x, 400, "%s: must be an integer", name);
    return fine;
}

static void fail_bot(struct exchange *x, int64_t id)
{
    exchange_fail(x, 404, "bot: there is no bot %lld", (long long)id);
}

/* The bot of ?bot=N, or the current one. */
static struct bot *query_bot(struct exchange *x, struct sim *sim)
{
    int64_t id = 0;
    if (!query_int(x, "bot", 0, &id))
        return NULL;
    struct bot *bot = id == 0 ? world_current_bot(&sim->world, sim)
                              : world_bot(&sim->world, id);
    if (bot == NULL)
        fail_bot(x, id);
    return bot;
}

static void reply_buf(struct exchange *x, struct buf *b)
{
    control_reply_text(x, b->data, b->len);
    buf_free(b);
}

static void list_calls(struct exchange *x, void *arg)
{
    const struct sim *sim = arg;
    struct buf b = {0};
    int64_t since = 0, bot = 0;
    if (!query_int(x, "since", 0, &since) || !query_int(x, "bot", 0, &bot))
        return;
    if (bot != 0 && world_bot(&sim->world, bot) == NULL) {
        fail_bot(x, bot);
        return;
    }
    calls_list(&sim->calls, since, bot, &b);
    reply_buf(x, &b);
}

struct gathered {
    const struct queue *queue;
    const struct queued *row;
};

struct gathering {
    struct gathered *list;
    size_t count;
    size_t cap;
};

static void gather(const struct queue *q, const struct queued *row, void *arg)
{
    struct gathering *g = arg;
    if (g->count == g->cap) {
        g->cap = g->cap == 0 ? 64 : g->cap * 2;
        g->list = mem_grow(g->list, g->cap, sizeof(*g->list));
    }
    g->list[g->count++] = (struct gathered){q, row};
}

static int by_n(const void *a, const void *b)
{
    int64_t left = ((const struct gathered *)a)->row->n;
    int64_t right = ((const struct gathered *)b)->row->n;
    return (left > right) - (left < right);
}

static void list_updates(struct exchange *x, void *arg)
{
    const struct sim *sim = arg;
    const struct world *w = &sim->world;
    struct queue *q;
    struct gathering g = {0};
    struct buf b = {0};
    int64_t since = 0;
    if (!query_int(x, "since", 0, &since))
        return;
    for (size_t i = 0; i < w->bots_count; i++) {
        q = &w->bots[i]->queue;
        queue_expire(q);
        queue_rows(q, since, gather, &g);
    }
    if (w->bots_count > 1 && g.count > 0)
        qsort(g.list, g.count, sizeof(*g.list), by_n);
    buf_putc(&b, '[');
    for (size_t i = 0; i < g.count; i++) {
        buf_puts(&b, i > 0 ? "," : "");
        queue_row_json(g.list[i].queue, g.list[i].row, &b);
    }
    buf_putc(&b, ']');
    free(g.list);
    reply_buf(x, &b);
}

static void list_messages(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    struct bot *bot = query_bot(x, sim);
    if (bot == NULL)
        return;
    const char *text = exchange_wildcard(x, 0);
    struct room *room = bot_room(bot, &sim->world, strtoll(text, NULL, 10));
    if (room == NULL) {
        exchange_fail(x, 404, "there is no chat %.32s", text);
        return;
    }
    struct buf b = {0};
    buf_putc(&b, '[');
    for (size_t i = 0; i < room->count; i++) {
        json_t *view = message_view(&room->list[room->first + i]);
        buf_puts(&b, i > 0 ? "," : "");
        sim_dump(view, &b);
        json_decref(view);
    }
    buf_putc(&b, ']');
    reply_buf(x, &b);
}

/* The menus of commands, as the event "commands" tells them. */
static void list_commands(struct exchange *x, void *arg)
{
    struct bot *bot = query_bot(x, arg);
    const struct map_slot *slot;
    size_t at = 0;
    struct buf b = {0};
    if (bot == NULL)
        return;
    buf_putc(&b, '[');
    while ((slot = map_each(&bot->commands, &at)) != NULL) {
        buf_puts(&b, b.len > 1 ? "," : "");
        sim_dump(slot->value, &b);
    }
    buf_putc(&b, ']');
    reply_buf(x, &b);
}

static void stream(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    const char *last = exchange_header(x, "Last-Event-ID");
    int64_t after = -1;
    if (last != NULL && isdigit((unsigned char)*last))
        after = strtoll(last, NULL, 10);
    if (query_int(x, "after", after, &after))
        events_stream(&sim->events, x, after);
}

void control_mount_lists(struct sim *sim, struct routes *routes)
{
    routes_add(routes, "GET", "/sim/calls", list_calls, sim);
    routes_add(routes, "GET", "/sim/updates", list_updates, sim);
    routes_add(routes, "GET", "/sim/commands", list_commands, sim);
    routes_add(routes, "GET", "/sim/chats/*/messages", list_messages, sim);
    routes_add(routes, "GET", "/sim/events", stream, sim);
    routes_add(routes, "GET", "/sim/files/*", serving_show, sim);
    routes_add(routes, "GET", "/sim/faults", control_list_faults, sim);
    routes_add(routes, "DELETE", "/sim/faults", control_clear_faults, sim);
    routes_add(routes, "DELETE", "/sim/faults/*", control_clear_fault, sim);
}
