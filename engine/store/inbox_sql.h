#ifndef MOONLET_STORE_INBOX_SQL_H
#define MOONLET_STORE_INBOX_SQL_H

/*
 * What the inbox asks of its file: the schema, what is found at start, and
 * the requests that run on the writer's thread. A request owns what it
 * carries; only the writer touches it between submit and done. For the inbox
 * alone.
 */

#include "base/err.h"
#include "base/list.h"
#include "store/dead_sql.h"
#include "store/inbox.h"
#include "store/sqlite.h"

struct marks;
struct seen;

/* An entry with its texts behind it, in one piece of memory. */
struct inbox_node {
    struct inbox_entry entry;
    struct list link;
    char text[];
};

struct inbox_node *inbox_node_new(const char *lane, size_t lane_len,
                                  const char *body, size_t body_len);
void inbox_node_free_all(struct list *nodes);

struct inbox_ended {
    int64_t seq;
    int mark; /* slot that is free once the row is gone; -1: none */
    struct dead_cause *cause; /* owned; NULL: it does not become a letter */
};

struct inbox_op {
    struct sqlite_request request;
    struct inbox *inbox;
    void (*free)(struct inbox_op *op);
};

/* Stores nodes and sets their seq; 0 for one that was seen before. */
struct inbox_put_op {
    struct inbox_op op;
    struct list nodes;
    size_t count;
    size_t bytes;        /* of their bodies */
    int64_t next_offset; /* 0: leave it */
    int64_t now_ms;
    struct seen *seen; /* borrowed; the writer's thread */
    bool *no_room;     /* the same: the last put was refused for it */
    void (*done)(void *arg, const struct err *e);
    void *arg;
};

/* Reads at most `limit` entries behind `after` into nodes. */
struct inbox_read_op {
    struct inbox_op op;
    int64_t after;
    size_t limit;
    struct list nodes;
    size_t count;
};

/* Reads the entries of these numbers into nodes, in their order. */
struct inbox_fetch_op {
    struct inbox_op op;
    struct list link; /* in inbox.unfetched after a failure */
    struct list nodes;
    void (*done)(void *arg, struct inbox_fetched *f);
    void *arg;
    size_t count;
    int64_t seqs[];
};

struct inbox_end_op {
    struct inbox_op op;
    struct inbox_ended *rows;
    size_t count;
    int64_t now_ms;
    struct dead_pruned pruned; /* set if there is a row with a cause */
};

struct inbox_put_op *inbox_put_op_new(struct inbox *in);
struct inbox_read_op *inbox_read_op_new(struct inbox *in);
struct inbox_fetch_op *inbox_fetch_op_new(struct inbox *in, const int64_t *seqs,
                                          size_t n);
struct inbox_end_op *inbox_end_op_new(struct inbox *in);

/* What the file held at start. */
struct inbox_found {
    int64_t next_offset;
    int64_t last_seq; /* 0: no entry */
    size_t depth;
    struct dead_cause *crashed; /* a letter since this start; owned */
    struct dead_pruned pruned;
};

struct sqlite_writer *inbox_sql_open(struct loop *loop, const char *path,
                                     struct err *e);

/* Checks whose file it is (bot_id 0: anyone's) and writes into it which of
 * its entries had begun and which one was on the loop, so that the marks can
 * be reset. Blocks: start only. */
int inbox_sql_recover(struct sqlite_writer *w, const struct marks *marks,
                      int64_t bot_id, int64_t now_ms, struct inbox_found *found,
                      struct err *e);

#endif
