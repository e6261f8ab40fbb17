#ifndef MOONLET_TESTS_STORE_POWER_VFS_H
#define MOONLET_TESTS_STORE_POWER_VFS_H

/*
 * A disk that loses its power. All that SQLite writes goes through to the
 * real files, and beside it is remembered what each held at its last xSync
 * and what was written since. power_off() gives the files the content that a
 * disk could have after a power cut: of what was not synced, a subset drawn
 * from a seed, by sectors.
 *
 * After power_arm(n) the current is gone at the n-th write: it and all after
 * it fail, so that nobody takes them for stored. One thread at a time writes.
 */

#include "fixture.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>

#define POWER_FILES 4
#define POWER_SECTOR 512

struct power_op {
    size_t at;
    size_t len;
    unsigned char *data; /* NULL: truncated at `at` */
};

struct power_disk {
    char path[128]; /* empty: free */
    unsigned char *image;
    bool is_log;
    size_t len, cap;
    struct power_op *ops;
    size_t count, room;
};

struct power_file {
    struct sqlite3_file base;
    struct power_disk *disk; /* NULL: not followed */
    struct sqlite3_file *real;
};

/* SQLite calls back with no other argument than its own. */
static struct {
    struct sqlite3_vfs vfs;
    struct sqlite3_vfs *real;
    struct power_disk disks[POWER_FILES];
    atomic_long left; /* writes until the power is gone */
    atomic_bool off;
    bool lies; /* a sync does nothing, and nothing is kept */
    size_t dropped;
    size_t checkpoints; /* syncs of a database itself, which has few others */
} power;

static inline struct power_file *power_of(sqlite3_file *f)
{
    return (struct power_file *)f;
}

static inline struct sqlite3_file *power_real(sqlite3_file *f)
{
    return power_of(f)->real;
}

static inline void power_resize(struct power_disk *d, size_t len)
{
    if (len > d->cap) {
        d->cap = 2 * len;
        d->image = mem_grow(d->image, d->cap, 1);
    }
    if (len > d->len)
        memset(d->image + d->len, 0, len - d->len);
    d->len = len;
}

/* Sectors that lie in a write are lost or kept each by itself; keep: of 100,
 * above 100 all. */
static inline void power_apply(struct power_disk *d, const struct power_op *op,
                               struct rng *r, uint64_t keep)
{
    if (!op->data) {
        if (rng_below(r, 100) < keep)
            power_resize(d, op->at);
        return;
    }
    for (size_t done = 0, piece; done < op->len; done += piece) {
        size_t at = op->at + done;
        piece = POWER_SECTOR - at % POWER_SECTOR;
        if (piece > op->len - done)
            piece = op->len - done;
        if (rng_below(r, 100) >= keep) {
            power.dropped++;
            continue;
        }
        if (at + piece > d->len)
            power_resize(d, at + piece);
        memcpy(d->image + at, op->data + done, piece);
    }
}

static inline void power_settle(struct power_disk *d, struct rng *r,
                                uint64_t keep)
{
    for (size_t i = 0; i < d->count; i++) {
        power_apply(d, &d->ops[i], r, keep);
        free(d->ops[i].data);
    }
    d->count = 0;
}

static inline void power_forget(struct power_disk *d)
{
    struct rng r = {{1, 2, 3, 4}};
    power_settle(d, &r, 0);
    free(d->image);
    free(d->ops);
    memset(d, 0, sizeof(*d));
}

static inline void power_note(struct power_disk *d, size_t at, const void *data,
                              size_t len)
{
    if (d->count == d->room) {
        d->room = 2 * d->room + 16;
        d->ops = mem_grow(d->ops, d->room, sizeof(*d->ops));
    }
    d->ops[d->count++] = (struct power_op){
        at, len, data ? (unsigned char *)mem_dup(data, len) : NULL};
}

/* Counts a write; true: it is not done any more. */
static inline bool power_is_off(void)
{
    if (atomic_load(&power.left) > 0 && atomic_fetch_sub(&power.left, 1) == 1)
        atomic_store(&power.off, true);
    return atomic_load(&power.off);
}

static inline int power_write(sqlite3_file *f, const void *data, int len,
                              sqlite3_int64 at)
{
    if (power_is_off())
        return SQLITE_IOERR_WRITE;
    if (power_of(f)->disk)
        power_note(power_of(f)->disk, (size_t)at, data, (size_t)len);
    return power_real(f)->pMethods->xWrite(power_real(f), data, len, at);
}

static inline int power_truncate(sqlite3_file *f, sqlite3_int64 len)
{
    if (power_is_off())
        return SQLITE_IOERR_TRUNCATE;
    if (power_of(f)->disk)
        power_note(power_of(f)->disk, (size_t)len, NULL, 0);
    return power_real(f)->pMethods->xTruncate(power_real(f), len);
}

/* The real file is not synced: its content is known. */
static inline int power_sync(sqlite3_file *f, int flags)
{
    struct rng all = {{1, 2, 3, 4}};
    struct power_disk *d = power_of(f)->disk;
    (void)flags;
    if (power_is_off())
        return SQLITE_IOERR_FSYNC;
    if (d)
        power.checkpoints += !d->is_log && d->count > 1;
    if (d && !power.lies)
        power_settle(d, &all, 101);
    return SQLITE_OK;
}

static inline int power_close(sqlite3_file *f)
{
    return power_real(f)->pMethods->xClose(power_real(f));
}

