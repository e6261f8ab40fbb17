/*
 * What scripts find in their state: a whitelist of the standard library and
 * a require that knows the shipped library, the C modules and SCRIPTS_DIR.
 */
#include "vm/vm_internal.h"

#include "base/log.h"
#include "vm/compile.h"
#include "vm/lua_json.h"
#include "vm/metatable_guard.h"
#include "vm/order.h"
#include "vm/script_error.h"
#include "vm/seal.h"
#include "vm/show.h"
#include "vm/sort.h"
#include "vm/string_guard.h"
#include "vm/vm.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 200
#define LIBRARY_CHUNK "=[moonlet." /* how sources of the library begin */
#define GC_STEP_MAX (1024 * 1024)
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* Parts of the design that are not there yet, by the name that scripts use. */
static const char *const not_built[] = {
    "moonlet.broadcast", "moonlet.cache", "moonlet.db", "moonlet.metrics",
    "moonlet.queue",     "moonlet.redis", NULL,
};

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},       {LUA_STRLIBNAME, luaopen_string},
    {LUA_TABLIBNAME, luaopen_table}, {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_COLIBNAME, luaopen_coroutine},
    {LUA_OSLIBNAME, luaopen_os},     {NULL, NULL},
};

static bool is_library_chunk(const char *source)
{
    return source && strncmp(source, LIBRARY_CHUNK, strlen(LIBRARY_CHUNK)) == 0;
}

/* load(chunk [, name [, mode [, env]]]) without bytecode. */
static int text_load(lua_State *L)
{
    int n = lua_gettop(L);
    bool has_env = n >= 4;
    if (!lua_isstring(L, 1))
        luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 4);
    if (is_library_chunk(lua_tostring(L, 2)))
        script_error_misuse(L, "load: chunks named \"%s\" are the library's",
                            lua_tostring(L, 2));
    if (lua_isnil(L, 2)) {
        lua_pushstring(L, "=(load)");
        lua_replace(L, 2);
    }
    lua_pushstring(L, "t");
    lua_replace(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (!has_env) /* nil would be an environment too */
        lua_settop(L, 4);
    lua_call(L, has_env ? 4 : 3, 2);
    return 2;
}

/* The same as Lua's for the options that cannot switch the collector off. In
 * a simulation the memory in use, which depends on chance, is always 0. */
static int collect_garbage(lua_State *L)
{
    const char *option = luaL_optstring(L, 1, "collect");
    lua_Integer kib = luaL_optinteger(L, 2, 0);
    bool simulated = vm__generation(L)->host->simulated;
    if (strcmp(option, "count") == 0) {
        lua_pushnumber(L, simulated ? 0
                                    : lua_gc(L, LUA_GCCOUNT) +
                                          lua_gc(L, LUA_GCCOUNTB) / 1024.0);
    } else if (strcmp(option, "collect") == 0) {
        lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT));
    } else if (strcmp(option, "step") == 0) {
        if (kib < 0 || kib > GC_STEP_MAX)
            script_error_misuse(L, "collectgarbage: a step is 0..%d KiB",
                                GC_STEP_MAX);
        if (simulated)
            lua_gc(L, LUA_GCCOLLECT);
        lua_pushboolean(L, simulated || lua_gc(L, LUA_GCSTEP, (int)kib) == 1);
    } else {
        script_error_misuse(L,
                            "collectgarbage has only the options \"collect\", "
                            "\"count\" and \"step\", got \"%s\"",
                            option);
    }
    return 1;
}

/* warn writes to the log, too; its switches "@on" and "@off" are ignored. */
static int log_warn(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_checkstring(L, 1);
    for (int i = 2; i <= n; i++)
        luaL_checkstring(L, i);
    lua_concat(L, n);
    if (n > 1 || *lua_tostring(L, -1) != '@')
        LOG_AT(vm_log(L), LOG_WARN, "script.warning",
               LOG_S("text", lua_tostring(L, -1)));
    return 0;
}

/* print writes to the log: stdout belongs to the operator. */
static int log_print(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&b, '\t');
        vm_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    LOG_AT(vm_log(L), LOG_INFO, "script.print",
           LOG_S("text", lua_tostring(L, -1)));
    return 0;
}

/* Replaces the table by one that has these names alone, for require too. */
static void keep_only(lua_State *L, const char *table, const char *const *names)
{
    lua_getglobal(L, table);
    lua_newtable(L);
    for (; *names; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, table);
    lua_pop(L, 1);
    lua_setglobal(L, table);
    lua_pop(L, 1);
}

