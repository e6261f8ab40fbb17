#include "app/dispatch.h"

#include "app/album.h"
#include "app/errors.h"
#include "app/notices.h"
#include "app/presses.h"
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
    struct list link; /* in its lane's queue, then in dispatch.startable */
    struct lane *lane;
    struct inbox_entry *entry; /* of an album one of its parts */
    struct album *album;       /* NULL: a single update */
    uint64_t seen_ms;
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
    bool busy;             /* one of its updates is starting or running */
    struct run *gathering; /* that one is an album which is not complete */
    size_t key_len;
    char key[];
};

struct dispatch {
    struct dispatch_options o;
    struct generation *generation;
    struct map lanes;
    struct list startable;  /* heads of their lanes, in turn */
    struct list gathering;  /* heads of their lanes, albums */
    size_t startable_count; /* in both lists */
    size_t held;            /* of all lanes */
    struct deferred pump;
    struct presses *presses;
    size_t running;
    bool open;
    bool stopped;
};

static void pump_now(struct deferred *d);
static void fetch(struct lane *lane);
static void gather_waiting(struct lane *lane);
static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error);

static void on_late_press(void *arg, const char *json, size_t len)
{
    struct dispatch *d = arg;
    const struct task_spec spec = {
        .entry = VM_ON_LATE_PRESS,
        .json = json,
        .json_len = len,
        .timeout_ms = FAILED_TIMEOUT_MS,
    };
    if (!d->stopped && generation_has(d->generation, VM_ON_LATE_PRESS))
        task_spawn(d->generation, &spec);
}

struct dispatch *dispatch_new(const struct dispatch_options *o)
{
    struct dispatch *d = MEM_NEW(struct dispatch);
    d->o = *o;
    d->presses = presses_new(o->loop, on_late_press, d);
    list_init(&d->startable);
    list_init(&d->gathering);
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
    run->seen_ms = loop_now_ms(lane->dispatch->o.loop);
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
    if (lane->gathering)
        gather_waiting(lane);
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

    if (lane->gathering &&
        album_take(lane->gathering->album, entry, loop_now_ms(d->o.loop))) {
        album_watch(lane->gathering->album);
        return;
    }
    if (!lane->busy && !behind) {
        make_startable(d, run_new(lane, entry));
        return;
    }
    presses_wait(d->presses, entry);
    if (!behind && lane->held < LANE_HELD_MAX && d->held < DISPATCH_HELD_MAX) {
        list_push(&lane->waiting, &run_new(lane, entry)->link);
        hold(lane, 1);
    } else {
        shelf_put(&lane->shelf, entry->seq);
        inbox_release(entry);
    }
}

static void run_free(struct run *run)
{
    if (run->album)
        album_free(run->album);
    script_error_clear(&run->error);
    free(run);
}

/* --- albums */

/* Behind the parts that have come wait others, which are in memory or in the
 * file: those that are being read back are waited for. */
static void on_complete(void *arg)
{
    struct run *run = arg;
    struct dispatch *d = run->dispatch;
    if (run->lane->fetching > 0)
        return;
    run->lane->gathering = NULL;
    list_remove(&run->link);
    list_push(&d->startable, &run->link);
    dispatch_pump(d);
}

static void gather_waiting(struct lane *lane)
{
    struct album *album = lane->gathering->album;
    struct list *link = lane->waiting.next;
    while (link != &lane->waiting) {
        struct run *run = LIST_ENTRY(link, struct run, link);
        link = link->next;
        if (!album_take(album, run->entry, run->seen_ms))
            continue;
        list_remove(&run->link);
        hold(lane, -1);
        run_free(run);
    }
    fetch(lane);
    album_watch(album);
}

/* The first of the startable ones waits for the rest of its album, if it has
 * one and the scripts want it whole. */
static bool gather(struct dispatch *d, struct run *run)
{
    char key[ALBUM_KEY_MAX];
    if (run->album || !generation_has(d->generation, VM_ON_ALBUM) ||
        !album_key(run->entry, key))
        return false;
    run->album = album_new(d->o.loop, key, on_complete, run);
    album_take(run->album, run->entry, run->seen_ms);
    list_remove(&run->link);
    list_push(&d->gathering, &run->link);
    run->lane->gathering = run;
    gather_waiting(run->lane);
    return true;
}

