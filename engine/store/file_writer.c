#include "store/file_stream.h"

#include "base/mem.h"
#include "store/beneath.h"
#include "store/file_turn.h"
#include "store/files_internal.h"
#include "store/plain_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block {
    char *data;
    size_t len;
};

enum job {
    JOB_WRITE,  /* one block */
    JOB_FINISH, /* the last block, sync, and the file's name */
    JOB_REMOVE  /* what has no name yet */
};

struct file_writer {
    struct file_turn turn;
    char *path;
    char staged[32]; /* its name in FILE_OWN_FOLDER until it is finished */
    struct err error;
    void (*wake)(void *arg);
    void *wake_arg;
    void (*done)(void *arg); /* of finish; NULL: not called yet */
    void *done_arg;
    bool waiting, closed, finished;
    bool restart_wanted; /* the next turn empties the file */
    struct block blocks[2];
    unsigned filling; /* the block that takes bytes */
    int64_t size;     /* taken */
    /* The pool's, while a turn runs. */
    enum job job;
    struct block *source; /* what is written */
    bool restart;         /* the file is emptied before */
    int64_t written;
    int own; /* FILE_OWN_FOLDER, -1: not open; then there is no file */
    int fd;  /* -1: not open */
    int failed;
    atomic_bool given_up;
};

/* A death may have left a file of that name. */
static int open_staged(struct file_writer *w)
{
    int root = plain_file_root(w->turn.files->folder);
    if (root < 0)
        return errno;
    w->own = beneath_folder(root, FILE_OWN_FOLDER, true);
    if (plain_file_close(root, w->own) < 0)
        return errno;
    unlinkat(w->own, w->staged, 0);
    w->fd = openat(w->own, w->staged,
                   O_WRONLY | O_CREAT | O_EXCL | PLAIN_FILE_FLAGS, 0600);
    return w->fd < 0 ? errno : 0;
}

