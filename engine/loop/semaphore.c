#include "loop/semaphore.h"

void semaphore_init(struct semaphore *s, size_t places, size_t waiting_max)
{
    s->free = places;
    s->waiting = 0;
    s->waiting_max = waiting_max;
    list_init(&s->waiters);
}

enum semaphore_answer semaphore_take(struct semaphore *s,
                                     struct semaphore_waiter *w)
{
    list_init(&w->link);
    if (s->free > 0) {
        s->free--;
        return SEMAPHORE_TAKEN;
    }
    if (s->waiting == s->waiting_max)
        return SEMAPHORE_FULL;
    s->waiting++;
    list_push(&s->waiters, &w->link);
    return SEMAPHORE_WAITS;
}

void semaphore_leave(struct semaphore *s, struct semaphore_waiter *w)
{
    s->waiting--;
    list_remove(&w->link);
}

void semaphore_release(struct semaphore *s)
{
    struct list *first = list_shift(&s->waiters);
    if (!first) {
        s->free++;
        return;
    }
    s->waiting--;
    struct semaphore_waiter *w =
        LIST_ENTRY(first, struct semaphore_waiter, link);
    w->granted(w);
}
