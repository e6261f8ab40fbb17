#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_seed_gives_known_numbers(void **state)
{
    struct rng a, b, c;
    int same = 0;

    (void)state;
    /* First output of xoshiro256** for the state {1, 2, 3, 4}. */
    a = (struct rng){{1, 2, 3, 4}};
    assert_int_equal(rng_next(&a), 11520);
    assert_int_equal(rng_next(&a), 0);
    assert_int_equal(rng_next(&a), 1509978240);

    rng_seed(&a, 42);
    rng_seed(&b, 42);
    rng_seed(&c, 43);
    for (int i = 0; i < 100; i++) {
        uint64_t x = rng_next(&a);
        assert_int_equal(x, rng_next(&b));
        same += x == rng_next(&c);
    }
    assert_int_equal(same, 0);
}

static void units_fill_zero_to_one(void **state)
{
    struct rng r;
    double sum = 0;

    (void)state;
    rng_seed(&r, 1);
    for (int i = 0; i < 10000; i++) {
        double x = rng_unit(&r);
        assert_true(x >= 0 && x < 1);
        sum += x;
    }
    assert_true(sum > 4800 && sum < 5200);
}

static void below_is_even(void **state)
{
    struct rng r;
    int seen[5] = {0};

    (void)state;
    rng_seed(&r, 2);
    for (int i = 0; i < 10000; i++)
        seen[rng_below(&r, 5)]++;
    for (int i = 0; i < 5; i++)
        assert_in_range(seen[i], 1800, 2200);
    assert_int_equal(rng_below(&r, 1), 0);
    /* With a bound of three quarters of the range, plain modulo would land
     * in the first third of the results half of the time. */
    const uint64_t bound = UINT64_C(3) << 62;
    int low = 0;

    for (int i = 0; i < 10000; i++)
        low += rng_below(&r, bound) < bound / 3;
    assert_in_range(low, 3100, 3600);
}

static void backoff_grows_to_an_hour_with_jitter(void **state)
{
    static const double expected[] = {1000, 2000, 4000, 8000};
    struct rng r;

    (void)state;
    rng_seed(&r, 3);
    for (int round = 0; round < 1000; round++) {
        for (unsigned n = 1; n <= 4; n++) {
            double ms = (double)rng_backoff_ms(&r, 2.0, n);
            assert_true(ms >= expected[n - 1] * 0.8 - 1 &&
                        ms <= expected[n - 1] * 1.2);
        }
        assert_in_range(rng_backoff_ms(&r, 2.0, 4000), 2880000, 4320000);
    }
    uint64_t first = rng_backoff_ms(&r, 2.0, 20);

    assert_int_not_equal(first, rng_backoff_ms(&r, 2.0, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_known_numbers),
        cmocka_unit_test(units_fill_zero_to_one),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(backoff_grows_to_an_hour_with_jitter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
