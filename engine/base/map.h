#ifndef MOONLET_BASE_MAP_H
#define MOONLET_BASE_MAP_H

/*
 * Hash map from short byte strings to pointers (open addressing). Keys are
 * copied, values borrowed. `struct map m = {0}` is an empty map; map_free
 * frees the table, never the values. Not for untrusted floods of keys beyond
 * the bounds that its callers keep.
 */

#include <stddef.h>
#include <stdint.h>

struct map_slot {
    char *key; /* NULL: free; MAP_GONE: deleted */
    uint32_t key_len;
    uint32_t hash;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t cap;  /* 0 or a power of two */
    size_t used; /* live and deleted slots */
    size_t count;
};

/* NULL if the key is not in it. */
void *map_get(const struct map *m, const void *key, size_t len);

/* Returns the value that was there before, or NULL. value is not NULL. */
void *map_put(struct map *m, const void *key, size_t len, void *value);
void *map_remove(struct map *m, const void *key, size_t len);

/* Start with *cursor = 0; NULL at the end. The map may not change meanwhile,
 * but for removing the slot just returned. */
const struct map_slot *map_each(const struct map *m, size_t *cursor);

void map_free(struct map *m);

#endif
