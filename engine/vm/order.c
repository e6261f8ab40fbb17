#include "vm/order.h"

#include "base/mem.h"
#include "vm/vm_internal.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum rank { RANK_NUMBER, RANK_STRING, RANK_BOOLEAN, RANK_OBJECT };

struct key {
    enum rank rank;
    bool is_float; /* of a number: `real` is it */
    lua_Integer whole;
    double real;
    const char *text; /* owned by the state */
    size_t len;
    uint64_t number; /* of an object; 0: it has none */
    const void *address;
    int at; /* in the list of keys */
};

/* A traversal by pairs. */
struct walk {
    int count, done;
    int order[]; /* places in the list of keys */
};

static int compare_wholes(lua_Integer a, lua_Integer b)
{
    return (a > b) - (a < b);
}

/* A key that is a float is no integer, so that it never equals one. */
static int compare_numbers(const struct key *a, const struct key *b)
{
    if (!a->is_float && !b->is_float)
        return compare_wholes(a->whole, b->whole);
    double x = a->is_float ? a->real : (double)a->whole;
    double y = b->is_float ? b->real : (double)b->whole;
    return x != y ? (x > y) - (x < y) : (int)a->is_float - (int)b->is_float;
}

static int compare_strings(const struct key *a, const struct key *b)
{
    size_t shared = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->text, b->text, shared);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_objects(const struct key *a, const struct key *b)
{
    if (a->number != b->number && a->number > 0 && b->number > 0)
        return a->number > b->number ? 1 : -1;
    if (a->number != b->number)
        return a->number == 0 ? 1 : -1;
    return (a->address > b->address) - (a->address < b->address);
}

static int compare(const struct key *a, const struct key *b)
{
    if (a->rank != b->rank)
        return a->rank > b->rank ? 1 : -1;
    switch (a->rank) {
    case RANK_NUMBER:
        return compare_numbers(a, b);
    case RANK_STRING:
        return compare_strings(a, b);
    case RANK_BOOLEAN:
        return compare_wholes(a->whole, b->whole);
    case RANK_OBJECT:
        return compare_objects(a, b);
    }
    return 0;
}

static int compare_any(const void *a, const void *b)
{
    return compare(a, b);
}

/* What lies between the start of a userdata's block and its content. */
static size_t userdata_offset(lua_State *L, int index)
{
    const size_t *measured = vm__generation(L)->userdata_offsets;
    int values = 0;
    while (lua_getiuservalue(L, index, values + 1) != LUA_TNONE) {
        lua_pop(L, 1);
        values++;
    }
    lua_pop(L, 1);
    if (values == 0)
        return measured[0];
    return measured[1] + (size_t)(values - 1) * (measured[2] - measured[1]);
}

/* The block of memory that the object begins; NULL: it has none. */
static const void *block_of(lua_State *L, int index)
{
    const char *at = lua_topointer(L, index);
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
        return at;
    case LUA_TFUNCTION:
        if (!lua_iscfunction(L, index))
            return at;
        if (!lua_getupvalue(L, index, 1))
            return NULL; /* a bare pointer */
        lua_pop(L, 1);
        return at;
    case LUA_TUSERDATA:
        return at - userdata_offset(L, index);
    case LUA_TTHREAD:
        return at - LUA_EXTRASPACE;
    default:
        return NULL;
    }
}

static void read_key(lua_State *L, int index, struct key *k)
{
    memset(k, 0, sizeof *k);
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        k->rank = RANK_NUMBER;
        k->is_float = !lua_isinteger(L, index);
        if (k->is_float)
            k->real = lua_tonumber(L, index);
        else
            k->whole = lua_tointeger(L, index);
        break;
    case LUA_TSTRING:
        k->rank = RANK_STRING;
        k->text = lua_tolstring(L, index, &k->len);
        break;
    case LUA_TBOOLEAN:
        k->rank = RANK_BOOLEAN;
        k->whole = lua_toboolean(L, index);
        break;
    default:
        k->rank = RANK_OBJECT;
        k->address = block_of(L, index);
        k->number = k->address ? memory_number(k->address) : 0;
        if (!k->address)
            k->address = lua_topointer(L, index);
        break;
    }
}

static int count_keys(lua_State *L, int table)
{
    int n = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        n++;
    return n;
}

/* Puts the keys into the list, which has room for n, and their order into w:
 * allocates nothing of Lua's, so that no finalizer can change the table. */
static void sort_keys(lua_State *L, int table, int list, int n, struct walk *w)
{
    struct key *keys = mem_zero((size_t)n, sizeof *keys);
    bool sorted = true;
    int found = 0;

    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        struct key *k = &keys[found];
        read_key(L, lua_gettop(L), k);
        sorted = sorted && (found == 0 || compare(k - 1, k) < 0);
        k->at = ++found;
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, found);
        if (found == n) {
            lua_pop(L, 1);
            break;
        }
    }
    if (!sorted)
        qsort(keys, (size_t)found, sizeof *keys, compare_any);
    for (int i = 0; i < found; i++)
        w->order[i] = keys[i].at;
    w->count = found;
    free(keys);
}

/* Makes the traversal of the table at 1 the upvalues of the running function:
 * the walk and the list of keys. */
static struct walk *begin_walk(lua_State *L)
{
    int n = count_keys(L, 1);
    lua_createtable(L, n, 0);
    int list = lua_gettop(L);
    struct walk *w =
        lua_newuserdatauv(L, sizeof *w + (size_t)n * sizeof *w->order, 0);
    w->count = w->done = 0;
    if (n > 0)
        sort_keys(L, 1, list, n, w);
    lua_replace(L, lua_upvalueindex(1));
    lua_replace(L, lua_upvalueindex(2));
    return w;
}

/* What pairs returns: it goes on from where it is, whatever key it is given,
 * and begins anew with nil. */
static int step(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    struct walk *w = lua_touserdata(L, lua_upvalueindex(1));
    if (lua_isnil(L, 2) || !w)
        w = begin_walk(L);
    while (w->done < w->count) {
        lua_rawgeti(L, lua_upvalueindex(2), w->order[w->done++]);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL)
            return 2;
        lua_pop(L, 2);
    }
    lua_pushnil(L);
    return 1;
}

void order_push_iterator(lua_State *L)
{
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushcclosure(L, step, 2);
}

static int pairs_called(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 3;
}

static int ordered_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
        order_push_iterator(L);
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        return 3;
    }
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, pairs_called);
    return 3;
}

/* The lowest key above the given one, which need not be there any more. */
static int ordered_next(lua_State *L)
{
    struct key after, best, k;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool from_start = lua_isnil(L, 2);
    bool found = false;
    if (!from_start)
        read_key(L, 2, &after);
    lua_pushnil(L); /* 3: the best so far */
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        read_key(L, 4, &k);
        if ((!from_start && compare(&k, &after) <= 0) ||
            (found && compare(&k, &best) >= 0))
            continue;
        best = k;
        found = true;
        lua_copy(L, 4, 3);
    }
    if (!found)
        return 1; /* nil */
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

static void measure_userdata(lua_State *L)
{
    struct generation *g = vm__generation(L);
    for (int values = 0; values < 3; values++) {
        const char *content = lua_newuserdatauv(L, 1, values);
        g->userdata_offsets[values] =
            (size_t)(content - (const char *)g->memory.last);
        lua_pop(L, 1);
    }
}

void order_open(lua_State *L)
{
    measure_userdata(L);
    lua_pushcfunction(L, ordered_pairs);
    lua_setglobal(L, "pairs");
    lua_pushcfunction(L, ordered_next);
    lua_setglobal(L, "next");
}
