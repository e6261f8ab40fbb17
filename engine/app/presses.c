#include "app/presses.h"

#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/inbox.h"

#include <stdlib.h>
#include <string.h>

struct press {
    struct list link;
    int64_t seq;
    int64_t late_ms; /* Unix time */
    size_t len;
    char json[];
};

struct presses {
    struct loop *loop;
    void (*late)(void *arg, const char *json, size_t len);
    void *arg;
    struct list waiting; /* in the order in which they came */
    size_t count;
    struct timer timer;
};

static struct press *first_of(struct presses *p)
{
    return LIST_ENTRY(p->waiting.next, struct press, link);
}

/* The first one, taken off. */
static struct press *shift(struct presses *p)
{
    p->count--;
    return LIST_ENTRY(list_shift(&p->waiting), struct press, link);
}

static void watch(struct presses *p)
{
    timer_stop(&p->timer);
    if (list_empty(&p->waiting))
        return;
    int64_t left = first_of(p)->late_ms - clock_unix_ms(loop_clock(p->loop));
    timer_start(&p->timer, left > 0 ? (uint64_t)left : 0);
}

static void fire(struct timer *timer)
{
    struct presses *p = LIST_ENTRY(timer, struct presses, timer);
    int64_t now_ms = clock_unix_ms(loop_clock(p->loop));
    while (!list_empty(&p->waiting) && first_of(p)->late_ms <= now_ms) {
        struct press *press = shift(p);
        p->late(p->arg, press->json, press->len);
        free(press);
    }
    watch(p);
}

struct presses *
presses_new(struct loop *loop,
            void (*late)(void *arg, const char *json, size_t len), void *arg)
{
    struct presses *p = MEM_NEW(struct presses);
    p->loop = loop;
    p->late = late;
    p->arg = arg;
    list_init(&p->waiting);
    timer_init(&p->timer, loop, fire);
    return p;
}

/* An old one that a restart finds gets no answer: its time is over. */
void presses_wait(struct presses *p, const struct inbox_entry *entry)
{
    const struct jslice update = {entry->body, entry->body_len};
    int64_t late_ms = entry->received_ms + PRESSES_LATE_MS;
    if (p->count >= PRESSES_MAX ||
        late_ms < clock_unix_ms(loop_clock(p->loop)) ||
        js_type(js_get(update, "callback_query")) != JS_OBJECT)
        return;
    struct press *press = mem_alloc(sizeof *press + entry->body_len);
    press->seq = entry->seq;
    press->late_ms = late_ms;
    press->len = entry->body_len;
    memcpy(press->json, entry->body, entry->body_len);
    list_push(&p->waiting, &press->link);
    if (p->count++ == 0)
        watch(p);
}

void presses_begun(struct presses *p, const struct inbox_entry *entry)
{
    for (struct list *l = p->waiting.next; l != &p->waiting; l = l->next) {
        struct press *press = LIST_ENTRY(l, struct press, link);
        if (press->seq == entry->seq) {
            list_remove(l);
            p->count--;
            free(press);
            return;
        }
    }
}

void presses_free(struct presses *p)
{
    timer_stop(&p->timer);
    while (!list_empty(&p->waiting))
        free(shift(p));
    free(p);
}
