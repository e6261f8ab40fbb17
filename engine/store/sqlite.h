#ifndef MOONLET_STORE_SQLITE_H
#define MOONLET_STORE_SQLITE_H

/*
 * One SQLite file with one writer: a strand whose batches are transactions.
 * The writer also does every checkpoint (FACTS: two connections of which one
 * checkpoints can lose commits). A request that must survive a power cut
 * says so, and its whole batch is then committed with synchronous=FULL.
 */

#include "base/err.h"
#include "loop/strand.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;
struct sqlite_writer;
struct loop;

struct sqlite_request {
    struct strand_job job; /* job.done is set by the caller */
    /* Runs on the writer's thread within the batch's transaction, inside a
     * savepoint if may_fail. Returns 0 or fills e. */
    int (*run)(struct sqlite_request *r, struct sqlite_writer *w);
    bool durable;
    bool may_fail;
    struct err result; /* what run returned, or why the commit failed */
    struct sqlite_writer *writer; /* set by sqlite_submit */
};

/* Opens or makes the file (mode 0600) and sets WAL. `version`, from 1, is
 * the schema's number, kept as PRAGMA user_version: steps[n] are the
 * statements that take a file from version n to n + 1, and a file gets those
 * that it lacks in one transaction. A file with a higher number is refused
 * (ERR_MISUSE). Blocks: start only. */
struct sqlite_writer *sqlite_writer_open(struct loop *loop, const char *path,
                                         const char *const *steps, int version,
                                         struct err *e);

/* A request without may_fail that fails takes its whole batch with it, and a
 * commit that fails every request of it: each result then says why. */
void sqlite_submit(struct sqlite_writer *w, struct sqlite_request *r);
size_t sqlite_waiting(const struct sqlite_writer *w);

/* Flushes what was submitted, checkpoints, closes. Blocks. */
void sqlite_writer_close(struct sqlite_writer *w);

/* engine_kill: no further commit, no checkpoint, no completion. */
void sqlite_writer_kill(struct sqlite_writer *w,
                        void (*drop)(struct sqlite_request *r));

/* For run callbacks and for start: the connection, and a prepared statement
 * cached by the address of its text, reset and unbound. NULL and *e. */
struct sqlite3 *sqlite_handle(struct sqlite_writer *w);
struct sqlite3_stmt *sqlite_prepare(struct sqlite_writer *w, const char *sql,
                                    struct err *e);
/* Runs a statement that gives no row; it can be bound and run again. */
int sqlite_run(struct sqlite_writer *w, struct sqlite3_stmt *stmt,
               const char *what, struct err *e);
/* Bytes that are left to us on the file's disk, and its size (0: the file
 * system does not tell). Returns 0 or ERR_IO. */
int sqlite_disk(struct sqlite_writer *w, uint64_t *left, uint64_t *size,
                struct err *e);
/* When the batch is done, the log is emptied into the file and cut off: it may
 * be what fills the disk. Also done when a batch fails for want of room. */
void sqlite_make_room(struct sqlite_writer *w);
/* ERR_DB with SQLite's own message. */
int sqlite_error(struct sqlite_writer *w, struct err *e, const char *what);

#endif
