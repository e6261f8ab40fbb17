#include "base/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned edit_distance(const char *a, const char *b)
{
    unsigned d[NEAREST_NAME_MAX + 1][NEAREST_NAME_MAX + 1];
    unsigned rows = (unsigned)strlen(a), columns = (unsigned)strlen(b);

    for (unsigned i = 0; i <= rows; i++)
        d[i][0] = i;
    for (unsigned j = 0; j <= columns; j++)
        d[0][j] = j;
    for (unsigned i = 1; i <= rows; i++) {
        for (unsigned j = 1; j <= columns; j++) {
            int x = tolower((unsigned char)a[i - 1]);
            int y = tolower((unsigned char)b[j - 1]);

            d[i][j] = min2(min2(d[i - 1][j], d[i][j - 1]) + 1,
                           d[i - 1][j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]))
                d[i][j] = min2(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[rows][columns];
}

struct nearest nearest_to(const char *name)
{
    size_t len = strlen(name);
    unsigned best = len < 6 ? 2 : (unsigned)len / 3 + 1;
    if (len > NEAREST_NAME_MAX)
        best = 0;
    return (struct nearest){.name = name, .best = best};
}

void nearest_try(struct nearest *n, const char *candidate)
{
    size_t len = strlen(n->name), other = strlen(candidate);
    size_t apart = len > other ? len - other : other - len;
    if (apart >= n->best || other > NEAREST_NAME_MAX)
        return;
    unsigned d = edit_distance(n->name, candidate);
    if (d < n->best) {
        n->best = d;
        n->found = candidate;
    }
}
