/*
 * Every test runs twice: with openat2, and where a filter refuses it, as in
 * some containers.
 */
#include "fixture.h"

#include "store/beneath.h"
#include "store/file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static bool refused; /* openat2 */

/* FOLDER/files is the bot's, FOLDER/out is not. */
struct house {
    struct world w;
    char files[128];
    struct buf out;
    struct err e;
    atomic_bool given_up;
};

static void put(const struct house *h, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", h->w.folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static bool holds(const struct house *h, const char *name, const char *text)
{
    char path[256], got[256] = "";
    snprintf(path, sizeof(path), "%s/%s", h->w.folder, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    size_t n = fread(got, 1, sizeof(got) - 1, f);
    fclose(f);
    return n == strlen(text) && memcmp(got, text, n) == 0;
}

static void make_link(const struct house *h, const char *to, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", h->w.folder, name);
    assert_int_equal(symlink(to, path), 0);
}

static void make_folder(const struct house *h, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", h->w.folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int setup(void **state)
{
    struct house *h = MEM_NEW(struct house);
    world_make_folder(&h->w);
    world_path(&h->w, "files", h->files);
    make_folder(h, "out");
    put(h, "out/secret", "secret");
    atomic_init(&h->given_up, false);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    world_remove_folder(&h->w);
    buf_free(&h->out);
    free(h);
    return 0;
}

static int run(struct house *h, struct file_request r)
{
    r.given_up = &h->given_up;
    if (r.text)
        r.len = strlen(r.text);
    buf_clear(&h->out);
    return file_run(h->files, &r, &h->out, &h->e);
}

static int run_path(struct house *h, enum file_op op, const char *path)
{
    return run(
        h,
        (struct file_request){
            .op = op, .path = path, .to = "moved", .text = "new", .max = 1000});
}

/* The rows of the last list or stat, as "type name size;". */
static const char *rows(const struct house *h)
{
    static char text[1024];
    struct file_row row;
    size_t at = 0;
    text[0] = '\0';
    while (file_row_next(&h->out, &at, &row)) {
        char one[300];
        snprintf(one, sizeof(one), "%s %s %lld;", row.type, row.name, row.size);
        strcat(text, one);
    }
    return text;
}

struct escape {
    const char *path;
    size_t len;
};

#define ESCAPE(text)                                                           \
    {                                                                          \
        (text), sizeof(text) - 1                                               \
    }

static void paths_that_could_leave_are_refused(void **state)
{
    static const struct escape escapes[] = {
        ESCAPE(""),
        ESCAPE("/"),
        ESCAPE("//"),
        ESCAPE("/etc/passwd"),
        ESCAPE("//etc/passwd"),
        ESCAPE("/proc/self/root"),
        ESCAPE("."),
        ESCAPE(".."),
        ESCAPE("./"),
        ESCAPE("../"),
        ESCAPE("../x"),
        ESCAPE("./x"),
        ESCAPE("x/.."),
        ESCAPE("x/."),
        ESCAPE("x/../../y"),
        ESCAPE("a/./../../x"),
        ESCAPE("a/../b"),
        ESCAPE("a//b"),
        ESCAPE("a//../b"),
        ESCAPE("a/"),
        ESCAPE("a//"),
        ESCAPE("a/b/"),
        ESCAPE("a\0/../../x"),
        ESCAPE("\0"),
        ESCAPE("a\0"),
        ESCAPE(".moonlet"),
        ESCAPE(".moonlet/0"),
        ESCAPE("..//x"),
        ESCAPE("a/b/c/../../../../x"),
    };
    char longest[BENEATH_PATH_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
        if (!file_problem(escapes[i].path, escapes[i].len))
            fail_msg("\"%s\" is taken", escapes[i].path);
    memset(longest, 'x', sizeof(longest));
    longest[BENEATH_PATH_MAX + 1] = '\0';
    assert_non_null(file_problem(longest, BENEATH_PATH_MAX + 1));
    assert_null(file_problem(longest + 1, BENEATH_PATH_MAX));
}

static void plain_paths_are_taken(void **state)
{
    static const char *const paths[] = {
        "a",         "a/b",   "...",       "..a",        "a..",
        ".hidden/x", "a/...", ".moonlets", "a/.moonlet", "a b\nc",
        "\xff\xfe",  "~",     "C:\\x",     "..\\x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (file_problem(paths[i], strlen(paths[i])))
            fail_msg("\"%s\" is refused", paths[i]);
}

/* A way out that stands in the folder, and the path that tries it. */
static const struct {
    const char *to, *link, *path;
} ways_out[] = {
    {"../out", "files/dir", "dir/secret"},
    {"../out", "files/dir", "dir/new"},
    {"../../out", "files/sub/dir", "sub/dir/secret"},
    {"/", "files/root", "root/etc/passwd"},
    {"..", "files/up", "up/out/secret"},
    {"/proc/self/root", "files/magic", "magic/etc/passwd"},
    {"/proc/self/cwd", "files/cwd", "cwd/secret"},
    {".", "files/here", "here/here/plain"},
    {"sub", "files/inner", "inner/plain"},
    {"nowhere", "files/dangling", "dangling/x"},
    {"loop", "files/loop", "loop/x"},
};

static void a_link_on_the_way_is_not_followed(void **state)
{
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_MKDIR, "sub"), 0);
    put(h, "files/plain", "plain");
    put(h, "files/sub/plain", "plain");
    for (size_t i = 0; i < sizeof(ways_out) / sizeof(ways_out[0]); i++) {
        char link[256];
        snprintf(link, sizeof(link), "%s/%s", h->w.folder, ways_out[i].link);
        make_link(h, ways_out[i].to, ways_out[i].link);
        for (enum file_op op = 0; op < FILE_OPS; op++) {
            assert_int_equal(run_path(h, op, ways_out[i].path), ERR_IO);
            assert_int_equal(h->e.detail, ELOOP);
        }
        put(h, "files/moved", "move me");
        assert_int_equal(run(h, (struct file_request){.op = FILE_RENAME,
                                                      .path = "moved",
                                                      .to = ways_out[i].path}),
                         ERR_IO);
        assert_int_equal(unlink(link), 0);
    }
    assert_true(holds(h, "out/secret", "secret"));
    assert_false(holds(h, "out/new", "new"));
    assert_int_equal(run(h, (struct file_request){.op = FILE_LIST, .path = ""}),
                     0);
    assert_string_equal(rows(h), "file moved 7;file plain 5;folder sub 0;");
}

static void a_link_at_the_end_is_not_followed(void **state)
{
    static const char *const targets[] = {
        "../out/secret",  "../out", "../out/new", "/etc/passwd",
        "/proc/self/exe", "link",   "plain",
    };
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_WRITE, "plain"), 0);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        make_link(h, targets[i], "files/link");
        assert_int_equal(run_path(h, FILE_READ, "link"), ERR_IO);
        assert_int_equal(h->e.detail, ELOOP);
        assert_int_equal(run_path(h, FILE_APPEND, "link"), ERR_IO);
        assert_int_equal(h->e.detail, ELOOP);
        assert_int_equal(run_path(h, FILE_LIST, "link"), ERR_IO);
        assert_int_equal(run_path(h, FILE_MKDIR, "link"), ERR_IO);
        assert_int_equal(run_path(h, FILE_STAT, "link"), 0);
        assert_string_equal(rows(h), "other link 0;");
        /* The link itself is replaced, not what it points to. */
        assert_int_equal(run_path(h, FILE_WRITE, "link"), 0);
        assert_true(holds(h, "files/link", "new"));
        assert_int_equal(run_path(h, FILE_REMOVE, "link"), 0);
        make_link(h, targets[i], "files/link");
        assert_int_equal(run_path(h, FILE_REMOVE, "link"), 0);
    }
    assert_true(holds(h, "out/secret", "secret"));
    assert_false(holds(h, "out/new", "new"));
    assert_true(holds(h, "files/plain", "new"));
}

