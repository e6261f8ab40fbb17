#include "sim/queue.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sim/core.h"
#include "sim/kinds.h"

#include <stdlib.h>
#include <string.h>

#define ID_FIRST_MIN 2000001
#define ID_FIRST_MAX 1000000000
#define ID_MAX 2000000000

static const char *const state_names[] = {"waiting", "fetched", "confirmed",
                                          "expired"};

static uint64_t default_filter(void)
{
    return ((UINT64_C(1) << botapi_kinds_count) - 1) &
           ~(UINT64_C(1) << botapi_kind("chat_member")) &
           ~(UINT64_C(1) << botapi_kind("message_reaction")) &
           ~(UINT64_C(1) << botapi_kind("message_reaction_count"));
}

static struct queued *at_place(struct list *place)
{
    return LIST_ENTRY(place, struct queued, place);
}

struct queued *queue_head(const struct queue *q)
{
    return list_empty(&q->live) ? NULL : at_place(q->live.next);
}

struct queued *queue_next(const struct queue *q, const struct queued *row)
{
    return row->place.next == &q->live ? NULL : at_place(row->place.next);
}

static void choose_first_id(struct queue *q)
{
    uint64_t range = ID_FIRST_MAX - ID_FIRST_MIN + 1;
    q->next_id =
        ID_FIRST_MIN + (int64_t)rng_below(loop_rng(q->sim->loop), range);
}

void queue_init(struct queue *q, struct sim *sim, struct bot *bot)
{
    q->sim = sim;
    q->bot = bot;
    q->allowed = default_filter();
    q->next_expiry = INT64_MAX;
    list_init(&q->rows);
    list_init(&q->live);
    list_init(&q->ended);
    choose_first_id(q);
}

static void row_free(struct queued *row)
{
    list_remove(&row->link);
    list_remove(&row->place);
    free(row->text);
    free(row);
}

void queue_free(struct queue *q)
{
    struct list *link;
    while ((link = list_shift(&q->rows)))
        row_free(LIST_ENTRY(link, struct queued, link));
}

void queue_row_json(const struct queue *q, const struct queued *row,
                    struct buf *out)
{
    buf_printf(out,
               "{\"n\":%lld,\"at\":%.3f,\"bot\":%lld,\"update\":"
               "{\"update_id\":%lld,",
               (long long)row->n, row->at, (long long)q->bot->id,
               (long long)row->id);
    buf_append(out, row->text, row->len);
    buf_printf(out, "},\"state\":\"%s\"}", state_names[row->state]);
}

void queued_json(const struct queued *row, struct buf *out)
{
    buf_printf(out, "{\"update_id\":%lld,\n", (long long)row->id);
    buf_append(out, row->text, row->len);
    buf_putc(out, '}');
}

static void set_state(struct queue *q, struct queued *row,
                      enum queued_state state)
{
    struct buf b = {0};
    row->state = state;
    queue_row_json(q, row, &b);
    events_emit(&q->sim->events, "update", text_new(b.data, b.len));
    buf_free(&b);
}

void queue_fetched(struct queue *q, struct queued *row)
{
    if (row->state == QUEUED_WAITING)
        set_state(q, row, QUEUED_FETCHED);
}

static void forget_oldest(struct queue *q)
{
    while (q->ended_count > QUEUE_ENDED_MAX ||
           q->ended_bytes > QUEUE_ENDED_BYTES_MAX) {
        struct queued *row = at_place(list_shift(&q->ended));
        q->ended_count--;
        q->ended_bytes -= row->len;
        row_free(row);
    }
}

void queue_end(struct queue *q, struct queued *row, enum queued_state state)
{
    if (q->bot->hook.delivery != NULL)
        delivery_ended(q->bot->hook.delivery, row);
    list_remove(&row->place);
    list_push(&q->ended, &row->place);
    q->live_count--;
    q->live_bytes -= row->len;
    q->ended_count++;
    q->ended_bytes += row->len;
    set_state(q, row, state);
    forget_oldest(q);
}

void queue_drop(struct queue *q, size_t keep)
{
    while (q->live_count > keep)
        queue_end(q, queue_head(q), QUEUED_CONFIRMED);
}

