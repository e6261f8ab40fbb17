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

    clock_advance_to(&c, before - 1);
    uint64_t after = clock_ns(&c);

    assert_true(before > 0 && after >= before);
    assert_true(clock_unix_ms(&c) >= (seconds - 1) * 1000);
    assert_true(clock_unix_ms(&c) < (seconds + 600) * 1000);
}

static void a_real_clock_can_be_put_forward(void **state)
{
    const uint64_t hour_ns = UINT64_C(3600000000000);
    struct clock c;

    (void)state;
    clock_init_real(&c);
    uint64_t before = clock_ns(&c);
    int64_t seconds = (int64_t)time(NULL);

    clock_advance_to(&c, before + hour_ns);
    uint64_t after = clock_ns(&c);

    assert_true(after >= before + hour_ns);
    assert_true(clock_ns(&c) < before + 2 * hour_ns);
    assert_true(clock_unix_ms(&c) >= (seconds + 3599) * 1000);
    assert_true(clock_ns(&c) >= after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_virtual_clock_moves_only_when_moved),
        cmocka_unit_test(a_real_clock_follows_the_system),
        cmocka_unit_test(a_real_clock_can_be_put_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
