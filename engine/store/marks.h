#ifndef MOONLET_STORE_MARKS_H
#define MOONLET_STORE_MARKS_H

/*
 * Which inbox entries have a handler that may have begun, and whose code is
 * on the loop right now: a small file mapped into memory. A store into the
 * map survives kill -9 without any system call; after a power cut (another
 * boot id) the file proves nothing and every entry counts as begun.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define MARKS_MAX 2048 /* entries begun at the same time */

struct marks;

struct marks *marks_open(const char *path, struct err *e);
void marks_close(struct marks *m);

/* What the process before us left: had entry seq begun? Answers from a copy
 * taken at open, so it does not change while we run. */
bool marks_had_begun(const struct marks *m, int64_t seq);
int64_t marks_was_on_loop(const struct marks *m); /* 0: none, not known */

/* Empties the file, once what it told is kept elsewhere. Nothing can begin
 * before. */
void marks_reset(struct marks *m);

/* Returns the slot to end with, or -1 if MARKS_MAX are taken. */
int marks_begin(struct marks *m, int64_t seq);
void marks_end(struct marks *m, int slot);

/* Names the entry whose code is being resumed; 0: none. One store. */
void marks_on_loop(struct marks *m, int64_t seq);

#endif
