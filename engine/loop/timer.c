#include "loop/timer.h"

#include "base/mem.h"
#include "loop/loop_internal.h"

#define TIMER_NS_PER_MS 1000000u
#define TIMER_FIRST_ROOM 64u

static bool before(const struct timer *a, const struct timer *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns < b->deadline_ns;
    return a->order < b->order;
}

static void put(struct loop *loop, uint32_t at, struct timer *t)
{
    loop->heap[at] = t;
    t->place = at + 1;
}

static void sift_up(struct loop *loop, uint32_t at, struct timer *t)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!before(t, loop->heap[parent]))
            break;
        put(loop, at, loop->heap[parent]);
        at = parent;
    }
    put(loop, at, t);
}

static void sift_down(struct loop *loop, uint32_t at, struct timer *t)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= loop->timer_count)
            break;
        if (child + 1 < loop->timer_count &&
            before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!before(loop->heap[child], t))
            break;
        put(loop, at, loop->heap[child]);
        at = child;
    }
    put(loop, at, t);
}

static void make_room(struct loop *loop)
{
    uint32_t room = loop->timer_room;

    if (loop->timer_count < room)
        return;
    room = room ? room * 2 : TIMER_FIRST_ROOM;
    loop->heap = mem_grow(loop->heap, room, sizeof(struct timer *));
    loop->timer_room = room;
}

static uint64_t deadline_in(const struct loop *loop, uint64_t ms)
{
    uint64_t now = clock_ns(loop->clock);

    if (ms > (UINT64_MAX - now) / TIMER_NS_PER_MS)
        return UINT64_MAX;
    return now + ms * TIMER_NS_PER_MS;
}

void timer_init(struct timer *t, struct loop *loop,
                void (*fire)(struct timer *t))
{
    *t = (struct timer){.loop = loop, .fire = fire};
}

void timer_start(struct timer *t, uint64_t ms)
{
    struct loop *loop = t->loop;

    timer_stop(t);
    make_room(loop);
    t->deadline_ns = deadline_in(loop, ms);
    t->order = loop->timer_order++;
    sift_up(loop, loop->timer_count++, t);
    /* The wait of a turn was chosen for the timer that was first then. */
    if (t->place == 1)
        loop__wake(loop);
}

void timer_stop(struct timer *t)
{
    struct loop *loop = t->loop;
    uint32_t at = t->place - 1;
    struct timer *last;

    if (t->place == 0)
        return;
    t->place = 0;
    last = loop->heap[--loop->timer_count];
    if (last == t)
        return;
    if (at > 0 && before(last, loop->heap[(at - 1) / 2]))
        sift_up(loop, at, last);
    else
        sift_down(loop, at, last);
}

bool timer_active(const struct timer *t)
{
    return t->place != 0;
}

/* The heap itself is the list of what is left to run, so a callback may stop
 * or start any timer. One that it starts is due now at the earliest and has
 * a later order: all older ones come first, then the loop below ends. */
void loop__timers_fire(struct loop *loop)
{
    uint64_t now, limit = loop->timer_order;

    if (loop->timer_count == 0)
        return;
    now = clock_ns(loop->clock);
    while (loop->timer_count > 0) {
        struct timer *t = loop->heap[0];
        if (t->deadline_ns > now || t->order >= limit)
            break;
        timer_stop(t);
        t->fire(t);
    }
}

bool loop__timer_next(const struct loop *loop, uint64_t *deadline_ns)
{
    if (loop->timer_count == 0)
        return false;
    *deadline_ns = loop->heap[0]->deadline_ns;
    return true;
}
