#include "bindings/coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_registration_is_known_by_place_and_words(void **state)
{
    struct coverage *c = coverage_new();
    (void)state;

    size_t start = coverage_add(c, "bot/main.lua", 3, "/start");
    size_t help = coverage_add(c, "bot/main.lua", 3, "/help");
    size_t other = coverage_add(c, "bot/more.lua", 3, "/start");
    assert_int_equal(coverage_add(c, "bot/main.lua", 3, "/start"), start);
    assert_int_equal(coverage_count(c), 3);
    assert_true(start != help && help != other && start != other);
    coverage_ran(c, help);
    coverage_ran(c, help);
    coverage_ran(c, 77); /* there is none */
    assert_int_equal(coverage_get(c, start)->runs, 0);
    assert_int_equal(coverage_get(c, help)->runs, 2);
    assert_string_equal(coverage_get(c, other)->script, "bot/more.lua");
    assert_int_equal(coverage_get(c, other)->line, 3);
    assert_string_equal(coverage_get(c, help)->what, "/help");
    assert_null(coverage_get(c, 3));
    coverage_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_is_known_by_place_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
