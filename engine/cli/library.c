#include "cli/library.h"

#include "base/embedded.h"
#include "base/mem.h"
#include "vm/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 48

static size_t count(const struct embedded_file *files)
{
    size_t n = 0;
    while (files[n].name)
        n++;
    return n;
}

static struct vm_source *rows_of(const struct embedded_file *files,
                                 const struct embedded_file *more)
{
    size_t first = count(files), n = first + (more ? count(more) : 0);
    /* One block: the rows, then their names. */
    struct vm_source *rows = mem_zero(n + 1, sizeof *rows + NAME_MAX_LEN);
    char *names = (char *)(rows + n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct embedded_file *file =
            i < first ? &files[i] : &more[i - first];
        char *name = names + i * NAME_MAX_LEN;
        snprintf(name, NAME_MAX_LEN, "moonlet.%.*s",
                 (int)strcspn(file->name, "."), file->name);
        rows[i] =
            (struct vm_source){name, (const char *)file->data, file->size};
    }
    return rows;
}

struct vm_source *library_sources(void)
{
    return rows_of(library_files, NULL);
}

struct vm_source *library_with_check(void)
{
    return rows_of(library_files, check_files);
}

struct vm_source *library_compiled(void)
{
    struct vm_source *texts = library_sources();
    struct vm_source *rows = vm_compile(texts);
    free(texts);
    return rows;
}

void library_describe(const struct script_error *why, const char *scripts_dir,
                      struct err *e)
{
    if (why->line > 0)
        err_set(e, ERR_SCRIPT, 0, "%s:%d: %s", why->script, why->line,
                why->message);
    else
        err_set(e, ERR_SCRIPT, 0, "%s/main.lua: %s", scripts_dir, why->message);
}
