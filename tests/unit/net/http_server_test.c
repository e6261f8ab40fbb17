#include "net/http_server.h"

#include "net/routes.h"

#include "fixture.h"

#define BODY_MAX 100000

struct world {
    struct fixture f;
    struct routes *routes;
    struct http_server *server;
    int port;
    struct exchange *held[8];
    int held_count;
    int gone;
    int runs;
    struct received in;
};

static struct world *w;

static void on_gone(struct exchange *x, void *arg)
{
    assert_ptr_equal(x, arg);
    w->gone++;
}

/* Answers with what it was asked. */
static void echo(struct exchange *x, void *arg)
{
    struct buf out = {0};
    size_t len;
    const char *body = exchange_body(x, &len);
    const char *header = exchange_header(x, "x-test");
    (void)arg;
    w->runs++;
    buf_printf(&out, "%s %s?%s %s %s ", exchange_method(x), exchange_path(x),
               exchange_query(x), header ? header : "-",
               exchange_peer_is_loopback(x) ? "loopback" : "far");
    buf_append(&out, body, len);
    exchange_add_header(x, "X-Answer", "yes");
    exchange_reply(x, 200, "text/plain", out.data, out.len);
    buf_free(&out);
}

static void hold(struct exchange *x, void *arg)
{
    (void)arg;
    w->held[w->held_count++] = x;
    exchange_on_gone(x, on_gone, x);
}

static void hold_blindly(struct exchange *x, void *arg)
{
    hold(x, arg);
    exchange_on_gone(x, NULL, NULL);
}

static void drop(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_drop(x);
}

static void stream(struct exchange *x, void *arg)
{
    hold(x, arg);
    exchange_stream_begin(x, 200, "text/event-stream");
}

static void serve(size_t connections_max, uint64_t idle_ms)
{
    struct http_server_options o = {.host = "127.0.0.1",
                                    .connections_max = connections_max,
                                    .body_max = BODY_MAX,
                                    .idle_ms = idle_ms};
    struct err e;
    w->server = http_server_new(w->f.loop, w->routes, &o, &e);
    assert_non_null(w->server);
    w->port = http_server_port(w->server);
    assert_true(w->port > 0);
}

static int open_world(void **state)
{
    (void)state;
    w = MEM_NEW(struct world);
    fixture_open(&w->f);
    w->routes = routes_new();
    routes_add(w->routes, NULL, "/echo/**", echo, NULL);
    routes_add(w->routes, "GET", "/hold", hold, NULL);
    routes_add(w->routes, "GET", "/blind", hold_blindly, NULL);
    routes_add(w->routes, "GET", "/drop", drop, NULL);
    routes_add(w->routes, "GET", "/stream", stream, NULL);
    serve(1200, 10000);
    return 0;
}

static void stop_serving(void)
{
    if (w->server)
        http_server_free(w->server);
    w->server = NULL;
}

static int close_world(void **state)
{
    (void)state;
    stop_serving();
    fixture_close(&w->f);
    routes_free(w->routes);
    free(w);
    return 0;
}

static int ask(const char *request)
{
    int fd = client_connect(w->port);
    client_send(fd, request);
    return fd;
}

#define HOLD "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"

static void request_reaches_its_handler(void **state)
{
    (void)state;
    int fd = ask("POST /echo/a%20b?x=%20 HTTP/1.1\r\nHost: a\r\n"
                 "X-Test: T\r\nContent-Length: 4\r\n\r\nbody");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "body"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(w->in.text, "Content-Length: 36\r\n"));
    assert_non_null(strstr(w->in.text, "Content-Type: text/plain\r\n"));
    assert_non_null(strstr(w->in.text, "X-Answer: yes\r\n"));
    assert_non_null(
        strstr(w->in.text, "\r\n\r\nPOST /echo/a b?x=%20 T loopback body"));
    close(fd);
}

static void body_may_come_in_pieces(void **state)
{
    (void)state;
    int fd = ask("POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n"
                 "\r\nbo");
    for (int i = 0; i < 5; i++)
        fixture_turn(&w->f);
    assert_int_equal(w->runs, 0);
    client_send(fd, "dy-end");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "body-end"));
    client_send(fd, "POST /echo/ HTTP/1.1\r\nHost: a\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"
                    "4\r\nchun\r\n5\r\nked-!\r\n0\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "chunked-!"));
    close(fd);
}

