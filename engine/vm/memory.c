#include "vm/memory.h"

#include <stdlib.h>

#define BLOCK_SHARE 4 /* of the limit, for one block */

static bool is_too_much(const struct memory *m, size_t old_size,
                        size_t new_size)
{
    return m->enforced && m->limit > 0 && new_size > old_size &&
           (new_size > m->limit / BLOCK_SHARE ||
            m->used + (new_size - old_size) > m->limit);
}

void *memory_alloc(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct memory *m = ud;
    if (!ptr)
        old_size = 0; /* Lua passes the kind of object then */
    if (new_size == 0) {
        m->used -= old_size;
        free(ptr);
        return NULL;
    }
    if (is_too_much(m, old_size, new_size)) {
        m->refused = true;
        return NULL;
    }
    void *block = realloc(ptr, new_size);
    if (block)
        m->used = m->used - old_size + new_size;
    return block;
}
