#include "sim/advance.h"

#include "base/mem.h"
#include "sim/control.h"

#include <stdlib.h>

#define NS_IN_S 1e9

struct request {
    struct list link;
    struct exchange *x; /* NULL: its peer is gone */
    uint64_t by_ns;
};

/* Real time, whatever the clock does. */
struct patient {
    uv_timer_t timer;
    struct sim *sim;
};

static struct request *first_of(const struct advance *a)
{
    return LIST_ENTRY(a->requests.next, struct request, link);
}

static void begin(struct sim *sim)
{
    struct advance *a = &sim->advance;
    uint64_t now = clock_ns(loop_clock(sim->loop));
    loop_jump_to(sim->loop, now + first_of(a)->by_ns, &a->arrived);
}

static struct exchange *take_first(struct advance *a)
{
    struct request *r =
        LIST_ENTRY(list_shift(&a->requests), struct request, link);
    struct exchange *x = r->x;
    a->count--;
    free(r);
    if (x != NULL)
        exchange_on_gone(x, NULL, NULL);
    return x;
}

static void on_arrived(struct deferred *d)
{
    struct advance *a = LIST_ENTRY(d, struct advance, arrived);
    struct sim *sim = LIST_ENTRY(a, struct sim, advance);
    char text[40];
    struct exchange *x = take_first(a);
    int len = snprintf(text, sizeof(text), "{\"now\":%.3f}", sim_now(sim));
    if (x != NULL)
        control_reply_text(x, text, (size_t)len);
    if (a->count > 0)
        begin(sim);
}

static void on_gone(struct exchange *x, void *arg)
{
    struct request *r = arg;
    (void)x;
    r->x = NULL;
}

/* False: an answer was sent. */
static bool check(struct control *c, double seconds)
{
    const struct advance *a = &c->sim->advance;
    if (!a->allowed)
        exchange_fail(c->x, 400,
                      "the clock is the real one here; moonlet sim "
                      "--virtual-clock has one that can be put forward");
    else if (seconds > ADVANCE_SECONDS_MAX)
        exchange_fail(c->x, 400, "advance: must be at most %d",
                      ADVANCE_SECONDS_MAX);
    else if (a->count >= ADVANCE_REQUESTS_MAX)
        exchange_fail(c->x, 400, "%d such requests wait already",
                      ADVANCE_REQUESTS_MAX);
    else
        return true;
    return false;
}

void control_clock(struct control *c)
{
    struct advance *a = &c->sim->advance;
    double seconds = json_number_value(json_object_get(c->body, "advance"));
    if (!check(c, seconds))
        return;
    struct request *r = MEM_NEW(struct request);
    r->x = c->x;
    r->by_ns = (uint64_t)(seconds * NS_IN_S);
    list_push(&a->requests, &r->link);
    exchange_on_gone(c->x, on_gone, r);
    if (a->count++ == 0)
        begin(c->sim);
}

static void release(struct sim *sim)
{
    struct advance *a = &sim->advance;
    if (a->held)
        loop_unhold(sim->loop);
    a->held = false;
}

static void on_impatient(uv_timer_t *timer)
{
    release(LIST_ENTRY(timer, struct patient, timer)->sim);
}

static void wait_for_peers(struct advance *a)
{
    uv_update_time(a->patient->timer.loop);
    uv_timer_start(&a->patient->timer, on_impatient, ADVANCE_PATIENCE_MS, 0);
}

void advance_hold(struct sim *sim)
{
    struct advance *a = &sim->advance;
    a->posts++;
    if (a->patient == NULL)
        return;
    if (!a->held)
        loop_hold(sim->loop);
    a->held = true;
    wait_for_peers(a);
}

void advance_release(struct sim *sim)
{
    struct advance *a = &sim->advance;
    a->posts--;
    if (a->patient == NULL)
        return;
    if (a->posts > 0) {
        wait_for_peers(a);
        return;
    }
    uv_timer_stop(&a->patient->timer);
    release(sim);
}

void advance_init(struct sim *sim, const struct sim_options *o)
{
    struct advance *a = &sim->advance;
    a->allowed = o->may_advance;
    list_init(&a->requests);
    deferred_init(&a->arrived, on_arrived);
    if (!o->client_is_far)
        return;
    a->patient = MEM_NEW(struct patient);
    a->patient->sim = sim;
    uv_timer_init(loop_uv(sim->loop), &a->patient->timer);
}

static void on_closed(uv_handle_t *handle)
{
    free(LIST_ENTRY(handle, struct patient, timer));
}

void advance_free(struct sim *sim)
{
    struct advance *a = &sim->advance;
    if (a->count > 0)
        loop_jump(sim->loop, 0);
    loop_undefer(&a->arrived);
    while (a->count > 0) {
        struct exchange *x = take_first(a);
        if (x != NULL)
            exchange_fail(x, 503, "the simulator ends");
    }
    release(sim);
    if (a->patient != NULL)
        uv_close((uv_handle_t *)&a->patient->timer, on_closed);
}