static void unknown_path_is_404_as_json(void **state)
{
    (void)state;
    int fd = ask("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "}"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 404 "));
    assert_non_null(strstr(w->in.text, "Content-Type: application/json"));
    assert_non_null(strstr(w->in.text, "\r\n\r\n{\"error\":"));
    close(fd);
}

static void head_has_no_body(void **state)
{
    (void)state;
    int fd = ask("HEAD /echo/ HTTP/1.1\r\nHost: a\r\n\r\n"
                 "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_non_null(strstr(w->in.text, "Content-Length: 24\r\n"));
    assert_null(strstr(w->in.text, "HEAD /echo/"));
    close(fd);
}

static void held_exchange_is_answered_later(void **state)
{
    (void)state;
    int fd = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    for (int i = 0; i < 5; i++)
        fixture_turn(&w->f);
    assert_string_equal(exchange_path(w->held[0]), "/hold");
    assert_string_equal(exchange_header(w->held[0], "Host"), "a");
    exchange_reply(w->held[0], 201, NULL, "later", 5);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "later"));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 201 Created"));
    assert_non_null(strstr(w->in.text, "Content-Length: 5\r\n"));
    client_send(fd, "GET /echo/again HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/again"));
    assert_int_equal(w->gone, 0);
    close(fd);
}

static void empty_answer_has_a_length(void **state)
{
    (void)state;
    int fd = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    exchange_reply(w->held[0], 200, NULL, NULL, 0);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "\r\n\r\n"));
    assert_non_null(strstr(w->in.text, "Content-Length: 0\r\n"));
    close(fd);
}

static void handler_may_answer_another_exchange(void **state)
{
    (void)state;
    int held = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    int fd = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 2);
    exchange_reply(w->held[1], 200, NULL, "second", 6);
    exchange_reply(w->held[0], 200, NULL, "first", 5);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "second"));
    memset(&w->in, 0, sizeof(w->in));
    WAIT_UNTIL(&w->f, client_has(held, &w->in, "first"));
    close(held);
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    int fd = ask(HOLD "GET /echo/1 HTTP/1.1\r\nHost: a\r\n\r\n"
                      "GET /echo/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    for (int i = 0; i < 5; i++)
        fixture_turn(&w->f);
    assert_int_equal(w->runs, 0);
    assert_int_equal(w->gone, 0);
    exchange_reply(w->held[0], 200, NULL, "held", 4);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/2"));
    assert_true(strstr(w->in.text, "held") < strstr(w->in.text, "/echo/1"));
    assert_true(strstr(w->in.text, "/echo/1") < strstr(w->in.text, "/echo/2"));
    close(fd);
}

static void http_1_0_closes_after_the_answer(void **state)
{
    (void)state;
    int fd = ask("GET /echo/old HTTP/1.0\r\n\r\n");
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->in.error, 0);
    assert_non_null(strstr(w->in.text, "\r\n\r\nGET /echo/old"));
    close(fd);
}

static void dropped_exchange_leaves_no_byte(void **state)
{
    (void)state;
    int fd = ask("GET /drop HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->in.len, 0);
    close(fd);

    fd = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    exchange_drop(w->held[0]);
    memset(&w->in, 0, sizeof(w->in));
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->in.len, 0);
    assert_int_equal(w->gone, 0);
    close(fd);
}

static void gone_is_noticed_while_waiting(void **state)
{
    (void)state;
    int fd = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    close(fd);
    WAIT_UNTIL(&w->f, w->gone == 1);
}

