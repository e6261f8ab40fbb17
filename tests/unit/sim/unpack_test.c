/* Multipart bodies, cut anywhere. */
#include "sim/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=B"
#define HEAD(name) "Content-Disposition: form-data; name=" name "\r\n\r\n"

static void begin(void *arg, const char *name, const char *file_name)
{
    buf_printf(arg, "%s%s%s=", name, file_name != NULL ? "/" : "",
               file_name != NULL ? file_name : "");
}

static void data(void *arg, const char *text, size_t len)
{
    buf_append(arg, text, len);
}

static void end(void *arg)
{
    buf_putc(arg, ';');
}

static const struct unpack_events events = {begin, data, end};

/* What is told of a body that comes in pieces of so many bytes. */
static int read_in(const char *body, size_t piece, struct buf *told)
{
    struct unpack m;
    size_t len = strlen(body);
    int status = 0;
    assert_true(unpack_init(&m, TYPE, &events, told));
    for (size_t at = 0; at < len && status == 0; at += piece)
        status =
            unpack_feed(&m, body + at, len - at < piece ? len - at : piece);
    if (status == 0 && !unpack_complete(&m))
        status = -1;
    unpack_free(&m);
    return status;
}

static void tells(const char *body, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(body); piece++) {
        struct buf told = {0};
        assert_int_equal(read_in(body, piece, &told), 0);
        assert_string_equal(told.data, expected);
        buf_free(&told);
    }
}

static void fails_with(const char *body, int status)
{
    struct buf told = {0};
    assert_int_equal(read_in(body, 3, &told), status);
    buf_free(&told);
}

static void bodies_are_the_same_in_all_pieces(void **state)
{
    (void)state;
    tells("--B\r\n" HEAD("a") "1\r\n--B\r\n" HEAD(
              "\"b\"; filename=\"c d\"") "2\r\n--B--\r\n",
          "a=1;b/c d=2;");
    tells("\r\n--B\r\n" HEAD("a") "\r\n--B--", "a=;");
    tells("before\r\n--B  \r\nX: y\r\n" HEAD("a") "1\r\n--B--after", "a=1;");
}

static void what_looks_like_a_mark_is_content(void **state)
{
    (void)state;
    tells("--B\r\n" HEAD("a") "\r\r\n\r\n-\r\n--\r\n--A\r\n--B--",
          "a=\r\r\n\r\n-\r\n--\r\n--A;");
    tells("--B\r\n" HEAD("a") "--\r\n--B--", "a=--;");
}

static void an_empty_part_may_share_its_line_end(void **state)
{
    (void)state;
    tells("--B\r\n" HEAD("a") "--B--", "a=;");
}

static void names_are_read_out_of_quotes(void **state)
{
    (void)state;
    tells("--B\r\ncontent-disposition: form-data; filename=\"a\\\"b;c\"; "
          "name=x\r\n\r\n1\r\n--B--",
          "x/a\"b;c=1;");
    tells("--B\r\ncontent-disposition: form-data; filename=\"a; name=b\"; "
          "name=x\r\n\r\n1\r\n--B--",
          "x/a; name=b=1;");
    tells("--B\r\n" HEAD("\"a; filename=b\"") "1\r\n--B--", "a; filename=b=1;");
}

static void broken_bodies_are_refused(void **state)
{
    (void)state;
    fails_with("nothing", -1);
    fails_with("--B\r\n" HEAD("a") "1\r\n", -1);
    fails_with("--B\r\nX: y\r\n\r\n1\r\n--B--", 400);
}

static void heads_and_files_are_bounded(void **state)
{
    (void)state;
    struct buf body = {0};
    buf_puts(&body, "--B\r\n");
    while (body.len < UNPACK_HEAD_MAX + 8)
        buf_puts(&body, "X: y\r\n");
    fails_with(body.data, 400);
    buf_clear(&body);
    for (int i = 0; i < UNPACK_FILES_MAX; i++)
        buf_puts(&body, "--B\r\n" HEAD("a; filename=f") "1\r\n");
    struct buf told = {0};
    assert_int_equal(read_in(body.data, body.len, &told), -1);
    buf_free(&told);
    buf_puts(&body, "--B\r\n" HEAD("a; filename=f") "1\r\n--B--");
    fails_with(body.data, 413);
    buf_free(&body);
}

static void a_boundary_is_needed(void **state)
{
    (void)state;
    struct unpack m;
    assert_false(unpack_init(&m, "multipart/form-data", &events, NULL));
    assert_false(
        unpack_init(&m, "multipart/form-data; boundary=", &events, NULL));
    assert_false(unpack_init(&m,
                             "multipart/form-data; boundary="
                             "12345678901234567890123456789012345"
                             "678901234567890123456789012345678901",
                             &events, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_the_same_in_all_pieces),
        cmocka_unit_test(what_looks_like_a_mark_is_content),
        cmocka_unit_test(an_empty_part_may_share_its_line_end),
        cmocka_unit_test(names_are_read_out_of_quotes),
        cmocka_unit_test(broken_bodies_are_refused),
        cmocka_unit_test(heads_and_files_are_bounded),
        cmocka_unit_test(a_boundary_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
