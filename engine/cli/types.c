/*
 * moonlet types: annotations of the library and of the Bot API for editors.
 */
#include "cli/commands.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/types_botapi.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "types"
#define HINT ".luarc.json"

static const char types_help[] =
    "moonlet types [--out DIR]\n\n"
    "Writes LuaCATS annotations of the library and of the whole Bot API, from\n"
    "which lua-language-server completes and checks what you type, to the\n"
    "folder types; and beside it .luarc.json, which names the folder, unless\n"
    "there is one. What is in the folder's files is written anew.\n\n"
    "  --out DIR   another folder; - writes everything to stdout\n";

struct out {
    const char *dir; /* NULL: stdout */
    unsigned files;
    struct err *err;
};

static int put(struct out *out, const char *name, const void *text, size_t len)
{
    out->files++;
    if (out->dir)
        return folder_write(out->dir, name, text, len, out->err);
    fwrite(text, 1, len, stdout);
    putchar('\n');
    return 0;
}

static int put_made(struct out *out, const char *name,
                    void (*make)(struct buf *text))
{
    struct buf text = {0};
    make(&text);
    int code = put(out, name, text.data, text.len);
    buf_free(&text);
    return code;
}

static int put_library(struct out *out)
{
    int code = 0;
    for (const struct embedded_file *f = types_files; f->name && !code; f++) {
        char *name = mem_printf("moonlet/%s", f->name);
        code = put(out, name, f->data, f->size);
        free(name);
    }
    return code;
}

static int put_all(struct out *out)
{
    int code = put_library(out);
    if (code == 0)
        code = put_made(out, "moonlet/api.lua", types_botapi_methods);
    return code ? code : put_made(out, "botapi.lua", types_botapi_types);
}

/* Scripts have no io and no debug; config.lua has env. Gives whether the file
 * was written. */
static bool put_hint(const char *dir, struct err *e)
{
    char *path = mem_strdup(dir), *again = mem_strdup(dir);
    const char *above = dirname(path), *folder = basename(again);
    char *hint = mem_printf("%s/" HINT, above);
    char *text = mem_printf("{\n"
                            "  \"runtime.version\": \"Lua 5.4\",\n"
                            "  \"runtime.builtin\": {\n"
                            "    \"io\": \"disable\", \"debug\": \"disable\"\n"
                            "  },\n"
                            "  \"diagnostics.globals\": [\"env\"],\n"
                            "  \"workspace.library\": [\"%s\"]\n}\n",
                            folder);
    bool wanted = access(hint, F_OK) != 0;
    if (wanted)
        folder_write(above, HINT, text, strlen(text), e);
    free(text);
    free(hint);
    free(again);
    free(path);
    return wanted;
}

static int write_folder(const char *dir)
{
    struct err e = {0};
    struct out out = {.dir = dir, .err = &e};
    bool hinted = false;
    if (folder_make(dir, &e) == 0 && put_all(&out) == 0)
        hinted = put_hint(dir, &e);
    if (e.code != ERR_OK)
        return command_fail(EXIT_FAILED, "%s", e.message);
    printf("%u files in %s; ", out.files, dir);
    if (hinted)
        puts(HINT " beside it tells lua-language-server of them");
    else
        puts("there is a " HINT " already: add the folder to its "
             "\"workspace.library\"");
    return 0;
}

int command_types(int argc, char **argv)
{
    const char *dir = FOLDER;
    struct out out = {0};
    const struct command_option options[] = {{"--out", &dir, true, NULL}, {0}};
    int code = command_parse(argc, argv, options, NULL, types_help);
    if (code >= 0)
        return code;
    if (strcmp(dir, "-") != 0)
        return write_folder(dir);
    put_all(&out);
    return 0;
}
