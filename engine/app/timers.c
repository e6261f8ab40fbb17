#include "app/timers.h"

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/inbox.h"
#include "store/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000 /* after a failure, and while the inbox is full */
#define SLEEP_MAX_MS 86400000
#define WEBHOOK_PAUSE_MS 125000

/* One that is on its way into the inbox. */
struct due {
    struct state_row row; /* kind, key and version; texts are owned */
    char *lane;
    struct buf body;
};

struct timers {
    struct loop *loop;
    struct state *state;
    struct inbox *inbox;
    struct timer timer;
    struct state_op *finding; /* NULL: none */
    int64_t began_ms;
    int64_t soonest_ms; /* 0: nothing is due */
    bool open;
    bool stopped;
    bool storing;
    size_t count;
    struct due rows[TIMERS_AT_ONCE];
};

static void arm(struct timers *t);

static int64_t now_ms(const struct timers *t)
{
    return clock_unix_ms(loop_clock(t->loop));
}

static void clear_rows(struct timers *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free((char *)t->rows[i].row.kind);
        free((char *)t->rows[i].row.key);
        free(t->rows[i].lane);
        buf_free(&t->rows[i].body);
    }
    memset(t->rows, 0, sizeof t->rows);
    t->count = 0;
}

static void failed(struct timers *t, const struct err *e)
{
    LOG_AT(loop_log(t->loop), LOG_ERROR, "timers.failed",
           LOG_S("error", e->message), LOG_I("retry_ms", RETRY_MS));
    clear_rows(t);
    timer_start(&t->timer, RETRY_MS);
}

/* --- when the next one is due */

static void found_next(void *arg, const struct err *e,
                       const struct state_row *row)
{
    struct timers *t = arg;
    if (e->code == ERR_OK && row->kind) {
        timers_due(t, row->due_ms);
        return;
    }
    t->finding = NULL;
    if (t->stopped)
        return;
    if (e->code != ERR_OK)
        failed(t, e);
    else
        arm(t);
}

static void find_next(struct timers *t)
{
    t->soonest_ms = 0;
    t->finding = state_find_due(t->state, INT64_MAX, 1, found_next, t);
}

/* --- what is due now */

static void stored(void *arg, const struct err *e)
{
    struct timers *t = arg;
    t->storing = false;
    CRASH_POINT("timers.stored");
    if (t->stopped) {
        clear_rows(t);
        return;
    }
    if (e->code != ERR_OK) {
        failed(t, e);
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        state_seen_due(t->state, &t->rows[i].row);
    clear_rows(t);
    find_next(t);
}

static void put_text(struct buf *b, const char *name, const char *text)
{
    buf_printf(b, "\"%s\":", name);
    js_put_string(b, text, strlen(text));
    buf_putc(b, ',');
}

static void take(struct timers *t, const struct state_row *row)
{
    struct due *due = &t->rows[t->count++];
    due->row = (struct state_row){.kind = mem_strdup(row->kind),
                                  .key = mem_strdup(row->key),
                                  .version = row->version};
    due->lane = mem_strdup(row->lane);
    buf_puts(&due->body, "{\"update_id\":0,\"due\":{");
    put_text(&due->body, "kind", row->kind);
    put_text(&due->body, "key", row->key);
    buf_printf(&due->body, "\"version\":%" PRId64 ",\"value\":", row->version);
    buf_append(&due->body, row->value, row->len);
    buf_puts(&due->body, "}}");
}

static void put(struct timers *t)
{
    struct inbox_item items[TIMERS_AT_ONCE];
    for (size_t i = 0; i < t->count; i++)
        items[i] = (struct inbox_item){.source = INBOX_TIMER,
                                       .lane = t->rows[i].lane,
                                       .body = t->rows[i].body.data,
                                       .body_len = t->rows[i].body.len};
    t->storing = true;
    CRASH_POINT("timers.due");
    inbox_put(t->inbox, items, t->count, 0, stored, t);
}

static void found_due(void *arg, const struct err *e,
                      const struct state_row *row)
{
    struct timers *t = arg;
    if (e->code == ERR_OK && row->kind) {
        take(t, row);
        return;
    }
    t->finding = NULL;
    if (e->code != ERR_OK)
        failed(t, e);
    else if (t->count > 0)
        put(t);
    else
        find_next(t);
}

static void fire(struct timer *timer)
{
    struct timers *t = LIST_ENTRY(timer, struct timers, timer);
    t->open = true;
    if (t->soonest_ms == 0)
        return;
    if (t->soonest_ms > now_ms(t)) {
        arm(t);
    } else if (inbox_full(t->inbox)) {
        timer_start(&t->timer, RETRY_MS);
    } else {
        t->finding =
            state_find_due(t->state, now_ms(t), TIMERS_AT_ONCE, found_due, t);
    }
}

/* A row that is changed while others are looked for is found afterwards. */
static void arm(struct timers *t)
{
    if (!t->open || t->stopped || t->storing || t->finding ||
        t->soonest_ms == 0)
        return;
    int64_t left = t->soonest_ms - now_ms(t);
    left = left < 0 ? 0 : left > SLEEP_MAX_MS ? SLEEP_MAX_MS : left;
    timer_start(&t->timer, (uint64_t)left);
}

struct timers *timers_new(struct loop *loop)
{
    struct timers *t = MEM_NEW(struct timers);
    t->loop = loop;
    t->began_ms = now_ms(t);
    timer_init(&t->timer, loop, fire);
    return t;
}

void timers_use(struct timers *t, struct state *state, struct inbox *inbox)
{
    t->state = state;
    t->inbox = inbox;
}

void timers_due(void *timers, int64_t due_ms)
{
    struct timers *t = timers;
    if (t->soonest_ms != 0 && t->soonest_ms <= due_ms)
        return;
    t->soonest_ms = due_ms;
    arm(t);
}

bool timers_late(const struct timers *t)
{
    return t->soonest_ms != 0 && t->soonest_ms <= t->began_ms;
}

void timers_open(struct timers *t)
{
    t->open = true;
    arm(t);
}

void timers_open_later(struct timers *t)
{
    timer_start(&t->timer, WEBHOOK_PAUSE_MS);
}

void timers_stop(struct timers *t)
{
    t->stopped = true;
    timer_stop(&t->timer);
    if (t->finding)
        state_forget(t->finding);
    t->finding = NULL;
}

void timers_free(struct timers *t)
{
    timers_stop(t);
    clear_rows(t);
    free(t);
}
