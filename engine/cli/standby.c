#include "cli/standby.h"

#include "base/list.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/datadir.h"

struct standby {
    struct timer timer;
    struct datadir *dir;
    const char *path;
    struct err *error;
    bool tried; /* for the last time: *error tells how it ended */
};

/* With jitter: of two that wait, neither always comes first. */
static void start_timer(struct standby *s)
{
    uint64_t half = STANDBY_TRY_MS / 2;
    timer_start(&s->timer, half + rng_below(loop_rng(s->timer.loop), half));
}

static void try_lock(struct timer *timer)
{
    struct standby *s = LIST_ENTRY(timer, struct standby, timer);
    if (datadir_open(s->dir, s->path, s->error) == ERR_MISUSE) {
        start_timer(s);
        return;
    }
    s->tried = true;
    loop_stop(timer->loop);
}

int standby_wait(struct loop *loop, struct datadir *d, const char *path,
                 struct err *e)
{
    struct standby s = {.dir = d, .path = path, .error = e};
    timer_init(&s.timer, loop, try_lock);
    start_timer(&s);
    loop_run(loop);
    timer_stop(&s.timer);
    if (s.tried)
        return d->path ? 0 : e->code;
    e->code = ERR_OK;
    return -1;
}