static inline int power_read(sqlite3_file *f, void *to, int len,
                             sqlite3_int64 at)
{
    return power_real(f)->pMethods->xRead(power_real(f), to, len, at);
}

static inline int power_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return power_real(f)->pMethods->xFileSize(power_real(f), size);
}

static inline int power_lock(sqlite3_file *f, int kind)
{
    return power_real(f)->pMethods->xLock(power_real(f), kind);
}

static inline int power_unlock(sqlite3_file *f, int kind)
{
    return power_real(f)->pMethods->xUnlock(power_real(f), kind);
}

static inline int power_reserved(sqlite3_file *f, int *out)
{
    return power_real(f)->pMethods->xCheckReservedLock(power_real(f), out);
}

static inline int power_control(sqlite3_file *f, int op, void *arg)
{
    return power_real(f)->pMethods->xFileControl(power_real(f), op, arg);
}

static inline int power_sector(sqlite3_file *f)
{
    return power_real(f)->pMethods->xSectorSize(power_real(f));
}

static inline int power_traits(sqlite3_file *f)
{
    return power_real(f)->pMethods->xDeviceCharacteristics(power_real(f));
}

static inline int power_shm_map(sqlite3_file *f, int page, int size, int extend,
                                void volatile **out)
{
    return power_real(f)->pMethods->xShmMap(power_real(f), page, size, extend,
                                            out);
}

static inline int power_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return power_real(f)->pMethods->xShmLock(power_real(f), at, n, flags);
}

static inline void power_shm_barrier(sqlite3_file *f)
{
    power_real(f)->pMethods->xShmBarrier(power_real(f));
}

static inline int power_shm_unmap(sqlite3_file *f, int remove)
{
    return power_real(f)->pMethods->xShmUnmap(power_real(f), remove);
}

/* Without xFetch: no part of the file is ever mapped. */
static const struct sqlite3_io_methods power_methods = {
    .iVersion = 2,
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync,
    .xFileSize = power_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_reserved,
    .xFileControl = power_control,
    .xSectorSize = power_sector,
    .xDeviceCharacteristics = power_traits,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

/* What a file holds when it is opened counts as synced. */
static inline void power_load(struct power_disk *d)
{
    unsigned char piece[4096];
    ssize_t n;
    int fd = open(d->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        size_t at = d->len;
        power_resize(d, at + (size_t)n);
        memcpy(d->image + at, piece, (size_t)n);
    }
    close(fd);
}

static inline struct power_disk *power_disk(const char *path)
{
    struct power_disk *vacant = NULL;
    for (int i = 0; i < POWER_FILES; i++) {
        struct power_disk *d = &power.disks[i];
        if (strcmp(d->path, path) == 0)
            return d;
        if (!d->path[0])
            vacant = d;
    }
    assert_non_null(vacant);
    snprintf(vacant->path, sizeof(vacant->path), "%s", path);
    power_load(vacant);
    return vacant;
}

static inline int power_open(sqlite3_vfs *vfs, const char *name,
                             sqlite3_file *f, int flags, int *out)
{
    struct power_file *file = power_of(f);
    (void)vfs;
    *file = (struct power_file){.real = (struct sqlite3_file *)(file + 1)};
    int code = power.real->xOpen(power.real, name, file->real, flags, out);
    if (file->real->pMethods)
        file->base.pMethods = &power_methods;
    if (code == SQLITE_OK &&
        (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0)
        file->disk = power_disk(name);
    if (file->disk)
        file->disk->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    return code;
}

/* Takes effect at once: it is not what is tried here. */
static inline int power_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    if (atomic_load(&power.off))
        return SQLITE_IOERR_DELETE;
    for (int i = 0; i < POWER_FILES; i++)
        if (strcmp(power.disks[i].path, name) == 0)
            power_forget(&power.disks[i]);
    return power.real->xDelete(power.real, name, sync);
}

/* From here on all databases of the process are on this disk. */
static inline void power_install(void)
{
    power.real = sqlite3_vfs_find(NULL);
    power.vfs = *power.real;
    power.vfs.zName = "power";
    power.vfs.pNext = NULL;
    power.vfs.szOsFile = (int)sizeof(struct power_file) + power.real->szOsFile;
    power.vfs.xOpen = power_open;
    power.vfs.xDelete = power_delete;
    assert_int_equal(sqlite3_vfs_register(&power.vfs, 1), SQLITE_OK);
}

/* 0: never. */
static inline void power_arm(long writes)
{
    atomic_store(&power.off, false);
    atomic_store(&power.left, writes);
}

static inline void power_save(const struct power_disk *d)
{
    int fd = open(d->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, d->len ? (const void *)d->image : "", d->len),
                     d->len);
    close(fd);
}

/* The databases are closed. The next open finds what the disk has kept. */
static inline void power_off(uint64_t seed)
{
    static const uint64_t keeps[] = {0, 10, 50, 90, 100};
    struct rng r;
    rng_seed(&r, seed);
    uint64_t keep = power.lies ? 0 : keeps[rng_below(&r, 5)];
    for (int i = 0; i < POWER_FILES; i++) {
        struct power_disk *d = &power.disks[i];
        if (!d->path[0])
            continue;
        power_settle(d, &r, keep);
        power_save(d);
        power_forget(d);
    }
    power_arm(0);
}

#endif
