#include "vm/compile.h"

#include "base/buf.h"
#include "base/mem.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define STRIP 0 /* for lua_dump: lines are kept */

static int append(lua_State *L, const void *data, size_t len, void *out)
{
    (void)L;
    buf_append(out, data, len);
    return 0;
}

static void compile(const struct vm_source *source, struct buf *out)
{
    lua_State *L = luaL_newstate();
    if (!L)
        abort();
    lua_pushfstring(L, "=[%s]", source->name);
    if (luaL_loadbufferx(L, source->text, source->len, lua_tostring(L, -1),
                         "t") == LUA_OK)
        lua_dump(L, append, out, STRIP);
    else
        buf_append(out, source->text, source->len);
    lua_close(L);
}

struct vm_source *vm_compile(const struct vm_source *rows)
{
    struct buf bytes = {0}; /* of each row: its name, NUL, its code */
    size_t n = 0;
    while (rows[n].name)
        n++;
    size_t *ends = mem_zero(n + 1, sizeof *ends);
    for (size_t i = 0; i < n; i++) {
        buf_append(&bytes, rows[i].name, strlen(rows[i].name) + 1);
        compile(&rows[i], &bytes);
        ends[i + 1] = bytes.len;
    }
    struct vm_source *out = mem_zero(1, (n + 1) * sizeof *out + bytes.len);
    char *at = (char *)(out + n + 1);
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    for (size_t i = 0; i < n; i++) {
        const char *name = at + ends[i];
        const char *text = name + strlen(name) + 1;
        size_t len = (size_t)(at + ends[i + 1] - text);
        out[i] = (struct vm_source){name, text, len};
    }
    free(ends);
    buf_free(&bytes);
    return out;
}

const char *vm_source_mode(const struct vm_source *source)
{
    return source->len > 0 && source->text[0] == *LUA_SIGNATURE ? "b" : "t";
}
