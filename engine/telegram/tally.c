#include "telegram/tally.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct tally_row *find(const struct tally *t, const char *method,
                              const char *reason)
{
    for (size_t i = 0; i < t->len; i++)
        if (t->rows[i].method == method &&
            strcmp(t->rows[i].reason, reason) == 0)
            return &t->rows[i];
    return NULL;
}

void tally_add(struct tally *t, const char *method, const char *reason)
{
    const struct botapi_method *m = botapi_method(method);
    const char *name = m ? m->name : "other";
    struct tally_row *row = find(t, name, reason);
    if (!row) {
        if (t->len == t->cap) {
            t->cap = 2 * t->cap + 8;
            t->rows = mem_grow(t->rows, t->cap, sizeof *t->rows);
        }
        row = &t->rows[t->len++];
        *row = (struct tally_row){.method = name, .reason = reason};
    }
    row->count++;
}

int64_t tally_sum(const struct tally *t)
{
    int64_t sum = 0;
    for (size_t i = 0; i < t->len; i++)
        sum += t->rows[i].count;
    return sum;
}

void tally_put(const struct tally *t, struct buf *b)
{
    buf_putc(b, '[');
    for (size_t i = 0; i < t->len; i++)
        buf_printf(
            b, "%s{\"method\":\"%s\",\"reason\":\"%s\",\"count\":%" PRId64 "}",
            i > 0 ? "," : "", t->rows[i].method, t->rows[i].reason,
            t->rows[i].count);
    buf_putc(b, ']');
}

void tally_free(struct tally *t)
{
    free(t->rows);
    *t = (struct tally){0};
}
