#ifndef MOONLET_STORE_DATADIR_H
#define MOONLET_STORE_DATADIR_H

/*
 * The folder that one engine owns: made if missing (mode 0700), locked while
 * the engine lives. The lock dies with the process.
 */

#include "base/err.h"

struct datadir {
    char *path;  /* absolute; owned */
    int lock_fd; /* -1: not held */
};

/* ERR_MISUSE naming the holder's pid if another process has the lock. */
int datadir_open(struct datadir *d, const char *path, struct err *e);
void datadir_close(struct datadir *d);
char *datadir_file(const struct datadir *d, const char *name); /* owned */

#endif
