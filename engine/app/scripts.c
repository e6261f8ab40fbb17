#include "app/scripts.h"

#include "app/notices.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "loop/watch.h"
#include "loop/work.h"
#include "vm/generation.h"

#include <stdlib.h>
#include <string.h>

#define QUIET_MS 50 /* editors write in several steps */

/* A generation that has been replaced and still runs handlers. */
struct old {
    struct list link;
    struct generation *generation;
};

struct scripts {
    struct scripts_options o;
    struct generation *current;
    struct list olds;
    struct watch *watch;
    struct work work;
    struct generation *loaded; /* what the work has made */
    struct script_error error;
    uint64_t next_id;
    uint64_t load_began_ms;
    bool loading;
    bool again;
    bool closing;
    struct deferred end;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void on_change(void *arg)
{
    scripts_reload(arg);
}

static void watch_start(struct scripts *s)
{
    struct err e;
    s->watch = watch_new(s->o.loop, s->o.host->scripts_dir, QUIET_MS,
                         on_change, s, &e);
    if (!s->watch)
        LOG_AT(loop_log(s->o.loop), LOG_WARN, "scripts.no_watch",
               LOG_S("reason", e.message));
}

static void close_now(struct deferred *d)
{
    struct scripts *s = LIST_ENTRY(d, struct scripts, end);
    void (*closed)(void *arg) = s->closed;
    void *arg = s->closed_arg;

    while (!list_empty(&s->olds)) {
        struct old *old = LIST_ENTRY(s->olds.next, struct old, link);
        list_remove(&old->link);
        generation_close(old->generation);
        free(old);
    }
    generation_close(s->current);
    if (s->loaded)
        generation_close(s->loaded);
    script_error_clear(&s->error);
    free(s);
    closed(arg);
}

struct scripts *scripts_new(const struct scripts_options *o,
                            struct script_error *error)
{
    uint64_t began = loop_now_ms(o->loop);
    struct generation *first = generation_load(o->host, 1, error);
    if (!first)
        return NULL;
    struct scripts *s = MEM_NEW(struct scripts);
    s->o = *o;
    s->current = first;
    s->next_id = 2;
    s->load_began_ms = began;
    list_init(&s->olds);
    deferred_init(&s->end, close_now);
    return s;
}

void scripts_begin(struct scripts *s)
{
    generation_adopt(s->current, s->o.loop);
    notices_reloaded(s->o.notices, generation_id(s->current),
                     (int64_t)(loop_now_ms(s->o.loop) - s->load_began_ms));
    s->o.switched(s->o.arg, s->current, "start");
    if (s->o.watch)
        watch_start(s);
}

static void old_gone(void *arg)
{
    struct old *old = arg;
    list_remove(&old->link);
    free(old);
}

static void switch_to(struct scripts *s, struct generation *g)
{
    struct old *old = MEM_NEW(struct old);
    old->generation = s->current;
    list_push(&s->olds, &old->link);
    s->current = g;
    generation_adopt(g, s->o.loop);
    notices_reloaded(s->o.notices, generation_id(g),
                     (int64_t)(loop_now_ms(s->o.loop) - s->load_began_ms));
    s->o.switched(s->o.arg, g, "reload");
    generation_retire(old->generation, old_gone, old);
}

static void load_run(struct work *w)
{
    struct scripts *s = LIST_ENTRY(w, struct scripts, work);
    s->loaded = generation_load(s->o.host, s->next_id, &s->error);
}

static void load_done(struct work *w)
{
    struct scripts *s = LIST_ENTRY(w, struct scripts, work);
    struct generation *g = s->loaded;

    s->loading = false;
    if (s->closing) {
        loop_defer(s->o.loop, &s->end);
        return;
    }
    s->loaded = NULL;
    if (g) {
        s->next_id++;
        switch_to(s, g);
    } else {
        notices_reload_failed(s->o.notices, &s->error,
                              generation_id(s->current));
        script_error_clear(&s->error);
    }
    if (s->again)
        scripts_reload(s);
}

void scripts_reload(struct scripts *s)
{
    s->again = s->loading;
    if (s->loading || s->closing)
        return;
    s->loading = true;
    s->load_began_ms = loop_now_ms(s->o.loop);
    work_start(&s->work, s->o.loop, load_run, load_done);
}

struct generation *scripts_current(const struct scripts *s)
{
    return s->current;
}

void scripts_close(struct scripts *s, void (*closed)(void *arg), void *arg)
{
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    if (s->watch)
        watch_free(s->watch);
    if (!s->loading)
        loop_defer(s->o.loop, &s->end);
}
