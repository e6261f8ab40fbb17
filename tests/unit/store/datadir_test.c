#include "fixture.h"

#include "store/datadir.h"

#include <signal.h>
#include <sys/stat.h>

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

static void makes_private_folders(void **state)
{
    struct world *w = *state;
    struct datadir d;
    struct err e;
    struct stat st;
    char path[128], real[4096];
    world_path(w, "a//b/c/", path);
    assert_int_equal(datadir_open(&d, path, &e), 0);
    world_path(w, "a/b/c", path);
    assert_string_equal(d.path, realpath(path, real));
    assert_int_equal(stat(d.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    world_path(w, "a", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    datadir_close(&d);
    assert_null(d.path);
}

static void path_is_absolute(void **state)
{
    struct world *w = *state;
    struct datadir d;
    struct err e;
    char before[4096], path[128];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(w->folder), 0);
    int code = datadir_open(&d, "data", &e);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(code, 0);
    world_path(w, "data/x.db", path);
    char *file = datadir_file(&d, "x.db");
    assert_string_equal(file, path);
    free(file);
    datadir_close(&d);
}

static void second_open_names_the_holder(void **state)
{
    struct world *w = *state;
    struct datadir d, second;
    struct err e;
    char expected[256];
    assert_int_equal(datadir_open(&d, w->folder, &e), 0);
    assert_int_equal(datadir_open(&second, w->folder, &e), ERR_MISUSE);
    snprintf(expected, sizeof(expected), "DATA_DIR %s is in use by process %d",
             w->folder, getpid());
    assert_string_equal(e.message, expected);
    assert_null(second.path);
    assert_int_equal(second.lock_fd, -1);
    datadir_close(&d);
    assert_int_equal(datadir_open(&d, w->folder, &e), 0);
    datadir_close(&d);
}

static pid_t hold_in_child(const char *folder)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct datadir d;
        struct err e;
        if (datadir_open(&d, folder, &e) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void lock_dies_with_its_process(void **state)
{
    struct world *w = *state;
    struct datadir d;
    struct err e;
    char expected[64];
    pid_t child = hold_in_child(w->folder);
    assert_int_equal(datadir_open(&d, w->folder, &e), ERR_MISUSE);
    snprintf(expected, sizeof(expected), "in use by process %d", child);
    assert_non_null(strstr(e.message, expected));
    kill(child, SIGKILL);
    world_await_killed(child);
    assert_int_equal(datadir_open(&d, w->folder, &e), 0);
    datadir_close(&d);
}

static void exec_in_place_finds_the_lock_free(void **state)
{
    struct world *w = *state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct datadir d;
        struct err e;
        if (datadir_open(&d, w->folder, &e) == 0)
            execl("/proc/self/exe", "datadir_test", "reopen", w->folder,
                  (char *)NULL);
        _exit(9);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int reopen(const char *folder)
{
    struct datadir d;
    struct err e;
    if (datadir_open(&d, folder, &e) != 0)
        return 1;
    datadir_close(&d);
    return 0;
}

static void a_file_is_no_folder(void **state)
{
    struct world *w = *state;
    struct datadir d;
    struct err e;
    char path[128];
    world_path(w, "plain", path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(datadir_open(&d, path, &e), ERR_IO);
    assert_non_null(strstr(e.message, path));
    strcat(path, "/below");
    assert_int_equal(datadir_open(&d, path, &e), ERR_IO);
    assert_non_null(strstr(e.message, "Not a directory"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "reopen") == 0)
        return reopen(argv[2]);
    const struct CMUnitTest tests[] = {
        TEST(makes_private_folders),
        TEST(path_is_absolute),
        TEST(second_open_names_the_holder),
        TEST(lock_dies_with_its_process),
        TEST(exec_in_place_finds_the_lock_free),
        TEST(a_file_is_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
