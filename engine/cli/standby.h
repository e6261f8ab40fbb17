#ifndef MOONLET_CLI_STANDBY_H
#define MOONLET_CLI_STANDBY_H

/*
 * The wait of a second engine for the DATA_DIR of the first: the lock is
 * tried about once a second, so the loop serves HTTP meanwhile and a death of
 * the holder, however it came, is noticed within STANDBY_TRY_MS.
 */

#include "base/err.h"

#define STANDBY_TRY_MS 1000 /* at most, between two tries */

struct datadir;
struct loop;

/* Runs the loop until the folder is ours (0, *d is open), opening it fails for
 * another reason than its holder (*e), or loop_stop is called from outside
 * (not 0, e->code ERR_OK). */
int standby_wait(struct loop *loop, struct datadir *d, const char *path,
                 struct err *e);

#endif
