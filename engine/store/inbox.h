#ifndef MOONLET_STORE_INBOX_H
#define MOONLET_STORE_INBOX_H

/*
 * The durable inbox: updates enter by put, are handed out once per process
 * by next in order of arrival, and leave by finish, or by finish_dead as a
 * dead letter: kept with what ended them, for replay by hand. An update whose
 * bot and update_id were seen within SEEN_DAYS, and among the newest SEEN_MAX,
 * is dropped by put. What put has
 * completed survives a power cut; an entry that was handed out and not
 * finished comes back after a restart, marked redelivered if its handler may
 * have begun. One whose code was on the loop at INBOX_DEATHS deaths of the
 * process becomes a dead letter instead.
 *
 * At most INBOX_IN_MEMORY entries wait in memory to be handed out; the rest
 * waits in the file and is read as they go. A caller that cannot start an
 * entry soon releases it, keeps its seq and fetches it later, so that one
 * lane's long queue takes neither memory nor the others' turn. Loop thread
 * only.
 */

#include "base/err.h"
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBOX_SEEN_DAYS 3
#define INBOX_SEEN_MAX 5000000 /* beyond it the oldest are forgotten */
#define INBOX_IN_MEMORY 2000
#define INBOX_DEATHS 3
#define INBOX_DEAD_DAYS 30
#define INBOX_DEAD_MAX 10000 /* dead letters; beyond it the oldest go */
#define INBOX_DEAD_LIST 500  /* in one list */

struct inbox;
struct loop;
struct datadir;

enum inbox_source { INBOX_TELEGRAM, INBOX_TIMER, INBOX_REPLAY };

/* One update. next returns one that the caller owns until inbox_finish or
 * inbox_release. */
struct inbox_entry {
    int64_t seq;       /* order of arrival; set by put */
    int64_t update_id; /* dedupe key with the bot; ignored for other sources */
    int64_t received_ms; /* Unix time of put */
    enum inbox_source source;
    bool redelivered;
    int mark;         /* slot of the running mark; -1: not begun */
    const char *lane; /* both texts live as long as the entry */
    const char *body; /* the update's JSON */
    size_t body_len;
};

/* What to put: texts are borrowed during the call and copied. */
struct inbox_item {
    int64_t update_id;
    enum inbox_source source;
    const char *lane;
    const char *body;
    size_t body_len;
};

enum inbox_reason { INBOX_CRASH, INBOX_ERROR, INBOX_LIMIT, INBOX_TIMEOUT };

/* Why a handler ended; texts are borrowed, "" if unknown. */
struct inbox_cause {
    enum inbox_reason reason;
    int line; /* 0: unknown */
    const char *kind;
    const char *message;
    const char *script;
    const char *traceback;
};

struct inbox_letter {
    int64_t id;
    int64_t update_id;
    int64_t received_ms; /* Unix time, as died_ms */
    int64_t died_ms;
    enum inbox_source source; /* how the update had come */
    int line;
    const char *reason; /* "crash", "error", "limit", "timeout" */
    const char *lane;
    const char *kind;
    const char *message;
    const char *script;
    const char *traceback; /* NULL in a list, as body */
    const char *body;
    size_t body_len;
};

/* How a request about dead letters ended; valid during the call. */
struct inbox_dead_answer {
    const struct err *error;            /* never NULL; code 0: all is well */
    size_t count;                       /* letters that were found */
    const struct inbox_letter *letters; /* NULL after replay and drop */
};
typedef void inbox_dead_done(void *arg, const struct inbox_dead_answer *a);

struct inbox_options {
    int64_t bot_id;             /* 0: whosever it is */
    size_t limit;               /* INBOX_LIMIT: entries in all */
    int64_t seen_max;           /* 0: INBOX_SEEN_MAX */
    void (*ready)(void *arg);   /* next may have something */
    void (*drained)(void *arg); /* inbox_full was true and is not any more */
    void *arg;
};

/* Opens DATA_DIR/inbox.db and DATA_DIR/running.map. A folder that belongs to
 * another bot is refused (ERR_MISUSE). Blocks: start only. */
