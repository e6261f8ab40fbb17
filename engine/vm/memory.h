#ifndef MOONLET_VM_MEMORY_H
#define MOONLET_VM_MEMORY_H

/*
 * The allocator of a generation: counts, and refuses what goes beyond
 * LUA_MEMORY_LIMIT. Lua then collects everything and tries once more before
 * it raises "not enough memory". A single block (a string) may take a quarter
 * of the limit.
 *
 * Small blocks, which an update makes by the hundred, are cut from slabs and
 * kept in lists by their size; slabs go back when the generation ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_SMALL_MAX 256 /* bytes */
#define MEMORY_STEP 16       /* between two sizes of small blocks */

struct memory {
    size_t used;
    size_t limit;  /* bytes; 0: none */
    bool extended; /* the limit was raised once, for others to end in peace */
    bool enforced; /* scripts are running; the engine's own work may pass */
    bool refused;  /* something was, since this was last cleared */
    bool numbered; /* blocks know their number; set before the first one */
    bool slabs;    /* small blocks are cut from slabs; the same, not both */
    uint64_t made; /* blocks so far, if numbered */
    void *last;    /* the newest of them */
    void *free[MEMORY_SMALL_MAX / MEMORY_STEP]; /* by size; each points to
                                                   the next */
    char *slab;       /* the newest; its first bytes point to the one before */
    size_t slab_left; /* bytes of it */
};

/* lua_Alloc; ud is a struct memory. */
void *memory_alloc(void *ud, void *ptr, size_t old_size, size_t new_size);

/* The slabs; every block is given back by then. */
void memory_close(struct memory *m);

/* The place of a numbered block among all: older blocks have lower ones. It
 * stays when the block is resized. */
uint64_t memory_number(const void *block);

#endif
