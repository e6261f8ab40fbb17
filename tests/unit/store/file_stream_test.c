#include "fixture.h"

#include "store/file_ops.h"
#include "store/file_stream.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define BIG (3 * FILE_STREAM_BLOCK + 12345)

/* One stream at a time; what its callbacks say wakes the test. */
struct house {
    struct world w;
    struct files *files;
    struct file_reader *reader;
    struct file_writer *writer;
    bool told;
    int calls;
    char *text; /* BIG bytes, no two blocks alike */
};

static int setup_on(void **state, bool virtual)
{
    struct house *h = MEM_NEW(struct house);
    char path[128];
    world_make_folder(&h->w);
    world_open_loop(&h->w, virtual);
    world_path(&h->w, "files", path);
    h->files = files_new(h->w.loop, path);
    h->text = mem_alloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        h->text[i] = (char)(i * 31 + i / FILE_STREAM_BLOCK);
    assert_int_equal(mkdir(path, 0700), 0);
    *state = h;
    return 0;
}

static int setup(void **state)
{
    return setup_on(state, false);
}

static int setup_virtual(void **state)
{
    return setup_on(state, true);
}

static int teardown(void **state)
{
    struct house *h = *state;
    file_reader_close(h->reader);
    file_writer_close(h->writer);
    world_close_loop(&h->w);
    files_free(h->files);
    world_remove_folder(&h->w);
    free(h->text);
    free(h);
    return 0;
}

static void on_event(void *arg)
{
    struct house *h = arg;
    h->told = true;
    h->calls++;
    loop_stop(h->w.loop);
}

static void wait_event(struct house *h)
{
    world_wait(&h->w, &h->told);
    h->told = false;
}

static char *at(struct house *h, const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/files/%s", h->w.folder, name);
    return path;
}

