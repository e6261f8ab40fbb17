#ifndef MOONLET_APP_PRESSES_H
#define MOONLET_APP_PRESSES_H

/*
 * Button presses that wait behind other updates of their lane. Clients give
 * up on an answer after 10 to 15 seconds, whatever the lane is busy with: who
 * still waits PRESSES_LATE_MS after it came is told of, once, so that it can be
 * answered outside of the lane. At most PRESSES_MAX are watched; others are
 * answered when their handler runs. Loop thread only.
 */

#include <stddef.h>
#include <stdint.h>

#define PRESSES_LATE_MS 5000
#define PRESSES_MAX 1000

struct inbox_entry;
struct loop;
struct presses;

/* late: the update as JSON, borrowed for the call. */
struct presses *
presses_new(struct loop *loop,
            void (*late)(void *arg, const char *json, size_t len), void *arg);

/* The entry has come and cannot start; nothing if it is no press. Copies. */
void presses_wait(struct presses *p, const struct inbox_entry *entry);
/* Its handler begins. */
void presses_begun(struct presses *p, const struct inbox_entry *entry);

void presses_free(struct presses *p);

#endif
