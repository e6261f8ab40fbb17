#include "bindings/coverage.h"

#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct coverage {
    struct coverage_row *rows;
    size_t count;
    struct map places; /* "script:line what" to the row's number + 1 */
};

struct coverage *coverage_new(void)
{
    return MEM_NEW(struct coverage);
}

void coverage_free(struct coverage *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->rows[i].script);
        free(c->rows[i].what);
    }
    map_free(&c->places);
    free(c->rows);
    free(c);
}

static size_t append(struct coverage *c, const char *script, int line,
                     const char *what)
{
    c->rows = mem_grow(c->rows, c->count + 1, sizeof *c->rows);
    c->rows[c->count] = (struct coverage_row){
        .script = mem_strdup(script),
        .line = line,
        .what = mem_strdup(what),
    };
    return c->count++;
}

size_t coverage_add(struct coverage *c, const char *script, int line,
                    const char *what)
{
    char *place = mem_printf("%s:%d %s", script, line, what);
    size_t len = strlen(place);
    uintptr_t found = (uintptr_t)map_get(&c->places, place, len);
    size_t row = found ? found - 1 : append(c, script, line, what);
    if (!found)
        map_put(&c->places, place, len, (void *)(uintptr_t)(row + 1));
    free(place);
    return row;
}

void coverage_ran(struct coverage *c, size_t row)
{
    if (row < c->count)
        c->rows[row].runs++;
}

size_t coverage_count(const struct coverage *c)
{
    return c->count;
}

const struct coverage_row *coverage_get(const struct coverage *c, size_t row)
{
    return row < c->count ? &c->rows[row] : NULL;
}