/* The alarm in main ends a test that blocks. */
static void a_fifo_or_device_blocks_nobody(void **state)
{
    struct house *h = *state;
    char path[256];
    assert_int_equal(run_path(h, FILE_MKDIR, "sub"), 0);
    snprintf(path, sizeof(path), "%s/fifo", h->files);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(run_path(h, FILE_READ, "fifo"), ERR_IO);
    assert_int_equal(h->e.detail, ENXIO);
    assert_string_equal(h->e.message, "fifo: not an ordinary file");
    assert_int_equal(run_path(h, FILE_APPEND, "fifo"), ERR_IO);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(run_path(h, FILE_APPEND, "fifo"), ERR_IO);
    assert_int_equal(h->e.detail, ENXIO);
    close(reader);
    assert_int_equal(run_path(h, FILE_READ, "fifo/x"), ERR_IO);
    assert_int_equal(h->e.detail, ENOTDIR);
    assert_int_equal(run_path(h, FILE_STAT, "fifo"), 0);
    assert_string_equal(rows(h), "other fifo 0;");
    assert_int_equal(run_path(h, FILE_WRITE, "fifo"), 0);
    assert_true(holds(h, "files/fifo", "new"));
    snprintf(path, sizeof(path), "%s/zero", h->files);
    if (mknod(path, S_IFCHR | 0600, makedev(1, 5)) != 0)
        return; /* only root may */
    assert_int_equal(run_path(h, FILE_READ, "zero"), ERR_IO);
    assert_int_equal(h->e.detail, ENXIO);
}

