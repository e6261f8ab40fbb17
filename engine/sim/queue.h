#ifndef MOONLET_SIM_QUEUE_H
#define MOONLET_SIM_QUEUE_H

/*
 * The updates of one bot, oldest first: confirmed ones (kept a while for
 * /sim/updates), then the live ones, which getUpdates returns until a later
 * offset confirms them. Telegram's rules: offsets, one waiting poll, filter
 * by allowed_updates when an update is made.
 */

#include "loop/loop.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_LIVE_MAX 100000
#define QUEUE_LIVE_BYTES_MAX (128u * 1024 * 1024)
#define QUEUE_ONE_BYTES_MAX (512u * 1024)
#define QUEUE_CONFIRMED_MAX 10000
#define QUEUE_CONFIRMED_BYTES_MAX (32u * 1024 * 1024)

struct bot;
struct buf;
struct call;
struct sim;

enum queued_state { QUEUED_WAITING, QUEUED_FETCHED, QUEUED_CONFIRMED };

struct queued {
    int64_t n;
    int64_t id;
    double at;
    char *text; /* the Update */
    size_t len;
    enum queued_state state;
};

struct queue {
    struct sim *sim;
    struct bot *bot;
    struct queued *rows;
    size_t first;     /* index of the oldest row that is kept */
    size_t count;     /* kept rows */
    size_t confirmed; /* of these, at the front */
    size_t cap;
    size_t live_bytes;
    size_t confirmed_bytes;
    int64_t next_id;
    uint64_t allowed; /* bit per row of botapi_kinds */
    struct call *poll;
    int64_t poll_limit;
    int64_t last_offset;
    uint64_t last_start_ms;
    uint64_t calm_after_ms; /* conflicts before that are answered late */
    struct deferred wake;
};

void queue_init(struct queue *q, struct sim *sim, struct bot *bot);
void queue_free(struct queue *q);

/* Makes an update of `kind` from payload (taken over). Nothing happens if
 * the bot does not allow the kind (unless raw), the update is too large or
 * the queue is full.
 * Returns its n, or 0. chat_id only serves faults. */
int64_t queue_push(struct queue *q, const char *kind, json_t *payload,
                   int64_t chat_id, bool raw);

/* getUpdates: answers now or waits. */
void queue_get_updates(struct queue *q, struct call *call);
/* Confirms all but the newest `keep`. */
void queue_drop(struct queue *q, size_t keep);
/* A webhook was set: the waiting poll is refused. */
void queue_end_poll(struct queue *q);
/* The waiting poll is gone or was ended. */
void queue_forget_poll(struct queue *q, struct call *call);

size_t queue_live(const struct queue *q);
bool queue_default_filter(const struct queue *q);
json_t *queue_allowed(const struct queue *q); /* Array of String, new */

/* Sets the filter from a parameter's text, as the server does: what is no
 * array of strings changes nothing. */
void queue_allow(struct queue *q, const char *text);

/* Rows with n > since, ascending, each given to `each`. */
void queue_rows(const struct queue *q, int64_t since,
                void (*each)(const struct queue *q, const struct queued *row,
                             void *arg),
                void *arg);
/* Appends the JSON of a row. */
void queue_row_json(const struct queue *q, const struct queued *row,
                    struct buf *out);

#endif
