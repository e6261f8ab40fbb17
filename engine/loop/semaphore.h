#ifndef MOONLET_LOOP_SEMAPHORE_H
#define MOONLET_LOOP_SEMAPHORE_H

/*
 * A bounded number of places, and those who wait for one, first come first
 * served, as many as the bound says. For the loop thread alone; it holds no
 * memory of its own.
 */

#include "base/list.h"

#include <stddef.h>

struct semaphore {
    size_t free; /* places */
    size_t waiting;
    size_t waiting_max;
    struct list waiters;
};

/* Embedded in what waits, which may not be freed meanwhile. */
struct semaphore_waiter {
    struct list link;
    void (*granted)(struct semaphore_waiter *w); /* it has a place now */
};

enum semaphore_answer {
    SEMAPHORE_TAKEN, /* it has a place; granted is not called */
    SEMAPHORE_WAITS,
    SEMAPHORE_FULL /* too many wait: it is not among them */
};

void semaphore_init(struct semaphore *s, size_t places, size_t waiting_max);

enum semaphore_answer semaphore_take(struct semaphore *s,
                                     struct semaphore_waiter *w);

/* A waiter goes away. It may not have a place. */
void semaphore_leave(struct semaphore *s, struct semaphore_waiter *w);

/* Gives a place back. The first waiter gets it, and its granted runs from
 * within this call. */
void semaphore_release(struct semaphore *s);

#endif
