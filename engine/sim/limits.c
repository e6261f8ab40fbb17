#include "sim/limits.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)

static const struct limit_rates defaults = {
    .per_second = 30, .per_chat = 1, .per_group_minute = 20, .latent = true};

void limits_chat_free(struct limit_chat *c)
{
    free(c->sent);
    c->sent = NULL;
}

const struct limit_rates *limits_rates(const struct limits *l)
{
    return l->chosen ? &l->rates : &defaults;
}

void limits_set(struct limits *l, const struct limit_rates *rates)
{
    l->chosen = true;
    l->rates = *rates;
    l->epoch++;
}

static void renew_gate(struct limit_gate *g, unsigned epoch)
{
    if (g->epoch != epoch)
        *g = (struct limit_gate){.epoch = epoch};
}

static void renew_chat(const struct limits *l, struct limit_chat *c)
{
    size_t cap = (size_t)limits_rates(l)->per_group_minute;
    bool stale = c->gate.epoch != l->epoch;
    renew_gate(&c->gate, l->epoch);
    if (!stale && c->cap == cap)
        return;
    free(c->sent);
    c->sent = cap > 0 ? mem_zero(cap, sizeof(*c->sent)) : NULL;
    for (size_t i = 0; i < cap; i++)
        c->sent[i] = -MINUTE_US;
    c->cap = cap;
    c->at = 0;
    /* Those that wait already are still to come first. */
    c->last_us = c->unsent > 0 ? c->last_us : 0;
}

/* A bucket fills by one in `step` and holds `burst`; step 0: any number. */
struct bucket {
    struct limit_gate *gate;
    int64_t step;
    int64_t burst;
};

static struct bucket bucket_of(struct limit_gate *gate, double rate,
                               double burst)
{
    return (struct bucket){
        .gate = gate,
        .step = rate > 0 ? (int64_t)(SECOND_US / rate) : 0,
        .burst = burst < 1 ? 1 : (int64_t)burst,
    };
}

/* When the bucket has one. */
static int64_t bucket_ready(const struct bucket *b)
{
    return b->gate->full_us - (b->burst - 1) * b->step;
}

/* Takes `count` from it, which may put it into debt: an album is not refused
 * for being larger than the bucket. */
static void bucket_take(const struct bucket *b, int64_t at, size_t count)
{
    if (at > b->gate->full_us)
        b->gate->full_us = at;
    b->gate->full_us += (int64_t)count * b->step;
}

/* When a group may get `count` more within its minute. */
static int64_t ring_ready(const struct limit_chat *c, size_t count)
{
    if (c->cap == 0)
        return 0;
    size_t last = count < c->cap ? count : c->cap;
    return c->sent[(c->at + last - 1) % c->cap] + MINUTE_US;
}

static void ring_add(struct limit_chat *c, int64_t at, size_t count)
{
    for (size_t i = 0; i < count && c->cap > 0; i++) {
        c->sent[c->at] = at;
        c->at = (c->at + 1) % c->cap;
    }
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t whole_seconds(int64_t us)
{
    return (us + SECOND_US - 1) / SECOND_US;
}

int64_t limits_blocked(const struct limits *l, const struct limit_gate *gate,
                       int64_t now_us)
{
    if (gate->epoch != l->epoch || gate->until_us <= now_us)
        return 0;
    return whole_seconds(gate->until_us - now_us);
}

static struct limit_answer refuse(struct limits *l, int64_t us)
{
    l->refused++;
    return (struct limit_answer){
        .verdict = LIMIT_REFUSE,
        .retry_after = whole_seconds(us),
    };
}

static void close_gate(struct limit_gate *g, int64_t now, int64_t wait)
{
    const int64_t longest = LIMITS_RETRY_MAX_S * SECOND_US;
    g->wait_us = wait < longest ? wait : longest;
    g->until_us = now + g->wait_us;
}

/* A call before the time is up: the wait begins anew and is twice as long,
 * but once a second only, because calls that were on their way together are
 * one impatience. */
static struct limit_answer ignored(struct limits *l, struct limit_gate *g,
                                   int64_t now)
{
    if (now - g->grown_us >= SECOND_US) {
        g->grown_us = now;
        close_gate(g, now, g->wait_us * 2);
    }
    return refuse(l, g->until_us - now);
}

static struct limit_answer begin_refusal(struct limits *l, struct limit_gate *g,
                                         int64_t now, int64_t wait)
{
    close_gate(g, now, whole_seconds(wait) * SECOND_US);
    g->grown_us = now - SECOND_US;
    return refuse(l, g->wait_us);
}

static struct limit_answer too_many_unsent(struct limits *l)
{
    struct limit_answer a = refuse(l, LIMITS_UNSENT_RETRY_S * SECOND_US);
    a.ms = LIMITS_UNSENT_DELAY_MS;
    return a;
}

static struct bucket bucket_of_all(const struct limit_rates *r,
                                   const struct limit_ask *ask)
{
    if (!ask->paid)
        return bucket_of(&ask->bot->free, r->per_second, r->per_second);
    double rate = r->per_second > 0 ? fmax(r->per_second, LIMITS_PAID_RATE) : 0;
    return bucket_of(&ask->bot->paid, rate, rate);
}

/* Takes from both buckets and says when the messages go out, or refuses. */
static struct limit_answer spend(struct limits *l, const struct limit_ask *ask,
                                 struct limit_chat *chat,
                                 const struct bucket *all)
{
    const struct limit_rates *r = limits_rates(l);
    struct bucket one = bucket_of(
        &chat->gate, ask->chat != NULL ? r->per_chat : 0, LIMITS_CHAT_BURST);
    int64_t now = ask->now_us;
    int64_t in_chat = later(bucket_ready(&one), chat->last_us);
    if (ask->group)
        in_chat = later(in_chat, ring_ready(chat, ask->count));
    int64_t at = later(now, later(in_chat, bucket_ready(all)));
    if (at > now && (!r->latent || at - now > LIMITS_LATENT_MS * 1000))
        return begin_refusal(l, at > in_chat ? all->gate : one.gate, now,
                             at - now);
    /* What only its chat holds up takes its share of all at once, else it
     * would hold up the other chats. */
    bucket_take(all, now, ask->count);
    bucket_take(&one, at, ask->count);
    if (ask->group)
        ring_add(chat, at, ask->count);
    chat->last_us = at;
    return (struct limit_answer){
        .verdict = at > now ? LIMIT_WAIT : LIMIT_PASS,
        .ms = (uint64_t)(at - now + 999) / 1000,
    };
}

struct limit_answer limits_take(struct limits *l, const struct limit_ask *ask)
{
    struct limit_chat none = {.gate.epoch = l->epoch};
    struct limit_chat *chat = ask->chat != NULL ? ask->chat : &none;
    struct bucket all = bucket_of_all(limits_rates(l), ask);
    renew_gate(all.gate, l->epoch);
    if (ask->chat != NULL)
        renew_chat(l, chat);
    if (chat->unsent >= LIMITS_UNSENT_MAX)
        return too_many_unsent(l);
    if (limits_blocked(l, &chat->gate, ask->now_us) > 0)
        return ignored(l, &chat->gate, ask->now_us);
    if (limits_blocked(l, all.gate, ask->now_us) > 0)
        return ignored(l, all.gate, ask->now_us);
    return spend(l, ask, chat, &all);
}
