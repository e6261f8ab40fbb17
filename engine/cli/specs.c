#include "cli/specs.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENDING "_spec.lua"

static void append(struct specs *s, const char *path)
{
    s->files = mem_grow(s->files, s->count + 2, sizeof *s->files);
    s->files[s->count++] = mem_strdup(path);
    s->files[s->count] = NULL;
}

static bool is_spec(const char *name)
{
    size_t len = strlen(name), ending = strlen(ENDING);
    return len > ending && strcmp(name + len - ending, ENDING) == 0;
}

static int add_folder(struct specs *s, const char *folder, struct err *e);

static int add_entry(struct specs *s, const char *folder, const char *name,
                     struct err *e)
{
    struct stat st;
    char *path = mem_printf("%s/%s", folder, name);
    int code = 0;
    /* A link to a folder may lead back here, and the specs would run again. */
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
        code = add_folder(s, path, e);
    else if (is_spec(name))
        append(s, path);
    free(path);
    return code;
}

static int add_folder(struct specs *s, const char *folder, struct err *e)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    int code = 0;
    if (count < 0)
        return err_errno(e, errno, "%s", folder);
    for (int i = 0; i < count; i++) {
        if (code == 0 && entries[i]->d_name[0] != '.')
            code = add_entry(s, folder, entries[i]->d_name, e);
        free(entries[i]);
    }
    free(entries);
    return code;
}

int specs_add(struct specs *s, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_errno(e, errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return add_folder(s, path, e);
    append(s, path);
    return 0;
}

void specs_free(struct specs *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->files[i]);
    free(s->files);
}
