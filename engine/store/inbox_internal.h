#ifndef MOONLET_STORE_INBOX_INTERNAL_H
#define MOONLET_STORE_INBOX_INTERNAL_H

/*
 * What inbox.c (the way of an update), inbox_dead.c (dead letters) and
 * inbox_settle.c (who waits for ends) share.
 */

#include "loop/loop.h"
#include "loop/timer.h"
#include "store/inbox.h"
#include "store/inbox_sql.h"
#include "store/seen_sql.h"

struct sqlite_writer;

/*
 * Memory holds a run of the file's order: what is newer than loaded_seq
 * waits on disk only. While nothing does, a put goes to memory at once;
 * otherwise it is read back when memory has drained to half.
 */
struct inbox {
    struct loop *loop;
    struct sqlite_writer *writer;
    struct marks *marks;
    struct inbox_options options;
    int64_t next_offset;
    struct seen seen;   /* lent to puts; the writer's thread */
    bool no_room;       /* the same */
    int64_t stored_seq; /* newest entry in the file */
    int64_t loaded_seq; /* newest entry that memory has had */
    size_t depth;       /* in the file and not finished */
    size_t storing;     /* in puts under way */
    size_t ready_count;
    struct list ready;         /* read and not yet handed out */
    struct list unfetched;     /* fetches that failed, for the next try */
    struct inbox_ended *ended; /* finished, not yet with the writer */
    size_t ended_count;
    size_t ended_cap;
    uint64_t finished; /* so far */
    uint64_t settled;  /* of these, ends in the file */
    struct list settling;
    struct deferred flush;
    struct deferred wake;
    struct timer retry; /* runs after the file has failed */
    size_t dead;        /* letters in the file */
    struct timer prune;
    bool reading;
    bool was_full;
    bool starved; /* a begin found no slot */
    bool tell_ready;
    bool tell_drained;
    bool closing;
};

/* An entry is in the file; the node is taken over. */
void inbox__stored(struct inbox *in, struct inbox_node *n);

/* So many ends are in the file; some could not be written. */
void inbox__settled(struct inbox *in, size_t n);
void inbox__unsettled(struct inbox *in);

/* What a prune has left, and when the next one is due. */
void inbox__pruned(struct inbox *in, const struct dead_pruned *pruned);
/* The timer's. */
void inbox__prune(struct timer *t);
void inbox__tell_dead(struct inbox *in, const struct dead_cause *cause);

#endif
