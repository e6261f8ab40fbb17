/* Answers whose body is a part of an open file. */
#include "http_server_fixture.h"

#include <fcntl.h>
#include <signal.h>

#define FILE_LEN 3000000

static struct {
    uint64_t offset;
    uint64_t len;
    bool grow; /* the file is as long as that */
    int fd;    /* of the last answer */
} part;

static int open_file(void)
{
    char path[] = "/tmp/http_file_test.XXXXXX";
    char *text = mem_zero(1, FILE_LEN);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    for (size_t i = 0; i < FILE_LEN; i++)
        text[i] = (char)('a' + i % 23);
    assert_int_equal(write(fd, text, FILE_LEN), FILE_LEN);
    free(text);
    return fd;
}

static void give_part(struct exchange *x, void *arg)
{
    (void)arg;
    part.fd = open_file();
    if (part.grow)
        assert_int_equal(ftruncate(part.fd, (off_t)part.len), 0);
    exchange_add_header(x, "X-Answer", "file");
    exchange_reply_file(x, 206, "video/mp4", part.fd, part.offset, part.len);
}

static int open_files(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    memset(&part, 0, sizeof(part));
    open_world(state);
    routes_add(w->routes, "GET", "/file", give_part, NULL);
    return 0;
}

static bool is_closed(int fd)
{
    return fcntl(fd, F_GETFD) < 0;
}

#define FILE_REQUEST " /file HTTP/1.1\r\nHost: a\r\n\r\n"
#define NEXT "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n"

static void part_of_a_file_is_exact(void **state)
{
    (void)state;
    part.offset = 1000001;
    part.len = 500009;
    int fd = ask("GET" FILE_REQUEST NEXT);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 206 "));
    assert_non_null(strstr(w->in.text, "Content-Length: 500009\r\n"));
    assert_non_null(strstr(w->in.text, "Content-Type: video/mp4\r\n"));
    assert_non_null(strstr(w->in.text, "X-Answer: file\r\n"));
    const char *body = strstr(w->in.text, "\r\n\r\n") + 4;
    for (size_t i = 0; i < part.len; i++)
        assert_int_equal(body[i], 'a' + (part.offset + i) % 23);
    assert_memory_equal(body + part.len, "HTTP/1.1 200", 12);
    assert_true(is_closed(part.fd));
    close(fd);
}

static void head_of_a_file_has_its_length(void **state)
{
    (void)state;
    part.offset = 7;
    part.len = FILE_LEN - 7;
    int fd = ask("HEAD" FILE_REQUEST NEXT);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_non_null(strstr(w->in.text, "Content-Length: 2999993\r\n"));
    assert_memory_equal(strstr(w->in.text, "\r\n\r\n") + 4, "HTTP/1.1 200", 12);
    assert_true(is_closed(part.fd));
    close(fd);
}

static void nothing_of_a_file_is_an_answer_too(void **state)
{
    (void)state;
    int fd = ask("GET" FILE_REQUEST NEXT);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_non_null(strstr(w->in.text, "Content-Length: 0\r\n"));
    assert_true(is_closed(part.fd));
    close(fd);
}

static void file_that_is_too_short_is_500(void **state)
{
    static const uint64_t offsets[] = {FILE_LEN - 100, FILE_LEN + 1,
                                       UINT64_MAX};
    (void)state;
    part.len = 101;
    for (size_t i = 0; i < 3; i++) {
        part.offset = offsets[i];
        memset(&w->in, 0, sizeof(w->in));
        int fd = ask("GET" FILE_REQUEST NEXT);
        WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
        assert_non_null(strstr(w->in.text, "HTTP/1.1 500 "));
        assert_true(is_closed(part.fd));
        close(fd);
    }
}

static void reader_that_leaves_closes_the_file(void **state)
{
    (void)state;
    part.len = FILE_LEN;
    int fd = ask("GET" FILE_REQUEST);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    close(fd);
    WAIT_UNTIL(&w->f, is_closed(part.fd));
}

static void on_drained(void *arg)
{
    ++*(int *)arg;
}

/* More than the system keeps for a reader that does not read. */
static void drained_server_has_sent_its_answers(void **state)
{
    (void)state;
    int drained = 0;
    part.len = 32 << 20;
    part.grow = true;
    int slow = ask("GET" FILE_REQUEST);
    int idle = ask(HOLD);
    WAIT_UNTIL(&w->f, part.fd > 0 && w->held_count == 1);
    http_server_drain(w->server, on_drained, &drained);
    for (int i = 0; i < 50; i++)
        fixture_turn(&w->f);
    assert_int_equal(drained, 0);
    for (size_t got = 0; got < part.len;) {
        ssize_t n = recv(slow, w->in.text, sizeof(w->in.text), MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
        loop_turn(w->f.loop);
        assert_true(n != 0);
    }
    WAIT_UNTIL(&w->f, drained == 1);
    close(slow);
    close(idle);
}

static void file_for_nobody_is_closed(void **state)
{
    (void)state;
    int fd = ask("GET /blind HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    stop_serving();
    part.fd = open_file();
    exchange_reply_file(w->held[0], 200, NULL, part.fd, 0, 10);
    assert_true(is_closed(part.fd));
    close(fd);
}

#define WITH_FILE(name)                                                        \
    cmocka_unit_test_setup_teardown(name, open_files, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(part_of_a_file_is_exact),
        WITH_FILE(head_of_a_file_has_its_length),
        WITH_FILE(nothing_of_a_file_is_an_answer_too),
        WITH_FILE(file_that_is_too_short_is_500),
        WITH_FILE(reader_that_leaves_closes_the_file),
        WITH_FILE(drained_server_has_sent_its_answers),
        WITH_FILE(file_for_nobody_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
