#ifndef MOONLET_APP_SHELF_H
#define MOONLET_APP_SHELF_H

/*
 * The updates of one lane that wait in the file alone: their numbers, first
 * in, first out, 8 bytes each. INBOX_LIMIT bounds them. `struct shelf s = {0}`
 * is an empty one.
 */

#include <stddef.h>
#include <stdint.h>

struct shelf {
    int64_t *seqs; /* a ring */
    size_t cap;    /* 0 or a power of two */
    size_t first;
    size_t count;
};

void shelf_put(struct shelf *s, int64_t seq);
/* Takes at most n of the oldest; returns how many. */
size_t shelf_take(struct shelf *s, int64_t *seqs, size_t n);
void shelf_free(struct shelf *s);

#endif
