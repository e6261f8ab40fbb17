#include "sim/spool.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct spool {
    struct loop *loop;
    int fd; /* -1: nothing has needed it yet */
    uint64_t end;
    unsigned busy; /* slots taken, writes on the pool */
    bool closed;
    bool taken[SPOOL_SLOTS];
};

/* Punching a hole into gigabytes takes its time. */
struct clearing {
    struct work work;
    struct spool *spool;
    int slot;
};

struct spool *spool_new(struct loop *loop)
{
    struct spool *s = MEM_NEW(struct spool);
    s->loop = loop;
    s->fd = -1;
    return s;
}

static void end(struct spool *s)
{
    if (s->busy > 0 || !s->closed)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

void spool_close(struct spool *s)
{
    s->closed = true;
    end(s);
}

/* Where O_TMPFILE is unknown, a name for a moment. */
static int open_unlinked(void)
{
    const char *folder = getenv("TMPDIR");
    char name[4096];
    if (folder == NULL || *folder == '\0')
        folder = "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    snprintf(name, sizeof(name), "%s/moonlet-sim-XXXXXX", folder);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

int spool_take(struct spool *s)
{
    if (s->fd < 0)
        s->fd = open_unlinked();
    if (s->fd < 0)
        return -1;
    for (int slot = 0; slot < SPOOL_SLOTS; slot++) {
        if (!s->taken[slot]) {
            s->taken[slot] = true;
            s->busy++;
            return slot;
        }
    }
    errno = EMFILE;
    return -1;
}

uint64_t spool_offset(int slot)
{
    return (uint64_t)slot * (uint64_t)SPOOL_SLOT_BYTES;
}

static void clear(struct work *work)
{
    struct clearing *c = LIST_ENTRY(work, struct clearing, work);
    /* What a file system without holes keeps is overwritten some day. */
    fallocate(c->spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              (off_t)spool_offset(c->slot), (off_t)SPOOL_SLOT_BYTES);
}

static void cleared(struct work *work)
{
    struct clearing *c = LIST_ENTRY(work, struct clearing, work);
    struct spool *s = c->spool;
    s->taken[c->slot] = false;
    s->busy--;
    free(c);
    end(s);
}

void spool_give(struct spool *s, int slot)
{
    if (s->closed) {
        s->busy--;
        end(s);
        return;
    }
    struct clearing *c = MEM_NEW(struct clearing);
    c->spool = s;
    c->slot = slot;
    work_start(&c->work, s->loop, clear, cleared);
}

bool spool_extend(struct spool *s, int slot, uint64_t size)
{
    uint64_t end_of = spool_offset(slot) + size;
    if (end_of > s->end && ftruncate(s->fd, (off_t)end_of) != 0)
        return false;
    s->end = end_of > s->end ? end_of : s->end;
    return true;
}

int spool_open(const struct spool *s)
{
    return fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
}

static void write_out(struct work *work)
{
    struct spool_write *w = LIST_ENTRY(work, struct spool_write, work);
    uint64_t at = spool_offset(w->slot) + w->offset;
    const char *data = w->data.data;
    size_t left = w->data.len;
    while (left > 0) {
        ssize_t n = pwrite(w->spool->fd, data, left, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            w->error = n < 0 ? errno : EIO;
            return;
        }
        data += n;
        at += (uint64_t)n;
        left -= (size_t)n;
    }
}

static void written(struct work *work)
{
    struct spool_write *w = LIST_ENTRY(work, struct spool_write, work);
    struct spool *s = w->spool;
    w->done(w); /* may give its slot back, the last hold on a closed spool */
    s->busy--;
    end(s);
}

void spool_write(struct spool *s, struct spool_write *w)
{
    uint64_t end_of = spool_offset(w->slot) + w->offset + w->data.len;
    w->spool = s;
    w->error = 0;
    s->end = end_of > s->end ? end_of : s->end;
    s->busy++;
    work_start(&w->work, s->loop, write_out, written);
}
