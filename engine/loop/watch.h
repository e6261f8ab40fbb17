#ifndef MOONLET_LOOP_WATCH_H
#define MOONLET_LOOP_WATCH_H

/*
 * Tells when what scripts are made of has changed below a folder: files whose
 * names end in .lua, .json or .sql, and folders. Folders are watched, not
 * files, because editors save by rename; changes are gathered until quiet_ms
 * passed without another one, but for no more than ten times that. Hidden
 * names (.x) and names ending in ~ are ignored, links to folders are not
 * followed, and folders beyond 1,000 are named in the log instead. A folder
 * that vanishes as a whole is no change; its return is one.
 */

#include "base/err.h"

#include <stdint.h>

struct loop;
struct watch;

/* `except` is left out with all below it, if it is below the folder (NULL:
 * nothing is). NULL and *e on failure. Owned by the caller. */
struct watch *watch_new(struct loop *loop, const char *folder,
                        const char *except, uint64_t quiet_ms,
                        void (*changed)(void *arg), void *arg, struct err *e);
void watch_free(struct watch *w); /* no callback afterwards */

#endif
