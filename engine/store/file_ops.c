#include "store/file_ops.h"

#include "base/mem.h"
#include "store/beneath.h"
#include "store/plain_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BLOCK ((size_t)256 * 1024)

/* The functions below return 0, errno, or ERR_LIMIT, which is negative. */

const char *file_problem(const char *path, size_t len)
{
    const size_t own = strlen(FILE_OWN_FOLDER);
    const char *problem = beneath_problem(path, len);
    if (problem)
        return problem;
    if (strncmp(path, FILE_OWN_FOLDER, own) == 0 &&
        (path[own] == '\0' || path[own] == '/'))
        return "must not begin with \"" FILE_OWN_FOLDER
               "\", the engine's own folder";
    return NULL;
}

static int read_all(int fd, size_t max, struct buf *out)
{
    for (;;) {
        char *room = buf_reserve(out, READ_BLOCK);
        ssize_t n = read(fd, room, READ_BLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : 0;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        if (out->len > max)
            return ERR_LIMIT;
    }
}

static int run_read(int root, const struct file_request *r, struct buf *out)
{
    const char *name;
    struct stat st;
    int dir = beneath_parent(root, r->path, false, &name);
    if (dir < 0)
        return errno;
    int fd = plain_file_open(dir, name, O_RDONLY, &st);
    int failed = errno;
    close(dir);
    if (fd < 0)
        return failed;
    if ((uint64_t)st.st_size > r->max)
        return plain_file_close(fd, ERR_LIMIT);
    buf_reserve(out, (size_t)st.st_size + READ_BLOCK);
    return plain_file_close(fd, read_all(fd, r->max, out));
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static int fill_staged(int fd, const struct file_request *r)
{
    int failed = write_all(fd, r->text, r->len);
    return failed ? failed : plain_file_stamp(fd);
}

static int write_staged(int own, const char *staged,
                        const struct file_request *r)
{
    unlinkat(own, staged, 0);
    int fd = openat(own, staged, O_WRONLY | O_CREAT | O_EXCL | PLAIN_FILE_FLAGS,
                    0600);
    if (fd < 0)
        return errno;
    return plain_file_close(fd, fill_staged(fd, r));
}

static int publish(int own, const char *staged, int dir, const char *name,
                   const struct file_request *r)
{
    int failed = write_staged(own, staged, r);
    if (!failed && atomic_load(r->given_up))
        failed = ECANCELED;
    if (!failed && renameat(own, staged, dir, name) != 0)
        failed = errno;
    if (failed)
        unlinkat(own, staged, 0);
    return failed ? failed : plain_file_sync_folder(dir);
}

static int run_write(int root, const struct file_request *r, struct buf *out)
{
    char staged[16];
    const char *name;
    (void)out;
    int dir = beneath_parent(root, r->path, true, &name);
    if (dir < 0)
        return errno;
    int own = beneath_folder(root, FILE_OWN_FOLDER, true);
    if (own < 0)
        return plain_file_close(dir, errno);
    snprintf(staged, sizeof(staged), "%u", r->stage);
    return plain_file_close(
        own, plain_file_close(dir, publish(own, staged, dir, name, r)));
}

static int run_append(int root, const struct file_request *r, struct buf *out)
{
    const char *name;
    struct stat st;
    (void)out;
    int dir = beneath_parent(root, r->path, true, &name);
    if (dir < 0)
        return errno;
    int fd = plain_file_open(dir, name, O_WRONLY | O_APPEND | O_CREAT, &st);
    if (fd < 0)
        return plain_file_close(dir, errno);
    int failed = plain_file_close(fd, write_all(fd, r->text, r->len));
    if (!failed && st.st_size == 0) /* it may have been made just now */
        failed = plain_file_sync_folder(dir);
    return plain_file_close(dir, failed);
}

static void add_row(struct buf *out, const char *name, const struct stat *st)
{
    bool is_file = S_ISREG(st->st_mode);
    char type = is_file ? 'f' : S_ISDIR(st->st_mode) ? 'd' : 'o';
    buf_printf(out, "%c %lld %lld %s", type,
               is_file ? (long long)st->st_size : 0,
               (long long)st->st_mtim.tv_sec, name);
    buf_putc(out, '\0');
}

static int run_stat(int root, const struct file_request *r, struct buf *out)
{
    const char *name;
    struct stat st;
    int failed = 0;
    int dir = beneath_parent(root, r->path, false, &name);
    if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        failed = errno;
    else
        add_row(out, name, &st);
    if (dir >= 0)
        close(dir);
    return failed == ENOENT || failed == ENOTDIR ? 0 : failed;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **at;
    size_t count;
};

static int read_names(DIR *dir, bool is_root, struct names *names)
{
    const struct dirent *d;
    while (errno = 0, (d = readdir(dir)) != NULL) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            (is_root && strcmp(d->d_name, FILE_OWN_FOLDER) == 0))
            continue;
        if (names->count == FILE_LIST_MAX)
            return ERR_LIMIT;
        names->at[names->count++] = mem_strdup(d->d_name);
    }
    return errno;
}

