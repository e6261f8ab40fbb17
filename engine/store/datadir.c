#include "store/datadir.h"

#include "base/crash_point.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder that was just made is lost at a power cut, with all that was
 * stored in it, until its parent is on disk. */
static void sync_parent(char *folder)
{
    char *slash = strrchr(folder, '/');
    char kept = 0;
    const char *parent = ".";
    if (slash) {
        kept = slash[1];
        slash[1] = '\0';
        parent = folder;
    }
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (slash)
        slash[1] = kept;
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static int make_folder(char *path, struct err *e)
{
    if (mkdir(path, 0700) == 0) {
        CRASH_POINT("datadir.made");
        sync_parent(path);
        return 0;
    }
    if (errno == EEXIST)
        return 0;
    return err_errno(e, errno, "DATA_DIR %s", path);
}

static int make_folders(const char *path, struct err *e)
{
    char *copy = mem_strdup(path);
    int failed = 0;
    for (char *p = copy; *p && !failed; p++) {
        if (*p != '/' || p == copy || p[-1] == '/')
            continue;
        *p = '\0';
        failed = make_folder(copy, e);
        *p = '/';
    }
    size_t len = strlen(copy);
    if (!failed && len > 0 && copy[len - 1] != '/')
        failed = make_folder(copy, e);
    free(copy);
    return failed;
}

static int report_holder(const struct datadir *d, int fd, struct err *e)
{
    char pid[24] = "";
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
    pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
    if (pid[0] == '\0')
        return err_set(e, ERR_MISUSE, 0,
                       "DATA_DIR %s is in use by another process", d->path);
    return err_set(e, ERR_MISUSE, 0, "DATA_DIR %s is in use by process %s",
                   d->path, pid);
}

static int write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0)
        return -1;
    return pwrite(fd, text, (size_t)len, 0) == len ? 0 : -1;
}

/* Close-on-exec, so that an engine that restarts itself by exec in place
 * finds the lock free. */
static int take_lock(struct datadir *d, struct err *e)
{
    char *file = datadir_file(d, "moonlet.lock");
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int sys = errno;
    free(file);
    if (fd < 0)
        return err_errno(e, sys, "DATA_DIR %s: moonlet.lock", d->path);
    int code = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        code = errno == EWOULDBLOCK
                   ? report_holder(d, fd, e)
                   : err_errno(e, errno, "DATA_DIR %s: lock", d->path);
    else if (write_pid(fd) != 0)
        code = err_errno(e, errno, "DATA_DIR %s: moonlet.lock", d->path);
    if (code) {
        close(fd);
        return code;
    }
    d->lock_fd = fd;
    CRASH_POINT("datadir.locked");
    return 0;
}

int datadir_open(struct datadir *d, const char *path, struct err *e)
{
    *d = (struct datadir){.path = NULL, .lock_fd = -1};
    if (make_folders(path, e) != 0)
        return e->code;
    d->path = realpath(path, NULL);
    if (!d->path)
        return err_errno(e, errno, "DATA_DIR %s", path);
    if (take_lock(d, e) != 0) {
        datadir_close(d);
        return e->code;
    }
    return 0;
}

void datadir_close(struct datadir *d)
{
    if (d->lock_fd >= 0) {
        CRASH_POINT("datadir.closing");
        /* So that no later holder is mistaken for us before it has written
         * its own pid; the lock itself ends with the descriptor. */
        (void)!ftruncate(d->lock_fd, 0);
        close(d->lock_fd);
    }
    free(d->path);
    *d = (struct datadir){.path = NULL, .lock_fd = -1};
}

char *datadir_file(const struct datadir *d, const char *name)
{
    return mem_printf("%s/%s", d->path, name);
}
