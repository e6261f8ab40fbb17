#include "loop/loop.h"

#include "base/log.h"
#include "base/mem.h"
#include "loop/loop_internal.h"

#include <poll.h>
#include <stdlib.h>

#define LOOP_NS_PER_MS 1000000u
#define LOOP_NO_LIMIT (-1)

/* loop_free waits at most this long for requests that cannot be cancelled,
 * and lets deferred work queue itself again at most this often. */
#define LOOP_FREE_TURNS 500
#define LOOP_FREE_TURN_MS 20

void loop__require(struct loop *loop, int rc, const char *call)
{
    if (rc >= 0)
        return;
    LOG_AT(loop->log, LOG_ERROR, "loop.fatal", LOG_S("call", call),
           LOG_S("error", uv_strerror(rc)));
    abort();
}

struct loop *loop_new(struct clock *clock, struct log *log, struct rng *rng)
{
    struct loop *loop = MEM_NEW(struct loop);

    loop->clock = clock;
    loop->log = log;
    loop->rng = rng;
    loop->jump_ns = clock->is_virtual ? UINT64_MAX : 0;
    list_init(&loop->deferred);
    loop__require(loop, uv_loop_init(&loop->uv), "uv_loop_init");
    loop__require(loop, uv_timer_init(&loop->uv, &loop->wake), "uv_timer_init");
    return loop;
}

void loop__wake(struct loop *loop)
{
    /* Outside of uv_run the flag would make the next run return at once. */
    if (loop->polling)
        uv_stop(&loop->uv);
}

static void on_wake(uv_timer_t *wake)
{
    /* Without it UV_RUN_ONCE fires a due timer and then still waits. */
    uv_stop(wake->loop);
}

