#include "app/scripts.h"

#include "app/admins.h"
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
    struct list waiting; /* for the end of the running load */
    struct list later;   /* for that of the next one */
    bool loading;
    bool again;
    bool closing;
    struct deferred end;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void on_change(void *arg)
{
    scripts_reload(arg, NULL);
}

static void watch_start(struct scripts *s)
{
    struct err e;
    s->watch = watch_new(s->o.loop, s->o.host->scripts_dir, s->o.data_dir,
                         QUIET_MS, on_change, s, &e);
    if (!s->watch)
        LOG_AT(loop_log(s->o.loop), LOG_WARN, "scripts.no_watch",
               LOG_S("reason", e.message));
}

static void end_all(struct scripts *s, void (*end)(struct generation *g))
{
    struct list *link;

    while ((link = list_shift(&s->olds))) {
        struct old *old = LIST_ENTRY(link, struct old, link);
        end(old->generation);
        free(old);
    }
    end(s->current);
    if (s->loaded)
        end(s->loaded);
    script_error_clear(&s->error);
    free(s);
}

static void close_now(struct deferred *d)
{
    struct scripts *s = LIST_ENTRY(d, struct scripts, end);
    void (*closed)(void *arg) = s->closed;
    void *arg = s->closed_arg;

    end_all(s, generation_close);
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
    list_init(&s->waiting);
    list_init(&s->later);
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

/* Handlers that nobody lets end must not keep all generations in memory. */
static void expire_olds(struct scripts *s)
{
    size_t surplus = scripts_old(s);
    struct list *link = s->olds.next;
    surplus = surplus > SCRIPTS_OLD_MAX ? surplus - SCRIPTS_OLD_MAX : 0;
    for (; surplus > 0; link = link->next) {
        struct generation *g = LIST_ENTRY(link, struct old, link)->generation;
        if (generation_tasks(g) == 0)
            continue;
        LOG_AT(loop_log(s->o.loop), LOG_WARN, "scripts.expired",
               LOG_I("generation", (int64_t)generation_id(g)),
               LOG_I("tasks", (int64_t)generation_tasks(g)));
        generation_expire(g);
        surplus--;
    }
}

static void switch_to(struct scripts *s, struct generation *g)
{
    struct old *old = MEM_NEW(struct old);
    old->generation = s->current;
    list_push(&s->olds, &old->link);
    s->current = g;
    generation_adopt(g, s->o.loop);
    s->o.switched(s->o.arg, g, "reload");
    generation_retire(old->generation, old_gone, old);
    expire_olds(s);
}

static void load_run(struct work *w)
{
    struct scripts *s = LIST_ENTRY(w, struct scripts, work);
    s->loaded = generation_load(s->o.host, s->next_id, &s->error);
}

/* One of them may ask for the next load. */
static void tell_waiters(struct list *waiters, const struct scripts_outcome *o)
{
    struct list told;
    struct list *link;
    list_init(&told);
    list_splice(&told, waiters);
    while ((link = list_shift(&told))) {
        struct scripts_waiter *w =
            LIST_ENTRY(link, struct scripts_waiter, link);
        w->done(w, o);
    }
}

/* Takes over what was loaded, or tells why nothing was. */
static void load_end(struct scripts *s)
{
    struct scripts_outcome o = {
        .took_ms = (int64_t)(loop_now_ms(s->o.loop) - s->load_began_ms),
    };
    struct generation *g = s->loaded;

    s->loaded = NULL;
    if (g) {
        s->next_id++;
        notices_reloaded(s->o.notices, generation_id(g), o.took_ms);
        admins_loaded(s->o.admins, generation_id(g));
        switch_to(s, g);
    } else {
        uint64_t id = generation_id(s->current);
        o.error = &s->error;
        notices_reload_failed(s->o.notices, &s->error, id);
        admins_not_loaded(s->o.admins, &s->error, id);
    }
    o.generation = generation_id(s->current);
    tell_waiters(&s->waiting, &o);
    script_error_clear(&s->error);
}

static void load_done(struct work *w)
{
    struct scripts *s = LIST_ENTRY(w, struct scripts, work);

    s->loading = false;
    if (s->closing) {
        loop_defer(s->o.loop, &s->end);
        return;
    }
    load_end(s);
    list_splice(&s->waiting, &s->later);
    if (s->again)
        scripts_reload(s, NULL);
}

void scripts_reload(struct scripts *s, struct scripts_waiter *w)
{
    if (s->closing)
        return;
    if (w)
        list_push(s->loading ? &s->later : &s->waiting, &w->link);
    s->again = s->loading;
    if (s->loading)
        return;
    s->loading = true;
    s->load_began_ms = loop_now_ms(s->o.loop);
    work_start(&s->work, s->o.loop, load_run, load_done);
}

void scripts_forget(struct scripts_waiter *w)
{
    list_remove(&w->link);
}

struct generation *scripts_current(const struct scripts *s)
{
    return s->current;
}

size_t scripts_old(const struct scripts *s)
{
    size_t n = 0;
    for (const struct list *l = s->olds.next; l != &s->olds; l = l->next)
        n += generation_tasks(LIST_ENTRY(l, struct old, link)->generation) > 0;
    return n;
}

static void dismiss_waiters(struct scripts *s)
{
    static struct script_error stopping = {
        .kind = "cancelled",
        .message = "the engine is stopping",
        .script = "",
        .traceback = "",
    };
    const struct scripts_outcome o = {
        .error = &stopping,
        .generation = generation_id(s->current),
    };
    tell_waiters(&s->waiting, &o);
    tell_waiters(&s->later, &o);
}

void scripts_close(struct scripts *s, void (*closed)(void *arg), void *arg)
{
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    dismiss_waiters(s);
    if (s->watch)
        watch_free(s->watch);
    if (!s->loading)
        loop_defer(s->o.loop, &s->end);
}

void scripts_kill(struct scripts *s)
{
    if (s->watch)
        watch_free(s->watch);
    if (s->loading)
        work_revoke(&s->work);
    end_all(s, generation_kill);
}
