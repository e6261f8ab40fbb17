/*
 * moonlet.config: the table `app` of config.lua, empty if there is none. It
 * is read once, at start; a reload gives the scripts a fresh copy.
 */
#include "bindings/support.h"

#include "vm/lua_json.h"
#include "vm/vm.h"

#include <string.h>

int binding_config(lua_State *L)
{
    const struct services *services = vm_services(L);
    const char *json = services->app_json ? services->app_json : "{}";
    lua_json_decode(L, json, strlen(json));
    return 1;
}
