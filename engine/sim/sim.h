#ifndef MOONLET_SIM_SIM_H
#define MOONLET_SIM_SIM_H

/*
 * A Bot API server for development and tests: users, chats and messages in
 * memory, an update queue per bot with Telegram's confirm rules, a control
 * API under /sim (DESIGN section 10), faults. It answers exchanges of a
 * table of routes, so it serves sockets and direct calls alike. Loop thread
 * only; it keeps everything bounded and forgets the oldest first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;
struct loop;
struct routes;
struct sim;

struct sim_options {
    const char *token; /* the only token accepted; NULL: any well-formed */
    /* Posts updates to webhooks; borrowed. NULL: none is posted. */
    struct http_client *client;
    bool client_is_far; /* what it reaches is not on the loop's clock */
    bool may_advance;   /* POST /sim/clock moves the clock (by loop_run) */
};

/* Owned by the caller. Borrows the loop (clock, log, rng). */
struct sim *sim_new(struct loop *loop, const struct sim_options *o);
/* Open exchanges (waiting polls, event streams) are ended. */
void sim_free(struct sim *sim);

/* Mounts /botTOKEN/..., /file/botTOKEN/... and /sim/... . */
void sim_mount(struct sim *sim, struct routes *routes);
/* Mounts the browser chat at `path` ("/" or "/play") and its assets at
 * /a/... . */
void sim_mount_page(struct sim *sim, struct routes *routes, const char *path);

/* Makes the people and the group that the page opens with: Ann, Bob, Team. */
void sim_demo_world(struct sim *sim);

/* Every event of the stream is also given to `heard`, as it happens, of any
 * size: its type and an object as JSON, borrowed for the call. */
void sim_listen(struct sim *sim,
                void (*heard)(void *arg, const char *type, const char *json,
                              size_t len),
                void *arg);

/* Shows something that happened in the engine (reload, error) on the event
 * stream as an event "notice" with the time, "at". json: an object with
 * "kind". Copied. */
void sim_notice(struct sim *sim, const char *json);

#endif
