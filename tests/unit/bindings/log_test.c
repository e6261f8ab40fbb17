#include "../vm/fixture.h"

#include "bindings/support.h"

static void open_with_log(struct site *s, bool simulated)
{
    site_open(s);
    s->modules[1] = (struct vm_module){"moonlet.log", binding_log};
    s->host.simulated = simulated;
}

static void fields_stand_in_the_order_of_their_names(void **state)
{
    struct site s;
    (void)state;
    open_with_log(&s, false);
    site_load(&s, "require 'moonlet.log'.info('x', { zeta = 1, b = 'two', "
                  "a = 0.5, aa = true, bc = 3, B = 4 })");
    assert_int_equal(
        site_logged(&s, "info  x B=4 a=0.5 aa=true b=two bc=3 zeta=1\n"), 1);
    site_close(&s);
}

static void sixteen_fields_are_the_most(void **state)
{
    struct site s;
    (void)state;
    open_with_log(&s, false);
    site_load(&s, "local log = require 'moonlet.log' local x = {} "
                  "for i = 16, 1, -1 do x[('f%02d'):format(i)] = i end "
                  "log.warn('most', x) x.more = 1 "
                  "t.note(pcall(log.warn, 'over', x)) "
                  "t.note(pcall(log.warn, 'list', { 1 }))");
    assert_int_equal(site_logged(&s, "most f01=1 f02=2 f03=3 "), 1);
    assert_int_equal(site_logged(&s, " f15=15 f16=16\n"), 1);
    assert_int_equal(site_logged(&s, "over"), 0);
    const char *notes = site_notes(&s);
    assert_non_null(strstr(notes, "log: at most 16 fields"));
    assert_non_null(strstr(notes, "log: the names of fields must be texts"));
    site_close(&s);
}

static void a_simulation_logs_no_addresses(void **state)
{
    struct site s;
    (void)state;
    open_with_log(&s, true);
    site_load(&s, "require 'moonlet.log'.info('x', { b = {}, a = print })");
    assert_int_equal(
        site_logged(&s, "info  x a=\"function: 1\" b=\"table: 2\"\n"), 1);
    site_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_in_the_order_of_their_names),
        cmocka_unit_test(sixteen_fields_are_the_most),
        cmocka_unit_test(a_simulation_logs_no_addresses),
    };
    return FIXTURE_RUN(tests);
}
