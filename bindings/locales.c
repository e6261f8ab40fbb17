/*
 * core.locale_files and core.locale_text: the folder locales beside the
 * scripts, read while they load. Not for scripts of authors.
 */
#include "bindings/support.h"

#include "vm/script_error.h"
#include "vm/vm.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#define LOCALES_MAX 200
#define LOCALE_MAX_SIZE (4u * 1024 * 1024)
#define CHUNK 16384

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len > tail && strcmp(name + len - tail, end) == 0;
}

/* "pt-br.lua": letters, digits, "-" and "_", then a known ending. */
static bool is_locale(const char *name)
{
    size_t stem = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS"
                               "TUVWXYZ0123456789-_");
    return stem > 0 && strchr(name, '.') == name + stem &&
           (ends_with(name, ".lua") || ends_with(name, ".json"));
}

/* core.locale_files(): a list of the names in locales that are languages; at
 * most 200, in no order. */
int binding_locale_files(lua_State *L)
{
    lua_settop(L, 0);
    lua_newtable(L);
    const char *folder = lua_pushfstring(L, "%s/locales", vm_scripts_dir(L));
    DIR *dir = opendir(folder);
    if (!dir)
        return lua_settop(L, 1), 1;
    lua_Integer n = 0;
    for (struct dirent *e; n < LOCALES_MAX && (e = readdir(dir));) {
        if (!is_locale(e->d_name))
            continue;
        lua_pushstring(L, e->d_name);
        lua_rawseti(L, 1, ++n);
    }
    closedir(dir);
    lua_settop(L, 1);
    return 1;
}

/* core.locale_text(name): the text of that file; at most 4 MiB. Raises
 * "misuse" if it cannot be read. */
int binding_locale_text(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    if (!is_locale(name))
        script_error_misuse(L, "locales: \"%s\" is no file of a language",
                            name);
    const char *path =
        lua_pushfstring(L, "%s/locales/%s", vm_scripts_dir(L), name);
    FILE *f = fopen(path, "rb");
    if (!f)
        script_error_misuse(L, "locales/%s: %s", name, strerror(errno));
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    size_t all = 0, n;
    do {
        n = fread(luaL_prepbuffsize(&b, CHUNK), 1, CHUNK, f);
        luaL_addsize(&b, n);
        all += n;
    } while (n > 0 && all <= LOCALE_MAX_SIZE);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed || all > LOCALE_MAX_SIZE)
        script_error_misuse(L, "locales/%s: %s", name,
                            failed ? "cannot be read" : "over 4 MiB");
    luaL_pushresult(&b);
    return 1;
}
