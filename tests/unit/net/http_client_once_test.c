/* A request is written to a server at most once. */
#include "net/http_client.h"

#include "http_client_fixture.h"

#include <semaphore.h>

/* The first connection answers once; then it reads the next request, too,
 * and closes. Any further connection answers. */
static void close_after_reading_the_second(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, p->answer);
    peer_read(p, fd);
    close(fd);
    answer_all(p);
}

static void post_is_never_doubled(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(close_after_reading_the_second, OK_ANSWER);
    run(&a, p->port, "POST", "first");
    assert_ok(&a, "ok");
    run(&a, p->port, "POST", "second");
    assert_failed(&a, ERR_UNKNOWN, "connection closed without an answer");
    assert_int_equal(p->requests, 2);
    run(&a, p->port, "POST", "third");
    assert_ok(&a, "ok");
    assert_int_equal(p->requests, 3);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

/* libcurl writes a body of up to 64 KiB with the head, a larger one after. */
static void assert_not_doubled(size_t len)
{
    struct ask a;
    char *body = mem_zero(1, len + 1);
    memset(body, 'x', len);
    struct peer *p = peer_start(close_after_reading_the_second, OK_ANSWER);
    run(&a, p->port, "POST", "first");
    assert_ok(&a, "ok");
    run(&a, p->port, "POST", body);
    assert_failed(&a, ERR_UNKNOWN, "127.0.0.1");
    assert_int_equal(p->requests, 2);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
    free(body);
}

static void large_post_is_never_doubled(void **state)
{
    (void)state;
    assert_not_doubled(20000);
    open_client();
    assert_not_doubled(60000);
    open_client();
    assert_not_doubled(PEER_REQUEST_MAX / 2);
}

static void empty_post_is_never_doubled(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(close_after_reading_the_second, OK_ANSWER);
    run(&a, p->port, "POST", "first");
    assert_ok(&a, "ok");
    run(&a, p->port, "POST", NULL);
    assert_failed(&a, ERR_UNKNOWN, "connection closed without an answer");
    assert_int_equal(p->requests, 2);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

/* Answers one request, then closes without reading any other; the client
 * notices before it writes, or fails to write, or is told by a reset. */
static void close_before_reading_the_second(struct peer *p)
{
    struct linger reset = {.l_onoff = 1};
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        if (peer_read(p, fd))
            peer_write(fd, p->answer);
        struct pollfd more = {.fd = fd, .events = POLLIN};
        poll(&more, 1, p->connections % 2 ? 0 : PATIENCE_S * 1000);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
}

static sem_t may_go_on;

/* Answers one request on each connection, and when told to says what nobody
 * has asked for, as some servers do before they close an idle connection. */
static void answer_and_say_more_when_told(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        peer_read(p, fd);
        peer_write(fd, p->answer);
        sem_wait(&may_go_on);
        peer_write(fd, "HTTP/1.1 408 Request Timeout\r\n"
                       "Content-Length: 0\r\n\r\n");
        peer_read(p, fd);
        close(fd);
    }
}

/* It would be taken for the answer to the next request. */
static void what_an_idle_connection_says_is_no_answer(void **state)
{
    (void)state;
    struct ask a;
    struct pollfd loop = {.fd = uv_backend_fd(loop_uv(w->f.loop)),
                          .events = POLLIN};
    sem_init(&may_go_on, 0, 0);
    struct peer *p = peer_start(answer_and_say_more_when_told, OK_ANSWER);
    for (int i = 1; i <= 3; i++) {
        run(&a, p->port, "POST", "x");
        assert_ok(&a, "ok");
        assert_int_equal(p->requests, i);
        assert_int_equal(p->connections, i);
        loop_turn(w->f.loop);
        sem_post(&may_go_on);
        assert_int_equal(poll(&loop, 1, PATIENCE_S * 1000), 1);
        loop_turn(w->f.loop);
        assert_int_equal(poll(&loop, 1, 0), 0);
    }
    peer_stop(p);
    sem_destroy(&may_go_on);
}

static void post_on_a_dead_connection_runs_at_most_once(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(close_before_reading_the_second, OK_ANSWER);
    for (int i = 0; i < 40; i++) {
        int before = p->requests;
        run(&a, p->port, "POST", "x");
        assert_true(p->requests - before <= 1);
        if (a.err.code == 0) {
            assert_int_equal(p->requests - before, 1);
            assert_ok(&a, "ok");
        } else {
            assert_int_equal(p->requests - before, 0);
            assert_true(a.err.code == ERR_UNKNOWN ||
                        a.err.code == ERR_NOT_SENT);
        }
    }
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

/* Opens a tunnel, in which it then speaks no TLS. */
static void tunnel_to_nowhere(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, "HTTP/1.1 200 OK\r\n\r\n");
    peer_write(fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    peer_linger(fd);
}

static void opening_a_tunnel_sends_no_post(void **state)
{
    (void)state;
    struct ask a;
    char proxy[60];
    struct peer *p = peer_start(tunnel_to_nowhere, NULL);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", p->port);
    struct http_client_options o = {.connections_max = 1, .proxy = proxy};
    http_client_free(w->client);
    w->client = http_client_new_curl(w->f.loop, &o);
    prepare(&a, 0, "POST", "x");
    a.call.url = "https://example.invalid/bot1:SECRET/m";
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "cannot connect to example.invalid");
    assert_int_equal(strncmp(p->last, "CONNECT example.invalid:443 ", 28), 0);
    http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(post_is_never_doubled),
        TEST(large_post_is_never_doubled),
        TEST(empty_post_is_never_doubled),
        TEST(post_on_a_dead_connection_runs_at_most_once),
        TEST(what_an_idle_connection_says_is_no_answer),
        TEST(opening_a_tunnel_sends_no_post),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
