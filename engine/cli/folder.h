#ifndef MOONLET_CLI_FOLDER_H
#define MOONLET_CLI_FOLDER_H

/*
 * Whole folders, for commands that make them and throw them away. Blocking.
 */

#include "base/err.h"

#include <stddef.h>

int folder_make(const char *path, struct err *e); /* fine if it is there */

/* Copies the regular files and folders below `from`; links are passed over. */
int folder_copy(const char *from, const char *to, struct err *e);

/* Writes a file below the folder, and the folders above it. The name is
 * relative and has no "..". */
int folder_write(const char *folder, const char *name, const char *text,
                 size_t len, struct err *e);

/* With all that is in it; what cannot be removed stays. */
void folder_remove(const char *path);

#endif
