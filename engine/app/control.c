#include "app/control.h"

#include "app/dead.h"
#include "app/dispatch.h"
#include "app/errors.h"
#include "app/health.h"
#include "app/scripts.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/routes.h"
#include "store/inbox.h"
#include "telegram/api.h"
#include "vm/generation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct control {
    struct control_options o; /* scripts NULL: stopping */
    struct dead dead;
    uint64_t began_ns;
};

/* A request that is answered when the load has ended. */
struct pending {
    struct scripts_waiter waiter;
    struct exchange *x;
};

struct control *control_new(const struct control_options *o)
{
    struct control *c = MEM_NEW(struct control);
    c->o = *o;
    c->dead.inbox = o->inbox;
    c->began_ns = clock_ns(o->clock);
    return c;
}

void control_free(struct control *c)
{
    free(c);
}

void control_stop(struct control *c)
{
    c->o.scripts = NULL;
    c->dead.inbox = NULL;
}

/* Answers with the JSON in b and empties it. */
static void reply(struct exchange *x, int status, struct buf *b)
{
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_reply(x, status, "application/json", b->data, b->len);
    buf_free(b);
}

/* True: the request was answered with 503. */
static bool is_stopping(const struct control *c, struct exchange *x)
{
    if (c->o.scripts)
        return false;
    exchange_fail(x, 503, "the engine is stopping");
    return true;
}

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, "\"%s\":", key);
    js_put_string(b, text, strlen(text));
}

static void put_scripts(struct buf *b, const struct control_options *o)
{
    char *file = mem_printf("%s/main.lua", o->scripts_dir);
    buf_printf(b, "\"generation\":%" PRIu64 ",\"old_generations\":%zu,",
               generation_id(scripts_current(o->scripts)),
               scripts_old(o->scripts));
    put_text(b, "file", file);
    free(file);
}

static void serve_status(struct exchange *x, void *arg)
{
    const struct control *c = arg;
    struct buf b = {0};
    if (is_stopping(c, x))
        return;
    uint64_t up_ms = (clock_ns(c->o.clock) - c->began_ns) / 1000000;
    buf_printf(&b, "{\"pid\":%ld,\"uptime\":%.3f,", (long)getpid(),
               (double)up_ms / 1000);
    put_text(&b, "version", MOONLET_VERSION);
    buf_putc(&b, ',');
    put_scripts(&b, &c->o);
    buf_printf(&b,
               ",\"inbox_depth\":%zu,\"running_handlers\":%zu,"
               "\"error_groups\":%zu,\"dead\":%zu,",
               inbox_depth(c->o.inbox), dispatch_running(c->o.dispatch),
               errors_count(c->o.errors), inbox_dead_count(c->o.inbox));
    health_put(c->o.health, &b);
    buf_puts(&b, ",\"limiter\":");
    api_put(c->o.api, &b);
    buf_putc(&b, '}');
    reply(x, 200, &b);
}

static void serve_errors(struct exchange *x, void *arg)
{
    const struct control *c = arg;
    struct buf b = {0};
    if (is_stopping(c, x))
        return;
    buf_puts(&b, "{\"errors\":");
    errors_put(c->o.errors, &b);
    buf_putc(&b, '}');
    reply(x, 200, &b);
}

static void put_failure(struct buf *b, const struct script_error *e)
{
    buf_puts(b, "{\"ok\":false,\"error\":{");
    put_text(b, "kind", e->kind);
    buf_putc(b, ',');
    put_text(b, "script", e->script);
    buf_printf(b, ",\"line\":%d,", e->line);
    put_text(b, "message", e->message);
    buf_putc(b, ',');
    put_text(b, "traceback", e->traceback);
    buf_puts(b, "},");
}

static void on_loaded(struct scripts_waiter *w, const struct scripts_outcome *o)
{
    struct pending *p = LIST_ENTRY(w, struct pending, waiter);
    struct exchange *x = p->x;
    struct buf b = {0};
    if (o->error)
        put_failure(&b, o->error);
    else
        buf_puts(&b, "{\"ok\":true,");
    buf_printf(&b, "\"generation\":%" PRIu64 ",\"ms\":%" PRId64 "}",
               o->generation, o->took_ms);
    exchange_on_gone(x, NULL, NULL);
    free(p);
    reply(x, o->error ? 400 : 200, &b);
}

static void on_gone(struct exchange *x, void *arg)
{
    struct pending *p = arg;
    (void)x;
    scripts_forget(&p->waiter);
    free(p);
}

static void serve_reload(struct exchange *x, void *arg)
{
    struct control *c = arg;
    if (is_stopping(c, x))
        return;
    struct pending *p = MEM_NEW(struct pending);
    p->x = x;
    p->waiter.done = on_loaded;
    exchange_on_gone(x, on_gone, p);
    scripts_reload(c->o.scripts, &p->waiter);
}

void control_serve(struct control *c, struct routes *routes)
{
    routes_add(routes, "GET", "/api/status", serve_status, c);
    routes_add(routes, "GET", "/api/errors", serve_errors, c);
    routes_add(routes, "POST", "/api/reload", serve_reload, c);
    dead_serve(&c->dead, routes);
}
