#include "fixture.h"

#include "store/marks.h"

#include <fcntl.h>
#include <signal.h>

static int setup(void **state)
{
    struct world *w = MEM_NEW(struct world);
    world_make_folder(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    world_remove_folder(w);
    free(w);
    return 0;
}

static struct marks *open_marks(const struct world *w)
{
    struct err e;
    char path[128];
    world_path(w, "running.map", path);
    struct marks *m = marks_open(path, &e);
    assert_non_null(m);
    return m;
}

static struct marks *open_fresh(const struct world *w)
{
    struct marks *m = open_marks(w);
    marks_reset(m);
    return m;
}

/* What a process leaves behind that began 10, 20, 30 and ended 20. */
static void leave_marks(const struct world *w)
{
    struct marks *m = open_fresh(w);
    assert_true(marks_begin(m, 30) >= 0);
    int slot = marks_begin(m, 20);
    assert_true(marks_begin(m, 10) >= 0);
    marks_end(m, slot);
    marks_on_loop(m, 10);
    marks_close(m);
}

static void assert_left(const struct marks *m)
{
    assert_true(marks_had_begun(m, 10));
    assert_false(marks_had_begun(m, 20));
    assert_true(marks_had_begun(m, 30));
    assert_false(marks_had_begun(m, 31));
    assert_int_equal(marks_was_on_loop(m), 10);
}

static void tells_what_had_begun(void **state)
{
    leave_marks(*state);
    struct marks *m = open_marks(*state);
    assert_left(m);
    marks_close(m);
}

static void answers_do_not_change_while_running(void **state)
{
    leave_marks(*state);
    struct marks *m = open_fresh(*state);
    assert_true(marks_begin(m, 20) >= 0);
    marks_on_loop(m, 20);
    assert_left(m);
    marks_close(m);
}

static void tells_again_until_reset(void **state)
{
    leave_marks(*state);
    struct marks *m = open_marks(*state);
    assert_int_equal(marks_begin(m, 40), -1);
    marks_close(m);
    m = open_marks(*state);
    assert_left(m);
    marks_reset(m);
    marks_close(m);
    m = open_marks(*state);
    assert_false(marks_had_begun(m, 10));
    assert_int_equal(marks_was_on_loop(m), 0);
    marks_close(m);
}

static void survives_sigkill(void **state)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct marks *m = open_fresh(*state);
        marks_begin(m, 30);
        int slot = marks_begin(m, 20);
        marks_begin(m, 10);
        marks_end(m, slot);
        marks_on_loop(m, 10);
        raise(SIGKILL);
    }
    world_await_killed(child);
    struct marks *m = open_marks(*state);
    assert_left(m);
    marks_close(m);
}

/* The file is all zeros but for its head and what was marked. */
static void change_boot_id(const struct world *w)
{
    char path[128], id[64] = "", file[512];
    world_path(w, "running.map", path);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY);
    assert_true(read(fd, id, 36) == 36);
    close(fd);
    fd = open(path, O_RDWR);
    assert_true(pread(fd, file, sizeof(file), 0) == sizeof(file));
    char *at = memmem(file, sizeof(file), id, 36);
    assert_non_null(at);
    at[35] ^= 1;
    assert_true(pwrite(fd, file, sizeof(file), 0) == sizeof(file));
    close(fd);
}

static void assert_proves_nothing(const struct world *w)
{
    struct marks *m = open_marks(w);
    assert_true(marks_had_begun(m, 10));
    assert_true(marks_had_begun(m, 20));
    assert_int_equal(marks_was_on_loop(m), 0);
    marks_close(m);
    m = open_marks(w);
    assert_true(marks_had_begun(m, 20));
    marks_reset(m);
    marks_close(m);
    m = open_marks(w);
    assert_false(marks_had_begun(m, 20));
    marks_close(m);
}

static void another_boot_proves_nothing(void **state)
{
    leave_marks(*state);
    change_boot_id(*state);
    assert_proves_nothing(*state);
}

static void a_missing_file_proves_nothing(void **state)
{
    assert_proves_nothing(*state);
}

static void a_torn_file_proves_nothing(void **state)
{
    char path[128];
    leave_marks(*state);
    world_path(*state, "running.map", path);
    assert_int_equal(truncate(path, 700), 0);
    assert_proves_nothing(*state);
}

static void a_foreign_file_proves_nothing(void **state)
{
    char path[128];
    leave_marks(*state);
    world_path(*state, "running.map", path);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fputs("notmarks", f);
    fclose(f);
    assert_proves_nothing(*state);
}

static void holds_as_many_as_it_says(void **state)
{
    struct marks *m = open_fresh(*state);
    int last = -1;
    for (int64_t seq = 1; seq <= MARKS_MAX; seq++)
        assert_true((last = marks_begin(m, seq)) >= 0);
    assert_int_equal(marks_begin(m, MARKS_MAX + 1), -1);
    marks_end(m, last);
    assert_int_equal(marks_begin(m, MARKS_MAX + 1), last);
    marks_close(m);
    m = open_marks(*state);
    assert_true(marks_had_begun(m, 1));
    assert_false(marks_had_begun(m, MARKS_MAX));
    assert_true(marks_had_begun(m, MARKS_MAX + 1));
    marks_close(m);
}

static void a_path_that_cannot_be_is_an_error(void **state)
{
    struct err e;
    char path[128];
    world_path(*state, "missing/running.map", path);
    assert_null(marks_open(path, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.message, path));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_what_had_begun),
        TEST(answers_do_not_change_while_running),
        TEST(tells_again_until_reset),
        TEST(survives_sigkill),
        TEST(another_boot_proves_nothing),
        TEST(a_missing_file_proves_nothing),
        TEST(a_torn_file_proves_nothing),
        TEST(a_foreign_file_proves_nothing),
        TEST(holds_as_many_as_it_says),
        TEST(a_path_that_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
