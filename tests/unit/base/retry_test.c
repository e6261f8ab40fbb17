#include "base/retry.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct err failure(bool retryable, double retry_after)
{
    struct err e;
    err_set(&e, ERR_API, 500, "%s", "it failed");
    e.retryable = retryable;
    e.retry_after = retry_after;
    return e;
}

static void waits_grow_by_the_base_with_a_jitter(void **state)
{
    struct retry r = {.max = 20, .base = 2};
    const struct err e = failure(true, 0);
    struct rng rng;
    double expected = 1000;
    (void)state;
    rng_seed(&rng, 1);
    for (unsigned n = 1; n <= 20; n++) {
        int64_t ms = retry_next(&r, &rng, &e);
        double wait = expected < 3600e3 ? expected : 3600e3;
        assert_true((double)ms >= wait * 0.8 - 1);
        assert_true((double)ms <= wait * 1.2 + 1);
        assert_int_equal(r.repeats, n);
        expected *= 2;
    }
    assert_int_equal(retry_next(&r, &rng, &e), -1);
    assert_int_equal(r.repeats, 20);
}

static void what_is_not_retryable_ends_at_once(void **state)
{
    struct retry r = {.max = 3, .base = 2};
    const struct err e = failure(false, 5);
    struct rng rng;
    (void)state;
    rng_seed(&rng, 1);
    assert_int_equal(retry_next(&r, &rng, &e), -1);
    r.always = true;
    assert_int_equal(retry_next(&r, &rng, &e), 5000);
}

static void none_means_none(void **state)
{
    struct retry r = {.max = 0, .base = 2};
    const struct err e = failure(true, 0);
    struct rng rng;
    (void)state;
    rng_seed(&rng, 1);
    assert_int_equal(retry_next(&r, &rng, &e), -1);
}

static void a_told_time_is_waited_in_full(void **state)
{
    struct retry r = {.max = 9, .base = 2, .cap_ms = 1000};
    struct err e = failure(true, 120);
    struct rng rng;
    (void)state;
    rng_seed(&rng, 1);
    assert_int_equal(retry_next(&r, &rng, &e), 120000);
    e = failure(true, 0.0004);
    assert_int_equal(retry_next(&r, &rng, &e), 1);
    e = failure(true, 1e300);
    assert_int_equal(retry_next(&r, &rng, &e), INT64_C(315360000000));
}

static void a_cap_bounds_its_own_waits_for_ever(void **state)
{
    struct retry r = {.max = RETRY_FOREVER, .base = 2, .cap_ms = 5000};
    const struct err e = failure(true, 0);
    struct rng rng;
    (void)state;
    rng_seed(&rng, 7);
    for (int i = 0; i < 1000; i++) {
        int64_t ms = retry_next(&r, &rng, &e);
        assert_in_range(ms, 800, 5000);
    }
    retry_reset(&r);
    assert_in_range(retry_next(&r, &rng, &e), 800, 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_by_the_base_with_a_jitter),
        cmocka_unit_test(what_is_not_retryable_ends_at_once),
        cmocka_unit_test(none_means_none),
        cmocka_unit_test(a_told_time_is_waited_in_full),
        cmocka_unit_test(a_cap_bounds_its_own_waits_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
