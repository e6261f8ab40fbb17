#ifndef MOONLET_TESTS_BENCH_SCRIPT_HOST_H
#define MOONLET_TESTS_BENCH_SCRIPT_HOST_H

/*
 * A loop and what scripts need to run on it, with the bindings and the
 * library of the program, but without Telegram and without an inbox.
 */

#include "base/clock.h"
#include "base/rng.h"
#include "bindings/bindings.h"
#include "vm/generation.h"

#include <stdbool.h>

struct limits;
struct log;
struct loop;

struct script_host {
    struct clock clock;
    struct rng rng;
    struct log *log;
    struct loop *loop;
    struct limits *limits;
    struct vm_source *library;
    struct services services;
    struct vm_host host;
};

/* False, with the reason on stderr, if the system refuses something. */
bool script_host_open(struct script_host *h, const char *scripts_dir);
/* Every generation is closed. The exit code of the program. */
int script_host_close(struct script_host *h);

/* The sentence on stderr that says why scripts do not load. */
void script_host_complain(struct script_error *e);

#endif
