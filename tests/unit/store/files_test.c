#include "fixture.h"

#include "store/files.h"

#include <errno.h>

#define JOBS (FILES_AT_ONCE + FILES_WAITING_MAX)

struct house {
    struct world w;
    struct files *files;
    int done;
    int wanted; /* the loop is stopped when as many are done */
    bool all;
    int last;
};

struct errand {
    struct file_job job;
    struct house *house;
    int number;
    int done;
};

static int setup(void **state)
{
    struct house *h = MEM_NEW(struct house);
    char path[128];
    world_make_folder(&h->w);
    world_open_loop(&h->w, false);
    world_path(&h->w, "files", path);
    h->files = files_new(h->w.loop, path);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    world_close_loop(&h->w);
    files_free(h->files);
    world_remove_folder(&h->w);
    free(h);
    return 0;
}

static void on_done(struct file_job *job)
{
    struct errand *e = LIST_ENTRY(job, struct errand, job);
    struct house *h = e->house;
    e->done++;
    h->last = e->number;
    if (++h->done == h->wanted) {
        h->all = true;
        loop_stop(h->w.loop);
    }
}

static int start(struct house *h, struct errand *e, enum file_op op,
                 const char *path, const char *text)
{
    struct err error;
    *e = (struct errand){.house = h, .number = e->number};
    e->job.request = (struct file_request){.op = op,
                                           .path = path,
                                           .text = text,
                                           .len = text ? strlen(text) : 0,
                                           .max = 1000};
    e->job.done = on_done;
    int code = files_start(h->files, &e->job, &error);
    assert_int_equal(e->done, 0);
    return code;
}

static void wait_all(struct house *h, int wanted)
{
    h->wanted = wanted;
    h->all = h->done >= wanted;
    world_wait(&h->w, &h->all);
    assert_int_equal(h->done, wanted);
}

static void a_job_ends_on_the_loop_with_its_result(void **state)
{
    struct house *h = *state;
    struct errand e = {0};
    assert_int_equal(start(h, &e, FILE_WRITE, "a", "text"), 0);
    wait_all(h, 1);
    assert_int_equal(e.job.error.code, ERR_OK);
    assert_int_equal(start(h, &e, FILE_READ, "a", NULL), 0);
    wait_all(h, 2);
    assert_string_equal(e.job.result.data, "text");
    files_job_free(&e.job);
    assert_int_equal(start(h, &e, FILE_READ, "b", NULL), 0);
    wait_all(h, 3);
    assert_int_equal(e.job.error.code, ERR_IO);
    files_job_free(&e.job);
}

static void the_text_is_read_when_the_work_begins(void **state)
{
    struct house *h = *state;
    struct errand e[FILES_AT_ONCE + 1] = {0};
    char text[] = "first";
    char waiting[] = "wrong";
    assert_int_equal(start(h, &e[0], FILE_WRITE, "a", text), 0);
    assert_int_equal(start(h, &e[1], FILE_WRITE, "b", text), 0);
    assert_int_equal(start(h, &e[2], FILE_WRITE, "c", waiting), 0);
    strcpy(text, "trash");
    strcpy(waiting, "right");
    wait_all(h, 3);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};
        static const char *const texts[] = {"first", "first", "right"};
        assert_int_equal(start(h, &e[i], FILE_READ, names[i], NULL), 0);
        wait_all(h, 4 + i);
        assert_string_equal(e[i].job.result.data, texts[i]);
        files_job_free(&e[i].job);
    }
}

static void too_many_are_refused_and_the_rest_is_done(void **state)
{
    struct house *h = *state;
    struct errand *e = mem_zero(JOBS + 1, sizeof(*e));
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(start(h, &e[i], FILE_STAT, "a", NULL), 0);
    assert_int_equal(start(h, &e[JOBS], FILE_STAT, "a", NULL), ERR_LIMIT);
    wait_all(h, JOBS);
    for (int i = 0; i <= JOBS; i++)
        assert_int_equal(e[i].done, i < JOBS);
    assert_int_equal(start(h, &e[JOBS], FILE_STAT, "a", NULL), 0);
    wait_all(h, JOBS + 1);
    free(e);
}

