#include "sim/delivery.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "sim/address.h"
#include "sim/core.h"
#include "sim/reply.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 60000
#define IDLE_MS 60000
#define ANSWER_MAX (8u * 1024 * 1024)
#define PAUSE_MIN_MAX_S 60 /* the longest pause, at random up to twice */
#define RETRY_AFTER_MAX_S 3600
#define ACTIVE_MS 10000
#define GONE_MS (UINT64_C(23) * 3600 * 1000)

/* Updates that must not overtake each other. */
struct lane {
    struct list link;
    int64_t id;
    struct list rows;
    bool posts; /* the first row is on its way */
};

struct connection {
    struct list link;
    struct delivery *delivery;
    struct lane *lane;
    uint64_t since_ms; /* the post, or the end of the last one */
    struct http_call call;
    struct buf body;
};

/* Lets through `burst` at once, then one every pause_ms. */
struct flood {
    uint64_t pause_ms;
    uint64_t burst;
    uint64_t due_ms;
};

struct delivery {
    struct sim *sim;
    struct bot *bot;
    struct list lanes;
    size_t lanes_count;
    int64_t lone_id;     /* of the last lane of one update */
    struct queued *next; /* the first live row that is in no lane */
    struct list idle;    /* connections, the one used last at the end */
    struct list busy;
    size_t connections;
    struct flood calm;   /* of new connections while none succeeds */
    struct flood active; /* while some do */
    bool succeeded;
    uint64_t success_ms;
    bool gone; /* all answers since then were 410 */
    uint64_t gone_ms;
    char *url;
    char *authorization;
    struct http_header headers[2];
    size_t headers_count;
    struct deferred run;
    struct timer wake;
};

static struct queued *first_of(const struct lane *l)
{
    return LIST_ENTRY(l->rows.next, struct queued, lane_link);
}

static struct connection *connection_of(struct list *link)
{
    return LIST_ENTRY(link, struct connection, link);
}

static uint64_t now_ms(const struct delivery *d)
{
    return loop_now_ms(d->sim->loop);
}

static void run_later(struct delivery *d)
{
    loop_defer(d->sim->loop, &d->run);
}

/* --- connections */

static uint64_t flood_ready_ms(const struct flood *f)
{
    uint64_t ahead = (f->burst - 1) * f->pause_ms;
    return f->due_ms > ahead ? f->due_ms - ahead : 0;
}

static void flood_add(struct flood *f, uint64_t now)
{
    f->due_ms = (f->due_ms > now ? f->due_ms : now) + f->pause_ms;
}

static void wake_at(struct delivery *d, uint64_t at_ms)
{
    uint64_t now = now_ms(d);
    uint64_t wait = at_ms > now ? at_ms - now : 0;
    if (!timer_active(&d->wake) ||
        d->wake.deadline_ns > (now + wait) * UINT64_C(1000000))
        timer_start(&d->wake, wait);
}

static void close_connection(struct connection *c)
{
    c->delivery->connections--;
    list_remove(&c->link);
    buf_free(&c->body);
    free(c);
}

static void close_idle(struct delivery *d)
{
    for (struct list *l = d->idle.next, *next; l != &d->idle; l = next) {
        next = l->next;
        if (now_ms(d) < connection_of(l)->since_ms + IDLE_MS)
            return;
        close_connection(connection_of(l));
    }
}

static void open_connection(struct delivery *d)
{
    struct connection *c = MEM_NEW(struct connection);
    c->delivery = d;
    c->since_ms = now_ms(d);
    list_push(&d->idle, &c->link);
    d->connections++;
}

/* A server that does not answer is tried by one connection, now and then. */
static void open_connections(struct delivery *d)
{
    uint64_t now = now_ms(d);
    bool active = d->succeeded && now <= d->success_ms + ACTIVE_MS;
    struct flood *f = active ? &d->active : &d->calm;
    size_t most = active ? (size_t)d->bot->hook.connections : 1;
    size_t wanted = d->lanes_count < most ? d->lanes_count : most;
    while (d->connections < wanted) {
        if (now < flood_ready_ms(f)) {
            wake_at(d, flood_ready_ms(f));
            return;
        }
        flood_add(f, now);
        open_connection(d);
    }
}

/* --- lanes */

static struct lane *lane_of(struct delivery *d, int64_t id)
{
    for (struct list *l = d->lanes.next; l != &d->lanes; l = l->next)
        if (LIST_ENTRY(l, struct lane, link)->id == id)
            return LIST_ENTRY(l, struct lane, link);
    struct lane *lane = MEM_NEW(struct lane);
    lane->id = id;
    list_init(&lane->rows);
    list_push(&d->lanes, &lane->link);
    d->lanes_count++;
    return lane;
}

static void lane_free(struct delivery *d, struct lane *lane)
{
    list_remove(&lane->link);
    d->lanes_count--;
    free(lane);
}