static void put(struct house *h, const char *name, const char *text, size_t len)
{
    int fd = open(at(h, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static void assert_holds(struct house *h, const char *name, const char *text,
                         size_t len)
{
    char *got = mem_alloc(len + 1);
    int fd = open(at(h, name), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, len + 1), len);
    assert_memory_equal(got, text, len);
    close(fd);
    free(got);
}

/* Names in the engine's own folder; -1: there is no such folder. */
static int staged(struct house *h)
{
    struct file_request r = {.op = FILE_LIST, .path = FILE_OWN_FOLDER};
    struct buf out = {0};
    struct err e;
    struct file_row row;
    size_t pos = 0;
    int count = 0;
    char folder[128];
    world_path(&h->w, "files", folder);
    if (file_run(folder, &r, &out, &e) != 0)
        return -1;
    while (file_row_next(&out, &pos, &row))
        count++;
    buf_free(&out);
    return count;
}

static const struct err *open_reader(struct house *h, const char *path)
{
    file_reader_close(h->reader);
    h->reader = file_reader_open(h->files, path, path[0] == '/', on_event, h);
    assert_int_equal(h->told, false);
    wait_event(h);
    file_reader_on_wake(h->reader, on_event, h);
    return file_reader_error(h->reader);
}

/* One read that is not made to wait. */
static ssize_t read_some(struct house *h, char *out, size_t max)
{
    ssize_t n = file_reader_read(h->reader, out, max);
    while (n == FILE_STREAM_WAIT) {
        wait_event(h);
        n = file_reader_read(h->reader, out, max);
    }
    return n;
}

static ssize_t read_whole(struct house *h, char *out, size_t step)
{
    ssize_t len = 0;
    for (;;) {
        ssize_t n = read_some(h, out + len, step);
        if (n <= 0)
            return n < 0 ? n : len;
        len += n;
    }
}

static void a_file_comes_block_by_block(void **state)
{
    struct house *h = *state;
    char *got = mem_alloc(BIG + 70000);
    put(h, "big", h->text, BIG);
    assert_null(open_reader(h, "big"));
    assert_int_equal(file_reader_facts(h->reader).size, BIG);
    assert_true(file_reader_facts(h->reader).mtime_ns > 0);
    assert_int_equal(read_whole(h, got, 7001), BIG);
    assert_memory_equal(got, h->text, BIG);

    file_reader_seek(h->reader, 0);
    assert_int_equal(read_some(h, got, 5), 5);
    file_reader_seek(h->reader, BIG - 3); /* while a block is on its way */
    assert_int_equal(read_whole(h, got, 70000), 3);
    assert_memory_equal(got, h->text + BIG - 3, 3);
    free(got);
}

static void a_file_elsewhere_is_read_by_its_whole_path(void **state)
{
    struct house *h = *state;
    char got[10];
    put(h, "a", "text", 4);
    assert_null(open_reader(h, at(h, "a")));
    assert_int_equal(read_whole(h, got, sizeof(got)), 4);
    assert_int_equal(open_reader(h, "/dev/null")->detail, ENXIO);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
    struct house *h = *state;
    const struct err *e = open_reader(h, "no/such");
    assert_int_equal(e->code, ERR_IO);
    assert_int_equal(e->detail, ENOENT);
    assert_string_equal(e->message, "no/such: No such file or directory");
    assert_int_equal(symlink("/etc/passwd", at(h, "link")), 0);
    assert_int_equal(open_reader(h, "link")->detail, ELOOP);
    assert_int_equal(mkfifo(at(h, "fifo"), 0600), 0);
    assert_int_equal(open_reader(h, "fifo")->detail, ENXIO);
    assert_int_equal(mkdir(at(h, "folder"), 0700), 0);
    assert_int_equal(open_reader(h, "folder")->detail, EISDIR);
}

static void assert_changed(struct house *h, char *got)
{
    assert_int_equal(read_whole(h, got, 100000), FILE_STREAM_BROKEN);
    assert_int_equal(file_reader_error(h->reader)->detail, ESTALE);
    assert_string_equal(file_reader_error(h->reader)->message,
                        "big: the file has changed while it was read");
}

static void a_file_that_changes_is_never_given_out_whole(void **state)
{
    struct house *h = *state;
    char *got = mem_alloc(BIG + 100000);
    put(h, "big", h->text, BIG);
    assert_null(open_reader(h, "big"));
    assert_int_equal(truncate(at(h, "big"), BIG - 1), 0);
    assert_changed(h, got);

    put(h, "big", h->text, BIG);
    assert_null(open_reader(h, "big"));
    assert_true(read_some(h, got, 1000) > 0);
    put(h, "big", h->text, BIG); /* of the same length */
    assert_int_equal(truncate(at(h, "big"), BIG + 1), 0);
    assert_changed(h, got);
    free(got);
}

static void an_empty_file_is_at_its_end(void **state)
{
    struct house *h = *state;
    char got[4];
    put(h, "empty", "", 0);
    assert_null(open_reader(h, "empty"));
    assert_int_equal(read_some(h, got, 4), 0);
}

static void streams_can_be_closed_at_any_time(void **state)
{
    struct house *h = *state;
    char got[4];
    put(h, "big", h->text, BIG);
    file_reader_close(file_reader_open(h->files, "big", false, on_event, h));
    assert_null(open_reader(h, "big"));
    assert_int_equal(file_reader_read(h->reader, got, 4), FILE_STREAM_WAIT);
    file_reader_close(h->reader);
    h->reader = NULL;

    for (int blocks = 0; blocks < 3; blocks++) {
        struct file_writer *w = file_writer_new(h->files, "x");
        file_writer_on_wake(w, on_event, h);
        file_writer_take(w, h->text, (size_t)blocks * FILE_STREAM_BLOCK + 1);
        if (blocks == 2)
            file_writer_finish(w, on_event, h);
        file_writer_close(w);
    }
    int before = h->calls;
    world_close_loop(&h->w);
    world_open_loop(&h->w, false);
    assert_int_equal(h->calls, before);
    assert_true(staged(h) <= 0);
    assert_int_equal(access(at(h, "x"), F_OK), -1);
}

static void open_writer(struct house *h, const char *path)
{
    file_writer_close(h->writer);
    h->writer = file_writer_new(h->files, path);
    file_writer_on_wake(h->writer, on_event, h);
}

static ssize_t take_whole(struct house *h, const char *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = file_writer_take(h->writer, data + done, len - done);
        if (n < 0)
            return n;
        done += (size_t)n;
        if (done < len)
            wait_event(h);
    }
    return (ssize_t)len;
}

static const struct err *finish(struct house *h)
{
    file_writer_finish(h->writer, on_event, h);
    assert_int_equal(h->told, false);
    wait_event(h);
    return file_writer_error(h->writer);
}

static void a_file_appears_when_it_is_whole(void **state)
{
    struct house *h = *state;
    open_writer(h, "a/b/c");
    ssize_t n = file_writer_take(h->writer, h->text, BIG);
    assert_int_equal(n, 2 * FILE_STREAM_BLOCK); /* no more is held */
    wait_event(h);
    assert_int_equal(take_whole(h, h->text + n, BIG - (size_t)n),
                     BIG - (size_t)n);
    assert_int_equal(file_writer_size(h->writer), BIG);
    assert_int_equal(access(at(h, "a"), F_OK), -1);
    assert_null(finish(h));
    assert_holds(h, "a/b/c", h->text, BIG);
    assert_int_equal(staged(h), 0);

    open_writer(h, "a/b/c");
    assert_null(finish(h));
    assert_holds(h, "a/b/c", "", 0);
}

static void a_writer_can_begin_anew(void **state)
{
    struct house *h = *state;
    open_writer(h, "a");
    take_whole(h, h->text, BIG);
    file_writer_restart(h->writer);
    assert_int_equal(file_writer_size(h->writer), 0);
    take_whole(h, "new", 3);
    assert_null(finish(h));
    assert_holds(h, "a", "new", 3);
}

static void what_is_not_finished_leaves_nothing(void **state)
{
    struct house *h = *state;
    put(h, "a", "old", 3);
    open_writer(h, "a");
    take_whole(h, h->text, BIG);
    file_writer_close(h->writer);
    h->writer = NULL;
    world_close_loop(&h->w);
    world_open_loop(&h->w, false);
    assert_int_equal(staged(h), 0);
    assert_holds(h, "a", "old", 3);
}

static void a_full_disk_is_an_error(void **state)
{
    struct house *h = *state;
    struct rlimit old, small = {.rlim_cur = FILE_STREAM_BLOCK};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    open_writer(h, "a");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(take_whole(h, h->text, BIG), FILE_STREAM_BROKEN);
    assert_int_equal(file_writer_error(h->writer)->detail, EFBIG);
    assert_int_equal(finish(h)->detail, EFBIG);
    file_writer_close(h->writer);
    h->writer = NULL;
    world_close_loop(&h->w);
    world_open_loop(&h->w, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(staged(h), 0);
}

static void a_place_that_cannot_be_is_an_error(void **state)
{
    struct house *h = *state;
    put(h, "a", "text", 4);
    open_writer(h, "a/b");
    take_whole(h, "x", 1);
    const struct err *e = finish(h);
    assert_int_equal(e->detail, ENOTDIR);
    assert_string_equal(e->message, "a/b: Not a directory");
}

static void what_a_death_has_left_is_swept(void **state)
{
    struct house *h = *state;
    char folder[128];
    world_path(&h->w, "files", folder);
    file_stream_sweep(folder); /* no own folder yet */
    put(h, "a", "text", 4);
    open_writer(h, "b");
    take_whole(h, h->text, BIG);
    assert_int_equal(staged(h), 1);
    file_stream_sweep(folder);
    assert_int_equal(staged(h), 0);
    assert_holds(h, "a", "text", 4);
}

static void an_engine_may_die_on_a_virtual_clock(void **state)
{
    struct house *h = *state;
    char got[4];
    put(h, "big", h->text, BIG);
    assert_null(open_reader(h, "big"));
    assert_int_equal(file_reader_read(h->reader, got, 4), FILE_STREAM_WAIT);
    open_writer(h, "a");
    take_whole(h, h->text, BIG);
    file_writer_finish(h->writer, on_event, h);
    file_reader_close(h->reader);
    file_writer_close(h->writer);
    h->reader = NULL;
    h->writer = NULL;
    files_free(h->files); /* nothing deferred knows it any more */
    h->files = NULL;
    assert_int_equal(staged(h), 0);
    assert_int_equal(access(at(h, "a"), F_OK), -1);
}

#define ON(setup, f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST(f) ON(setup, f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_comes_block_by_block),
        ON(setup_virtual, a_file_comes_block_by_block),
        TEST(a_file_elsewhere_is_read_by_its_whole_path),
        TEST(what_cannot_be_opened_is_an_error),
        TEST(a_file_that_changes_is_never_given_out_whole),
        TEST(an_empty_file_is_at_its_end),
        TEST(streams_can_be_closed_at_any_time),
        TEST(a_file_appears_when_it_is_whole),
        ON(setup_virtual, a_file_appears_when_it_is_whole),
        TEST(a_writer_can_begin_anew),
        TEST(what_is_not_finished_leaves_nothing),
        TEST(a_full_disk_is_an_error),
        TEST(a_place_that_cannot_be_is_an_error),
        TEST(what_a_death_has_left_is_swept),
        ON(setup_virtual, an_engine_may_die_on_a_virtual_clock),
    };
    alarm(110);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
