#include "http_server_fixture.h"

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

static void garbage_is_refused(void **state)
{
    (void)state;
    int fd = ask("\x16\x03\x01\x02 nonsense\r\n\r\n");
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->runs, 0);
    close(fd);
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
        TEST(garbage_is_refused),
        TEST(errors_name_the_address),
        TEST(port_is_free_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
