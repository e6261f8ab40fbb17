#include "loop/work.h"

#include "loop/loop_internal.h"

static void on_pool(uv_work_t *req)
{
    struct work *w = LIST_ENTRY(req, struct work, req);
    w->run(w);
}

static void on_pool_done(uv_work_t *req, int status)
{
    struct work *w = LIST_ENTRY(req, struct work, req);
    (void)status; /* nothing cancels it */
    loop_unhold(w->loop);
    w->done(w);
}

static void on_turn(struct deferred *d)
{
    struct work *w = LIST_ENTRY(d, struct work, inline_run);
    w->run(w);
    w->done(w);
}

void work_start(struct work *w, struct loop *loop, void (*run)(struct work *w),
                void (*done)(struct work *w))
{
    w->loop = loop;
    w->run = run;
    w->done = done;
    if (loop->clock->is_virtual) {
        deferred_init(&w->inline_run, on_turn);
        loop_defer(loop, &w->inline_run);
        return;
    }
    loop__require(loop,
                  uv_queue_work(&loop->uv, &w->req, on_pool, on_pool_done),
                  "uv_queue_work");
    loop_hold(loop);
}

bool work_revoke(struct work *w)
{
    if (!w->loop->clock->is_virtual)
        return false;
    loop_undefer(&w->inline_run);
    return true;
}
