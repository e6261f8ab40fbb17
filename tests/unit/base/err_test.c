#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void set_fills_everything(void **state)
{
    struct err e = {.retry_after = 3, .retryable = true};

    (void)state;
    assert_int_equal(err_set(&e, ERR_API, 429, "%s\nwaits %d\n", "chat", 5),
                     ERR_API);
    assert_int_equal(e.code, ERR_API);
    assert_int_equal(e.detail, 429);
    assert_true(e.retry_after == 0);
    assert_false(e.retryable);
    assert_string_equal(e.message, "chat waits 5");
}

static void wrap_puts_context_in_front(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, ERR_DB, 5, "locked");
    e.retryable = true;
    assert_int_equal(err_wrap(&e, "%s:%d", "inbox", 7), ERR_DB);
    assert_string_equal(e.message, "inbox:7: locked");
    assert_int_equal(e.detail, 5);
    assert_true(e.retryable);
}

static void arguments_may_be_the_message_itself(void **state)
{
    struct err e;

    (void)state;
    err_set(&e, ERR_IO, 1, "first");
    err_set(&e, ERR_IO, 1, "%s and %s", e.message, e.message);
    assert_string_equal(e.message, "first and first");
    err_wrap(&e, "%s", e.message);
    assert_string_equal(e.message, "first and first: first and first");
}

static void system_errors_are_spelled_out(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(err_errno(&e, ENOENT, "open %s", "x"), ERR_IO);
    assert_int_equal(e.detail, ENOENT);
    assert_string_equal(e.message, "open x: No such file or directory");
}

static void long_messages_are_cut_between_characters(void **state)
{
    struct err e;
    char text[700];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[699] = '\0';
    /* A character of two bytes around the last place. */
    memcpy(text + sizeof(e.message) - 2, "\xC3\xA9", 2);
    err_set(&e, ERR_IO, 0, "%s", text);
    assert_int_equal(strlen(e.message), sizeof(e.message) - 2);
    assert_int_equal(e.message[sizeof(e.message) - 3], 'a');
    err_wrap(&e, "%s", text);
    assert_in_range(strlen(e.message), sizeof(e.message) - 2,
                    sizeof(e.message) - 1);
}

static void kinds_are_those_of_scripts(void **state)
{
    (void)state;
    assert_string_equal(err_kind(ERR_API), "api");
    assert_string_equal(err_kind(ERR_NOT_SENT), "http");
    assert_string_equal(err_kind(ERR_UNKNOWN), "unknown");
    assert_string_equal(err_kind(ERR_CANCELLED), "cancelled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_everything),
        cmocka_unit_test(wrap_puts_context_in_front),
        cmocka_unit_test(arguments_may_be_the_message_itself),
        cmocka_unit_test(system_errors_are_spelled_out),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(kinds_are_those_of_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
