#include "vm/generation.h"

#include "base/json.h"
#include "base/mem.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static struct generation **extra_space(lua_State *L)
{
    return lua_getextraspace(L);
}

struct generation *vm__generation(lua_State *L)
{
    return *extra_space(L);
}

void *vm_services(lua_State *L)
{
    return vm__generation(L)->host->services;
}

struct log *vm_log(lua_State *L)
{
    return vm__generation(L)->host->log;
}

struct loop *vm_loop(lua_State *L)
{
    return vm__generation(L)->loop;
}

bool vm_loading(lua_State *L)
{
    return vm__generation(L)->loading;
}

void vm_set_entry(lua_State *L, enum vm_entry entry)
{
    struct generation *g = vm__generation(L);
    luaL_unref(L, LUA_REGISTRYINDEX, g->entries[entry]);
    g->entries[entry] = luaL_ref(L, LUA_REGISTRYINDEX);
}

void vm_want_kind(lua_State *L, const char *kind)
{
    struct buf *kinds = &vm__generation(L)->kinds;
    struct buf quoted = {0};
    json_put_string(&quoted, kind, strlen(kind));
    if (!kinds->data || !strstr(kinds->data, quoted.data)) {
        if (kinds->len)
            buf_putc(kinds, ',');
        buf_append(kinds, quoted.data, quoted.len);
    }
    buf_free(&quoted);
}

static int load_main(lua_State *L)
{
    vm__open_sandbox(L);
    script_error_open(L);
    lua_json_open(L);
    lua_pushcfunction(L, vm__require);
    lua_pushstring(L, "main");
    lua_call(L, 1, 0);
    return 0;
}

static void generation_free(struct generation *g)
{
    if (g->loop) {
        loop_undefer(&g->drain);
        loop_undefer(&g->bury);
    }
    lua_close(g->L);
    buf_free(&g->kinds);
    void (*gone)(void *arg) = g->gone;
    void *arg = g->gone_arg;
    free(g);
    if (gone)
        gone(arg);
}

static void generation_bury(struct deferred *d)
{
    generation_free(LIST_ENTRY(d, struct generation, bury));
}

struct generation *generation_load(const struct vm_host *host, uint64_t id,
                                   struct script_error *error)
{
    struct generation *g = MEM_NEW(struct generation);
    g->host = host;
    g->id = id;
    g->loading = true;
    list_init(&g->tasks);
    list_init(&g->ready);
    deferred_init(&g->drain, task__drain);
    deferred_init(&g->bury, generation_bury);
    for (int i = 0; i < VM_ENTRIES; i++)
        g->entries[i] = LUA_NOREF;
    g->L = luaL_newstate();
    if (!g->L)
        abort();
    *extra_space(g->L) = g;

    lua_pushcfunction(g->L, script_error_handler);
    lua_pushcfunction(g->L, load_main);
    if (lua_pcall(g->L, 0, 0, 1) != LUA_OK) {
        script_error_take(g->L, error);
        generation_free(g);
        return NULL;
    }
    lua_settop(g->L, 0);
    g->loading = false;
    return g;
}

void generation_adopt(struct generation *g, struct loop *loop)
{
    g->loop = loop;
}

uint64_t generation_id(const struct generation *g)
{
    return g->id;
}

size_t generation_tasks(const struct generation *g)
{
    return g->task_count;
}

char *generation_kinds(const struct generation *g)
{
    return mem_printf("[%s]", g->kinds.data ? g->kinds.data : "");
}

void generation_retire(struct generation *g, void (*gone)(void *arg),
                       void *arg)
{
    g->retired = true;
    g->gone = gone;
    g->gone_arg = arg;
    if (g->task_count == 0)
        loop_defer(g->loop, &g->bury);
}

void generation_close(struct generation *g)
{
    g->retired = true;
    g->gone = NULL;
    task__drop_all(g);
    generation_free(g);
}