static void gone_is_noticed_after_a_reset(void **state)
{
    (void)state;
    struct linger reset = {.l_onoff = 1};
    int fd = ask(HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    WAIT_UNTIL(&w->f, w->gone == 1);
}

static void gone_is_noticed_behind_a_pipelined_request(void **state)
{
    (void)state;
    int fd = ask(HOLD HOLD);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    close(fd);
    WAIT_UNTIL(&w->f, w->gone == 1);
    assert_int_equal(w->held_count, 1);
}

static void blind_handler_answers_into_the_void(void **state)
{
    (void)state;
    int fd = ask("GET /blind HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    close(fd);
    for (int i = 0; i < 20; i++)
        fixture_turn(&w->f);
    assert_null(exchange_header(w->held[0], "Host"));
    exchange_reply(w->held[0], 200, NULL, "x", 1);
}

static void blind_handler_may_outlive_the_server(void **state)
{
    (void)state;
    int fd = ask("GET /blind HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    stop_serving();
    loop_run(w->f.loop);
    exchange_stream_begin(w->held[0], 200, NULL);
    assert_false(exchange_stream_write(w->held[0], "x", 1));
    exchange_stream_end(w->held[0]);
    close(fd);
}

static void free_ends_open_exchanges(void **state)
{
    (void)state;
    int fd = ask(HOLD);
    int half = ask("POST /echo/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
    int idle = client_connect(w->port);
    WAIT_UNTIL(&w->f, w->held_count == 1);
    stop_serving();
    assert_int_equal(w->gone, 1);
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->in.len, 0);
    assert_int_equal(w->runs, 0);
    close(fd);
    close(half);
    close(idle);
}

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
                 "Content-Length: 100001\r\n\r\n");
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

static void garbage_is_refused(void **state)
{
    (void)state;
    int fd = ask("\x16\x03\x01\x02 nonsense\r\n\r\n");
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->runs, 0);
    close(fd);
}

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

static void errors_name_the_address(void **state)
{
    (void)state;
    struct http_server_options o = {.host = "127.0.0.1",
                                    .port = w->port,
                                    .connections_max = 1,
                                    .body_max = 1,
                                    .idle_ms = 1000};
    struct err e;
    char text[100];
    assert_null(http_server_new(w->f.loop, w->routes, &o, &e));
    snprintf(text, sizeof(text),
             "cannot listen on 127.0.0.1:%d: Address already in use", w->port);
    assert_string_equal(e.message, text);
    assert_int_equal(e.code, ERR_IO);
    o.host = "example.org";
    assert_null(http_server_new(w->f.loop, w->routes, &o, &e));
    assert_int_equal(e.code, ERR_CONFIG);
    assert_non_null(strstr(e.message, "cannot listen on example.org:"));
}

static void port_is_free_again_at_once(void **state)
{
    (void)state;
    struct err e;
    int fd = ask("GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "/echo/"));
    stop_serving();
    struct http_server_options o = {.host = "localhost",
                                    .port = w->port,
                                    .connections_max = 1,
                                    .body_max = 1,
                                    .idle_ms = 1000};
    w->server = http_server_new(w->f.loop, w->routes, &o, &e);
    assert_non_null(w->server);
    assert_int_equal(http_server_port(w->server), w->port);
    close(fd);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_reaches_its_handler),
        TEST(body_may_come_in_pieces),
        TEST(unknown_path_is_404_as_json),
        TEST(head_has_no_body),
        TEST(held_exchange_is_answered_later),
        TEST(empty_answer_has_a_length),
        TEST(handler_may_answer_another_exchange),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(http_1_0_closes_after_the_answer),
        TEST(dropped_exchange_leaves_no_byte),
        TEST(gone_is_noticed_while_waiting),
        TEST(gone_is_noticed_after_a_reset),
        TEST(gone_is_noticed_behind_a_pipelined_request),
        TEST(blind_handler_answers_into_the_void),
        TEST(blind_handler_may_outlive_the_server),
        TEST(free_ends_open_exchanges),
        TEST(largest_body_passes),
        TEST(larger_body_is_413_before_it_is_read),
        TEST(larger_chunked_body_is_413),
        TEST(garbage_is_refused),
        TEST(stream_delivers_at_once),
        TEST(stream_ends_with_all_that_was_written),
        TEST(stream_is_bounded),
        TEST(stream_notices_that_its_reader_left),
        TEST(stream_that_nobody_reads_is_closed),
        TEST(stream_may_be_dropped),
        TEST(head_of_a_stream_ends_it),
        TEST(silent_connections_are_closed),
        TEST(thousand_idle_connections_are_fine),
        TEST(further_connections_wait_in_the_backlog),
        TEST(errors_name_the_address),
        TEST(port_is_free_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
