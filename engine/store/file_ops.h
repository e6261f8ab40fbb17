#ifndef MOONLET_STORE_FILE_OPS_H
#define MOONLET_STORE_FILE_OPS_H

/*
 * What can be done with one file or folder below a folder, as plain blocking
 * calls for a pool thread. Only ordinary files are opened: a FIFO or a device
 * that stands there blocks nobody. What a call has changed is on disk when it
 * returns.
 *
 * A text is written into FILE_OWN_FOLDER, which no path may name, and moved
 * to its place when it is on disk: a file is never half written. What a crash
 * leaves there is replaced by the next write with the same `stage`.
 */

#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>
#include <stddef.h>

#define FILE_OWN_FOLDER ".moonlet"
#define FILE_LIST_MAX 10000

enum file_op {
    FILE_READ,   /* out: the text */
    FILE_WRITE,  /* the whole file; parents are made */
    FILE_APPEND, /* makes file and parents if they are missing */
    FILE_LIST,   /* out: one row for each name, sorted by name */
    FILE_STAT,   /* out: one row, none if there is nothing */
    FILE_REMOVE, /* a file, a link or an empty folder */
    FILE_RENAME, /* to `to`, whose parents are made; replaces a file */
    FILE_MKDIR,  /* with its parents; no error if it exists */
    FILE_OPS
};

/* All borrowed. */
struct file_request {
    enum file_op op;
    const char *path; /* file_problem says NULL; FILE_LIST takes "" too */
    const char *to;   /* FILE_RENAME */
    const char *text; /* FILE_WRITE, FILE_APPEND */
    size_t len;
    size_t max;     /* FILE_READ: bytes, at least 1 */
    unsigned stage; /* FILE_WRITE: no two at once have the same number */
    const atomic_bool *given_up; /* FILE_WRITE: true: no longer wanted */
};

/* As beneath_problem. */
const char *file_problem(const char *path, size_t len);

/* Does it; `folder` is made if it is missing (mode 0700, not its parents).
 * ERR_IO with errno, or ERR_LIMIT; *out is undefined then. */
int file_run(const char *folder, const struct file_request *r, struct buf *out,
             struct err *e);

/* Rows as text: type, size and modification time with a space behind each,
 * then the name and a NUL. */
struct file_row {
    const char *type;   /* "file", "folder", "other"; static */
    long long size;     /* bytes of a file, else 0 */
    long long modified; /* Unix seconds */
    const char *name;   /* points into the rows */
};

/* Reads the row at offset *at, which moves behind it; false at the end. */
bool file_row_next(const struct buf *rows, size_t *at, struct file_row *row);

#endif