static void poll_uv(struct loop *loop, int64_t wait_ms)
{
    if (wait_ms != LOOP_NO_LIMIT) {
        uv_update_time(&loop->uv);
        uv_timer_start(&loop->wake, on_wake, (uint64_t)wait_ms, 0);
    }
    loop->polling = true;
    uv_run(&loop->uv, wait_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    loop->polling = false;
    uv_timer_stop(&loop->wake);
}

static void drain(struct loop *loop)
{
    struct list batch, *link;

    list_init(&batch);
    list_splice(&batch, &loop->deferred);
    while ((link = list_shift(&batch)) != NULL) {
        struct deferred *d = LIST_ENTRY(link, struct deferred, link);
        d->run(d);
    }
}

static void turn(struct loop *loop, int64_t wait_ms)
{
    /* Simulations have no handles: that saves them the system calls. */
    if (wait_ms != 0 || !loop->clock->is_virtual || uv_loop_alive(&loop->uv))
        poll_uv(loop, wait_ms);
    loop__timers_fire(loop);
    drain(loop);
}

void loop_turn(struct loop *loop)
{
    turn(loop, 0);
}

/* Real events go before a jump of the virtual clock. libuv's timeout is 0
 * also when it has descriptors that it does not watch yet. */
static bool busy(const struct loop *loop)
{
    struct pollfd fd = {.events = POLLIN};

    if (!uv_loop_alive(&loop->uv))
        return false;
    fd.fd = uv_backend_fd(&loop->uv);
    return uv_backend_timeout(&loop->uv) == 0 || poll(&fd, 1, 0) > 0;
}

/* Nothing can happen before the next timer. */
static bool idle(const struct loop *loop)
{
    return list_empty(&loop->deferred) && loop->held == 0 && !busy(loop);
}

static void jump(struct loop *loop)
{
    uint64_t deadline;
    if (!loop__timer_next(loop, &deadline) || deadline > loop->jump_ns)
        deadline = loop->jump_ns;
    if (deadline != UINT64_MAX)
        clock_advance_to(loop->clock, deadline);
}

/* All that was due on the way to jump_ns has been done. */
static bool has_arrived(const struct loop *loop, uint64_t now)
{
    uint64_t deadline;

    if (loop->arrived == NULL || now < loop->jump_ns || !idle(loop))
        return false;
    return !loop__timer_next(loop, &deadline) || deadline > now;
}

/* How long the next turn may wait for libuv. */
static int64_t choose_wait(struct loop *loop)
{
    uint64_t deadline, now = clock_ns(loop->clock);

    if (!list_empty(&loop->deferred))
        return 0;
    if (now < loop->jump_ns && loop->held == 0) {
        if (busy(loop))
            return 0;
        jump(loop);
        now = clock_ns(loop->clock);
    }
    if (has_arrived(loop, now)) {
        loop_defer(loop, loop->arrived);
        loop->arrived = NULL;
        return 0;
    }
    if (!loop__timer_next(loop, &deadline))
        return LOOP_NO_LIMIT;
    if (now >= deadline)
        return 0;
    if (loop->clock->is_virtual)
        return LOOP_NO_LIMIT;
    return (int64_t)((deadline - now - 1) / LOOP_NS_PER_MS + 1);
}

bool loop_step(struct loop *loop, uint64_t until_ns)
{
    uint64_t deadline;

    if (idle(loop)) {
        if (!loop__timer_next(loop, &deadline) || deadline > until_ns) {
            clock_advance_to(loop->clock, until_ns);
            return false;
        }
        clock_advance_to(loop->clock, deadline);
    }
    turn(loop, 0);
    return true;
}

void loop_jump(struct loop *loop, uint64_t until_ns)
{
    loop_jump_to(loop, until_ns, NULL);
}

void loop_jump_to(struct loop *loop, uint64_t until_ns,
                  struct deferred *arrived)
{
    loop->jump_ns = until_ns;
    loop->arrived = arrived;
    loop__wake(loop);
}

void loop_hold(struct loop *loop)
{
    loop->held++;
}

void loop_unhold(struct loop *loop)
{
    loop->held--;
}

static bool alive(const struct loop *loop)
{
    return !list_empty(&loop->deferred) || loop->timer_count > 0 ||
           uv_loop_alive(&loop->uv);
}

void loop_run(struct loop *loop)
{
    while (!loop->stopping && alive(loop))
        turn(loop, choose_wait(loop));
    loop->stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
    loop__wake(loop);
}

static void unref(uv_handle_t *handle, void *arg)
{
    (void)arg;
    uv_unref(handle);
}

/* Handles that nobody closes must not hold up the end, so that only closing
 * ones, requests and deferred work are waited for. */
static void settle(struct loop *loop)
{
    for (int i = 0; i < LOOP_FREE_TURNS; i++) {
        uv_walk(&loop->uv, unref, NULL);
        if (list_empty(&loop->deferred) && !uv_loop_alive(&loop->uv))
            return;
        poll_uv(loop, list_empty(&loop->deferred) ? LOOP_FREE_TURN_MS : 0);
        drain(loop);
    }
}

struct leftovers {
    struct loop *loop;
    int count;
};

static void report(struct leftovers *l, const char *what, int count)
{
    if (count == 0)
        return;
    l->count += count;
    LOG_AT(l->loop->log, LOG_ERROR, "loop.leftover", LOG_S("type", what),
           LOG_I("count", count));
}

static void close_leftover(uv_handle_t *handle, void *arg)
{
    struct leftovers *l = arg;

    if (uv_is_closing(handle))
        return;
    if (handle != (uv_handle_t *)&l->loop->wake)
        report(l, uv_handle_type_name(handle->type), 1);
    uv_close(handle, NULL);
}

static int count_deferred(const struct loop *loop)
{
    const struct list *link;
    int count = 0;

    for (link = loop->deferred.next; link != &loop->deferred; link = link->next)
        count++;
    return count;
}

int loop_free(struct loop *loop)
{
    struct leftovers l = {.loop = loop};

    settle(loop);
    report(&l, "struct timer", (int)loop->timer_count);
    report(&l, "struct deferred", count_deferred(loop));
    uv_walk(&loop->uv, close_leftover, &l);
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    if (uv_loop_close(&loop->uv) != 0) {
        /* A thread of the pool still writes to the loop: it must stay. */
        report(&l, "request", 1);
        return l.count;
    }
    free(loop->heap);
    free(loop);
    return l.count;
}

void deferred_init(struct deferred *d, void (*run)(struct deferred *d))
{
    list_init(&d->link);
    d->run = run;
}

void loop_defer(struct loop *loop, struct deferred *d)
{
    if (!list_empty(&d->link))
        return;
    list_push(&loop->deferred, &d->link);
    loop__wake(loop);
}

void loop_undefer(struct deferred *d)
{
    list_remove(&d->link);
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

struct clock *loop_clock(struct loop *loop)
{
    return loop->clock;
}

struct log *loop_log(struct loop *loop)
{
    return loop->log;
}

struct rng *loop_rng(struct loop *loop)
{
    return loop->rng;
}

uint64_t loop_now_ms(struct loop *loop)
{
    return clock_ns(loop->clock) / LOOP_NS_PER_MS;
}
