#include "store/plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHOWN_PATH 300 /* bytes of a path in a message */

int plain_file_root(const char *folder)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = open(folder, flags);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(folder, flags);
}

int plain_file_open(int dir, const char *name, int flags, struct stat *st)
{
    int fd = openat(dir, name, flags | PLAIN_FILE_FLAGS, 0600);
    if (fd < 0)
        return -1;
    int failed = 0;
    if (fstat(fd, st) != 0)
        failed = errno;
    else if (S_ISDIR(st->st_mode))
        failed = EISDIR;
    else if (!S_ISREG(st->st_mode))
        failed = ENXIO; /* what open says of a FIFO that nobody reads */
    if (!failed)
        return fd;
    close(fd);
    errno = failed;
    return -1;
}

int plain_file_stamp(int fd)
{
    struct timespec now[2];
    clock_gettime(CLOCK_REALTIME, &now[0]);
    now[1] = now[0];
    return futimens(fd, now) == 0 ? 0 : errno;
}

int plain_file_sync_folder(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

int plain_file_close(int fd, int result)
{
    close(fd);
    return result;
}

int plain_file_shown(const char *path)
{
    size_t len = strlen(path);
    if (len <= SHOWN_PATH)
        return (int)len;
    len = SHOWN_PATH;
    while (len > 0 && ((unsigned char)path[len] & 0xC0) == 0x80)
        len--;
    return (int)len;
}

int plain_file_error(const char *path, int failed, struct err *e)
{
    int n = plain_file_shown(path);
    if (failed == ELOOP)
        return err_set(e, ERR_IO, failed,
                       "%.*s: symbolic links are not followed", n, path);
    if (failed == ENXIO)
        return err_set(e, ERR_IO, failed, "%.*s: not an ordinary file", n,
                       path);
    return err_errno(e, failed, "%.*s", n, path);
}
