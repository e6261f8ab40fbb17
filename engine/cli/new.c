/*
 * moonlet new: a folder with a small bot, its specs and settings.
 */
#include "cli/commands.h"

#include "base/embedded.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char new_help[] =
    "moonlet new DIR\n\n"
    "Makes the folder DIR with a bot to begin with: a command, a button, a\n"
    "form, two languages, specs and settings. A folder that has something in\n"
    "it already is left alone.\n";

/* Names that begin with a dot are not embedded under theirs. */
static const struct {
    const char *from;
    const char *to;
} dotted[] = {
    {"env.example", ".env.example"},
    {"gitignore.txt", ".gitignore"},
};

static const char *name_of(const struct embedded_file *file)
{
    for (size_t i = 0; i < sizeof dotted / sizeof *dotted; i++)
        if (strcmp(dotted[i].from, file->name) == 0)
            return dotted[i].to;
    return file->name;
}

static int write_all(const char *dir, const char *inside,
                     const struct embedded_file *files, struct err *e)
{
    int code = 0;
    for (; files->name && code == 0; files++) {
        char *name = mem_printf("%s%s", inside, name_of(files));
        code =
            folder_write(dir, name, (const char *)files->data, files->size, e);
        free(name);
    }
    return code;
}

/* Makes the folder, or finds it empty. */
static int take_folder(const char *dir, struct err *e)
{
    int entries = 0;
    err_set(e, ERR_OK, 0, "%s", "");
    if (folder_make(dir, e) != 0)
        return e->code;
    DIR *d = opendir(dir);
    if (!d)
        return err_errno(e, errno, "%s", dir);
    while (entries < 3 && readdir(d)) /* "." and ".." are always there */
        entries++;
    closedir(d);
    if (entries > 2)
        err_set(e, ERR_MISUSE, 0,
                "%s is not empty; name a folder that does not exist yet", dir);
    return e->code;
}

int command_new(int argc, char **argv)
{
    const char *dir = NULL;
    struct err e;
    const struct command_option options[] = {{0}};
    int code = command_parse(argc, argv, options, &dir, new_help);
    if (code >= 0)
        return code;
    if (!dir)
        return command_fail(EXIT_USAGE, "new: which folder? moonlet new DIR");
    if (take_folder(dir, &e) != 0 || write_all(dir, "", new_files, &e) != 0 ||
        write_all(dir, "locales/", new_locale_files, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    printf("%s is a bot. Talk to it:\n\n  moonlet play %s\n\n"
           "and run its specs:\n\n  moonlet test %s\n",
           dir, dir, dir);
    return 0;
}
