#ifndef MOONLET_TELEGRAM_TALLY_H
#define MOONLET_TELEGRAM_TALLY_H

/*
 * Counts by method and reason since the start. Methods that the tables do not
 * know are one, "other", so the number of rows is bounded by them.
 */

#include <stddef.h>
#include <stdint.h>

struct buf;

struct tally_row {
    const char *method; /* static */
    const char *reason; /* static */
    int64_t count;
};

struct tally { /* zeroed: nothing was counted */
    struct tally_row *rows;
    size_t len;
    size_t cap;
};

/* `reason` is a constant text. */
void tally_add(struct tally *t, const char *method, const char *reason);
int64_t tally_sum(const struct tally *t);
/* Appends [{"method":…,"reason":…,"count":…}]. */
void tally_put(const struct tally *t, struct buf *b);
void tally_free(struct tally *t);

#endif
