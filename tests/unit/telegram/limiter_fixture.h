#ifndef MOONLET_TESTS_TELEGRAM_LIMITER_FIXTURE_H
#define MOONLET_TESTS_TELEGRAM_LIMITER_FIXTURE_H

/* A limiter on a virtual clock, and asks that note when their turn came. */

#include "../loop/fixture.h"
#include "base/buf.h"
#include "base/mem.h"
#include "telegram/limiter.h"

#include <stdlib.h>

#define NOT_YET (-1)
#define REFUSED (-2)

struct turn {
    struct limiter_ask ask;
    int64_t at_ms; /* since the start, or one of the above */
    struct err err;
    bool holds; /* its connection, until the test ends it */
};

static struct world w;
static struct limiter *l;
static uint64_t start_ns;

static inline int64_t now_ms(void)
{
    return (int64_t)(clock_ns(&w.clock) - start_ns) / 1000000;
}

static inline void came(struct turn *t, const struct err *e)
{
    if (e)
        t->err = *e;
    t->at_ms = e ? REFUSED : now_ms();
    if (!e && !t->holds)
        limiter_end(l, &t->ask);
}

static inline void on_turn(struct limiter_ask *a, const struct err *e)
{
    came(LIST_ENTRY(a, struct turn, ask), e);
}

/* Asks again, as a repeat does. */
static inline void ask_again(struct turn *t)
{
    struct err e;
    t->at_ms = NOT_YET;
    switch (limiter_ask(l, &t->ask, &e)) {
    case LIMITER_GO:
        came(t, NULL);
        break;
    case LIMITER_WAIT:
        break;
    case LIMITER_REFUSED:
        came(t, &e);
        break;
    }
}

static inline struct limiter_ask ask_of(const char *chat,
                                        enum limiter_class class)
{
    return (struct limiter_ask){.chat = chat,
                                .method = "sendMessage",
                                .class = class,
                                .messages = 1,
                                .turn = on_turn};
}

static inline void ask(struct turn *t, const char *chat,
                       enum limiter_class class)
{
    *t = (struct turn){.ask = ask_of(chat, class)};
    ask_again(t);
}

static inline void run_to(int64_t ms)
{
    uint64_t until = start_ns + (uint64_t)ms * 1000000;
    while (loop_step(w.loop, until))
        continue;
}

/* A 429 for a call that goes out now. */
static inline void refuse(const char *chat, enum limiter_class class,
                          double seconds)
{
    struct turn t = {.ask = ask_of(chat, class), .holds = true};
    ask_again(&t);
    assert_true(t.at_ms >= 0);
    limiter_end(l, &t.ask);
    limiter_told(l, &t.ask, seconds);
}

static inline void open_with(const struct limiter_options *o)
{
    world_open(&w, true);
    start_ns = clock_ns(&w.clock);
    l = limiter_new(w.loop, o);
}

static inline int open_limiter(void **state)
{
    const struct limiter_options o = {0};
    (void)state;
    open_with(&o);
    return 0;
}

static inline int close_limiter(void **state)
{
    (void)state;
    limiter_free(l);
    world_close(&w);
    return 0;
}

static inline bool status_has(const char *text)
{
    struct buf b = {0};
    limiter_put(l, &b);
    bool found = strstr(b.data, text) != NULL;
    if (!found)
        print_message("%s\n", b.data);
    buf_free(&b);
    return found;
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_limiter, close_limiter)

#endif
