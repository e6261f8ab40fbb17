#ifndef MOONLET_CLI_SPECS_H
#define MOONLET_CLI_SPECS_H

/*
 * Finds the files that `moonlet test` runs.
 */

#include "base/err.h"

#include <stddef.h>

struct specs {
    char **files; /* sorted within each path; ends with NULL */
    size_t count;
};

/* Adds the path if it is a file, else every *_spec.lua below the folder. What
 * begins with a dot and links to folders are passed over. 0, or why the path
 * cannot be read. */
int specs_add(struct specs *s, const char *path, struct err *e);
void specs_free(struct specs *s);

#endif
