#ifndef MOONLET_CLI_SWEEPER_H
#define MOONLET_CLI_SWEEPER_H

/*
 * A folder that goes with its process, whatever that dies of: a process of
 * its own waits for the death and removes the folder then. It heeds no signal
 * of the terminal and holds no file but its end of a pipe.
 */

#include "base/err.h"

#include <sys/types.h>

struct sweeper {
    pid_t pid;
    int pipe; /* closed by whatever ends this process */
};

/* 0, or *e. Call it before the process has threads. */
int sweeper_start(struct sweeper *s, const char *folder, struct err *e);

/* The folder is gone when this returns. */
void sweeper_end(struct sweeper *s);

#endif
