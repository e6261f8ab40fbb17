#ifndef MOONLET_STORE_BENEATH_H
#define MOONLET_STORE_BENEATH_H

/*
 * Paths that stay below a folder, whatever stands in it: a path is names
 * with one "/" between two, none of them "." or "..", and no symbolic link
 * is followed on the way. What is opened here is always a folder; the last
 * name is then used with the calls that take a folder's descriptor and do
 * not follow links (O_NOFOLLOW, AT_SYMLINK_NOFOLLOW). Any thread; blocks.
 */

#include <stdbool.h>
#include <stddef.h>

#define BENEATH_PATH_MAX 1000 /* bytes */

/* What is wrong with a path, NULL if nothing is. Static text that follows
 * the word "path". */
const char *beneath_problem(const char *path, size_t len);

/* Opens the folder `path` below the folder `root`; "" is root itself. make:
 * what is missing of it is made, mode 0700. -1 and errno on failure, ELOOP
 * where a symbolic link is in the way. */
int beneath_folder(int root, const char *path, bool make);

/* The same for the folder that holds the last name of the path, to which
 * *name then points. */
int beneath_parent(int root, const char *path, bool make, const char **name);

#endif