static void load(struct delivery *d)
{
    size_t window = 2 * (size_t)d->bot->hook.connections;
    while (d->next != NULL && d->lanes_count < window) {
        struct queued *row = d->next;
        d->next = queue_next(&d->bot->queue, row);
        row->lane = lane_of(d, row->lane_id != 0 ? row->lane_id : ++d->lone_id);
        list_push(&row->lane->rows, &row->lane_link);
        row->wake_ms = now_ms(d);
        row->delay_s = 1;
    }
}

static void leave_lane(struct queued *row)
{
    list_remove(&row->lane_link);
    row->lane = NULL;
    row->failures = 0;
    row->posted = false;
}

static void unload(struct delivery *d, struct queued *row)
{
    struct lane *lane = row->lane;
    leave_lane(row);
    if (lane != NULL && list_empty(&lane->rows))
        lane_free(d, lane);
}

void delivery_added(struct delivery *d, struct queued *row)
{
    if (d->next == NULL)
        d->next = row;
    run_later(d);
}

/* Its answer no longer matters. */
static void abort_post(struct connection *c)
{
    struct delivery *d = c->delivery;
    http_cancel(d->sim->client, &c->call);
    http_call_free(&c->call);
    advance_release(d->sim);
    c->lane->posts = false;
    close_connection(c);
}

void delivery_ended(struct delivery *d, struct queued *row)
{
    struct list *next;
    for (struct list *l = d->busy.next; row->posted && l != &d->busy;
         l = next) {
        next = l->next;
        if (connection_of(l)->lane == row->lane)
            abort_post(connection_of(l));
    }
    if (d->next == row)
        d->next = queue_next(&d->bot->queue, row);
    unload(d, row);
}

/* The one whose turn is next; NULL: all are on their way. */
static struct lane *next_lane(const struct delivery *d)
{
    struct lane *best = NULL;
    for (struct list *l = d->lanes.next; l != &d->lanes; l = l->next) {
        struct lane *lane = LIST_ENTRY(l, struct lane, link);
        uint64_t at = first_of(lane)->wake_ms;
        uint64_t best_at = best != NULL ? first_of(best)->wake_ms : 0;
        if (!lane->posts && (best == NULL || at < best_at ||
                             (at == best_at && lane->id < best->id)))
            best = lane;
    }
    return best;
}

/* --- posts */

static void set_error(struct delivery *d, const char *text)
{
    struct hook *h = &d->bot->hook;
    h->error_date = (int64_t)sim_now(d->sim);
    free(h->error);
    h->error = mem_strdup(text);
}

static void try_again(struct delivery *d, struct queued *row,
                      double retry_after)
{
    int64_t pause = retry_after < RETRY_AFTER_MAX_S ? (int64_t)retry_after
                                                    : RETRY_AFTER_MAX_S;
    if (pause <= 0 && row->failures > 0) {
        int64_t most =
            PAUSE_MIN_MAX_S +
            (int64_t)rng_below(loop_rng(d->sim->loop), PAUSE_MIN_MAX_S + 1);
        row->delay_s = 2 * row->delay_s < most ? 2 * row->delay_s : most;
        pause = row->delay_s;
    }
    row->failures++;
    row->wake_ms = now_ms(d) + (uint64_t)pause * 1000;
    if ((int64_t)sim_now(d->sim) + pause > row->expires)
        queue_end(&d->bot->queue, row, QUEUED_EXPIRED);
}

/* True: the bot has been gone for so long that the webhook goes, too. */
static bool note_gone(struct delivery *d, int status)
{
    uint64_t now = now_ms(d);
    if (status == 410 && d->gone)
        return now > d->gone_ms + GONE_MS;
    d->gone = status == 410;
    d->gone_ms = now;
    return false;
}

static void refused(struct delivery *d, struct queued *row,
                    const struct http_response *r)
{
    char text[96];
    snprintf(text, sizeof(text), "Wrong response from the webhook: %d %s",
             r->status, http_reason(r->status));
    set_error(d, text);
    try_again(d, row, r->retry_after);
}

static void taken(struct delivery *d, struct queued *row,
                  const struct http_response *r)
{
    d->succeeded = true;
    d->success_ms = now_ms(d);
    reply_run(d->sim, d->bot, r);
    queue_end(&d->bot->queue, row, QUEUED_CONFIRMED);
}

/* A connection that ends without an answer leaves no error behind. */
static void lost(struct delivery *d, struct queued *row, const struct err *e,
                 uint64_t sent_ms)
{
    if (now_ms(d) >= sent_ms + TIMEOUT_MS)
        set_error(d, "Read timeout expired");
    else if (e->code == ERR_NOT_SENT)
        set_error(d, "Can't connect to the webhook");
    else if (e->code == ERR_LIMIT)
        set_error(d, "Wrong response from the webhook: it is too long");
    try_again(d, row, 0);
}

