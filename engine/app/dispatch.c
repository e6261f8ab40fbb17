#include "app/dispatch.h"

#include "app/errors.h"
#include "app/notices.h"
#include "app/shelf.h"
#include "base/crash_point.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "store/inbox.h"
#include "vm/generation.h"

#include <stdlib.h>
#include <string.h>

#define FAILED_TIMEOUT_MS 30000 /* for bot.catch after a limit */
#define LANE_HELD_MAX 32        /* updates of one lane kept in memory */

/* One update on its way from the inbox to its handler's end. */
struct run {
    struct list link; /* in its lane's queue, then in dispatch.starting */
    struct lane *lane;
    struct inbox_entry *entry;
    struct error_place place;
    struct generation *generation; /* that it began on; lives as long */
    bool told; /* the scripts hear, or have heard, how its handler ended */
    struct script_error error; /* of the handler, if told */
    enum inbox_reason reason;
    struct dispatch *dispatch;
};

/* Exists while it has updates. Behind the one that is starting or running
 * come those in `waiting`, then those that are being fetched, then those of
 * which only the number is kept. */
struct lane {
    struct dispatch *dispatch;
    struct list waiting;
    size_t held; /* in `waiting` or being fetched */
    struct shelf shelf;
    size_t fetching;
    bool busy; /* one of its updates is starting or running */
    size_t key_len;
    char key[];
};

struct dispatch {
    struct dispatch_options o;
    struct generation *generation;
    struct map lanes;
    struct list startable; /* heads of their lanes, in turn */
    size_t startable_count;
    size_t held; /* of all lanes */
    struct deferred pump;
    size_t running;
    bool open;
    bool stopped;
};

static void pump_now(struct deferred *d);
static void fetch(struct lane *lane);
static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error);

struct dispatch *dispatch_new(const struct dispatch_options *o)
{
    struct dispatch *d = MEM_NEW(struct dispatch);
    d->o = *o;
    list_init(&d->startable);
    deferred_init(&d->pump, pump_now);
    return d;
}

void dispatch_use(struct dispatch *d, struct generation *g)
{
    d->generation = g;
    dispatch_pump(d);
}

void dispatch_open(struct dispatch *d)
{
    d->open = true;
    dispatch_pump(d);
}

void dispatch_pump(struct dispatch *d)
{
    loop_defer(d->o.loop, &d->pump);
}

static struct lane *lane_of(struct dispatch *d, const char *key)
{
    size_t len = strlen(key);
    struct lane *lane = map_get(&d->lanes, key, len);
    if (lane)
        return lane;
    lane = mem_zero(1, sizeof *lane + len + 1);
    memcpy(lane->key, key, len);
    lane->key_len = len;
    lane->dispatch = d;
    list_init(&lane->waiting);
    map_put(&d->lanes, key, len, lane);
    return lane;
}

static void lane_free(struct lane *lane)
{
    shelf_free(&lane->shelf);
    free(lane);
}

static void make_startable(struct dispatch *d, struct run *run)
{
    run->lane->busy = true;
    d->startable_count++;
    list_push(&d->startable, &run->link);
}

static void hold(struct lane *lane, ptrdiff_t change)
{
    lane->held += (size_t)change;
    lane->dispatch->held += (size_t)change;
}

/* The next update of the lane may start; an empty lane goes. */
static void lane_advance(struct dispatch *d, struct lane *lane)
{
    struct list *link = list_shift(&lane->waiting);
    if (link) {
        hold(lane, -1);
        make_startable(d, LIST_ENTRY(link, struct run, link));
    } else if (lane->fetching == 0 && lane->shelf.count == 0) {
        map_remove(&d->lanes, lane->key, lane->key_len);
        lane_free(lane);
    } else {
        lane->busy = false;
    }
}

static struct run *run_new(struct lane *lane, struct inbox_entry *entry)
{
    struct run *run = MEM_NEW(struct run);
    run->dispatch = lane->dispatch;
    run->entry = entry;
    run->lane = lane;
    return run;
}

static void on_fetched(void *arg, struct inbox_fetched *f)
{
    struct lane *lane = arg;
    struct dispatch *d = lane->dispatch;
    struct inbox_entry *entry;

    hold(lane, -(ptrdiff_t)lane->fetching);
    lane->fetching = 0;
    while ((entry = inbox_fetched_next(f))) {
        list_push(&lane->waiting, &run_new(lane, entry)->link);
        hold(lane, 1);
    }
    fetch(lane);
    if (!lane->busy)
        lane_advance(d, lane);
    dispatch_pump(d);
}