/* The disk begins at once, so that the sync at the end is short. */
static int write_block(struct file_writer *w)
{
    const struct block *b = w->source;
    size_t at = 0;
    while (at < b->len) {
        ssize_t n =
            pwrite(w->fd, b->data + at, b->len - at, w->written + (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        at += (size_t)n;
    }
    (void)sync_file_range(w->fd, w->written, (off_t)b->len,
                          SYNC_FILE_RANGE_WRITE);
    w->written += (int64_t)b->len;
    return 0;
}

static int run_write(struct file_writer *w)
{
    int failed = w->fd < 0 ? open_staged(w) : 0;
    if (!failed && w->restart && ftruncate(w->fd, 0) != 0)
        failed = errno;
    if (w->restart)
        w->written = 0;
    return failed ? failed : write_block(w);
}

static int give_name(struct file_writer *w)
{
    const char *name = NULL;
    int root = plain_file_root(w->turn.files->folder);
    int dir = root < 0 ? -1 : beneath_parent(root, w->path, true, &name);
    int failed = dir < 0 ? errno : 0;
    if (root >= 0)
        close(root);
    if (failed)
        return failed;
    if (atomic_load(&w->given_up))
        failed = ECANCELED;
    else if (renameat(w->own, w->staged, dir, name) != 0)
        failed = errno;
    else
        failed = plain_file_sync_folder(dir);
    return plain_file_close(dir, failed);
}

static int run_finish(struct file_writer *w)
{
    int failed = run_write(w);
    if (!failed)
        failed = plain_file_stamp(w->fd);
    if (!failed && fsync(w->fd) != 0)
        failed = errno;
    return failed ? failed : give_name(w);
}

static int run_remove(struct file_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    if (w->own >= 0) {
        unlinkat(w->own, w->staged, 0);
        close(w->own);
    }
    w->fd = w->own = -1;
    return 0;
}

static void on_pool(struct file_turn *t)
{
    static int (*const jobs[])(struct file_writer *) = {
        [JOB_WRITE] = run_write,
        [JOB_FINISH] = run_finish,
        [JOB_REMOVE] = run_remove,
    };
    struct file_writer *w = LIST_ENTRY(t, struct file_writer, turn);
    if (w->failed && w->job != JOB_REMOVE) /* it stays so */
        return;
    w->failed = jobs[w->job](w);
    if (w->failed) /* the disk has its room back before anybody hears of it */
        run_remove(w);
}

static void free_writer(struct file_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    if (w->own >= 0)
        close(w->own);
    free(w->blocks[0].data);
    free(w->blocks[1].data);
    free(w->path);
    free(w);
}

static void start(struct file_writer *w, enum job job)
{
    w->job = job;
    w->restart = w->restart_wanted;
    w->restart_wanted = false;
    w->source = &w->blocks[w->filling];
    w->filling = (w->filling + 1) % 2;
    file_turn_start(&w->turn);
}

/* Nobody wants it any more, and the pool is not at it. */
static void end(struct file_writer *w)
{
    if (w->finished || w->own < 0) {
        free_writer(w);
        return;
    }
    w->job = JOB_REMOVE;
    if (file_turn_inline(&w->turn))
        free_writer(w);
    else
        file_turn_start(&w->turn);
}

static bool is_full(const struct file_writer *w)
{
    return w->blocks[w->filling].len == FILE_STREAM_BLOCK;
}

/* The pool is idle: what is next for it? */
static void go_on(struct file_writer *w)
{
    if (w->error.code != ERR_OK)
        return;
    if (w->done && !w->finished)
        start(w, JOB_FINISH);
    else if (is_full(w))
        start(w, JOB_WRITE);
}

static void tell(struct file_writer *w)
{
    if (w->done && (w->finished || w->error.code != ERR_OK)) {
        w->done(w->done_arg);
    } else if (w->waiting) {
        w->waiting = false;
        w->wake(w->wake_arg);
    }
}

static void on_done(struct file_turn *t)
{
    struct file_writer *w = LIST_ENTRY(t, struct file_writer, turn);
    w->source->len = 0;
    if (w->job == JOB_FINISH && !w->failed)
        w->finished = true;
    if (w->closed && w->job == JOB_REMOVE) {
        free_writer(w);
        return;
    }
    if (w->closed) {
        end(w);
        return;
    }
    if (w->failed)
        plain_file_error(w->path, w->failed, &w->error);
    else
        go_on(w);
    tell(w);
}

struct file_writer *file_writer_new(struct files *f, const char *path)
{
    struct file_writer *w = MEM_NEW(struct file_writer);
    w->path = mem_strdup(path);
    snprintf(w->staged, sizeof(w->staged), "stream-%" PRIu64, f->writers++);
    w->turn.files = f;
    w->turn.run = on_pool;
    w->turn.done = on_done;
    w->fd = w->own = -1;
    atomic_init(&w->given_up, false);
    return w;
}

const struct err *file_writer_error(const struct file_writer *w)
{
    return w->error.code == ERR_OK ? NULL : &w->error;
}

void file_writer_on_wake(struct file_writer *w, void (*wake)(void *arg),
                         void *arg)
{
    w->wake = wake;
    w->wake_arg = arg;
}

static size_t fill(struct file_writer *w, const char *data, size_t len)
{
    struct block *b = &w->blocks[w->filling];
    size_t room = FILE_STREAM_BLOCK - b->len;
    size_t n = len < room ? len : room;
    if (!b->data)
        b->data = mem_alloc(FILE_STREAM_BLOCK);
    memcpy(b->data + b->len, data, n);
    b->len += n;
    return n;
}

ssize_t file_writer_take(struct file_writer *w, const char *data, size_t len)
{
    size_t taken = 0;
    if (w->error.code != ERR_OK)
        return FILE_STREAM_BROKEN;
    while (taken < len && !is_full(w)) {
        taken += fill(w, data + taken, len - taken);
        if (is_full(w) && w->turn.state == TURN_IDLE)
            start(w, JOB_WRITE);
    }
    w->size += (int64_t)taken;
    w->waiting = taken < len;
    return (ssize_t)taken;
}

int64_t file_writer_size(const struct file_writer *w)
{
    return w->size;
}

void file_writer_restart(struct file_writer *w)
{
    w->blocks[w->filling].len = 0;
    w->size = 0;
    w->waiting = false;
    w->restart_wanted = true;
}

void file_writer_finish(struct file_writer *w, void (*done)(void *arg),
                        void *arg)
{
    w->done = done;
    w->done_arg = arg;
    w->waiting = false;
    if (w->turn.state == TURN_IDLE)
        start(w, JOB_FINISH);
}

void file_writer_close(struct file_writer *w)
{
    if (!w)
        return;
    w->closed = true;
    atomic_store(&w->given_up, true);
    if (file_turn_stop(&w->turn))
        end(w);
}

static void remove_all(int own)
{
    const struct dirent *d;
    DIR *dir = fdopendir(own);
    if (!dir) {
        close(own);
        return;
    }
    while ((d = readdir(dir)) != NULL)
        unlinkat(own, d->d_name, 0); /* refuses "." and ".." */
    closedir(dir);
}

void file_stream_sweep(const char *folder)
{
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return;
    int own = beneath_folder(root, FILE_OWN_FOLDER, false);
    close(root);
    if (own >= 0)
        remove_all(own);
}