static void write_makes_private_files_and_their_folders(void **state)
{
    struct house *h = *state;
    struct stat st;
    assert_int_equal(run_path(h, FILE_WRITE, "a/b/c"), 0);
    assert_true(holds(h, "files/a/b/c", "new"));
    assert_int_equal(stat(h->files, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    char path[256];
    snprintf(path, sizeof(path), "%s/a", h->files);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    strcat(path, "/b/c");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(run_path(h, FILE_WRITE, "a/b"), ERR_IO);
    assert_int_equal(h->e.detail, EISDIR);
    assert_int_equal(run_path(h, FILE_WRITE, "a/b/c/d"), ERR_IO);
    assert_int_equal(h->e.detail, ENOTDIR);
}

static void a_write_that_was_given_up_changes_nothing(void **state)
{
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_MKDIR, "sub"), 0);
    put(h, "files/a", "old");
    atomic_store(&h->given_up, true);
    assert_int_equal(run_path(h, FILE_WRITE, "a"), ERR_IO);
    assert_int_equal(h->e.detail, ECANCELED);
    assert_true(holds(h, "files/a", "old"));
    assert_false(holds(h, "files/.moonlet/0", "new"));
}

static void what_a_crash_left_is_replaced(void **state)
{
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_MKDIR, "sub"), 0);
    make_folder(h, "files/.moonlet");
    put(h, "files/.moonlet/0", "the longer rest of a write that was cut");
    assert_int_equal(run_path(h, FILE_WRITE, "a"), 0);
    assert_true(holds(h, "files/a", "new"));
    make_link(h, "../../out/secret", "files/.moonlet/0");
    assert_int_equal(run_path(h, FILE_WRITE, "a"), 0);
    assert_true(holds(h, "out/secret", "secret"));
    assert_int_equal(run(h, (struct file_request){.op = FILE_LIST, .path = ""}),
                     0);
    assert_string_equal(rows(h), "file a 3;folder sub 0;");
}

static void append_adds_at_the_end(void **state)
{
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_APPEND, "log/a"), 0);
    assert_int_equal(run_path(h, FILE_APPEND, "log/a"), 0);
    assert_true(holds(h, "files/log/a", "newnew"));
    assert_int_equal(run_path(h, FILE_APPEND, "log"), ERR_IO);
    assert_int_equal(h->e.detail, EISDIR);
}

static void read_has_a_bound(void **state)
{
    struct house *h = *state;
    struct file_request r = {.op = FILE_READ, .path = "a", .max = 3};
    assert_int_equal(run(h, r), ERR_IO);
    assert_int_equal(h->e.detail, ENOENT);
    assert_string_equal(h->e.message, "a: No such file or directory");
    assert_int_equal(run_path(h, FILE_WRITE, "a"), 0);
    assert_int_equal(run(h, r), 0);
    assert_int_equal(h->out.len, 3);
    assert_memory_equal(h->out.data, "new", 3);
    r.max = 2;
    assert_int_equal(run(h, r), ERR_LIMIT);
    assert_string_equal(h->e.message, "a: larger than 2 bytes");
}