/* Before the lane has nothing left in memory. When memory is short it gets
 * one at a time, so that many long lanes do not hold more than their share. */
static void fetch(struct lane *lane)
{
    struct dispatch *d = lane->dispatch;
    int64_t seqs[LANE_HELD_MAX];
    size_t n = LANE_HELD_MAX - lane->held;

    if (lane->fetching > 0 || lane->shelf.count == 0 ||
        lane->held > LANE_HELD_MAX / 4 || d->stopped)
        return;
    if (d->held + n > DISPATCH_HELD_MAX) {
        if (lane->held > 0)
            return;
        n = 1;
    }
    lane->fetching = shelf_take(&lane->shelf, seqs, n);
    hold(lane, (ptrdiff_t)lane->fetching);
    inbox_fetch(d->o.inbox, seqs, lane->fetching, on_fetched, lane);
}

static void enqueue(struct dispatch *d, struct inbox_entry *entry)
{
    struct lane *lane = lane_of(d, entry->lane);
    bool behind = lane->fetching > 0 || lane->shelf.count > 0;

    if (!lane->busy && !behind) {
        make_startable(d, run_new(lane, entry));
    } else if (!behind && lane->held < LANE_HELD_MAX &&
               d->held < DISPATCH_HELD_MAX) {
        list_push(&lane->waiting, &run_new(lane, entry)->link);
        hold(lane, 1);
    } else {
        shelf_put(&lane->shelf, entry->seq);
        inbox_release(entry);
    }
}

static void run_free(struct run *run)
{
    struct lane *lane = run->lane;
    fetch(lane);
    lane_advance(run->dispatch, lane);
    script_error_clear(&run->error);
    free(run);
}

static void report(struct run *run, const struct script_error *error)
{
    const struct dispatch_options *o = &run->dispatch->o;
    notices_error(o->notices, error, run->entry->update_id, run->entry->lane);
    errors_add(o->errors, error, &run->place, NULL);
}

static void on_loop(void *arg, bool running);

/* A handler that was ended from outside could tell nobody: bot.catch hears
 * of it in a task of its own, within the same turn of the lane. */
static bool tell_scripts(struct run *run, const struct script_error *error)
{
    const struct task_spec spec = {
        .entry = VM_ON_FAILED,
        .json = run->entry->body,
        .json_len = run->entry->body_len,
        .error = error,
        .flag = run->entry->redelivered,
        .timeout_ms = FAILED_TIMEOUT_MS,
        .ended = on_ended,
        .on_loop = on_loop,
        .arg = run,
    };
    if (run->told || run->dispatch->stopped)
        return false;
    return task_spawn(run->generation, &spec) != NULL;
}

/* Its own code, and so bot.catch, has had no part in it. */
static bool was_ended_from_outside(enum task_outcome outcome)
{
    return outcome == TASK_LIMITED || outcome == TASK_TIMEOUT ||
           outcome == TASK_EXPIRED;
}

static enum inbox_reason reason_of(enum task_outcome outcome,
                                   const struct script_error *error)
{
    if (outcome == TASK_TIMEOUT)
        return INBOX_TIMEOUT;
    return strcmp(error->kind, "limit") == 0 ? INBOX_LIMIT : INBOX_ERROR;
}

static void finish_dead(struct run *run, enum inbox_reason reason,
                        const struct script_error *error)
{
    const struct inbox_cause cause = {
        .reason = reason,
        .line = error->line,
        .kind = error->kind,
        .message = error->message,
        .script = error->script,
        .traceback = error->traceback,
    };
    inbox_finish_dead(run->dispatch->o.inbox, run->entry, &cause);
}

/* A handler that had ended has ended, even if shutdown cancels the telling of
 * it; else a cancel by shutdown is no end. */
static void take_out(struct run *run, enum task_outcome outcome,
                     const struct script_error *error)
{
    struct inbox *inbox = run->dispatch->o.inbox;
    if (run->told)
        finish_dead(run, run->reason, &run->error);
    else if (error)
        finish_dead(run, reason_of(outcome, error), error);
    else if (outcome == TASK_CANCELLED)
        inbox_release(run->entry);
    else
        inbox_finish(inbox, run->entry);
}

