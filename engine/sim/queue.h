#ifndef MOONLET_SIM_QUEUE_H
#define MOONLET_SIM_QUEUE_H

/*
 * The updates of one bot: live ones, which wait to be confirmed, and ended
 * ones, kept a while for /sim/updates. An update is filtered when it is made,
 * lives as long as its kind, and ends when a poll confirms it, a webhook has
 * taken it, or its time is over.
 */

#include "base/list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_LIVE_MAX 100000
#define QUEUE_LIVE_BYTES_MAX (128u * 1024 * 1024)
#define QUEUE_ONE_BYTES_MAX (512u * 1024)
#define QUEUE_ENDED_MAX 10000
#define QUEUE_ENDED_BYTES_MAX (32u * 1024 * 1024)

struct bot;
struct buf;
struct lane;
struct sim;

enum queued_state {
    QUEUED_WAITING,
    QUEUED_FETCHED, /* given to a poll or posted to a webhook */
    QUEUED_CONFIRMED,
    QUEUED_EXPIRED,
};

struct queued {
    struct list link;  /* of all, ascending n */
    struct list place; /* of the live or the ended ones */
    int64_t n;
    int64_t id;
    double at;
    int64_t expires; /* Unix seconds */
    char *text;      /* "kind":{...} */
    size_t len;
    enum queued_state state;
    /* Of its delivery to a webhook. */
    int64_t lane_id;       /* 0: alone in its lane */
    struct lane *lane;     /* NULL: not loaded */
    struct list lane_link; /* of the lane's updates */
    uint64_t wake_ms;      /* not to be posted before */
    int64_t delay_s;       /* the pause before the last try */
    unsigned failures;
    bool posted; /* its answer is awaited */
};

struct queue {
    struct sim *sim;
    struct bot *bot;
    struct list rows;
    struct list live; /* ascending id */
    struct list ended;
    size_t live_count;
    size_t ended_count;
    size_t live_bytes;
    size_t ended_bytes;
    int64_t next_id;
    int64_t next_expiry;   /* none ends of age before */
    uint64_t allowed;      /* bit per row of botapi_kinds */
    uint64_t told_allowed; /* to the event stream; 0: nothing yet */
};

void queue_init(struct queue *q, struct sim *sim, struct bot *bot);
void queue_free(struct queue *q);

/* Makes an update of `kind` from payload (taken over). Nothing happens if
 * the bot does not allow the kind (unless raw), the update is too large or
 * the queue is full.
 * Returns its n, or 0. chat_id only serves faults. */
int64_t queue_push(struct queue *q, const char *kind, json_t *payload,
                   int64_t chat_id, bool raw);

struct queued *queue_head(const struct queue *q); /* live; NULL: none */
/* The live one behind it, or NULL. */
struct queued *queue_next(const struct queue *q, const struct queued *row);

/* A live row is given out, for the first time or again. */
void queue_fetched(struct queue *q, struct queued *row);
/* A live row ends. */
void queue_end(struct queue *q, struct queued *row, enum queued_state state);
/* Confirms all but the newest `keep`. */
void queue_drop(struct queue *q, size_t keep);
/* Ends those whose time is over, but none that is being posted. */
void queue_expire(struct queue *q);

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
/* Appends the Update as the server writes it. */
void queued_json(const struct queued *row, struct buf *out);

#endif
