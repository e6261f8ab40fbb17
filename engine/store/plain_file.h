#ifndef MOONLET_STORE_PLAIN_FILE_H
#define MOONLET_STORE_PLAIN_FILE_H

/*
 * Opening ordinary files below a folder, and saying what failed: what
 * file_ops and the streams share. A FIFO or a device that stands there blocks
 * nobody. Any thread; blocks. Nothing here has state.
 */

#include "base/err.h"

#include <sys/stat.h>

#define PLAIN_FILE_FLAGS (O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC)

/* Opens the folder; made if it is missing (mode 0700, not its parents). -1
 * and errno on failure. */
int plain_file_root(const char *folder);

/* Opens a name in the folder `dir`, no links followed; *st tells of it. -1
 * and errno on failure, ENXIO of what is no ordinary file. */
int plain_file_open(int dir, const char *name, int flags, struct stat *st);

/* Gives the file the exact time of now. Two writes within a tick of the kernel
 * have one time else, and pass for the same file by size and time. 0 or
 * errno. */
int plain_file_stamp(int fd);

/* 0 or errno. Some file systems know no fsync of a folder: no failure. */
int plain_file_sync_folder(int fd);

int plain_file_close(int fd, int result); /* closes; returns result */

/* ERR_IO with the errno `failed` and a text that begins with the path, cut
 * between two characters if it is long. Returns ERR_IO. */
int plain_file_error(const char *path, int failed, struct err *e);

/* How many bytes of the path a message shows. */
int plain_file_shown(const char *path);

#endif