void queue_expire(struct queue *q)
{
    int64_t now = (int64_t)sim_now(q->sim);
    if (now <= q->next_expiry)
        return;
    q->next_expiry = INT64_MAX;
    struct queued *next;
    for (struct queued *row = queue_head(q); row != NULL; row = next) {
        next = queue_next(q, row);
        if (row->expires < now && !row->posted)
            queue_end(q, row, QUEUED_EXPIRED);
        else if (row->expires < q->next_expiry)
            q->next_expiry = row->expires;
    }
}

/* What the real server would drop without a word. */
static bool takes(const struct queue *q, size_t len)
{
    return q->live_count < QUEUE_LIVE_MAX && len <= QUEUE_ONE_BYTES_MAX &&
           q->live_bytes <= QUEUE_LIVE_BYTES_MAX - len;
}

static int64_t append(struct queue *q, const struct queued *like,
                      const struct buf *text)
{
    struct queued *row = MEM_NEW(struct queued);
    *row = *like;
    row->n = ++q->sim->updates_n;
    row->text = mem_dup(text->data, text->len);
    row->len = text->len;
    list_push(&q->rows, &row->link);
    list_push(&q->live, &row->place);
    list_init(&row->lane_link);
    q->live_count++;
    q->live_bytes += row->len;
    if (row->expires < q->next_expiry)
        q->next_expiry = row->expires;
    set_state(q, row, QUEUED_WAITING);
    if (q->bot->hook.delivery != NULL)
        delivery_added(q->bot->hook.delivery, row);
    return row->n;
}

/* Its id is the next one. There are as many as the server has: then all is
 * forgotten, and they begin anew. */
static int64_t put(struct queue *q, struct queued *like, int64_t chat_id,
                   const struct buf *text)
{
    if (q->next_id >= ID_MAX - 1) {
        queue_drop(q, 0);
        choose_first_id(q);
    }
    like->id = q->next_id++;
    int64_t n = append(q, like, text);
    struct fault f = faults_take(&q->sim->faults, NULL, chat_id);
    if (f.mode == FAULT_DUPLICATE)
        append(q, like, text);
    long_poll_wake(&q->bot->poll);
    return n;
}

int64_t queue_push(struct queue *q, const char *kind, json_t *payload,
                   int64_t chat_id, bool raw)
{
    struct buf b = {0};
    int64_t n = 0;
    if (raw || ((q->allowed >> botapi_kind(kind)) & 1) != 0) {
        struct queued like = {.at = sim_now(q->sim),
                              .lane_id = kind_lane(kind, payload)};
        like.expires = (int64_t)like.at + kind_lifetime(kind);
        buf_printf(&b, "\"%s\":", kind);
        sim_dump(payload, &b);
        queue_expire(q);
        n = takes(q, b.len) ? put(q, &like, chat_id, &b) : 0;
    }
    buf_free(&b);
    json_decref(payload);
    return n;
}

void queue_allow(struct queue *q, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    uint64_t wanted = 0;
    size_t i;
    json_t *name;
    bool is_list = json_is_array(list);
    json_array_foreach(list, i, name)
    {
        is_list = is_list && json_is_string(name);
        int kind = is_list ? botapi_kind(json_string_value(name)) : -1;
        if (kind >= 0)
            wanted |= UINT64_C(1) << kind;
    }
    json_decref(list);
    if (!is_list)
        return;
    q->allowed = wanted != 0 ? wanted : default_filter();
    if (q->told_allowed == q->allowed)
        return;
    q->told_allowed = q->allowed;
    events_emit(&q->sim->events, "allowed", sim_text(queue_allowed(q)));
}

bool queue_default_filter(const struct queue *q)
{
    return q->allowed == default_filter();
}

json_t *queue_allowed(const struct queue *q)
{
    json_t *list = json_array();
    for (size_t i = 0; i < botapi_kinds_count; i++)
        if (((q->allowed >> i) & 1) != 0)
            json_array_append_new(list, json_string(botapi_kinds[i]));
    return list;
}

void queue_rows(const struct queue *q, int64_t since,
                void (*each)(const struct queue *q, const struct queued *row,
                             void *arg),
                void *arg)
{
    struct list *at = q->rows.prev;
    while (at != &q->rows && LIST_ENTRY(at, struct queued, link)->n > since)
        at = at->prev;
    for (at = at->next; at != &q->rows; at = at->next)
        each(q, LIST_ENTRY(at, struct queued, link), arg);
}