static void list_is_sorted_and_has_a_bound(void **state)
{
    struct house *h = *state;
    struct file_request r = {.op = FILE_LIST, .path = ""};
    assert_int_equal(run(h, r), 0);
    assert_int_equal(h->out.len, 0);
    assert_int_equal(run_path(h, FILE_WRITE, "b"), 0);
    assert_int_equal(run_path(h, FILE_WRITE, "a b/x"), 0);
    assert_int_equal(run_path(h, FILE_WRITE, "B"), 0);
    assert_int_equal(run(h, r), 0);
    assert_string_equal(rows(h), "file B 3;folder a b 0;file b 3;");
    make_folder(h, "files/many");
    for (int i = 0; i <= FILE_LIST_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "files/many/%d", i);
        put(h, name, "");
    }
    r.path = "many";
    assert_int_equal(run(h, r), ERR_LIMIT);
    assert_string_equal(h->e.message, "many: more than 10000 names");
    assert_int_equal(run_path(h, FILE_REMOVE, "many/0"), 0);
    assert_int_equal(run(h, r), 0);
}

static void stat_of_nothing_is_no_error(void **state)
{
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_WRITE, "a"), 0);
    assert_int_equal(run_path(h, FILE_STAT, "a"), 0);
    assert_string_equal(rows(h), "file a 3;");
    static const char *const nothing[] = {"b", "b/c", "a/b", "a/b/c"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(run_path(h, FILE_STAT, nothing[i]), 0);
        assert_int_equal(h->out.len, 0);
    }
}

static void remove_takes_files_and_empty_folders(void **state)
{
    struct house *h = *state;
    assert_int_equal(run_path(h, FILE_WRITE, "a/b"), 0);
    assert_int_equal(run_path(h, FILE_REMOVE, "a"), ERR_IO);
    assert_int_equal(h->e.detail, ENOTEMPTY);
    assert_int_equal(run_path(h, FILE_REMOVE, "a/b"), 0);
    assert_int_equal(run_path(h, FILE_REMOVE, "a"), 0);
    assert_int_equal(run_path(h, FILE_REMOVE, "a"), ERR_IO);
    assert_int_equal(h->e.detail, ENOENT);
}

static void rename_moves_and_replaces(void **state)
{
    struct house *h = *state;
    struct file_request r = {.op = FILE_RENAME, .path = "a", .to = "x/y/z"};
    assert_int_equal(run_path(h, FILE_WRITE, "a"), 0);
    assert_int_equal(run(h, r), 0);
    assert_true(holds(h, "files/x/y/z", "new"));
    assert_int_equal(run(h, r), ERR_IO);
    assert_int_equal(h->e.detail, ENOENT);
    put(h, "files/a", "other");
    assert_int_equal(run(h, r), 0);
    assert_true(holds(h, "files/x/y/z", "other"));
    r.path = "x";
    assert_int_equal(run(h, r), ERR_IO);
    assert_int_equal(h->e.detail, EINVAL);
}

static void messages_of_long_paths_keep_the_reason(void **state)
{
    struct house *h = *state;
    char path[BENEATH_PATH_MAX + 1] = "12";
    for (int i = 0; i < 99; i++)
        strcat(path, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac/"); /* euro signs */
    path[strlen(path) - 1] = '\0';
    assert_int_equal(run_path(h, FILE_READ, path), ERR_IO);
    const char *reason = strstr(h->e.message, ": No such file or directory");
    assert_non_null(reason);
    /* No part of a sign at the end. */
    assert_memory_equal(reason - 7, "/\xe2\x82\xac\xe2\x82\xac", 7);
}

static void refuse_openat2(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {4, code};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
    refused = true;
}

static void the_filter_is_there(void **state)
{
    const struct open_how how = {.flags = O_PATH};
    (void)state;
    long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
    if (refused)
        assert_int_equal(fd, -1);
    if (fd >= 0)
        close((int)fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filter_is_there),
        TEST(paths_that_could_leave_are_refused),
        TEST(plain_paths_are_taken),
        TEST(a_link_on_the_way_is_not_followed),
        TEST(a_link_at_the_end_is_not_followed),
        TEST(a_fifo_or_device_blocks_nobody),
        TEST(write_makes_private_files_and_their_folders),
        TEST(a_write_that_was_given_up_changes_nothing),
        TEST(what_a_crash_left_is_replaced),
        TEST(append_adds_at_the_end),
        TEST(read_has_a_bound),
        TEST(list_is_sorted_and_has_a_bound),
        TEST(stat_of_nothing_is_no_error),
        TEST(remove_takes_files_and_empty_folders),
        TEST(rename_moves_and_replaces),
        TEST(messages_of_long_paths_keep_the_reason),
    };
    alarm(110);
    int failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    refuse_openat2();
    return failed +
           cmocka_run_group_tests_name("without openat2", tests, NULL, NULL);
}