static void remove_globals(lua_State *L)
{
    static const char *const gone[] = {"dofile", "loadfile", NULL};
    for (const char *const *name = gone; *name; name++) {
        lua_pushnil(L);
        lua_setglobal(L, *name);
    }
    lua_getglobal(L, "string");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
}

void vm__open_sandbox(lua_State *L)
{
    static const char *const os_names[] = {"time", "date", "clock", "difftime",
                                           NULL};
    static const luaL_Reg own[] = {{"print", log_print},
                                   {"warn", log_warn},
                                   {"collectgarbage", collect_garbage},
                                   {"require", vm__require},
                                   {NULL, NULL}};
    for (const luaL_Reg *lib = libraries; lib->name; lib++) {
        luaL_requiref(L, lib->name, lib->func, 1);
        lua_pop(L, 1);
    }
    keep_only(L, "os", os_names);
    remove_globals(L);
    string_guard_open(L);
    metatable_guard_open(L);
    vm__open_coroutines(L);
    vm__open_clock(L);
    if (vm__generation(L)->host->simulated) {
        order_open(L);
        show_open(L);
        sort_open(L);
    }
    lua_getglobal(L, "load");
    lua_pushcclosure(L, text_load, 1);
    lua_setglobal(L, "load");
    lua_pushglobaltable(L);
    luaL_setfuncs(L, own, 0);
    lua_pop(L, 1);
}

