#include "store/file_stream.h"

#include "base/mem.h"
#include "store/beneath.h"
#include "store/file_turn.h"
#include "store/files_internal.h"
#include "store/plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS 1000000000LL

struct block {
    char *data;
    size_t len; /* bytes in it; 0: it is free */
    size_t at;  /* the next to be given out */
};

struct file_reader {
    struct file_turn turn;
    char *path;
    bool anywhere;
    int fd; /* -1: not open */
    struct file_facts facts;
    struct err error;
    void (*opened)(void *arg);
    void *opened_arg;
    void (*wake)(void *arg);
    void *wake_arg;
    bool waiting; /* its owner was told to wait */
    bool closed;  /* frees itself when the pool has let go of it */
    bool stale;   /* the block that is being filled is from before a seek */
    /* A ring of two: the first of `full` blocks is being given out, the one
     * behind them is being filled. */
    struct block blocks[2];
    unsigned first, full;
    int64_t ahead; /* offset of the next block to be read */
    /* The pool's, while a turn runs. */
    struct block *target;
    int64_t from; /* what it begins at; `ahead` may move meanwhile */
    int failed;   /* errno */
};

static struct file_facts facts_of(const struct stat *st)
{
    return (struct file_facts){
        .size = st->st_size,
        .mtime_ns = st->st_mtim.tv_sec * NS + st->st_mtim.tv_nsec,
    };
}

static int open_beneath(struct file_reader *r, struct stat *st)
{
    const char *name;
    int root = plain_file_root(r->turn.files->folder);
    if (root < 0)
        return errno;
    int dir = beneath_parent(root, r->path, false, &name);
    int failed = dir < 0 ? errno : 0;
    close(root);
    if (failed)
        return failed;
    r->fd = plain_file_open(dir, name, O_RDONLY, st);
    return plain_file_close(dir, r->fd < 0 ? errno : 0);
}

static int open_anywhere(struct file_reader *r, struct stat *st)
{
    int fd = open(r->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fstat(fd, st) != 0)
        return plain_file_close(fd, errno);
    if (!S_ISREG(st->st_mode))
        return plain_file_close(fd, ENXIO);
    r->fd = fd;
    return 0;
}

static void run_open(struct file_reader *r)
{
    struct stat st = {0};
    r->failed = r->anywhere ? open_anywhere(r, &st) : open_beneath(r, &st);
    if (!r->failed)
        r->facts = facts_of(&st);
}

/* What was announced of the file can no longer be held. */
static bool has_changed(const struct file_reader *r)
{
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return true;
    struct file_facts now = facts_of(&st);
    return now.size != r->facts.size || now.mtime_ns != r->facts.mtime_ns;
}

static int read_block(struct file_reader *r, size_t want)
{
    struct block *b = r->target;
    while (b->len < want) {
        ssize_t n = pread(r->fd, b->data + b->len, want - b->len,
                          r->from + (off_t)b->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ESTALE;
        b->len += (size_t)n;
    }
    return 0;
}

static void run_fill(struct file_reader *r)
{
    int64_t left = r->facts.size - r->from;
    size_t want =
        left < (int64_t)FILE_STREAM_BLOCK ? (size_t)left : FILE_STREAM_BLOCK;
    r->failed = read_block(r, want);
    if (!r->failed && left == (int64_t)want && has_changed(r))
        r->failed = ESTALE;
}

static void on_pool(struct file_turn *t)
{
    struct file_reader *r = LIST_ENTRY(t, struct file_reader, turn);
    if (r->target)
        run_fill(r);
    else
        run_open(r);
}

static void free_reader(struct file_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->blocks[0].data);
    free(r->blocks[1].data);
    free(r->path);
    free(r);
}

static void fail(struct file_reader *r)
{
    if (r->failed == ESTALE)
        err_set(&r->error, ERR_IO, ESTALE,
                "%.*s: the file has changed while it was read",
                plain_file_shown(r->path), r->path);
    else
        plain_file_error(r->path, r->failed, &r->error);
}

