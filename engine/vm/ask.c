/*
 * generation_ask: the one call into the scripts that is no task.
 */
#include "vm/generation.h"

#include "base/mem.h"
#include "vm/lua_json.h"
#include "vm/script_error.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdlib.h>

struct ask {
    enum vm_entry entry;
    const char *json;
    size_t json_len;
    char *text;
    struct script_error *error;
};

/* Protected: the entry's answer, or its error as a struct, because telling it
 * runs code of scripts too. */
static int ask_entry(lua_State *L)
{
    struct ask *ask = lua_touserdata(L, 1);
    struct generation *g = vm__generation(L);
    lua_pushcfunction(L, script_error_handler);
    lua_rawgeti(L, LUA_REGISTRYINDEX, g->entries[ask->entry]);
    lua_json_decode(L, ask->json, ask->json_len);
    if (lua_pcall(L, 1, 1, 2) != LUA_OK)
        script_error_take(L, ask->error);
    else if (lua_type(L, -1) == LUA_TSTRING)
        ask->text = mem_strdup(lua_tostring(L, -1));
    return 0;
}

char *generation_ask(struct generation *g, enum vm_entry entry,
                     const char *json, size_t json_len,
                     struct script_error *error)
{
    struct ask ask = {entry, json, json_len, NULL, error};
    *error = (struct script_error){0};
    generation__enter(g, g->L);
    lua_pushcfunction(g->L, ask_entry);
    lua_pushlightuserdata(g->L, &ask);
    int status = lua_pcall(g->L, 1, 0, 0);
    bool over = generation__leave(g, g->L);
    if (status != LUA_OK || over) {
        free(ask.text);
        ask.text = NULL;
        if (!error->kind)
            script_error_locate(error, g->L, "limit", "%s",
                                over ? "ran longer than HANDLER_CPU_LIMIT"
                                     : "out of memory or stack");
    }
    lua_settop(g->L, 0);
    if (g->memory.refused)
        generation__relieve(g);
    return ask.text;
}