static const struct vm_module *find_module(const struct vm_host *host,
                                           const char *name)
{
    for (const struct vm_module *m = host->modules; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static const struct vm_source *find_source(const struct vm_host *host,
                                           const char *name)
{
    for (const struct vm_source *s = host->library; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

static void fail_unknown_module(lua_State *L, const char *name)
{
    for (const char *const *row = not_built; *row; row++)
        if (strcmp(*row, name) == 0)
            script_error_misuse(L, "not built yet: %s", name);
    script_error_misuse(L, "moonlet has no module \"%s\"", name);
}

/* lua-cjson with a decode that keeps integers and an encode that prints them
 * exactly. */
static int decode_text(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_json_decode(L, text, len);
    return 1;
}

static int encode_text(lua_State *L)
{
    luaL_checkany(L, 1);
    const char *why = lua_json_push(L, 1);
    if (why)
        return luaL_error(L, "%s", why);
    return 1;
}

static int open_cjson(lua_State *L)
{
    luaopen_cjson(L);
    lua_pushcfunction(L, decode_text);
    lua_setfield(L, -2, "decode");
    lua_pushcfunction(L, encode_text);
    lua_setfield(L, -2, "encode");
    lua_pushcfunction(L, open_cjson);
    lua_setfield(L, -2, "new");
    return 1;
}

/* Module names are words separated by dots; each word becomes a folder. */
static void check_name(lua_State *L, const char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
                          "YZ0123456789_-.";
    if (!*name || name[strspn(name, allowed)] || strstr(name, "..") ||
        name[0] == '.' || name[strlen(name) - 1] == '.' ||
        strlen(name) > NAME_MAX_LEN)
        script_error_misuse(L,
                            "require: \"%s\" is no module name; write it "
                            "as \"handlers.start\"",
                            name);
}

/* Pushes "handlers/start.lua" for handlers.start if there is such a file, or
 * "handlers/start/init.lua". False: neither. */
static bool push_script_path(lua_State *L, const char *dir, const char *name)
{
    static const char *const forms[] = {"%s.lua", "%s/init.lua", NULL};
    luaL_gsub(L, name, ".", "/");
    for (const char *const *form = forms; *form; form++) {
        lua_pushfstring(L, *form, lua_tostring(L, -1));
        lua_pushfstring(L, "%s/%s", dir, lua_tostring(L, -1));
        bool found = access(lua_tostring(L, -1), R_OK) == 0;
        lua_pop(L, 1);
        if (found) {
            lua_remove(L, -2);
            return true;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return false;
}

/* Reads a whole file into a Lua string; raises if it cannot. */
static void push_file(lua_State *L, const char *path, const char *shown)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        luaL_error(L, "%s: %s", shown, strerror(errno));
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    size_t n;
    do {
        char *room = luaL_prepbuffsize(&b, 16384);
        n = fread(room, 1, 16384, f);
        luaL_addsize(&b, n);
    } while (n > 0);
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    if (failed) /* a folder, for one */
        luaL_error(L, "%s: %s", shown, strerror(failed));
    luaL_pushresult(&b);
}

/* Raises the syntax error on top with the whole path: Lua shortens long
 * ones. */
static int raise_syntax(lua_State *L, const char *path)
{
    const char *text = lua_tostring(L, -1);
    const char *colon = strchr(text, ':');
    if (colon)
        lua_pushfstring(L, "%s%s", path, colon);
    else
        lua_pushfstring(L, "%s: %s", path, text);
    return lua_error(L);
}

/* Leaves the compiled chunk on the stack. */
static void load_script(lua_State *L, const char *name)
{
    const char *dir = vm__generation(L)->host->scripts_dir;
    check_name(L, name);
    if (!vm_loading(L))
        script_error_misuse(L,
                            "require \"%s\" at the top of a script: files "
                            "are read only while scripts load",
                            name);
    if (!push_script_path(L, dir, name))
        script_error_misuse(L, "there is no script \"%s\" in SCRIPTS_DIR",
                            name);
    const char *path = lua_tostring(L, -1);
    lua_pushfstring(L, "%s/%s", dir, path);
    push_file(L, lua_tostring(L, -1), path);
    lua_pushfstring(L, "@%s", path);
    size_t len;
    const char *text = lua_tolstring(L, -2, &len);
    size_t mark = len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    int status =
        luaL_loadbufferx(L, text + mark, len - mark, lua_tostring(L, -1), "t");
    if (status == LUA_ERRSYNTAX)
        raise_syntax(L, path);
    else if (status != LUA_OK)
        lua_error(L);
}

/* Is it a module that only the library itself may use? */
static bool is_internal(const char *name)
{
    static const char *const internal[] = {
        "moonlet.answers",
        "moonlet.core",
        "moonlet.ctx",
        "moonlet.ctx_actions",
        "moonlet.ctx_files",
        "moonlet.files",
        "moonlet.format_html",
        "moonlet.format_markdown",
        "moonlet.format_split",
        "moonlet.format_template",
        "moonlet.fsm",
        "moonlet.graph",
        "moonlet.pieces",
        "moonlet.plurals",
        "moonlet.request",
        "moonlet.web",
        NULL,
    };
    for (const char *const *row = internal; *row; row++)
        if (strcmp(*row, name) == 0)
            return true;
    return strncmp(name, "moonlet.core.", 13) == 0 ||
           strncmp(name, "moonlet.check", 13) == 0;
}

/* Of require. */
static bool caller_is_library(lua_State *L)
{
    lua_Debug ar;
    return lua_getstack(L, 1, &ar) && lua_getinfo(L, "S", &ar) &&
           is_library_chunk(ar.source);
}

/* moonlet.config is the author's own data, which json.encode and next shall
 * see as it is. */
static bool is_shipped(const char *name)
{
    return (strncmp(name, "moonlet.", 8) == 0 &&
            strcmp(name, "moonlet.config") != 0) ||
           strcmp(name, "cjson") == 0;
}

static void push_loader(lua_State *L, const char *name)
{
    const struct vm_host *host = vm__generation(L)->host;
    const struct vm_module *module = find_module(host, name);
    const struct vm_source *source = find_source(host, name);
    if (module) {
        lua_pushcfunction(L, module->open);
    } else if (source) {
        lua_pushfstring(L, "=[%s]", name);
        if (luaL_loadbufferx(L, source->text, source->len, lua_tostring(L, -1),
                             vm_source_mode(source)) != LUA_OK)
            lua_error(L);
    } else if (strcmp(name, "cjson") == 0) {
        lua_pushcfunction(L, open_cjson);
    } else if (strncmp(name, "moonlet.", 8) == 0) {
        fail_unknown_module(L, name);
    } else {
        load_script(L, name);
    }
}

/* Leaves the module of that name, the only argument. */
static int require_any(lua_State *L)
{
    const char *name = lua_tostring(L, 1);
    lua_settop(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, 2, name);
    if (lua_touserdata(L, -1) == (void *)libraries)
        script_error_misuse(L,
                            "require \"%s\": it is being loaded already "
                            "(a circle), or has failed before",
                            name);
    if (lua_toboolean(L, -1))
        return 1;
    push_loader(L, name);
    lua_pushlightuserdata(L, (void *)libraries);
    lua_setfield(L, 2, name);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    if (is_shipped(name))
        seal_module(L, name);
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

int vm__require(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    if (strlen(name) != len)
        script_error_misuse(L, "require: a module name holds a zero byte");
    if (is_internal(name) && !caller_is_library(L))
        fail_unknown_module(L, name);
    return require_any(L);
}

void vm_require(lua_State *L, const char *name)
{
    lua_pushcfunction(L, require_any);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
}
