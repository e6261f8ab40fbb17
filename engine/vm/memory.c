#include "vm/memory.h"

#include <stdlib.h>

#define BLOCK_SHARE 4 /* of the limit, for one block */

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

void *memory_alloc(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct memory *m = ud;
    if (!ptr)
        old_size = 0; /* Lua passes the kind of object then */
    if (new_size == 0) {
        m->used -= old_size;
        free(m->numbered && ptr ? head_of(ptr) : ptr);
        return NULL;
    }
    if (is_too_much(m, old_size, new_size)) {
        m->refused = true;
        return NULL;
    }
    void *block = m->numbered ? resize_numbered(m, ptr, new_size)
                              : realloc(ptr, new_size);
    if (block)
        m->used = m->used - old_size + new_size;
    return block;
}
