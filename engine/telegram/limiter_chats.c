#include "telegram/limiter_internal.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define SLOW_WINDOW_US (10 * SECOND_US) /* at least */
#define RECOVER_US (10 * SECOND_US)     /* one message a second more */
#define SWEEP_MS 5000
#define SWEEP_AT_ONCE 2000
#define SWEEP_AGAIN_MS 100
#define SHOWN_MAX 5 /* blocked chats in the status */
#define KEY_MAX 80

int64_t limiter__now_us(const struct limiter *l)
{
    return (int64_t)(clock_ns(loop_clock(l->loop)) / 1000);
}

/* --- chats */

static struct limiter_chat *new_chat(struct limiter *l, const char *key)
{
    struct limiter_chat *c = MEM_NEW(struct limiter_chat);
    c->limiter = l;
    c->key = mem_strdup(key);
    c->id = ++l->last_id;
    for (int i = 0; i < LIMITER_CLASSES; i++) {
        list_init(&c->queue[i]);
        list_init(&c->due[i]);
    }
    timer_init(&c->timer, l->loop, limiter__run_chat);
    list_init(&c->link);
    return c;
}

static void free_chat(struct limiter_chat *c)
{
    timer_stop(&c->timer);
    list_remove(&c->link);
    for (int i = 0; i < LIMITER_CLASSES; i++)
        list_remove(&c->due[i]);
    pace_free(&c->pace);
    free(c->key);
    free(c);
}

static struct limiter_chat *crowd(struct limiter *l)
{
    if (l->crowd)
        return l->crowd;
    l->crowd = new_chat(l, "*");
    LOG_AT(loop_log(l->loop), LOG_WARN, "limiter.crowded",
           LOG_I("chats", (int64_t)l->by_key.count));
    return l->crowd;
}

/* A method's key begins with a slash, which no chat's does. */
static size_t key_of(struct limiter *l, const struct limiter_ask *a,
                     char key[KEY_MAX])
{
    const char *mark = *a->chat ? "" : "/";
    const char *text = *a->chat ? limiter__id_of(l, a->chat) : a->method;
    int n = snprintf(key, KEY_MAX, "%s%s", mark, text);
    return n < KEY_MAX ? (size_t)n : KEY_MAX - 1;
}

struct limiter_chat *limiter__chat(struct limiter *l,
                                   const struct limiter_ask *a)
{
    char key[KEY_MAX];
    size_t len = key_of(l, a, key);
    struct limiter_chat *c = map_get(&l->by_key, key, len);
    if (c)
        return c->same ? c->same : c;
    if (l->by_key.count >= l->chats_max)
        return crowd(l);
    c = new_chat(l, key);
    c->pace.chat = *a->chat != '\0';
    c->pace.group = *key == '-' || *key == '@';
    map_put(&l->by_key, key, len, c);
    list_push(&l->chats, &c->link);
    if (!timer_active(&l->sweep))
        timer_start(&l->sweep, SWEEP_MS);
    return c;
}

/* Looks at some chats and forgets those that hold nothing. */
void limiter__sweep(struct timer *timer)
{
    struct limiter *l = LIST_ENTRY(timer, struct limiter, sweep);
    int64_t now = limiter__now_us(l);
    size_t looks = l->by_key.count;
    bool more = looks > SWEEP_AT_ONCE;
    struct list *link;

    if (more)
        looks = SWEEP_AT_ONCE;
    while (looks-- > 0 && (link = list_shift(&l->chats))) {
        struct limiter_chat *c = LIST_ENTRY(link, struct limiter_chat, link);
        if (c->in_use > 0 || !pace_idle(&c->pace, now)) {
            list_push(&l->chats, link);
            continue;
        }
        map_remove(&l->by_key, c->key, strlen(c->key));
        if (c->same)
            c->same->in_use--;
        free_chat(c);
    }
    if (l->by_key.count > 0)
        timer_start(&l->sweep, more ? SWEEP_AGAIN_MS : SWEEP_MS);
}

void limiter__chats_free(struct limiter *l)
{
    struct list *link;
    while ((link = list_shift(&l->chats)))
        free_chat(LIST_ENTRY(link, struct limiter_chat, link));
    if (l->crowd)
        free_chat(l->crowd);
    map_free(&l->by_key);
    limiter__names_free(l);
}

