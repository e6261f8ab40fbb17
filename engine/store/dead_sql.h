#ifndef MOONLET_STORE_DEAD_SQL_H
#define MOONLET_STORE_DEAD_SQL_H

/*
 * Dead letters in the inbox's file: the table, what puts an update into it,
 * and what keeps it within its bounds. Runs on the writer's thread, within
 * the transaction of the caller, who takes the update out of the inbox. For
 * the inbox alone.
 */

#include "base/err.h"
#include "store/inbox.h"

struct sqlite_writer;

extern const char dead_schema[]; /* from version 1 to 2 */

/* Why an update ended, with texts of its own, and whose it was. */
struct dead_cause {
    enum inbox_reason reason;
    char *kind;
    char *message;
    char *script;
    char *traceback;
    int line;
    int64_t died_ms;
    int64_t update_id;
    char *lane;
    int64_t id; /* of the letter; set by dead_write */
};

/* Copies; long texts are cut. NULL is freed too. */
struct dead_cause *dead_cause_new(const struct inbox_cause *cause,
                                  int64_t update_id, const char *lane,
                                  int64_t now_ms);
void dead_cause_free(struct dead_cause *cause);
const char *dead_reason(enum inbox_reason reason);

/* Writes the letter of entry seq, which is still in the inbox. */
int dead_write(struct sqlite_writer *w, int64_t seq, struct dead_cause *cause,
               struct err *e);

/* A process has died with this entry's code on the loop. At INBOX_DEATHS its
 * letter is written and *cause set, which the caller owns. */
int dead_count_death(struct sqlite_writer *w, int64_t seq, int64_t now_ms,
                     struct dead_cause **cause, struct err *e);

struct dead_pruned {
    size_t left; /* letters in the table now */
    size_t gone;
    bool again; /* more than one batch was due */
};

/* Drops what is too old, a batch of it, and what is too many: as many as were
 * added now, and a batch. */
int dead_prune(struct sqlite_writer *w, int64_t now_ms, size_t added,
               struct dead_pruned *pruned, struct err *e);
int dead_count(struct sqlite_writer *w, size_t *count, struct err *e);

#endif
