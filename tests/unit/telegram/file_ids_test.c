#include "../store/fixture.h"

#include "telegram/file_ids.h"
#include "telegram/file_name.h"

static const struct file_sent a = {"a", {10, 20}, "photo", "n"};

static void an_id_belongs_to_a_file_as_it_is(void **state)
{
    static const struct file_sent others[] = {
        {"b", {10, 20}, "photo", "n"},     {"a", {11, 20}, "photo", "n"},
        {"a", {10, 21}, "photo", "n"},     {"a", {10, 20}, "document", "n"},
        {"a", {10, 20}, "photo", "other"},
    };
    struct file_ids *ids = file_ids_new();
    (void)state;
    file_ids_put(ids, &a, "ID-and more", 2);
    assert_string_equal(file_ids_get(ids, &a), "ID");
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_null(file_ids_get(ids, &others[i]));
    file_ids_put(ids, &a, "NEW", 3);
    assert_string_equal(file_ids_get(ids, &a), "NEW");
    file_ids_forget(ids, &a);
    file_ids_forget(ids, &a);
    assert_null(file_ids_get(ids, &a));
    file_ids_free(ids);
}

static struct file_sent numbered(char path[16], int number)
{
    struct file_sent sent = a;
    snprintf(path, 16, "%d", number);
    sent.path = path;
    return sent;
}

static bool is_known(struct file_ids *ids, int number)
{
    char path[16];
    struct file_sent sent = numbered(path, number);
    return file_ids_get(ids, &sent) != NULL;
}

static void the_one_used_longest_ago_is_forgotten(void **state)
{
    struct file_ids *ids = file_ids_new();
    (void)state;
    for (int i = 0; i < FILE_IDS_MAX; i++) {
        char path[16];
        struct file_sent sent = numbered(path, i);
        file_ids_put(ids, &sent, "ID", 2);
    }
    assert_true(is_known(ids, 0));
    file_ids_put(ids, &a, "ID", 2);
    assert_true(is_known(ids, 0));
    assert_false(is_known(ids, 1));
    assert_true(is_known(ids, 2));
    file_ids_free(ids);
}

static void names_of_files_hold_nothing_dangerous(void **state)
{
    static const char *const rows[][5] = {
        {"AQAD-_1", "documents/file_1.PDF", NULL, NULL, "AQAD-_1.pdf"},
        {"A", "documents/file_1", "x.tar.gz", "image/png", "A.gz"},
        {"A", "documents/file_1", "x", "image/png", "A.png"},
        {"A", NULL, NULL, "weird/type", "A"},
        {"A", "x.y/z", "a.b/c", NULL, "A"},
        {"A", "x.verylongextension", "a. b", NULL, "A"},
        {"../..//etc", NULL, NULL, NULL, "etc"},
        {"", "a.txt", NULL, NULL, "file.txt"},
        {"..", "a.t/../xt", NULL, NULL, "file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf out = {0};
        file_name_safe(&out, rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
        assert_string_equal(out.data, rows[i][4]);
        buf_free(&out);
    }
}

static void assert_shown(const char *name, const char *want)
{
    struct buf out = {0};
    file_name_shown(&out, name);
    if (want)
        assert_string_equal(out.data, want);
    else
        assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void names_that_are_shown_are_names(void **state)
{
    char longest[300] = "";
    (void)state;
    assert_shown("a b.txt", "a b.txt");
    assert_shown("../../etc/passwd", "passwd");
    assert_shown("C:\\x\\y.doc", "y.doc");
    assert_shown("a\nb", "a_b");
    assert_shown("..", NULL);
    assert_shown("", NULL);
    assert_shown("x/", NULL);
    memset(longest, 'a', 254);
    strcat(longest, "\xc3\xa4zz");
    struct buf out = {0};
    file_name_shown(&out, longest); /* cut before the letter of two bytes */
    assert_int_equal(out.len, 254);
    buf_free(&out);
}

static void paths_are_escaped_for_a_link(void **state)
{
    struct buf out = {0};
    (void)state;
    assert_true(file_name_url(&out, "documents/a b?#%\xc3\xa4.txt"));
    assert_string_equal(out.data, "documents/a%20b%3F%23%25%C3%A4.txt");
    assert_false(file_name_url(&out, "a/../b"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_belongs_to_a_file_as_it_is),
        cmocka_unit_test(the_one_used_longest_ago_is_forgotten),
        cmocka_unit_test(names_of_files_hold_nothing_dangerous),
        cmocka_unit_test(names_that_are_shown_are_names),
        cmocka_unit_test(paths_are_escaped_for_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
