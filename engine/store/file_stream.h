#ifndef MOONLET_STORE_FILE_STREAM_H
#define MOONLET_STORE_FILE_STREAM_H

/*
 * Files of any size, a block at a time: a reader that reads ahead, a writer
 * that is filled while it writes. Each has two blocks and nothing else that
 * grows; the blocking work is done on the pool (store/file_turn.h; inline on
 * a virtual clock). Where no block is ready the caller is told to wait, and
 * called back when there is one. Callbacks come from the loop, never from
 * within a call of theirs. Loop thread only.
 *
 * Paths are relative to the folder of `struct files`; file_problem must have
 * said NULL of them.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FILE_STREAM_BLOCK ((size_t)256 * 1024)

#define FILE_STREAM_WAIT (-1)   /* nothing yet; `wake` follows */
#define FILE_STREAM_BROKEN (-2) /* never again; see the stream's error */

struct file_reader;
struct file_writer;
struct files;

struct file_facts {
    int64_t size;     /* bytes */
    int64_t mtime_ns; /* since 1970 */
};

/* Opens a file and calls `opened` once; until then it has neither facts nor
 * an error. Nothing is read before the first call of file_reader_read.
 * anywhere: the path is absolute and links are followed (a Bot API server's
 * own files). Copies the path, borrows arg. Owned by the caller. */
struct file_reader *file_reader_open(struct files *f, const char *path,
                                     bool anywhere, void (*opened)(void *arg),
                                     void *arg);
/* NULL: none. ERR_IO with errno and a text that begins with the path. A file
 * that has become shorter or was written to since it was opened is an error
 * (ERR_IO, ESTALE), found before its last block is given out. */
const struct err *file_reader_error(const struct file_reader *r);
struct file_facts file_reader_facts(const struct file_reader *r);
/* Who is called when a read that had to wait can go on. */
void file_reader_on_wake(struct file_reader *r, void (*wake)(void *arg),
                         void *arg);
/* Puts up to max bytes (at least 1) into out and returns how many; 0 at the
 * end. Only of a file that is open. */
ssize_t file_reader_read(struct file_reader *r, char *out, size_t max);
/* The next read begins there. */
void file_reader_seek(struct file_reader *r, int64_t offset);
/* At any time; nothing is called any more. NULL is allowed. */
void file_reader_close(struct file_reader *r);

/* A file that appears under its path only when it is whole and on disk; until
 * then it has a name in FILE_OWN_FOLDER. Nothing is made before there is a
 * byte to write. The path is only named in errors until it is finished. */
struct file_writer *file_writer_new(struct files *f, const char *path);
const struct err *file_writer_error(const struct file_writer *w);
void file_writer_on_wake(struct file_writer *w, void (*wake)(void *arg),
                         void *arg);
/* Returns how many of the bytes it took. Fewer than len (maybe 0): `wake`
 * follows, and the rest may come then. FILE_STREAM_BROKEN: disk full and the
 * like. */
ssize_t file_writer_take(struct file_writer *w, const char *data, size_t len);
/* Bytes taken so far: what a broken transfer goes on from. */
int64_t file_writer_size(const struct file_writer *w);
/* Throws away what was taken; the file begins anew. */
void file_writer_restart(struct file_writer *w);
/* Writes the rest, syncs it, makes the folders of the path, and gives the
 * file its name, in place of one that is there. Then `done`, once; see the
 * error. Takes nothing afterwards. */
void file_writer_finish(struct file_writer *w, void (*done)(void *arg),
                        void *arg);
/* At any time; nothing is called any more, and of a file that was not
 * finished nothing is left. NULL is allowed. */
void file_writer_close(struct file_writer *w);

/* Removes what a death has left in FILE_OWN_FOLDER below the folder; before
 * any other use of it. Blocks. */
void file_stream_sweep(const char *folder);

#endif
