#ifndef MOONLET_TESTS_LOOP_FIXTURE_H
#define MOONLET_TESTS_LOOP_FIXTURE_H

/*
 * A loop on either clock whose log goes to a file in memory. Every test ends
 * with world_close, which fails on a handle, timer or job that is left.
 */

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A loop that waits forever is the failure that these tests look for. */
#define FIXTURE_SECONDS 120u

#define FIXTURE_RUN(tests)                                                     \
    (alarm(FIXTURE_SECONDS), cmocka_run_group_tests((tests), NULL, NULL))

struct world {
    struct clock clock;
    struct rng rng;
    struct log *log;
    int log_fd;
    struct loop *loop;
};

static inline void world_open(struct world *w, bool is_virtual)
{
    if (is_virtual)
        clock_init_virtual(&w->clock, 1700000000000);
    else
        clock_init_real(&w->clock);
    rng_seed(&w->rng, 1);
    w->log_fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(w->log_fd >= 0);
    w->log = log_new(w->log_fd, LOG_DEBUG, LOG_TEXT, &w->clock);
    w->loop = loop_new(&w->clock, w->log, &w->rng);
}

/* How often a text stands in the log. */
static inline int world_logged(const struct world *w, const char *text)
{
    static char buf[1 << 16];
    ssize_t n = pread(w->log_fd, buf, sizeof(buf) - 1, 0);
    int count = 0;

    assert_true(n >= 0);
    buf[n] = '\0';
    for (const char *p = buf; (p = strstr(p, text)) != NULL; p++)
        count++;
    return count;
}

static inline void world_free(struct world *w)
{
    log_free(w->log);
    close(w->log_fd);
}

static inline void world_close(struct world *w)
{
    assert_int_equal(loop_free(w->loop), 0);
    assert_int_equal(world_logged(w, "loop.leftover"), 0);
    world_free(w);
}

#endif
