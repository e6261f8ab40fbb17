#include "vm/memory.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define BLOCKS 500
#define ROUNDS 200000

struct block {
    unsigned char *data;
    size_t size;
    unsigned char mark;
};

static void check(const struct block *b)
{
    for (size_t i = 0; i < b->size; i++)
        assert_int_equal(b->data[i], b->mark);
}

static void resize(struct memory *m, struct block *b, size_t size)
{
    size_t kept = b->size < size ? b->size : size;
    check(b);
    b->data = memory_alloc(m, b->data, b->size, size);
    assert_true((b->data != NULL) == (size > 0));
    assert_int_equal((uintptr_t)b->data % 16, 0);
    for (size_t i = 0; b->data && i < kept; i++)
        assert_int_equal(b->data[i], b->mark);
    b->mark++;
    b->size = size;
    if (b->data)
        memset(b->data, b->mark, size);
}

static size_t sum(const struct block *blocks)
{
    size_t bytes = 0;
    for (int i = 0; i < BLOCKS; i++)
        bytes += blocks[i].size;
    return bytes;
}

/* Sizes around every bound, and now and then a large one. */
static void blocks_keep_what_is_in_them(void **state)
{
    static struct block blocks[BLOCKS];
    struct memory m = {.slabs = *(bool *)*state};
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < ROUNDS; i++) {
        struct block *b = &blocks[rng_below(&rng, BLOCKS)];
        uint64_t kind = rng_below(&rng, 8);
        size_t max = kind == 0 ? 5000 : kind == 1 ? 300 : 64;
        resize(&m, b, rng_below(&rng, 4) ? rng_below(&rng, max) : 0);
    }
    assert_int_equal(m.used, sum(blocks));
    for (int i = 0; i < BLOCKS; i++)
        resize(&m, &blocks[i], 0);
    assert_int_equal(m.used, 0);
    memory_close(&m);
}

static void what_was_given_back_is_used_again(void **state)
{
    struct memory m = {.slabs = true};
    (void)state;
    void *first = memory_alloc(&m, NULL, 0, 40);
    void *second = memory_alloc(&m, NULL, 0, 40);
    memory_alloc(&m, first, 40, 0);
    assert_ptr_equal(memory_alloc(&m, NULL, 0, 33), first);
    assert_ptr_equal(memory_alloc(&m, second, 40, 48), second);
    assert_ptr_not_equal(memory_alloc(&m, second, 48, 49), second);
    memory_close(&m); /* the slab goes with what is in it */
}

static void the_limit_holds_for_small_blocks(void **state)
{
    struct memory m = {.slabs = true, .limit = 4096, .enforced = true};
    size_t count = 0;
    (void)state;
    while (memory_alloc(&m, NULL, 0, 64))
        count++;
    assert_int_equal(count, 4096 / 64);
    assert_true(m.refused);
    memory_close(&m);
}

static void a_state_lives_in_slabs(void **state)
{
    static const char script[] =
        "local t = {}\n"
        "for i = 1, 20000 do\n"
        "  t[i % 700] = { name = 'n' .. i, fn = function() return i end }\n"
        "  if i % 5000 == 0 then collectgarbage() end\n"
        "end\n"
        "local sum = 0\n"
        "for _, row in pairs(t) do sum = sum + row.fn() end\n"
        "return sum";
    struct memory m = {.slabs = true};
    lua_State *L = lua_newstate(memory_alloc, &m);
    (void)state;
    luaL_openlibs(L);
    assert_int_equal(luaL_dostring(L, script), LUA_OK);
    /* the last 700 numbers up to 20,000 */
    assert_int_equal(lua_tointeger(L, -1), 700 * (19301 + 20000) / 2);
    lua_close(L);
    assert_int_equal(m.used, 0);
    memory_close(&m);
}

int main(void)
{
    static bool with = true, without = false;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(blocks_keep_what_is_in_them, &with),
        cmocka_unit_test_prestate(blocks_keep_what_is_in_them, &without),
        cmocka_unit_test(what_was_given_back_is_used_again),
        cmocka_unit_test(the_limit_holds_for_small_blocks),
        cmocka_unit_test(a_state_lives_in_slabs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
