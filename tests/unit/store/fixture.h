#ifndef MOONLET_TESTS_STORE_FIXTURE_H
#define MOONLET_TESTS_STORE_FIXTURE_H

/*
 * What the tests of this floor share: a folder that is removed afterwards, a
 * loop on a real or virtual clock, and waiting for a flag with a limit.
 * A callback that changes what a test waits for calls loop_stop.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EPOCH_MS INT64_C(1700000000000)

struct world {
    char folder[64];
    struct clock clock;
    struct rng rng;
    struct loop *loop;
};

static inline void world_make_folder(struct world *w)
{
    snprintf(w->folder, sizeof(w->folder), "/tmp/moonlet-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
}

static inline int world_remove_one(const char *path, const struct stat *st,
                                   int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void world_remove_folder(struct world *w)
{
    assert_int_equal(nftw(w->folder, world_remove_one, 8, FTW_DEPTH | FTW_PHYS),
                     0);
}

static inline void world_open_loop(struct world *w, bool virtual)
{
    if (virtual)
        clock_init_virtual(&w->clock, EPOCH_MS);
    else
        clock_init_real(&w->clock);
    rng_seed(&w->rng, 1);
    w->loop = loop_new(&w->clock, NULL, &w->rng);
}

static inline void world_close_loop(struct world *w)
{
    assert_int_equal(loop_free(w->loop), 0);
}

static inline void world_path(const struct world *w, const char *name,
                              char path[128])
{
    snprintf(path, 128, "%s/%s", w->folder, name);
}

static inline void world_late(struct timer *t)
{
    (void)t;
    fail_msg("nothing happened within the limit");
}

/* Runs the loop until *flag, at most 60 s of the loop's clock. */
static inline void world_wait(struct world *w, const bool *flag)
{
    struct timer limit;
    timer_init(&limit, w->loop, world_late);
    timer_start(&limit, 60000);
    while (!*flag)
        loop_run(w->loop);
    timer_stop(&limit);
}

/* Reaps a child that must have ended by SIGKILL. */
static inline void world_await_killed(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

#endif
