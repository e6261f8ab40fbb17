/* Numbers leave a shelf in the order in which they came, whatever it grew
 * and shrank meanwhile. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/shelf.h"

static void an_empty_one_gives_nothing(void **state)
{
    struct shelf s = {0};
    int64_t out[4];
    (void)state;
    assert_int_equal(shelf_take(&s, out, 4), 0);
    shelf_free(&s);
}

static void first_in_first_out(void **state)
{
    struct shelf s = {0};
    int64_t out[7], put = 0, taken = 0;
    (void)state;
    while (put < 5000) {
        for (int i = 0; i < 11; i++)
            shelf_put(&s, put++);
        size_t n = shelf_take(&s, out, 7);
        assert_int_equal(n, 7);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], taken++);
    }
    assert_int_equal(s.count, put - taken);
    size_t most = s.cap;
    while (taken < put) {
        size_t n = shelf_take(&s, out, 7);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(out[i], taken++);
    }
    assert_int_equal(s.count, 0);
    assert_true(s.cap < most / 8);
    shelf_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_gives_nothing),
        cmocka_unit_test(first_in_first_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
