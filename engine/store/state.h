#ifndef MOONLET_STORE_STATE_H
#define MOONLET_STORE_STATE_H

/*
 * What scripts keep between updates, in a SQLite file: values by kind and
 * key. Each has a version; a change names the one that it was made from, and
 * is refused if another came first. A value may have a moment at which it is
 * due, and one from which it counts as gone. Loop thread only.
 *
 * A change has survived a power cut when its `done` runs.
 */

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define STATE_VALUE_MAX 262144  /* more is ERR_LIMIT */
#define STATE_KEY_MAX 255       /* of kind and key each */
#define STATE_WAITING_MAX 10000 /* requests at the file; then ERR_LIMIT */

struct loop;
struct state;
struct state_op;

/* A row, or what is asked of one. Texts are borrowed. */
struct state_row {
    const char *kind;
    const char *key;
    int64_t version;   /* 0: there is none */
    const char *value; /* NULL: none */
    size_t len;
    const char *tag;  /* by which rows of a kind are counted; "": none */
    const char *lane; /* in which it becomes due; "": none */
    int64_t due_ms;   /* Unix time; 0: never; below 0: it was, and is seen to */
    int64_t expires_ms; /* the same */
};

/* e->code 0: `row` is what is there now, valid during the call. */
typedef void state_done(void *arg, const struct err *e,
                        const struct state_row *row);

struct state_options {
    /* A row becomes due at that time, by a change or from before the start. */
    void (*due)(void *arg, int64_t due_ms);
    /* The file refuses what is asked of it, or (NULL) does no more. */
    void (*failed)(void *arg, const struct err *e);
    void *arg;
};

/* Opens or makes the file; blocks, for the start only. NULL and *e. */
struct state *state_open(struct loop *loop, const char *path,
                         const struct state_options *o, struct err *e);

/* Reads a row. `done` comes later, once. */
struct state_op *state_get(struct state *s, const char *kind, const char *key,
                           state_done *done, void *arg);

/* Writes a row, or removes it if it has no value. row->version is the one
 * that it replaces: 0 for none, -1 for whatever is there; else ERR_CONFLICT.
 * `done` gets the row with its new version. */
struct state_op *state_put(struct state *s, const struct state_row *row,
                           state_done *done, void *arg);

/* Nobody wants to hear of it; what was asked for is done all the same. */
void state_forget(struct state_op *op);

/* Rows that are due by now, soonest first, at most `max`; each once, then one
 * whose row->kind is NULL, or an error. */
struct state_op *state_find_due(struct state *s, int64_t now_ms, size_t max,
                                state_done *done, void *arg);
/* It has been seen to: that version is not due any more. Not durable. */
void state_seen_due(struct state *s, const struct state_row *row);

/* How many rows of a kind have each tag: as the value of a row, a JSON object
 * {"tag":count}. */
struct state_op *state_count(struct state *s, const char *kind,
                             state_done *done, void *arg);

/* A chat has another id: rows of kinds that begin with `kinds`, whose key is
 * the old id or begins with it and ':' or '/', get the new one in its place,
 * and those of the lane "chat:OLD" the new chat's. One that has been seen to is
 * due again: whoever sees to it may look for the old key. Where both have a
 * row, the one that was begun later stays. `done` (or NULL) gets how many there
 * were as the row's version. */
struct state_op *state_move_chat(struct state *s, const char *kinds,
                                 int64_t from, int64_t to, state_done *done,
                                 void *arg);

void state_close(struct state *s); /* writes what waits; blocks */
void state_kill(struct state *s);  /* as a death would */

#endif