struct inbox *inbox_open(struct loop *loop, const struct datadir *dir,
                         const struct inbox_options *o, struct err *e);

/* Stores a batch in one durable transaction, together with the offset that
 * polling will ask for next (0: leave it). done gets e->code 0 when all is
 * on disk, else nothing of the batch was stored. */
void inbox_put(struct inbox *in, const struct inbox_item *items, size_t n,
               int64_t next_offset,
               void (*done)(void *arg, const struct err *e), void *arg);
int64_t inbox_next_offset(const struct inbox *in); /* as on disk; 0: none */

/* Entries stored or being stored, not finished, is at or over the limit. */
bool inbox_full(const struct inbox *in);
size_t inbox_depth(const struct inbox *in);

/* The next entry that this process has not had, or NULL. */
struct inbox_entry *inbox_next(struct inbox *in);

/* Marks that the handler of the entry begins now; false: MARKS_MAX handlers
 * are running or ending, try again after the next finish (`ready` tells). */
bool inbox_begin(struct inbox *in, struct inbox_entry *entry);
/* Names the begun entry whose code is on the loop; NULL: none. */
void inbox_on_loop(struct inbox *in, const struct inbox_entry *entry);

/* The handler has ended: takes the entry out of the file (batched) and out
 * of memory. */
void inbox_finish(struct inbox *in, struct inbox_entry *entry);
/* The same, and it becomes a dead letter, at once with its leaving. */
void inbox_finish_dead(struct inbox *in, struct inbox_entry *entry,
                       const struct inbox_cause *cause);

/* Waits until the ends of all that have finished are in the file: what a later
 * handler stores elsewhere must not be found without them after a death. */
struct inbox_settle {
    struct list link;
    uint64_t until;
    void (*done)(struct inbox_settle *s); /* from the loop, once */
};
bool inbox_settled(const struct inbox *in); /* nothing to wait for */
/* The caller's memory, until done or until list_remove(&s->link) cancels. */
void inbox_settle(struct inbox *in, struct inbox_settle *s);

/* Frees the memory and leaves the entry in the file, for inbox_fetch or for
 * the next process. */
void inbox_release(struct inbox_entry *entry);

/* What inbox_fetch has read; valid during `done`. */
struct inbox_fetched;
/* The next of them, the caller's as from inbox_next; NULL: no further. */
struct inbox_entry *inbox_fetched_next(struct inbox_fetched *f);

/* Reads released entries back; done comes once, from the loop, with those that
 * are still in the file, in the order of seqs (copied). A file that fails is
 * tried again for as long as it takes; no done after inbox_close. */
void inbox_fetch(struct inbox *in, const int64_t *seqs, size_t n,
                 void (*done)(void *arg, struct inbox_fetched *f), void *arg);

size_t inbox_dead_count(const struct inbox *in);
/* Letters with an id below `before` (0: all), newest first, at most `limit`
 * and INBOX_DEAD_LIST. Each of these four calls `done` once, from the loop
 * or from inbox_close. */
void inbox_dead_list(struct inbox *in, int64_t before, size_t limit,
                     inbox_dead_done *done, void *arg);
void inbox_dead_show(struct inbox *in, int64_t id, inbox_dead_done *done,
                     void *arg);
/* Puts the update into the inbox again, as INBOX_REPLAY, redelivered and in
 * its lane, and removes the letter; both or nothing, and durable. */
void inbox_dead_replay(struct inbox *in, int64_t id, inbox_dead_done *done,
                       void *arg);
void inbox_dead_drop(struct inbox *in, int64_t id, inbox_dead_done *done,
                     void *arg);

/* Ends cleanly: commits what is pending. Entries must be finished or
 * released before. Blocks. */
void inbox_close(struct inbox *in);
/* As a crash would: nothing pending is committed, no callback is called;
 * frees everything but entries in the caller's hands, which are released
 * before. The same process may open the folder again. */
void inbox_kill(struct inbox *in);

#endif