/* A name that has gone meanwhile is left out. */
static int add_rows(int dir, const struct names *names, struct buf *out)
{
    struct stat st;
    for (size_t i = 0; i < names->count; i++) {
        if (fstatat(dir, names->at[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            add_row(out, names->at[i], &st);
        else if (errno != ENOENT)
            return errno;
    }
    return 0;
}

static int run_list(int root, const struct file_request *r, struct buf *out)
{
    int fd = beneath_folder(root, r->path, false);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return errno;
    struct names names = {mem_zero(FILE_LIST_MAX, sizeof(char *)), 0};
    int failed = read_names(dir, *r->path == '\0', &names);
    if (!failed) {
        qsort(names.at, names.count, sizeof(char *), compare_names);
        failed = add_rows(fd, &names, out);
    }
    closedir(dir);
    while (names.count > 0)
        free(names.at[--names.count]);
    free(names.at);
    return failed;
}

static int run_remove(int root, const struct file_request *r, struct buf *out)
{
    const char *name;
    (void)out;
    int dir = beneath_parent(root, r->path, false, &name);
    if (dir < 0)
        return errno;
    int failed = unlinkat(dir, name, 0) ? errno : 0;
    if (failed == EISDIR)
        failed = unlinkat(dir, name, AT_REMOVEDIR) ? errno : 0;
    return plain_file_close(dir, failed ? failed : plain_file_sync_folder(dir));
}

static int run_rename(int root, const struct file_request *r, struct buf *out)
{
    const char *name, *to_name;
    (void)out;
    int from = beneath_parent(root, r->path, false, &name);
    if (from < 0)
        return errno;
    int to = beneath_parent(root, r->to, true, &to_name);
    if (to < 0)
        return plain_file_close(from, errno);
    int failed = renameat(from, name, to, to_name) ? errno : 0;
    if (!failed)
        failed = plain_file_sync_folder(to);
    if (!failed)
        failed = plain_file_sync_folder(from);
    return plain_file_close(from, plain_file_close(to, failed));
}

static int run_mkdir(int root, const struct file_request *r, struct buf *out)
{
    (void)out;
    int dir = beneath_folder(root, r->path, true);
    return dir < 0 ? errno : plain_file_close(dir, 0);
}

static int (*const runs[FILE_OPS])(int root, const struct file_request *r,
                                   struct buf *out) = {
    [FILE_READ] = run_read,     [FILE_WRITE] = run_write,
    [FILE_APPEND] = run_append, [FILE_LIST] = run_list,
    [FILE_STAT] = run_stat,     [FILE_REMOVE] = run_remove,
    [FILE_RENAME] = run_rename, [FILE_MKDIR] = run_mkdir,
};

static int report(const struct file_request *r, int failed, struct err *e)
{
    const char *path = *r->path ? r->path : "the folder of files";
    int n = plain_file_shown(path);
    if (failed == ERR_LIMIT && r->op == FILE_LIST)
        return err_set(e, ERR_LIMIT, 0, "%.*s: more than %d names", n, path,
                       FILE_LIST_MAX);
    if (failed == ERR_LIMIT)
        return err_set(e, ERR_LIMIT, 0, "%.*s: larger than %zu bytes", n, path,
                       r->max);
    return plain_file_error(path, failed, e);
}

int file_run(const char *folder, const struct file_request *r, struct buf *out,
             struct err *e)
{
    err_set(e, ERR_OK, 0, "%s", "");
    int root = plain_file_root(folder);
    int failed =
        root < 0 ? errno : plain_file_close(root, runs[r->op](root, r, out));
    return failed ? report(r, failed, e) : 0;
}

bool file_row_next(const struct buf *rows, size_t *at, struct file_row *row)
{
    char *rest;
    if (*at == rows->len)
        return false;
    const char *text = rows->data + *at;
    row->type = *text == 'f' ? "file" : *text == 'd' ? "folder" : "other";
    row->size = strtoll(text + 2, &rest, 10);
    row->modified = strtoll(rest + 1, &rest, 10);
    row->name = rest + 1;
    *at += (size_t)(row->name - text) + strlen(row->name) + 1;
    return true;
}
