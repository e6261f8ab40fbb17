#ifndef MOONLET_TESTS_BENCH_COST_H
#define MOONLET_TESTS_BENCH_COST_H

/* What a reference program used between two moments, all threads together,
 * printed as the line of JSON that `run` reads. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

struct cost {
    int64_t user, system, wall; /* nanoseconds */
};

static inline int64_t cost_of_timeval(struct timeval t)
{
    return ((int64_t)t.tv_sec * 1000000 + t.tv_usec) * 1000;
}

static inline struct cost cost_now(void)
{
    struct rusage r;
    struct timespec t;
    getrusage(RUSAGE_SELF, &r);
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct cost){
        .user = cost_of_timeval(r.ru_utime),
        .system = cost_of_timeval(r.ru_stime),
        .wall = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec,
    };
}

static inline void cost_print(struct cost from, int64_t count)
{
    struct cost to = cost_now();
    printf("{\"count\":%" PRId64 ",\"user_ns\":%" PRId64
           ",\"system_ns\":%" PRId64 ",\"wall_ns\":%" PRId64 "}\n",
           count, to.user - from.user, to.system - from.system,
           to.wall - from.wall);
}

#endif
