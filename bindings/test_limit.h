#ifndef MOONLET_BINDINGS_TEST_LIMIT_H
#define MOONLET_BINDINGS_TEST_LIMIT_H

/*
 * How long a case of `moonlet test` may take by a real clock: a spec that
 * loops for ever, or a bot whose virtual time never reaches its end, fails
 * instead of standing still.
 */

#include "base/clock.h"

#include <lua.h>
#include <stdint.h>

struct test_limit {
    struct clock clock;
    uint64_t seconds;
    uint64_t until_ns; /* 0: nothing is limited now */
};

/* Watches the state and every coroutine that it makes from now on. */
void test_limit_open(lua_State *L, struct test_limit *l, uint64_t seconds);

/* Calls the function at 1 within the limit. Leaves true, or false and what
 * the function at 2 makes of what was raised; returns how many. */
int test_limit_guard(lua_State *L, struct test_limit *l);

/* Raises a text if the time is over. For loops of C functions. */
void test_limit_check(lua_State *L, const struct test_limit *l);

#endif
