/* What a client may send and how long, and how many there may be. */
#include "http_server_fixture.h"

static void ask_with_body(int fd, size_t len)
{
    char head[200];
    char *body = mem_zero(1, len + 1);
    memset(body, 'b', len);
    snprintf(head, sizeof(head),
             "POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             len);
    client_send(fd, head);
    client_send(fd, body);
    free(body);
}

static void largest_body_passes(void **state)
{
    (void)state;
    int fd = client_connect(w->port);
    ask_with_body(fd, BODY_MAX);
    WAIT_UNTIL(&w->f, (client_take(fd, &w->in), w->in.len > BODY_MAX));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 200"));
    close(fd);
}

static void larger_body_is_413_before_it_is_read(void **state)
{
    (void)state;
    int fd = ask("POST /echo/ HTTP/1.1\r\nHost: a\r\n"
                 "Content-Length: 99999999\r\n\r\n");
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 413 "));
    assert_non_null(strstr(w->in.text, "{\"error\":"));
    assert_int_equal(w->runs, 0);
    close(fd);
}

static void larger_chunked_body_is_413(void **state)
{
    (void)state;
    char chunk[10001];
    int fd = ask("POST /echo/ HTTP/1.1\r\nHost: a\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    memset(chunk, 'c', sizeof(chunk) - 1);
    chunk[sizeof(chunk) - 1] = '\0';
    for (int i = 0; i < 11; i++) {
        client_send(fd, "2710\r\n");
        client_send(fd, chunk);
        client_send(fd, "\r\n");
        fixture_turn(&w->f);
    }
    client_send(fd, "0\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "}"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 413 "));
    assert_int_equal(w->runs, 0);
    close(fd);
}

static int ask_with_header(size_t len)
{
    char *header = mem_zero(1, len + 1);
    memset(header, 'h', len);
    int fd = ask("GET /echo/ HTTP/1.1\r\nHost: a\r\nX-Test: ");
    client_send(fd, header);
    client_send(fd, "\r\n\r\n");
    free(header);
    return fd;
}

static void head_of_14_kib_passes(void **state)
{
    (void)state;
    int fd = ask_with_header(14 * 1024);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "hhh loopback"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 200"));
    close(fd);
}

static void longer_head_is_431(void **state)
{
    (void)state;
    int fd = ask_with_header(20 * 1024);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 431 "));
    assert_int_equal(w->runs, 0);
    close(fd);
}

static void silent_connections_are_closed(void **state)
{
    (void)state;
    static const char *const halves[] = {
        "", "GE", "GET /echo/ HTTP/1.1\r\nHo",
        "POST /echo/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf",
        "GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n"};
    int fds[5];
    stop_serving();
    serve(10, 1000);
    int held = ask(HOLD);
    for (size_t i = 0; i < 5; i++)
        fds[i] = ask(halves[i]);
    for (size_t i = 0; i < 5; i++) {
        memset(&w->in, 0, sizeof(w->in));
        WAIT_UNTIL(&w->f, client_ended(fds[i], &w->in));
        close(fds[i]);
    }
    /* Waiting for our own answer is not silence. */
    assert_int_equal(w->gone, 0);
    exchange_reply(w->held[0], 200, NULL, "held", 4);
    memset(&w->in, 0, sizeof(w->in));
    WAIT_UNTIL(&w->f, client_has(held, &w->in, "held"));
    close(held);
}

static void thousand_idle_connections_are_fine(void **state)
{
    (void)state;
    static int fds[1000];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &files);
    for (size_t i = 0; i < 1000; i++) {
        fds[i] = ask("GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n");
        fixture_turn(&w->f);
    }
    WAIT_UNTIL(&w->f, w->runs == 1000);
    client_send(fds[500], "GET /echo/among HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fds[500], &w->in, "/echo/among"));
    for (size_t i = 0; i < 1000; i++)
        close(fds[i]);
}

static void further_connections_wait_in_the_backlog(void **state)
{
    (void)state;
    stop_serving();
    serve(2, 10000);
    int a = ask(HOLD);
    int b = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 2);
    int c = ask("GET /echo/third HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 20; i++)
        fixture_turn(&w->f);
    assert_int_equal(w->runs, 0);
    close(a);
    WAIT_UNTIL(&w->f, client_has(c, &w->in, "/echo/third"));
    assert_int_equal(w->gone, 1);
    close(b);
    close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(largest_body_passes),
        TEST(larger_body_is_413_before_it_is_read),
        TEST(larger_chunked_body_is_413),
        TEST(head_of_14_kib_passes),
        TEST(longer_head_is_431),
        TEST(silent_connections_are_closed),
        TEST(thousand_idle_connections_are_fine),
        TEST(further_connections_wait_in_the_backlog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
