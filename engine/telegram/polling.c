#include "telegram/polling.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "store/inbox.h"
#include "telegram/intake.h"
#include "telegram/update.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 100 /* what getUpdates gives at most */
#define WAIT_SECONDS 50
/* The inbox has room again when someone has made some: found out soon. */
#define STORAGE_BACKOFF_MAX_MS 5000

enum polling_step { STEP_DELETE_WEBHOOK, STEP_GET_UPDATES };

struct polling {
    struct intake intake;
    enum polling_step step;
    char *kinds;
    int64_t offset;
    struct retry storing; /* of batches */
    bool waiting_for_room;
};

static void on_info(struct intake *in, struct jslice info);
static void on_step(struct intake *in);
static void step_done(struct intake *in, struct jslice result);

static struct polling *polling_of(struct intake *in)
{
    return LIST_ENTRY(in, struct polling, intake);
}

struct polling *polling_new(const struct intake_options *o)
{
    struct polling *p = MEM_NEW(struct polling);
    p->intake.o = *o;
    p->intake.failed = "polling.failed";
    p->intake.informed = on_info;
    p->intake.step = on_step;
    p->intake.answered = step_done;
    intake_init(&p->intake);
    p->storing = intake_retry(STORAGE_BACKOFF_MAX_MS);
    p->offset = inbox_next_offset(o->inbox);
    p->kinds = mem_strdup("[]");
    return p;
}

/* Nothing was confirmed: Telegram keeps these updates. */
static void not_stored(struct polling *p, const struct err *e)
{
    int64_t wait = intake_pause(&p->intake, &p->storing, e);
    p->offset = inbox_next_offset(p->intake.o.inbox);
    LOG_AT(loop_log(p->intake.o.loop), LOG_ERROR, "polling.not_stored",
           LOG_S("reason", e->message), LOG_I("retry_ms", wait));
    intake_set_storage(&p->intake, false);
}

static void stored(void *arg, const struct err *e)
{
    struct polling *p = arg;
    if (p->intake.stopped)
        return;
    if (e->code != ERR_OK) {
        not_stored(p, e);
        return;
    }
    CRASH_POINT("polling.stored");
    retry_reset(&p->storing);
    intake_set_storage(&p->intake, true);
    intake_step(&p->intake);
}

/* One answer's updates. */
struct batch {
    size_t count;
    int64_t next_offset; /* behind the last one */
    bool has_id;         /* so that next_offset confirms something */
    struct inbox_item items[BATCH_MAX];
    struct update_head heads[BATCH_MAX];
};

/* Telegram's ids are int32, but a stub's may not be: nothing is assumed. The
 * last number has none behind it. */
static void note_id(struct batch *b, struct jslice update)
{
    int64_t id;
    if (!js_int(js_get(update, "update_id"), &id) || id == INT64_MAX)
        return;
    b->next_offset = id + 1;
    b->has_id = true;
}

static void read_update(struct polling *p, struct batch *b,
                        struct jslice update)
{
    struct update_head *head = &b->heads[b->count];
    note_id(b, update);
    if (update_head_read(head, update) != 0) {
        LOG_AT(loop_log(p->intake.o.loop), LOG_WARN, "polling.odd_update",
               LOG_I("bytes", (int64_t)update.len));
        return;
    }
    p->intake.o.order(p->intake.o.arg, update, head);
    b->items[b->count++] = (struct inbox_item){
        .update_id = head->update_id,
        .source = INBOX_TELEGRAM,
        .lane = head->lane,
        .body = update.at,
        .body_len = update.len,
    };
}

/* Any other answer that confirms nothing would come again at once, for
 * ever. */
static bool is_empty_list(struct jslice list)
{
    size_t cursor = 0;
    struct jslice first;
    return js_type(list) == JS_ARRAY && !js_each(list, &cursor, NULL, &first);
}

static void take_updates(struct polling *p, struct jslice list)
{
    struct batch b;
    size_t cursor = 0;
    struct jslice update;
    struct err e;

    b.count = 0;
    b.next_offset = p->offset;
    b.has_id = false;
    while (b.count < BATCH_MAX && js_each(list, &cursor, NULL, &update))
        read_update(p, &b, update);
    CRASH_POINT("polling.answered");
    if (!b.has_id && !is_empty_list(list)) {
        err_set(&e, ERR_PARSE, 0, "the answer is no list of updates");
        intake_fail(&p->intake, &e);
        return;
    }
    p->offset = b.next_offset;
    if (b.count == 0) {
        intake_note_caught_up(&p->intake);
        intake_step(&p->intake);
        return;
    }
    inbox_put(p->intake.o.inbox, b.items, b.count, p->offset, stored, p);
}

static void on_info(struct intake *in, struct jslice info)
{
    bool is_set = js_get(info, "url").len > 2;
    polling_of(in)->step =
        is_set || in->o.drop_pending ? STEP_DELETE_WEBHOOK : STEP_GET_UPDATES;
}

static void step_done(struct intake *in, struct jslice result)
{
    struct polling *p = polling_of(in);
    switch (p->step) {
    case STEP_DELETE_WEBHOOK:
        intake_note_dropped(in);
        p->step = STEP_GET_UPDATES;
        break;
    case STEP_GET_UPDATES:
        take_updates(p, result);
        return;
    }
    intake_step(&p->intake);
}

static void get_updates(struct polling *p)
{
    struct intake *in = &p->intake;
    unsigned wait = in->o.hurry && !in->caught_up ? 0 : WAIT_SECONDS;
    if (inbox_full(in->o.inbox)) {
        p->waiting_for_room = true;
        return;
    }
    buf_printf(&in->params,
               "{\"offset\":%" PRId64 ",\"limit\":%d,\"timeout\":%u,"
               "\"allowed_updates\":%s}",
               p->offset, BATCH_MAX, wait, p->kinds);
    intake_call(in, "getUpdates", WAIT_SECONDS * 1000);
    CRASH_POINT("polling.asked");
    intake_note_started(in);
}

static void on_step(struct intake *in)
{
    struct polling *p = polling_of(in);
    switch (p->step) {
    case STEP_DELETE_WEBHOOK:
        buf_printf(&in->params, "{\"drop_pending_updates\":%s}",
                   in->o.drop_pending ? "true" : "false");
        intake_call(in, "deleteWebhook", 0);
        break;
    case STEP_GET_UPDATES:
        get_updates(p);
        break;
    }
}

void polling_start(struct polling *p)
{
    intake_step(&p->intake);
}

void polling_set_kinds(struct polling *p, const char *kinds)
{
    if (strcmp(p->kinds, kinds) == 0)
        return;
    free(p->kinds);
    p->kinds = mem_strdup(kinds);
    if (!p->intake.in_flight || p->step != STEP_GET_UPDATES)
        return;
    /* The waiting call would filter by the old kinds for up to 50 s. */
    intake_cancel(&p->intake);
    intake_step(&p->intake);
}

void polling_resume(struct polling *p)
{
    if (!p->waiting_for_room)
        return;
    p->waiting_for_room = false;
    intake_step(&p->intake);
}

void polling_stop(struct polling *p)
{
    intake_stop(&p->intake);
}

void polling_free(struct polling *p)
{
    intake_free(&p->intake);
    free(p->kinds);
    free(p);
}