/* --- what several 429s say of the whole bot */

double limiter__rate(struct limiter *l, int64_t now_us)
{
    int64_t clean =
        l->clean_us > l->bulk_blocked_us ? l->clean_us : l->bulk_blocked_us;
    if (l->rate >= l->rate_max || now_us < clean + RECOVER_US)
        return l->rate;
    int64_t steps = (now_us - clean) / RECOVER_US;
    l->clean_us = clean + steps * RECOVER_US;
    l->rate += (double)steps;
    if (l->rate > l->rate_max)
        l->rate = l->rate_max;
    return l->rate;
}

static void stop_bulk(struct limiter *l, int64_t now, int64_t us)
{
    bool anew = now >= l->bulk_blocked_us;
    if (now + us > l->bulk_blocked_us) {
        l->bulk_blocked_us = now + us;
        l->bulk_put_off = true;
        loop_defer(l->loop, &l->serve);
    }
    /* Calls that were on their way together are one sign. */
    if (!anew)
        return;
    l->rate = l->rate / 2;
    if (l->rate < 1)
        l->rate = l->rate_max < 1 ? l->rate_max : 1;
    LOG_AT(loop_log(l->loop), LOG_WARN, "limiter.slowed",
           LOG_D("rate", l->rate), LOG_I("wait_ms", us / 1000));
}

void limiter__slow(struct limiter *l, const struct limiter_chat *c, int64_t us)
{
    int64_t now = limiter__now_us(l);
    int64_t window = us > SLOW_WINDOW_US ? us : SLOW_WINDOW_US;
    if (!c->pace.chat)
        return;
    limiter__rate(l, now);
    if (l->told_id != 0 && l->told_id != c->id && now < l->told_until_us)
        stop_bulk(l, now, us);
    l->clean_us = now;
    l->told_id = c->id;
    if (now + window > l->told_until_us)
        l->told_until_us = now + window;
}

/* --- status */

struct blocked {
    size_t count;
    const struct limiter_chat *soonest[SHOWN_MAX];
};

static void note_blocked(struct blocked *b, const struct limiter_chat *c)
{
    b->count++;
    for (size_t i = 0; i < SHOWN_MAX; i++) {
        const struct limiter_chat *other = b->soonest[i];
        if (other && other->pace.blocked_us <= c->pace.blocked_us)
            continue;
        b->soonest[i] = c;
        c = other;
        if (!c)
            return;
    }
}

static double unix_s(const struct limiter *l, int64_t us, int64_t now)
{
    int64_t ms = clock_unix_ms(loop_clock(l->loop)) + (us - now + 999) / 1000;
    return us <= now ? 0 : (double)ms / 1000;
}

static void put_blocked(const struct limiter *l, struct buf *b, int64_t now)
{
    struct blocked found = {0};
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_each(&l->by_key, &cursor))) {
        const struct limiter_chat *c = slot->value;
        if (c->pace.blocked_us > now)
            note_blocked(&found, c);
    }
    buf_printf(b, "\"blocked\":%zu,\"blocked_soonest\":[", found.count);
    for (size_t i = 0; i < SHOWN_MAX && found.soonest[i]; i++) {
        const struct limiter_chat *c = found.soonest[i];
        buf_puts(b, i > 0 ? ",{\"chat\":" : "{\"chat\":");
        js_put_string(b, c->key, strlen(c->key));
        buf_printf(b, ",\"until\":%.3f}", unix_s(l, c->pace.blocked_us, now));
    }
    buf_putc(b, ']');
}

void limiter_put(struct limiter *l, struct buf *b)
{
    int64_t now = limiter__now_us(l);
    buf_printf(b,
               "\"bulk_rate\":%g,\"bulk_blocked_until\":%.3f,"
               "\"waiting\":{\"reply\":%zu,\"job\":%zu,\"broadcast\":%zu},"
               "\"in_flight\":%zu,\"transfers\":%zu,\"chats\":%zu,",
               limiter__rate(l, now), unix_s(l, l->bulk_blocked_us, now),
               l->waiting[LIMITER_REPLY], l->waiting[LIMITER_JOB],
               l->waiting[LIMITER_BROADCAST], l->active, l->transfers,
               l->by_key.count);
    put_blocked(l, b, now);
}
