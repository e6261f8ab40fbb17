#ifndef MOONLET_SIM_SPOOL_H
#define MOONLET_SIM_SPOOL_H

/*
 * One unlinked file in $TMPDIR, cut into slots that each hold the content of
 * one file as far apart as the largest may be: sparse, so that a slot takes
 * only the room of what was written to it, and one descriptor serves them
 * all.
 */

#include "base/buf.h"
#include "loop/work.h"

#include <stdbool.h>
#include <stdint.h>

#define SPOOL_SLOTS 2000
#define SPOOL_SLOT_BYTES (INT64_C(4096) * 1024 * 1024)

struct spool;

struct spool *spool_new(struct loop *loop);
/* It goes when the last slot has been given back. */
void spool_close(struct spool *s);

/* A slot that reads as zeros, or -1: all are taken, or there is no file, and
 * then errno says why. */
int spool_take(struct spool *s);
/* Gives the slot's room back, on the pool; it is free afterwards. */
void spool_give(struct spool *s, int slot);
/* So many bytes of the slot can be read, written or not. False: errno. */
bool spool_extend(struct spool *s, int slot, uint64_t size);
/* A descriptor of the file, for the caller to close; -1 and errno. */
int spool_open(const struct spool *s);
uint64_t spool_offset(int slot);

struct spool_write {
    struct work work;
    struct spool *spool;
    int slot;
    uint64_t offset; /* in the slot */
    struct buf data;
    int error; /* errno, or 0 */
    void (*done)(struct spool_write *w);
};

/* Writes w->data on the pool; the caller keeps w until done. */
void spool_write(struct spool *s, struct spool_write *w);

#endif
