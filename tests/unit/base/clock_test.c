#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void a_virtual_clock_moves_only_when_moved(void **state)
{
    struct clock c;

    (void)state;
    clock_init_virtual(&c, 1700000000000);
    assert_int_equal(clock_ns(&c), 0);
    assert_int_equal(clock_unix_ms(&c), 1700000000000);
    clock_advance_to(&c, 1500000000);
    assert_int_equal(clock_ns(&c), 1500000000);
    assert_int_equal(clock_unix_ms(&c), 1700000001500);
    clock_advance_to(&c, 7);
    assert_int_equal(clock_ns(&c), 1500000000);
}

static void a_real_clock_follows_the_system(void **state)
{
    struct clock c;

    (void)state;
    clock_init_real(&c);
    uint64_t before = clock_ns(&c);
    int64_t seconds = (int64_t)time(NULL);

    clock_advance_to(&c, UINT64_MAX);
    uint64_t after = clock_ns(&c);

    assert_true(before > 0 && after >= before && after < UINT64_MAX);
    assert_true(clock_unix_ms(&c) >= (seconds - 1) * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_virtual_clock_moves_only_when_moved),
        cmocka_unit_test(a_real_clock_follows_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