static void read_ahead(struct file_reader *r)
{
    if (r->turn.state != TURN_IDLE || r->full == 2 ||
        r->ahead >= r->facts.size || r->error.code != ERR_OK)
        return;
    r->target = &r->blocks[(r->first + r->full) % 2];
    if (!r->target->data)
        r->target->data = mem_alloc(FILE_STREAM_BLOCK);
    r->target->len = r->target->at = 0;
    r->from = r->ahead;
    file_turn_start(&r->turn);
}

static void filled(struct file_reader *r)
{
    if (r->stale) {
        r->stale = false;
        r->target->len = 0;
    } else if (r->failed) {
        fail(r);
    } else {
        r->ahead += (int64_t)r->target->len;
        r->full++;
    }
    read_ahead(r);
    if (r->waiting && (r->full > 0 || r->error.code != ERR_OK)) {
        r->waiting = false;
        r->wake(r->wake_arg);
    }
}

static void on_done(struct file_turn *t)
{
    struct file_reader *r = LIST_ENTRY(t, struct file_reader, turn);
    if (r->closed) {
        free_reader(r);
    } else if (r->target) {
        filled(r);
    } else {
        if (r->failed)
            fail(r);
        r->opened(r->opened_arg);
    }
}

struct file_reader *file_reader_open(struct files *f, const char *path,
                                     bool anywhere, void (*opened)(void *arg),
                                     void *arg)
{
    struct file_reader *r = MEM_NEW(struct file_reader);
    r->path = mem_strdup(path);
    r->anywhere = anywhere;
    r->fd = -1;
    r->opened = opened;
    r->opened_arg = arg;
    r->turn.files = f;
    r->turn.run = on_pool;
    r->turn.done = on_done;
    file_turn_start(&r->turn);
    return r;
}

const struct err *file_reader_error(const struct file_reader *r)
{
    return r->error.code == ERR_OK ? NULL : &r->error;
}

struct file_facts file_reader_facts(const struct file_reader *r)
{
    return r->facts;
}

void file_reader_on_wake(struct file_reader *r, void (*wake)(void *arg),
                         void *arg)
{
    r->wake = wake;
    r->wake_arg = arg;
}

/* Many files of one upload are open at once, one of them is read. */
static void drop_blocks(struct file_reader *r)
{
    for (int i = 0; i < 2; i++) {
        free(r->blocks[i].data);
        r->blocks[i] = (struct block){0};
    }
}

static size_t give_out(struct file_reader *r, char *out, size_t max)
{
    struct block *b = &r->blocks[r->first];
    size_t n = b->len - b->at < max ? b->len - b->at : max;
    memcpy(out, b->data + b->at, n);
    b->at += n;
    if (b->at == b->len) {
        b->len = 0;
        r->first = (r->first + 1) % 2;
        r->full--;
    }
    return n;
}

ssize_t file_reader_read(struct file_reader *r, char *out, size_t max)
{
    ssize_t n = FILE_STREAM_WAIT;
    if (r->error.code != ERR_OK)
        return FILE_STREAM_BROKEN;
    if (r->full > 0)
        n = (ssize_t)give_out(r, out, max);
    else if (r->ahead >= r->facts.size)
        n = 0;
    read_ahead(r);
    if (r->full == 0 && r->turn.state == TURN_IDLE)
        drop_blocks(r);
    r->waiting = n == FILE_STREAM_WAIT;
    return n;
}

void file_reader_seek(struct file_reader *r, int64_t offset)
{
    r->full = 0;
    r->waiting = false;
    if (!file_turn_stop(&r->turn))
        r->stale = true;
    r->ahead = offset;
}

void file_reader_close(struct file_reader *r)
{
    if (!r)
        return;
    if (file_turn_stop(&r->turn))
        free_reader(r);
    else
        r->closed = true;
}
