#include "app/dispatch.h"

#include "app/errors.h"
#include "app/notices.h"
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

/* One update on its way from the inbox to its handler's end. */
struct run {
    struct list link; /* in its lane's queue, then in dispatch.starting */
    struct lane *lane;
    struct inbox_entry *entry;
    struct error_place place;
    struct generation *generation; /* that it began on; lives as long */
    bool told; /* the scripts have heard how its handler ended */
    struct dispatch *dispatch;
};

/* Exists while it has updates. The running one is not in the queue. */
struct lane {
    struct list waiting;
    size_t count;
    bool busy; /* one of its updates is starting or running */
    size_t key_len;
    char key[];
};

struct dispatch {
    struct dispatch_options o;
    struct generation *generation;
    struct map lanes;
    struct list startable; /* heads of their lanes, first come first */
    struct deferred pump;
    size_t waiting;
    size_t running;
    bool open;
    bool stopped;
};

static void pump_now(struct deferred *d);
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
    list_init(&lane->waiting);
    map_put(&d->lanes, key, len, lane);
    return lane;
}

/* The next update of the lane may start; an empty lane goes. */
static void lane_advance(struct dispatch *d, struct lane *lane)
{
    struct list *link = list_shift(&lane->waiting);
    lane->busy = link != NULL;
    if (link) {
        list_push(&d->startable, link);
        return;
    }
    map_remove(&d->lanes, lane->key, lane->key_len);
    free(lane);
}

static void enqueue(struct dispatch *d, struct inbox_entry *entry)
{
    struct run *run = MEM_NEW(struct run);
    run->dispatch = d;
    run->entry = entry;
    run->lane = lane_of(d, entry->lane);
    run->lane->count++;
    d->waiting++;
    if (run->lane->busy) {
        list_push(&run->lane->waiting, &run->link);
        return;
    }
    run->lane->busy = true;
    list_push(&d->startable, &run->link);
}

static void run_free(struct run *run)
{
    struct lane *lane = run->lane;
    lane->count--;
    lane_advance(run->dispatch, lane);
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
    run->told = true;
    return task_spawn(run->generation, &spec) != NULL;
}

/* Its own code, and so bot.catch, has had no part in it. */
static bool was_ended_from_outside(enum task_outcome outcome)
{
    return outcome == TASK_LIMITED || outcome == TASK_TIMEOUT ||
           outcome == TASK_EXPIRED;
}

static void on_ended(void *arg, enum task_outcome outcome,
                     const struct script_error *error)
{
    struct run *run = arg;
    struct dispatch *d = run->dispatch;

    if (error) {
        report(run, error);
        if (was_ended_from_outside(outcome) && tell_scripts(run, error))
            return;
    }
    if (outcome == TASK_CANCELLED && !error)
        inbox_release(d->o.inbox, run->entry); /* by shutdown: no end */
    else
        inbox_finish(d->o.inbox, run->entry);
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
        .json = entry->body,
        .json_len = entry->body_len,
        .flag = entry->redelivered,
        .timeout_ms = d->o.handler_timeout_ms,
        .ended = on_ended,
        .on_loop = on_loop,
        .arg = run,
    };
    if (!inbox_begin(d->o.inbox, entry))
        return false;
    run->generation = d->generation;
    run->place = (struct error_place){
        .update_id = entry->update_id,
        .lane = entry->lane,
        .generation = generation_id(d->generation),
    };
    list_remove(&run->link);
    d->waiting--;
    d->running++;
    if (!task_spawn(d->generation, &spec))
        end_without_task(run);
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

/* A lane may hold DISPATCH_LANE_MAX; a fuller one stops all intake, which
 * makes the inbox fill and polling pause. */
static void pump_now(struct deferred *deferred)
{
    struct dispatch *d = LIST_ENTRY(deferred, struct dispatch, pump);
    struct inbox_entry *entry;
    size_t fullest = 0;

    if (d->stopped || !d->open || !d->generation)
        return;
    start_what_can(d);
    while (fullest < DISPATCH_LANE_MAX && d->waiting < INBOX_IN_MEMORY &&
           (entry = inbox_next(d->o.inbox))) {
        enqueue(d, entry);
        size_t count = lane_of(d, entry->lane)->count;
        if (count > fullest)
            fullest = count;
    }
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

static void release_all(struct dispatch *d, struct list *runs)
{
    struct list *link;
    while ((link = list_shift(runs))) {
        struct run *run = LIST_ENTRY(link, struct run, link);
        inbox_release(d->o.inbox, run->entry);
        free(run);
    }
}

void dispatch_free(struct dispatch *d)
{
    const struct map_slot *slot;
    size_t cursor = 0;

    loop_undefer(&d->pump);
    release_all(d, &d->startable);
    while ((slot = map_each(&d->lanes, &cursor))) {
        struct lane *lane = slot->value;
        release_all(d, &lane->waiting);
        free(lane);
    }
    map_free(&d->lanes);
    free(d);
}
