#include "cli/folder.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX_FOLDERS 16

int folder_make(const char *path, struct err *e)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return err_errno(e, errno, "%s", path);
}

static int copy_bytes(int in, int out)
{
    ssize_t n;
    do
        n = sendfile(out, in, NULL, 1 << 20);
    while (n > 0);
    return n < 0 ? errno : 0;
}

static int copy_file(const char *from, const char *to, struct err *e)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out =
        in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int code = in < 0 || out < 0 ? errno : copy_bytes(in, out);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return code ? err_errno(e, code, "copying %s", from) : 0;
}

static int copy_entry(const char *from, const char *to, const char *name,
                      struct err *e)
{
    struct stat st;
    char *source = mem_printf("%s/%s", from, name);
    char *target = mem_printf("%s/%s", to, name);
    int code = 0;
    if (lstat(source, &st) != 0)
        code = err_errno(e, errno, "%s", source);
    else if (S_ISDIR(st.st_mode))
        code = folder_copy(source, target, e);
    else if (S_ISREG(st.st_mode))
        code = copy_file(source, target, e);
    free(source);
    free(target);
    return code;
}

int folder_copy(const char *from, const char *to, struct err *e)
{
    DIR *dir = opendir(from);
    struct dirent *entry;
    int code = 0;
    if (!dir)
        return err_errno(e, errno, "%s", from);
    code = folder_make(to, e);
    while (code == 0 && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            code = copy_entry(from, to, entry->d_name, e);
    closedir(dir);
    return code;
}

static int make_above(char *path, size_t from, struct err *e)
{
    for (char *p = path + from; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int code = folder_make(path, e);
        *p = '/';
        if (code != 0)
            return code;
    }
    return 0;
}

static int write_file(const char *path, const char *text, size_t len,
                      struct err *e)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return err_errno(e, errno, "%s", path);
    bool whole = fwrite(text, 1, len, file) == len;
    if (fclose(file) != 0 || !whole)
        return err_errno(e, errno, "%s", path);
    return 0;
}

int folder_write(const char *folder, const char *name, const char *text,
                 size_t len, struct err *e)
{
    if (*name == '/' || strstr(name, ".."))
        return err_set(e, ERR_MISUSE, 0, "%s is not below the folder", name);
    char *path = mem_printf("%s/%s", folder, name);
    int code = make_above(path, strlen(folder) + 1, e);
    if (code == 0)
        code = write_file(path, text, len, e);
    free(path);
    return code;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)where;
    return type == FTW_DP ? rmdir(path) : unlink(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, OPEN_MAX_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
