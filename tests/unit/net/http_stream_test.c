#include "http_server_fixture.h"

static void stream_delivers_at_once(void **state)
{
    (void)state;
    int fd = ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    assert_non_null(strstr(w->in.text, "Content-Type: text/event-stream"));
    assert_true(exchange_stream_write(w->held[0], "data: 1\n\n", 9));
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "data: 1\n\n"));
    assert_true(exchange_stream_write(w->held[0], "data: 2\n\n", 9));
    assert_true(exchange_stream_write(w->held[0], "data: 3\n\n", 9));
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "data: 3\n\n"));
    exchange_stream_end(w->held[0]);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "0\r\n\r\n"));
    client_send(fd, "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_int_equal(w->gone, 0);
    close(fd);
}

static void stream_ends_with_all_that_was_written(void **state)
{
    (void)state;
    int fd = ask("GET /stream HTTP/1.0\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    assert_true(exchange_stream_write(w->held[0], "all", 3));
    exchange_stream_end(w->held[0]);
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_non_null(strstr(w->in.text, "\r\n\r\nall"));
    close(fd);
}

/* A reader that takes nothing: the queue fills, then refuses, then flows
 * again without losing a byte. */
static void stream_is_bounded(void **state)
{
    (void)state;
    char block[1000];
    size_t sent = 0;
    size_t got = 0;
    char in[65536];
    ssize_t n;
    int fd = ask("GET /stream HTTP/1.0\r\n\r\n");
    memset(block, 'x', sizeof(block));
    WAIT_UNTIL(&w->f, w->held_count == 1);
    for (int refused = 0; refused < 50; fixture_turn(&w->f)) {
        size_t before = sent;
        while (exchange_stream_write(w->held[0], block, sizeof(block))) {
            sent += sizeof(block);
            assert_true(sent - before <= 256 * 1024);
        }
        refused += sent == before;
    }
    assert_false(exchange_stream_write(w->held[0], block, 256 * 1024 + 1));
    exchange_stream_end(w->held[0]);
    while ((n = recv(fd, in, sizeof(in), MSG_DONTWAIT)) != 0) {
        if (n > 0)
            got += (size_t)n;
        fixture_turn(&w->f);
    }
    assert_true(got > sent);
    assert_true(got < sent + 500);
    close(fd);
}

static void stream_notices_that_its_reader_left(void **state)
{
    (void)state;
    int fd = ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    close(fd);
    WAIT_UNTIL(&w->f, w->gone == 1);
}

static void stream_that_nobody_reads_is_closed(void **state)
{
    (void)state;
    char block[60000] = {0};
    stop_serving();
    serve(10, 1000);
    int fd = ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    while (!w->gone) {
        exchange_stream_write(w->held[0], block, sizeof(block));
        fixture_turn(&w->f);
    }
    close(fd);
}

static void stream_may_be_dropped(void **state)
{
    (void)state;
    int fd = ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    exchange_drop(w->held[0]);
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_null(strstr(w->in.text, "0\r\n\r\n"));
    assert_int_equal(w->gone, 0);
    close(fd);
}

static void head_of_a_stream_ends_it(void **state)
{
    (void)state;
    int fd = ask("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->gone == 1);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stream_delivers_at_once),
        TEST(stream_ends_with_all_that_was_written),
        TEST(stream_is_bounded),
        TEST(stream_notices_that_its_reader_left),
        TEST(stream_that_nobody_reads_is_closed),
        TEST(stream_may_be_dropped),
        TEST(head_of_a_stream_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