static void two_are_under_way_and_the_rest_waits_in_order(void **state)
{
    struct house *h = *state;
    struct errand e[9] = {0};
    for (int i = 0; i < 9; i++) {
        e[i].number = i;
        assert_int_equal(start(h, &e[i], FILE_STAT, "a", NULL), 0);
        assert_int_equal(e[i].job.running, i < FILES_AT_ONCE);
    }
    wait_all(h, 9);
    /* Either of the last two may be the last. */
    assert_true(h->last >= 9 - FILES_AT_ONCE);
}

static void a_waiting_job_is_cancelled_at_once(void **state)
{
    struct house *h = *state;
    struct errand e[FILES_AT_ONCE + 2] = {0};
    for (int i = 0; i < FILES_AT_ONCE + 2; i++)
        assert_int_equal(
            start(h, &e[i], FILE_MKDIR, i == 2 ? "no" : "yes", NULL), 0);
    assert_true(files_cancel(&e[2].job));
    wait_all(h, FILES_AT_ONCE + 1);
    assert_int_equal(e[2].done, 0);
    assert_int_equal(start(h, &e[2], FILE_STAT, "no", NULL), 0);
    wait_all(h, FILES_AT_ONCE + 2);
    assert_int_equal(e[2].job.result.len, 0);
}

struct blocker {
    struct work work;
    int fd;
};

static void block(struct work *w)
{
    char byte;
    int fd = LIST_ENTRY(w, struct blocker, work)->fd;
    if (read(fd, &byte, 1) != 1)
        abort();
}

static void unblocked(struct work *w)
{
    (void)w;
}

/* All four threads of the pool are kept busy until the write is given up. */
static void a_running_write_that_is_cancelled_changes_nothing(void **state)
{
    struct house *h = *state;
    struct blocker blockers[4];
    struct errand e[FILES_AT_ONCE + 1] = {0};
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < 4; i++) {
        blockers[i].fd = pipes[0];
        work_start(&blockers[i].work, h->w.loop, block, unblocked);
    }
    for (int i = 0; i < FILES_AT_ONCE; i++) {
        assert_int_equal(start(h, &e[i], FILE_WRITE, "a", "text"), 0);
        assert_false(files_cancel(&e[i].job));
    }
    /* They keep their places until the pool has let go of them. */
    assert_int_equal(start(h, &e[FILES_AT_ONCE], FILE_STAT, "a", NULL), 0);
    assert_false(e[FILES_AT_ONCE].job.running);
    assert_int_equal(write(pipes[1], "four", 4), 4);
    wait_all(h, FILES_AT_ONCE + 1);
    for (int i = 0; i < FILES_AT_ONCE; i++)
        assert_int_equal(e[i].job.error.detail, ECANCELED);
    assert_int_equal(start(h, &e[0], FILE_STAT, "a", NULL), 0);
    wait_all(h, FILES_AT_ONCE + 2);
    assert_int_equal(e[0].job.result.len, 0);
    close(pipes[0]);
    close(pipes[1]);
}

static void work_is_done_on_a_virtual_clock_too(void **state)
{
    struct house *h = *state;
    struct errand e = {0};
    struct files *real = h->files;
    char path[128];
    world_close_loop(&h->w);
    world_open_loop(&h->w, true);
    world_path(&h->w, "files", path);
    h->files = files_new(h->w.loop, path);
    files_free(real);
    assert_int_equal(start(h, &e, FILE_WRITE, "a", "text"), 0);
    wait_all(h, 1);
    assert_int_equal(e.job.error.code, ERR_OK);

    struct errand given_up = {0}, next = {0};
    assert_int_equal(start(h, &given_up, FILE_WRITE, "b", "text"), 0);
    assert_true(files_cancel(&given_up.job));
    assert_int_equal(start(h, &next, FILE_STAT, "b", NULL), 0);
    wait_all(h, 2);
    assert_int_equal(given_up.done, 0);
    assert_int_equal(next.job.result.len, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_ends_on_the_loop_with_its_result),
        TEST(the_text_is_read_when_the_work_begins),
        TEST(too_many_are_refused_and_the_rest_is_done),
        TEST(two_are_under_way_and_the_rest_waits_in_order),
        TEST(a_waiting_job_is_cancelled_at_once),
        TEST(a_running_write_that_is_cancelled_changes_nothing),
        TEST(work_is_done_on_a_virtual_clock_too),
    };
    alarm(110);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
