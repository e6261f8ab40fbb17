#ifndef MOONLET_SIM_CALLS_H
#define MOONLET_SIM_CALLS_H

/*
 * The API calls received, in the order in which they ended: a bounded ring
 * of finished JSON rows (/sim/calls). Of getUpdates only the ids are kept as
 * result, and empty ones in a row are one row with a count.
 */

#include "sim/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLS_MAX 10000
#define CALLS_BYTES_MAX (64u * 1024 * 1024)

struct buf;
struct call;
struct sim;

struct calls {
    struct text *ring[CALLS_MAX]; /* row n at n % CALLS_MAX */
    int64_t first;
    int64_t next; /* n of the next row, from 1 */
    size_t bytes;
    bool last_empty; /* the last row is an empty getUpdates */
    int64_t repeated;
};

void calls_init(struct calls *c);
void calls_free(struct calls *c);

/* Adds the row of a call that has ended. */
void calls_record(struct sim *sim, const struct call *call);
/* Appends a JSON array of the rows with n > since, of one bot (0: of all). */
void calls_list(const struct calls *c, int64_t since, int64_t bot,
                struct buf *out);

#endif
