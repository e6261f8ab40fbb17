#ifndef MOONLET_BINDINGS_COVERAGE_H
#define MOONLET_BINDINGS_COVERAGE_H

/*
 * Which registrations of a bot have ever run, over many engines that load it
 * one after another. A registration is known by its place and its words. One
 * thread.
 */

#include <stddef.h>
#include <stdint.h>

struct coverage;

struct coverage_row {
    char *script; /* its path */
    int line;
    char *what; /* "command start" */
    uint64_t runs;
};

struct coverage *coverage_new(void);
void coverage_free(struct coverage *c);

/* The number of the row, which is new or the one that is there. */
size_t coverage_add(struct coverage *c, const char *script, int line,
                    const char *what);
void coverage_ran(struct coverage *c, size_t row);

/* By script and line. NULL beyond the last; borrowed. */
size_t coverage_count(const struct coverage *c);
const struct coverage_row *coverage_get(const struct coverage *c, size_t row);

#endif
