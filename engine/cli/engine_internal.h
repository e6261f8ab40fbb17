#ifndef MOONLET_CLI_ENGINE_INTERNAL_H
#define MOONLET_CLI_ENGINE_INTERNAL_H

/*
 * What the engine's files share: engine.c is its life, engine_open.c puts it
 * together, engine_telegram.c and engine_scripts.c are two of its parts.
 */

#include "app/health.h"
#include "app/notices.h"
#include "base/clock.h"
#include "base/rng.h"
#include "bindings/bindings.h"
#include "cli/engine.h"
#include "cli/settings.h"
#include "loop/timer.h"
#include "store/datadir.h"

#include <uv.h>

enum { SIGNAL_TERM, SIGNAL_INT, SIGNAL_HUP, SIGNALS };

struct engine {
    struct settings settings;
    const struct engine_home *home; /* NULL: the three that follow are used */
    struct clock own_clock;
    struct rng own_rng;
    struct clock *clock;
    struct rng *rng;
    struct log *log;
    struct loop *loop;
    struct datadir dir;
    struct routes *routes;
    struct http_server *server;
    struct routes *control_routes;
    struct http_server *control_server; /* DATA_DIR/moonlet.sock */
    struct control *control;
    struct http_client *client;
    struct sim *sim;
    struct api *api;
    struct inbox *inbox;
    struct state *state;
    struct timers *timers;
    struct health health;
    struct notices notices;
    struct errors *errors;
    struct admins *admins;
    struct services services;
    struct vm_source *library;
    struct limits *limits;
    struct vm_host host;
    struct scripts *scripts;
    struct dispatch *dispatch;
    struct script_http *script_http;
    struct polling *polling; /* this or the next, the other is NULL */
    struct webhook *webhook;
    char *webhook_path;
    uv_signal_t signals[SIGNALS];
    struct timer shutdown_limit;
    bool telegram_lost; /* a call has failed since the last that did not */
    bool stopping;
    bool draining; /* only answers are left, which are being sent */
    bool ended;
    int exit_code;
};

void engine__signal(uv_signal_t *handle, int number);
/* A last handler has ended. */
void engine__rest(void *arg);
void engine__shutdown_limit(struct timer *timer);

/* Over so many connections, by the settings. */
struct http_client *engine__new_client(struct engine *e, size_t connections);
void engine__open_telegram(struct engine *e);
/* Behind engine__open_telegram, with services.files. */
void engine__open_transfers(struct engine *e);
/* Last: updates come in from then on. */
void engine__open_intake(struct engine *e, bool drop_pending);
/* Not 0 and *error: they do not load. */
int engine__open_scripts(struct engine *e, struct err *error);

#endif
