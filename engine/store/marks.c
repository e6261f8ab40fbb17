#include "store/marks.h"

#include "base/crash_point.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKS_MAGIC INT64_C(0x314b52414d4e4f4d) /* "MONMARK1" */
#define MARKS_BOOT_ID 48

/* The file. Every store is one aligned machine word, so that a death between
 * any two instructions leaves whole values. Atomics keep their order. */
struct marks_file {
    _Atomic int64_t magic;
    char boot_id[MARKS_BOOT_ID];
    _Atomic int64_t on_loop;
    _Atomic int64_t begun[MARKS_MAX]; /* 0: free */
};

struct marks {
    struct marks_file *map;
    char boot_id[MARKS_BOOT_ID]; /* of this boot; empty: not known */
    bool proven;                 /* the file told the truth at open */
    int64_t was_on_loop;
    int64_t *old; /* what had begun, ascending */
    size_t old_count;
    int *free_slots; /* a stack */
    int free_count;
};

/* Returns 0 and leaves id zeroed if the system does not tell. */
static size_t read_boot_id(char id[MARKS_BOOT_ID])
{
    memset(id, 0, MARKS_BOOT_ID);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, id, MARKS_BOOT_ID - 1);
    close(fd);
    return n > 0 ? (size_t)n : 0;
}

/* Blocks are allocated now: a store into a hole of a full disk would be a
 * SIGBUS later. A file of another size cannot be ours and starts as zeros. */
static int size_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    off_t size = (off_t)sizeof(struct marks_file);
    if (st.st_size != size &&
        (ftruncate(fd, 0) != 0 || ftruncate(fd, size) != 0))
        return errno;
    return posix_fallocate(fd, 0, size);
}

static struct marks_file *map_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_errno(e, errno, "%s", path);
        return NULL;
    }
    int sys = size_file(fd);
    void *map = MAP_FAILED;
    if (sys == 0) {
        map = mmap(NULL, sizeof(struct marks_file), PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
        sys = errno;
    }
    close(fd);
    CRASH_POINT("marks.mapped");
    if (map != MAP_FAILED)
        return map;
    err_errno(e, sys, "%s", path);
    return NULL;
}

static int compare_seq(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void copy_old(struct marks *m)
{
    m->old = mem_zero(MARKS_MAX, sizeof(*m->old));
    for (int i = 0; i < MARKS_MAX; i++) {
        int64_t seq = atomic_load(&m->map->begun[i]);
        if (seq != 0)
            m->old[m->old_count++] = seq;
    }
    qsort(m->old, m->old_count, sizeof(*m->old), compare_seq);
    m->was_on_loop = atomic_load(&m->map->on_loop);
}

struct marks *marks_open(const char *path, struct err *e)
{
    struct marks_file *map = map_file(path, e);
    if (!map)
        return NULL;
    struct marks *m = MEM_NEW(struct marks);
    m->map = map;
    m->free_slots = mem_zero(MARKS_MAX, sizeof(*m->free_slots));
    m->proven = read_boot_id(m->boot_id) > 0 &&
                atomic_load(&map->magic) == MARKS_MAGIC &&
                memcmp(map->boot_id, m->boot_id, MARKS_BOOT_ID) == 0;
    if (m->proven)
        copy_old(m);
    return m;
}

void marks_close(struct marks *m)
{
    munmap(m->map, sizeof(*m->map));
    free(m->old);
    free(m->free_slots);
    free(m);
}

bool marks_had_begun(const struct marks *m, int64_t seq)
{
    if (!m->proven)
        return true;
    return bsearch(&seq, m->old, m->old_count, sizeof(seq), compare_seq);
}

int64_t marks_was_on_loop(const struct marks *m)
{
    return m->was_on_loop;
}

/* The slots are emptied before boot id and magic make the file credible: a
 * death in between leaves a file that proves nothing. */
void marks_reset(struct marks *m)
{
    for (int i = 0; i < MARKS_MAX; i++) {
        atomic_store(&m->map->begun[i], 0);
        m->free_slots[i] = MARKS_MAX - 1 - i;
    }
    m->free_count = MARKS_MAX;
    CRASH_POINT("marks.emptied");
    atomic_store(&m->map->on_loop, 0);
    memcpy(m->map->boot_id, m->boot_id, MARKS_BOOT_ID);
    atomic_store(&m->map->magic, MARKS_MAGIC);
}

int marks_begin(struct marks *m, int64_t seq)
{
    if (m->free_count == 0)
        return -1;
    int slot = m->free_slots[--m->free_count];
    atomic_store_explicit(&m->map->begun[slot], seq, memory_order_release);
    return slot;
}

void marks_end(struct marks *m, int slot)
{
    atomic_store_explicit(&m->map->begun[slot], 0, memory_order_release);
    m->free_slots[m->free_count++] = slot;
}

void marks_on_loop(struct marks *m, int64_t seq)
{
    atomic_store_explicit(&m->map->on_loop, seq, memory_order_release);
}
