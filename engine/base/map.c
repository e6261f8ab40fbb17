#include "base/map.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FIRST 16

/* Only its address counts: the mark of a deleted slot. */
static char gone_mark;
#define MAP_GONE (&gone_mark)

/* FNV-1a with a final mix, since only the low bits choose the slot. */
static uint32_t hash_key(const void *key, size_t len)
{
    const unsigned char *p = key;
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 16777619u;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    return h ^ (h >> 13);
}

static bool slot_is_live(const struct map_slot *s)
{
    return s->key != NULL && s->key != MAP_GONE;
}

static struct map_slot *find(const struct map *m, const void *key, size_t len,
                             uint32_t hash)
{
    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];

        if (s->key == NULL)
            return NULL;
        if (s->key != MAP_GONE && s->hash == hash && s->key_len == len &&
            (len == 0 || memcmp(s->key, key, len) == 0))
            return s;
    }
}

static struct map_slot *first_free(struct map *m, uint32_t hash)
{
    size_t i = hash & (m->cap - 1);

    while (m->slots[i].key != NULL)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

/* A quarter of the slots stays free, so that searches end soon. Deleted
 * slots count as used until here, where they vanish. */
static void make_room(struct map *m)
{
    if ((m->used + 1) * 4 <= m->cap * 3)
        return;
    struct map old = *m;

    m->cap = MAP_FIRST;
    while (m->cap < (old.count + 1) * 2)
        m->cap *= 2;
    m->slots = mem_zero(m->cap, sizeof(*m->slots));
    m->used = old.count;
    for (size_t i = 0; i < old.cap; i++)
        if (slot_is_live(&old.slots[i]))
            *first_free(m, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

void *map_get(const struct map *m, const void *key, size_t len)
{
    const struct map_slot *s = find(m, key, len, hash_key(key, len));

    return s != NULL ? s->value : NULL;
}

void *map_put(struct map *m, const void *key, size_t len, void *value)
{
    uint32_t hash = hash_key(key, len);
    struct map_slot *s = find(m, key, len, hash);

    if (s != NULL) {
        void *old = s->value;
        s->value = value;
        return old;
    }
    make_room(m);
    *first_free(m, hash) = (struct map_slot){
        .key = mem_dup(key, len),
        .key_len = (uint32_t)len,
        .hash = hash,
        .value = value,
    };
    m->used++;
    m->count++;
    return NULL;
}

void *map_remove(struct map *m, const void *key, size_t len)
{
    struct map_slot *s = find(m, key, len, hash_key(key, len));

    if (s == NULL)
        return NULL;
    free(s->key);
    s->key = MAP_GONE;
    m->count--;
    return s->value;
}

const struct map_slot *map_each(const struct map *m, size_t *cursor)
{
    while (*cursor < m->cap) {
        const struct map_slot *s = &m->slots[(*cursor)++];
        if (slot_is_live(s))
            return s;
    }
    return NULL;
}

void map_free(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        if (slot_is_live(&m->slots[i]))
            free(m->slots[i].key);
    free(m->slots);
    *m = (struct map){0};
}
