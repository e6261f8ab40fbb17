#ifndef MOONLET_STORE_SEEN_SQL_H
#define MOONLET_STORE_SEEN_SQL_H

/*
 * The ids of updates that came before, in the inbox's file: a set kept for
 * INBOX_SEEN_DAYS, but not more than about the newest INBOX_SEEN_MAX. The
 * order of ids tells nothing about their age, so the set is counted in steps
 * of a hundredth of that maximum, each with the time at which it began: what
 * is older than the hundredth step before is forgotten. Runs on the writer's
 * thread within the caller's transaction; a rollback makes the count a little
 * too high, which does no harm. For the inbox alone.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite_writer;

extern const char seen_schema[]; /* from version 2 to 3 */

/* Of one inbox. */
struct seen {
    int64_t max;
    int64_t step;     /* the number of the current one */
    int64_t began_ms; /* when it did */
    int64_t ids;      /* that it has taken in */
    int64_t written;  /* of these, what the file tells */
    int64_t floor_ms; /* what came earlier is too much */
    int64_t sweep;    /* ids up to here were looked at */
    size_t unswept;   /* ids that came in since */
};

/* Reads where the file stands. */
int seen_load(struct seen *seen, struct sqlite_writer *w, int64_t max,
              struct err *e);

/* Adds the id; *is_new false: it is in the set. */
int seen_note(struct seen *seen, struct sqlite_writer *w, int64_t update_id,
              int64_t now_ms, bool *is_new, struct err *e);

/* After n ids were noted: forgets some that are too old or too many. */
int seen_sweep(struct seen *seen, struct sqlite_writer *w, size_t n,
               int64_t now_ms, struct err *e);

#endif
