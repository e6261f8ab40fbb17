#include "vm/memory.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SHARE 4 /* of the limit, for one block */
#define SLAB_BYTES 32768

/* Stands before a numbered block. */
struct head {
    _Alignas(max_align_t) uint64_t number;
};

static bool is_too_much(const struct memory *m, size_t old_size,
                        size_t new_size)
{
    return m->enforced && m->limit > 0 && new_size > old_size &&
           (new_size > m->limit / BLOCK_SHARE ||
            m->used + (new_size - old_size) > m->limit);
}

static struct head *head_of(const void *block)
{
    return (struct head *)((char *)block - sizeof(struct head));
}

uint64_t memory_number(const void *block)
{
    return head_of(block)->number;
}

static void *resize_numbered(struct memory *m, void *ptr, size_t size)
{
    struct head *head = realloc(ptr ? head_of(ptr) : NULL, sizeof *head + size);
    if (!head)
        return NULL;
    if (!ptr) {
        head->number = ++m->made;
        m->last = head + 1;
    }
    return head + 1;
}

static size_t class_of(size_t size)
{
    return (size - 1) / MEMORY_STEP;
}

static bool is_small(const struct memory *m, size_t size)
{
    return m->slabs && size > 0 && size <= MEMORY_SMALL_MAX;
}

static void *cut(struct memory *m, size_t size)
{
    if (m->slab_left < size) {
        char *slab = malloc(SLAB_BYTES);
        if (!slab)
            return NULL;
        memcpy(slab, &m->slab, sizeof m->slab);
        m->slab = slab;
        m->slab_left = SLAB_BYTES - MEMORY_STEP;
    }
    m->slab_left -= size;
    return m->slab + MEMORY_STEP + m->slab_left;
}

static void *take_small(struct memory *m, size_t class)
{
    void *block = m->free[class];
    if (!block)
        return cut(m, (class + 1) * MEMORY_STEP);
    memcpy(&m->free[class], block, sizeof m->free[class]);
    return block;
}

static void give_small(struct memory *m, void *block, size_t class)
{
    memcpy(block, &m->free[class], sizeof m->free[class]);
    m->free[class] = block;
}

static void *take(struct memory *m, size_t size)
{
    if (is_small(m, size))
        return take_small(m, class_of(size));
    return m->numbered ? resize_numbered(m, NULL, size) : malloc(size);
}

static void give(struct memory *m, void *block, size_t size)
{
    if (is_small(m, size))
        give_small(m, block, class_of(size));
    else
        free(m->numbered && block ? head_of(block) : block);
}

/* One of the sizes is small, or both are. Lua relies on a block that shrinks:
 * without memory for its new place there is nothing to be done. */
static void *move(struct memory *m, void *ptr, size_t old_size, size_t size)
{
    if (is_small(m, old_size) && is_small(m, size) &&
        class_of(old_size) == class_of(size))
        return ptr;
    void *block = take(m, size);
    if (!block && size <= old_size)
        abort();
    if (!block)
        return NULL;
    memcpy(block, ptr, old_size < size ? old_size : size);
    give(m, ptr, old_size);
    return block;
}

static void *resize(struct memory *m, void *ptr, size_t old_size, size_t size)
{
    if (!ptr)
        return take(m, size);
    if (m->numbered)
        return resize_numbered(m, ptr, size);
    if (is_small(m, old_size) || is_small(m, size))
        return move(m, ptr, old_size, size);
    return realloc(ptr, size);
}

void memory_close(struct memory *m)
{
    while (m->slab) {
        char *before;
        memcpy(&before, m->slab, sizeof before);
        free(m->slab);
        m->slab = before;
    }
}

void *memory_alloc(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct memory *m = ud;
    if (!ptr)
        old_size = 0; /* Lua passes the kind of object then */
    if (new_size == 0) {
        m->used -= old_size;
        give(m, ptr, old_size);
        return NULL;
    }
    if (is_too_much(m, old_size, new_size)) {
        m->refused = true;
        return NULL;
    }
    void *block = resize(m, ptr, old_size, new_size);
    if (block)
        m->used = m->used - old_size + new_size;
    return block;
}