/* Scripts that were loaded meanwhile want the parts one by one. */
static void scatter(struct run *run)
{
    struct album *album = run->album;
    run->album = NULL;
    run->entry = album->parts[0];
    for (size_t i = album->count; i-- > 1;) {
        struct run *part = run_new(run->lane, album->parts[i]);
        list_push(run->lane->waiting.next, &part->link); /* in front */
        hold(run->lane, 1);
    }
    album_free(album);
}

static size_t count_entries(const struct run *run)
{
    return run->album ? run->album->count : 1;
}

static struct inbox_entry *entry_of(const struct run *run, size_t i)
{
    return run->album ? run->album->parts[i] : run->entry;
}

static void release(struct run *run)
{
    for (size_t i = 0; i < count_entries(run); i++)
        inbox_release(entry_of(run, i));
}

/* False: the inbox has no room for so many running marks now; those that were
 * set are kept for the next try. */
static bool begin(struct run *run)
{
    for (size_t i = 0; i < count_entries(run); i++) {
        struct inbox_entry *entry = entry_of(run, i);
        if (entry->mark < 0 && !inbox_begin(run->dispatch->o.inbox, entry))
            return false;
    }
    return true;
}

/* What the handler gets: an update, or a list of them. */
static void set_updates(const struct run *run, struct task_spec *spec)
{
    if (run->album) {
        const struct buf *json = album_json(run->album);
        spec->json = json->data;
        spec->json_len = json->len;
        spec->flag = album_redelivered(run->album);
    } else {
        spec->json = run->entry->body;
        spec->json_len = run->entry->body_len;
        spec->flag = run->entry->redelivered;
    }
}

/* --- the end of a handler */

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
    struct task_spec spec = {
        .entry = VM_ON_FAILED,
        .error = error,
        .timeout_ms = FAILED_TIMEOUT_MS,
        .ended = on_ended,
        .on_loop = on_loop,
        .arg = run,
    };
    if (run->told || run->dispatch->stopped)
        return false;
    set_updates(run, &spec);
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
    for (size_t i = 0; i < count_entries(run); i++)
        inbox_finish_dead(run->dispatch->o.inbox, entry_of(run, i), &cause);
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
        release(run);
    else
        for (size_t i = 0; i < count_entries(run); i++)
            inbox_finish(inbox, entry_of(run, i));
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
    fetch(run->lane);
    lane_advance(d, run->lane);
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
    struct task_spec spec = {
        .text = run->entry->lane,
        .timeout_ms = d->o.handler_timeout_ms,
        .ended = on_ended,
        .on_loop = on_loop,
        .arg = run,
    };
    CRASH_POINT("dispatch.before_begin");
    if (run->album && !generation_has(d->generation, VM_ON_ALBUM))
        scatter(run);
    if (!begin(run))
        return false;
    spec.entry = run->album ? VM_ON_ALBUM : VM_ON_UPDATE;
    set_updates(run, &spec);
    run->generation = d->generation;
    run->place = (struct error_place){
        .update_id = run->entry->update_id,
        .lane = run->entry->lane,
        .generation = generation_id(d->generation),
    };
    presses_begun(d->presses, run->entry);
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
    /* The analyzer does not see that both take the run off the list. */
    while (!list_empty(&d->startable) && d->running < DISPATCH_RUNNING_MAX) {
        struct run *run = LIST_ENTRY(d->startable.next, struct run, link);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (!gather(d, run) && !start(d, run))
            return;
    }
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
    struct list *link = d->gathering.next;
    d->stopped = true;
    loop_undefer(&d->pump);
    for (; link != &d->gathering; link = link->next)
        album_stop(LIST_ENTRY(link, struct run, link)->album);
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
        release(run);
        run_free(run);
    }
}

void dispatch_free(struct dispatch *d)
{
    const struct map_slot *slot;
    size_t cursor = 0;

    loop_undefer(&d->pump);
    presses_free(d->presses);
    release_all(&d->startable);
    release_all(&d->gathering);
    while ((slot = map_each(&d->lanes, &cursor))) {
        struct lane *lane = slot->value;
        release_all(&lane->waiting);
        lane_free(lane);
    }
    map_free(&d->lanes);
    free(d);
}
