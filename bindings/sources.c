/*
 * core.script_files and the like: what `moonlet check` reads, outside of any
 * task and loop. Not for scripts of authors.
 */
#include "bindings/support.h"

#include "base/botapi.h"
#include "base/botapi_check.h"
#include "base/buf.h"
#include "base/embedded.h"
#include "base/json.h"
#include "base/mem.h"
#include "vm/vm.h"

#include <dirent.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_FILES_MAX 10000
#define SOURCE_FOLDERS_DEEP 16
#define SOURCE_MAX_SIZE (4u * 1024 * 1024)
#define CHUNK 16384

static void add_name(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
}

static bool is_lua(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

/* A DATA_DIR, whose Lua files are nobody's scripts. */
static bool is_data(const char *folder)
{
    char *lock = mem_printf("%smoonlet.lock", folder);
    bool found = access(lock, F_OK) == 0;
    free(lock);
    return found;
}

/* `inside` is the folder below the scripts, "" or "parts/". Links to folders
 * may lead in circles and are passed over. */
static void add_folder(lua_State *L, const char *inside, int deep)
{
    struct dirent **entries;
    char *folder = mem_printf("%s/%s", vm_scripts_dir(L), inside);
    int count =
        is_data(folder) ? -1 : scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *path = mem_printf("%s%s", folder, name);
        char *shown = mem_printf("%s%s", inside, name);
        struct stat st;
        if (*name != '.' && lstat(path, &st) == 0 &&
            lua_rawlen(L, 1) < SOURCE_FILES_MAX) {
            if (S_ISDIR(st.st_mode) && deep > 0) {
                char *below = mem_printf("%s/", shown);
                add_folder(L, below, deep - 1);
                free(below);
            } else if (!S_ISDIR(st.st_mode) && is_lua(name)) {
                add_name(L, shown);
            }
        }
        free(shown);
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    free(folder);
}

/* core.script_files(): the names of all Lua files below the scripts' folder,
 * at most 10,000, without what begins with a dot. */
int binding_script_files(lua_State *L)
{
    lua_settop(L, 0);
    lua_newtable(L);
    add_folder(L, "", SOURCE_FOLDERS_DEEP);
    return 1;
}

/* core.script_text(name): the text of one of them or of a locale; nil if it
 * cannot be read or has more than 4 MiB. */
int binding_script_text(lua_State *L)
{
    const char *path =
        lua_pushfstring(L, "%s/%s", vm_scripts_dir(L), luaL_checkstring(L, 1));
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    size_t all = 0, n;
    do {
        n = fread(luaL_prepbuffsize(&b, CHUNK), 1, CHUNK, f);
        luaL_addsize(&b, n);
        all += n;
    } while (n > 0 && all <= SOURCE_MAX_SIZE);
    bool failed = ferror(f) != 0 || all > SOURCE_MAX_SIZE;
    fclose(f);
    luaL_pushresult(&b);
    return failed ? 0 : 1;
}

/* core.modules(): the names of all modules of the library, those too that are
 * its own. */
int binding_modules_list(lua_State *L)
{
    lua_settop(L, 0);
    lua_newtable(L);
    for (const struct vm_module *m = bindings_modules; m->name; m++)
        add_name(L, m->name);
    for (const struct embedded_file *f = library_files; f->name; f++) {
        char *name =
            mem_printf("moonlet.%.*s", (int)strcspn(f->name, "."), f->name);
        add_name(L, name);
        free(name);
    }
    return 1;
}

/* core.api_problem(method [, parameter]): what is wrong with the name of a
 * method, or of a parameter of one that exists; nil if nothing is. */
int binding_api_problem(lua_State *L)
{
    struct buf why = {0}, params = {0};
    const struct botapi_method *m =
        botapi_check_method(luaL_checkstring(L, 1), &why);
    const char *name = luaL_optstring(L, 2, NULL);
    if (m && name && !botapi_param(m, name)) {
        buf_puts(&params, "{");
        js_put_string(&params, name, strlen(name));
        buf_puts(&params, ":null}");
        botapi_check_params(m, (struct jslice){params.data, params.len}, &why);
    }
    if (why.len)
        lua_pushlstring(L, why.data, why.len);
    else
        lua_pushnil(L);
    buf_free(&params);
    buf_free(&why);
    return 1;
}

/* core.api_required(method): a list of its parameters that must be there. */
int binding_api_required(lua_State *L)
{
    const struct botapi_method *m = botapi_method(luaL_checkstring(L, 1));
    lua_settop(L, 0);
    lua_newtable(L);
    for (size_t i = 0; m && i < m->params_count; i++)
        if (m->params[i].required)
            add_name(L, m->params[i].name);
    return 1;
}