/* True: the webhook is to be taken away. */
static bool judge(struct delivery *d, struct queued *row,
                  const struct connection *c, const struct err *e)
{
    const struct http_response *r = &c->call.response;
    if (e->code != ERR_OK) {
        lost(d, row, e, c->since_ms);
        return false;
    }
    bool over = note_gone(d, r->status);
    if (r->status >= 200 && r->status <= 299)
        taken(d, row, r);
    else
        refused(d, row, r);
    return over;
}

static void done(struct http_call *call, const struct err *e)
{
    struct connection *c = LIST_ENTRY(call, struct connection, call);
    struct delivery *d = c->delivery;
    struct queued *row = first_of(c->lane);
    c->lane->posts = false;
    row->posted = false;
    advance_release(d->sim);
    bool over = judge(d, row, c, e);
    http_call_free(call);
    list_remove(&c->link);
    if (e->code == ERR_OK) {
        c->since_ms = now_ms(d);
        list_push(&d->idle, &c->link);
    } else {
        close_connection(c);
    }
    if (over)
        hook_clear(&d->bot->hook);
    else
        run_later(d);
}

static void post(struct connection *c, struct lane *lane)
{
    struct delivery *d = c->delivery;
    struct queued *row = first_of(lane);
    lane->posts = row->posted = true;
    c->lane = lane;
    c->since_ms = now_ms(d);
    list_remove(&c->link);
    list_push(&d->busy, &c->link);
    buf_clear(&c->body);
    queued_json(row, &c->body);
    queue_fetched(&d->bot->queue, row);
    c->call = (struct http_call){
        .method = "POST",
        .url = d->url,
        .content_type = "application/json",
        .body = c->body.data,
        .body_len = c->body.len,
        .headers = d->headers,
        .headers_count = d->headers_count,
        .response_max = ANSWER_MAX,
        .timeout_ms = TIMEOUT_MS,
        .done = done,
    };
    advance_hold(d->sim);
    http_start(d->sim->client, &c->call);
}

static void post_all(struct delivery *d)
{
    struct lane *lane;
    while (!list_empty(&d->idle) && (lane = next_lane(d)) != NULL) {
        if (first_of(lane)->wake_ms > now_ms(d)) {
            wake_at(d, first_of(lane)->wake_ms);
            return;
        }
        post(connection_of(d->idle.prev), lane);
    }
}

static void run(struct delivery *d)
{
    timer_stop(&d->wake);
    queue_expire(&d->bot->queue);
    load(d);
    close_idle(d);
    open_connections(d);
    post_all(d);
}

static void on_run(struct deferred *deferred)
{
    run(LIST_ENTRY(deferred, struct delivery, run));
}

static void on_wake(struct timer *t)
{
    run(LIST_ENTRY(t, struct delivery, wake));
}

/* --- life */

static void add_header(struct delivery *d, const char *name, const char *value)
{
    d->headers[d->headers_count++] = (struct http_header){name, value};
}

static void set_address(struct delivery *d)
{
    const struct hook *h = &d->bot->hook;
    d->url = address_split(h->url, &d->authorization);
    if (d->authorization != NULL)
        add_header(d, "Authorization", d->authorization);
    if (*h->secret != '\0')
        add_header(d, "X-Telegram-Bot-Api-Secret-Token", h->secret);
}

struct delivery *delivery_new(struct sim *sim, struct bot *bot)
{
    struct delivery *d = MEM_NEW(struct delivery);
    d->sim = sim;
    d->bot = bot;
    d->lone_id = INT64_C(1) << 60;
    d->next = queue_head(&bot->queue);
    d->calm = (struct flood){.pause_ms = 2000, .burst = 1};
    d->active = (struct flood){.pause_ms = 50, .burst = 10};
    list_init(&d->lanes);
    list_init(&d->idle);
    list_init(&d->busy);
    set_address(d);
    deferred_init(&d->run, on_run);
    timer_init(&d->wake, sim->loop, on_wake);
    run_later(d);
    return d;
}

static void unload_all(struct delivery *d)
{
    struct list *link, *row;
    while ((link = list_shift(&d->lanes))) {
        struct lane *lane = LIST_ENTRY(link, struct lane, link);
        while ((row = list_shift(&lane->rows)))
            leave_lane(LIST_ENTRY(row, struct queued, lane_link));
        lane_free(d, lane);
    }
}

void delivery_free(struct delivery *d)
{
    struct list *link;
    loop_undefer(&d->run);
    timer_stop(&d->wake);
    while ((link = list_shift(&d->busy)))
        abort_post(connection_of(link));
    while ((link = list_shift(&d->idle)))
        close_connection(connection_of(link));
    unload_all(d);
    free(d->url);
    free(d->authorization);
    free(d);
}

void hook_clear(struct hook *h)
{
    uint64_t calm_after_ms = h->calm_after_ms;
    if (h->delivery != NULL)
        delivery_free(h->delivery);
    free(h->url);
    free(h->secret);
    free(h->ip_address);
    free(h->error);
    *h = (struct hook){.calm_after_ms = calm_after_ms};
}
