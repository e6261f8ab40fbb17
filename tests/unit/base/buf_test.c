#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_grows_and_stays_terminated(void **state)
{
    struct buf b = {0};
    size_t expected = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        buf_putc(&b, 'x');
        buf_puts(&b, "yz");
        buf_append(&b, "abc", 2);
        expected += 5;
        assert_int_equal(b.len, expected);
        assert_true(b.cap > b.len);
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(strlen(b.data), 5000);
    assert_memory_equal(b.data + 4995, "xyzab", 6);
    buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
}

static void printf_grows_as_needed(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_puts(&b, "<");
    buf_printf(&b, "%s|%0200d", "name", 7);
    assert_int_equal(b.len, 1 + 4 + 1 + 200);
    assert_memory_equal(b.data, "<name|000", 9);
    assert_string_equal(b.data + 200, "000007");
    buf_free(&b);
}

static void integers_keep_all_digits(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_int(&b, INT64_MIN);
    buf_putc(&b, ' ');
    buf_int(&b, INT64_MAX);
    buf_putc(&b, ' ');
    buf_int(&b, 0);
    buf_putc(&b, ' ');
    buf_int(&b, -7);
    assert_string_equal(b.data,
                        "-9223372036854775808 9223372036854775807 0 -7");
    buf_free(&b);
}

static void reserved_room_can_be_filled_to_its_end(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_puts(&b, "ab");
    char *at = buf_reserve(&b, 500);

    memset(at, 'z', 500);
    b.len += 500;
    assert_true(b.len < b.cap);
    assert_int_equal(strlen(b.data), 502);
    buf_free(&b);
}

static void clear_keeps_memory_and_steal_gives_it_away(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_clear(&b);
    assert_null(b.data);
    buf_puts(&b, "text");
    size_t cap = b.cap;

    buf_clear(&b);
    assert_int_equal(b.cap, cap);
    assert_string_equal(b.data, "");
    buf_puts(&b, "new");
    char *text = buf_steal(&b);

    assert_string_equal(text, "new");
    assert_null(b.data);
    free(text);
    text = buf_steal(&b);
    assert_string_equal(text, "");
    free(text);
}

static void bytes_may_be_nul(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_append(&b, "a\0b", 3);
    buf_append(&b, NULL, 0);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_stays_terminated),
        cmocka_unit_test(printf_grows_as_needed),
        cmocka_unit_test(integers_keep_all_digits),
        cmocka_unit_test(reserved_room_can_be_filled_to_its_end),
        cmocka_unit_test(clear_keeps_memory_and_steal_gives_it_away),
        cmocka_unit_test(bytes_may_be_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
