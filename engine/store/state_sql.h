#ifndef MOONLET_STORE_STATE_SQL_H
#define MOONLET_STORE_STATE_SQL_H

/*
 * What state asks of its file: the schema, and the requests, which run on the
 * writer's thread. For state alone.
 */

#include "base/list.h"
#include "loop/loop.h"
#include "store/sqlite.h"
#include "store/state.h"

/* A row with texts of its own, behind each other in one piece. */
struct state_found {
    struct list link;
    struct state_row row;
    char text[];
};

/* Only the writer's thread touches it between submit and done. */
struct state_op {
    struct sqlite_request request;
    struct state *state;
    state_done *done; /* NULL: nobody wants to hear */
    void *arg;
    struct state_row asked; /* texts are its own, in `text` */
    int64_t now_ms;
    int64_t first_version; /* of a row that was not there */
    size_t max;
    struct list found;
    struct deferred refused; /* in place of the request */
    char text[];
};

/* Copies a row; its texts go to `at`, which has room for state_row_bytes. */
void state_row_copy(struct state_row *to, char *at,
                    const struct state_row *from);
size_t state_row_bytes(const struct state_row *row);
void state_free_found(struct state_op *op);

struct sqlite_writer *state_sql_open(struct loop *loop, const char *path,
                                     struct err *e);
/* The soonest due row; 0: there is none. Blocks: start only. */
int state_sql_soonest(struct sqlite_writer *w, int64_t *due_ms, struct err *e);

/* sqlite_request.run of each. What they find is put into op->found. */
int state_sql_get(struct sqlite_request *r, struct sqlite_writer *w);
int state_sql_put(struct sqlite_request *r, struct sqlite_writer *w);
int state_sql_due(struct sqlite_request *r, struct sqlite_writer *w);
int state_sql_seen(struct sqlite_request *r, struct sqlite_writer *w);
/* asked: the kinds as kind, from as key, to as tag, the lanes as lane and as
 * value. Sets asked.version. */
int state_sql_move(struct sqlite_request *r, struct sqlite_writer *w);
int state_sql_count(struct sqlite_request *r, struct sqlite_writer *w);
/* Sets op->max to how many are gone. */
int state_sql_prune(struct sqlite_request *r, struct sqlite_writer *w);

#define STATE_PRUNE_ROWS 1000 /* in one transaction */

#endif
