#include "store/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static bool is_dots(const char *name, size_t len)
{
    return (len == 1 || len == 2) && memcmp(name, "..", len) == 0;
}

const char *beneath_problem(const char *path, size_t len)
{
    if (len == 0)
        return "is empty";
    if (len > BENEATH_PATH_MAX)
        return "is longer than 1000 bytes";
    if (memchr(path, '\0', len))
        return "holds a zero byte";
    if (path[0] == '/')
        return "must be relative, without \"/\" at its beginning";
    for (const char *name = path;; name += strcspn(name, "/") + 1) {
        size_t n = strcspn(name, "/");
        if (n == 0)
            return "must have one \"/\" between two names and none at its end";
        if (is_dots(name, n))
            return "must not hold \".\" or \"..\"";
        if (name[n] == '\0')
            return NULL;
    }
}

static void close_quietly(int fd)
{
    int kept = errno;
    close(fd);
    errno = kept;
}

static bool is_link(int at, const char *name)
{
    struct stat st;
    return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(st.st_mode);
}

static int step(int at, const char *name, bool make)
{
    if (make && mkdirat(at, name, 0700) == 0)
        fsync(at);
    else if (make && errno != EEXIST)
        return -1;
    int fd = openat(at, name, FOLDER | O_NOFOLLOW);
    if (fd < 0 && errno == ENOTDIR)
        errno = is_link(at, name) ? ELOOP : ENOTDIR;
    return fd;
}

/* Name by name: makes folders, and needs no openat2. */
static int walk(int root, const char *path, bool make)
{
    char names[BENEATH_PATH_MAX + 1];
    char *rest = NULL;
    strcpy(names, path);
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
    for (char *name = strtok_r(names, "/", &rest); name && at >= 0;
         name = strtok_r(NULL, "/", &rest)) {
        int next = step(at, name, make);
        close_quietly(at);
        at = next;
    }
    return at;
}

int beneath_folder(int root, const char *path, bool make)
{
    const struct open_how how = {
        .flags = FOLDER,
        .resolve =
            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
    if (fd >= 0)
        return (int)fd;
    /* Older kernels lack it, and some containers' filters refuse it. */
    if (errno == ENOSYS || errno == EPERM || (make && errno == ENOENT))
        return walk(root, path, make);
    return -1;
}

int beneath_parent(int root, const char *path, bool make, const char **name)
{
    char folder[BENEATH_PATH_MAX + 1] = "";
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (slash)
        memcpy(folder, path, (size_t)(slash - path));
    return beneath_folder(root, folder, make);
}