static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error)
{
    struct run *run = arg;
    struct dispatch *d = run->dispatch;

    CRASH_POINT("dispatch.ended");
    if (error) {
        report(run, error);
        if (was_ended_from_outside(outcome) && tell_scripts(run, error)) {
            run->told = true;
            run->reason = reason_of(outcome, error);
            run->error = script_error_copy(error);
            return;
        }
    }
    take_out(run, outcome, error);
    CRASH_POINT("dispatch.taken_out");
    run_free(run);
    d->running--;
    if (d->stopped && d->running == 0)
        d->o.idle(d->o.arg);
    dispatch_pump(d);
}

static void on_loop(void *arg, bool running)
{
    struct run *run = arg;
    inbox_on_loop(run->dispatch->o.inbox, running ? run->entry : NULL);
    errors_on_loop(run->dispatch->o.errors, running ? &run->place : NULL);
    if (running)
        CRASH_POINT("dispatch.on_loop");
    else
        CRASH_POINT("dispatch.off_loop");
}

/* The scripts handle no updates, or this one cannot be handed to them. */
static void end_without_task(struct run *run)
{
    const struct script_error odd = {
        .kind = "script",
        .message = "the update could not be handed to the scripts",
        .script = "",
        .traceback = "",
    };
    bool failed = generation_has(run->dispatch->generation, VM_ON_UPDATE);
    on_ended(run, failed ? TASK_ERROR : TASK_DONE, failed ? &odd : NULL);
}

/* False: the inbox has no room for another running mark now. */
static bool start(struct dispatch *d, struct run *run)
{
    struct inbox_entry *entry = run->entry;
    const struct task_spec spec = {
        .entry = VM_ON_UPDATE,
        .text = entry->lane,
        .json = entry->body,
        .json_len = entry->body_len,
        .flag = entry->redelivered,
        .timeout_ms = d->o.handler_timeout_ms,
        .ended = on_ended,
        .on_loop = on_loop,
        .arg = run,
    };
    CRASH_POINT("dispatch.before_begin");
    if (!inbox_begin(d->o.inbox, entry))
        return false;
    run->generation = d->generation;
    run->place = (struct error_place){
        .update_id = entry->update_id,
        .lane = entry->lane,
        .generation = generation_id(d->generation),
    };
    list_remove(&run->link);
    d->startable_count--;
    d->running++;
    if (!task_spawn(d->generation, &spec))
        end_without_task(run);
    CRASH_POINT("dispatch.started");
    return true;
}

static void start_what_can(struct dispatch *d)
{
    /* The analyzer does not see that start takes the run off the list. */
    while (!list_empty(&d->startable) && d->running < DISPATCH_RUNNING_MAX)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (!start(d, LIST_ENTRY(d->startable.next, struct run, link)))
            return;
}

/* Takes what has come while enough lanes do not have their turn yet: only
 * the bound on running handlers stops it, never one lane's long queue. */
static void pump_now(struct deferred *deferred)
{
    struct dispatch *d = LIST_ENTRY(deferred, struct dispatch, pump);
    struct inbox_entry *entry;

    if (d->stopped || !d->open || !d->generation)
        return;
    start_what_can(d);
    while (d->startable_count < DISPATCH_STARTABLE_MAX &&
           (entry = inbox_next(d->o.inbox)))
        enqueue(d, entry);
    start_what_can(d);
}

void dispatch_stop(struct dispatch *d)
{
    d->stopped = true;
    loop_undefer(&d->pump);
}

size_t dispatch_running(const struct dispatch *d)
{
    return d->running;
}

static void release_all(struct list *runs)
{
    struct list *link;
    while ((link = list_shift(runs))) {
        struct run *run = LIST_ENTRY(link, struct run, link);
        inbox_release(run->entry);
        free(run);
    }
}

void dispatch_free(struct dispatch *d)
{
    const struct map_slot *slot;
    size_t cursor = 0;

    loop_undefer(&d->pump);
    release_all(&d->startable);
    while ((slot = map_each(&d->lanes, &cursor))) {
        struct lane *lane = slot->value;
        release_all(&lane->waiting);
        lane_free(lane);
    }
    map_free(&d->lanes);
    free(d);
}
