#include "app/shelf.h"

#include "base/mem.h"

#include <stdlib.h>

#define CAP_MIN 64

static void resize(struct shelf *s, size_t cap)
{
    int64_t *seqs = mem_zero(cap, sizeof *seqs);
    for (size_t i = 0; i < s->count; i++)
        seqs[i] = s->seqs[(s->first + i) & (s->cap - 1)];
    free(s->seqs);
    s->seqs = seqs;
    s->cap = cap;
    s->first = 0;
}

void shelf_put(struct shelf *s, int64_t seq)
{
    if (s->count == s->cap)
        resize(s, s->cap ? 2 * s->cap : CAP_MIN);
    s->seqs[(s->first + s->count++) & (s->cap - 1)] = seq;
}

size_t shelf_take(struct shelf *s, int64_t *seqs, size_t n)
{
    if (n > s->count)
        n = s->count;
    for (size_t i = 0; i < n; i++)
        seqs[i] = s->seqs[(s->first + i) & (s->cap - 1)];
    s->first = s->cap ? (s->first + n) & (s->cap - 1) : 0;
    s->count -= n;
    if (s->cap > CAP_MIN && s->count < s->cap / 4)
        resize(s, s->cap / 2);
    return n;
}

void shelf_free(struct shelf *s)
{
    free(s->seqs);
    *s = (struct shelf){0};
}
