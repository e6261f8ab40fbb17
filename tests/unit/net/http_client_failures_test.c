#include "net/http_client.h"

#include "http_client_fixture.h"

#include <netdb.h>
#include <time.h>

static void refused_connection_is_not_sent(void **state)
{
    (void)state;
    struct ask a;
    char text[100];
    struct peer *p = peer_start(answer_all, OK_ANSWER);
    int port = p->port;
    peer_stop(p);
    run(&a, port, "POST", "x");
    snprintf(text, sizeof(text),
             "cannot connect to 127.0.0.1:%d: Connection refused", port);
    assert_failed(&a, ERR_NOT_SENT, text);
    assert_int_equal(a.err.detail, ECONNREFUSED);
    run(&a, port, "GET", NULL);
    assert_failed(&a, ERR_NOT_SENT, text);
}

/* Stands in for the system's: no name is known, and slow.invalid keeps the
 * resolver's thread until it is let go. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered, let_go, left;
} resolver = {.lock = PTHREAD_MUTEX_INITIALIZER,
              .changed = PTHREAD_COND_INITIALIZER};

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **found)
{
    struct timespec end;
    (void)service;
    (void)hints;
    *found = NULL;
    if (strcmp(name, "slow.invalid") != 0)
        return EAI_NONAME;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&resolver.lock);
    resolver.entered = true;
    while (!resolver.let_go &&
           !pthread_cond_timedwait(&resolver.changed, &resolver.lock, &end))
        ;
    resolver.left = true;
    pthread_mutex_unlock(&resolver.lock);
    return EAI_NONAME;
}

static bool resolver_has(const bool *what)
{
    pthread_mutex_lock(&resolver.lock);
    bool value = *what;
    pthread_mutex_unlock(&resolver.lock);
    return value;
}

static void unresolved_name_is_not_sent(void **state)
{
    (void)state;
    struct ask a;
    prepare(&a, 0, "POST", "x");
    a.call.url = "http://user:pw@moonlet-test.invalid:99/bot1:SECRET/x";
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "cannot resolve moonlet-test.invalid:99");
    assert_null(strstr(a.err.message, "pw"));
}

/* A call that ends while its name is looked up may not wait for that. */
static void slow_resolver_holds_up_nobody(void **state)
{
    (void)state;
    struct ask cancelled;
    struct ask late;
    prepare(&cancelled, 0, "POST", "x");
    cancelled.call.url = "http://slow.invalid/";
    prepare(&late, 0, "POST", "x");
    late.call.url = "http://slow.invalid/";
    late.call.timeout_ms = 100;
    http_start(w->client, &cancelled.call);
    http_start(w->client, &late.call);
    WAIT_UNTIL(&w->f, resolver_has(&resolver.entered));
    http_cancel(w->client, &cancelled.call);
    finish(&late);
    assert_failed(&late, ERR_NOT_SENT, "slow.invalid: timed out after 0.1 s");
    assert_int_equal(cancelled.ends, 0);
    http_client_free(w->client);
    w->client = NULL;
    assert_false(resolver_has(&resolver.left));
    pthread_mutex_lock(&resolver.lock);
    resolver.let_go = true;
    pthread_cond_broadcast(&resolver.changed);
    pthread_mutex_unlock(&resolver.lock);
    WAIT_UNTIL(&w->f, resolver_has(&resolver.left));
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/passwd", "ftp://h/SECRET",
                                       "nonsense::SECRET", ""};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        struct ask a;
        prepare(&a, 0, "GET", NULL);
        a.call.url = urls[i];
        http_start(w->client, &a.call);
        finish(&a);
        assert_int_equal(a.err.code, ERR_NOT_SENT);
        assert_null(strstr(a.err.message, "SECRET/"));
        http_call_free(&a.call);
    }
}

static void assert_answer_fails(const char *answer, const char *text)
{
    struct ask a;
    struct peer *p = peer_start(answer_and_close, answer);
    run(&a, p->port, "POST", "x");
    assert_failed(&a, ERR_UNKNOWN, text);
    assert_int_equal(p->requests, 1);
    run(&a, p->port, "GET", NULL);
    assert_failed(&a, ERR_UNKNOWN, text);
    peer_stop(p);
}

static void broken_answers_are_unknown(void **state)
{
    (void)state;
    assert_answer_fails("", "connection closed without an answer");
    assert_answer_fails("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                        "connection closed within the answer");
    assert_answer_fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                        "\r\n5\r\nha",
                        "127.0.0.1");
    assert_answer_fails("SSH-2.0-OpenSSH_9.2\r\n\r\n", "is not HTTP");
    assert_answer_fails("HTTP/1.1 20x OK\r\n\r\n", "127.0.0.1");
}

static void plain_answer_to_tls_is_not_sent(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(answer_and_close, "");
    prepare(&a, p->port, "POST", "x");
    snprintf(a.url, sizeof(a.url), "https://127.0.0.1:%d/SECRET", p->port);
    http_start(w->client, &a.call);
    /* What TLS opens with holds no end of a head: the peer reads on. */
    WAIT_UNTIL(&w->f, p->connections == 1);
    a.call.response_max = 1;
    http_cancel(w->client, &a.call);
    peer_stop(p);

    p = peer_start(answer_and_close, "");
    shutdown(p->listen_fd, SHUT_RDWR);
    prepare(&a, p->port, "POST", "x");
    snprintf(a.url, sizeof(a.url), "https://127.0.0.1:%d/SECRET", p->port);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "cannot connect to 127.0.0.1");
    peer_stop(p);
}

static void assert_over_the_limit(const char *answer, size_t response_max)
{
    struct ask a;
    struct peer *p = peer_start(answer_and_close, answer);
    prepare(&a, p->port, "POST", "x");
    a.call.response_max = response_max;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_LIMIT, "the answer is over");
    peer_stop(p);
}

static void long_answers_are_cut_off(void **state)
{
    (void)state;
    struct ask a;
    assert_over_the_limit("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456",
                          5);
    assert_over_the_limit("HTTP/1.1 200 OK\r\n\r\n123456", 5);

    char *head = mem_zero(1, 100100);
    strcpy(head, "HTTP/1.1 200 OK\r\n");
    while (strlen(head) < 99000)
        strcat(head, "X-Header: 90123456789012345678901234567890\r\n");
    assert_over_the_limit(head, 100000);
    free(head);

    struct peer *p = peer_start(
        answer_and_close, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
    prepare(&a, p->port, "GET", NULL);
    a.call.response_max = 5;
    http_start(w->client, &a.call);
    finish(&a);
    assert_ok(&a, "12345");
    peer_stop(p);
}

static void silence_times_out(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(never_answer, NULL);
    prepare(&a, p->port, "POST", "x");
    a.call.timeout_ms = 250;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "timed out after 0.25 s");
    assert_int_equal(p->requests, 1);
    peer_stop(p);
}

/* A listener whose backlog is full answers no SYN. */
static void connecting_times_out(void **state)
{
    (void)state;
    struct ask a;
    int fds[4];
    struct sockaddr_in addr = loopback(0);
    socklen_t size = sizeof(addr);
    int full = socket(AF_INET, SOCK_STREAM, 0);
    bind(full, (struct sockaddr *)&addr, size);
    listen(full, 0);
    getsockname(full, (struct sockaddr *)&addr, &size);
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&addr, size);
    }
    prepare(&a, ntohs(addr.sin_port), "POST", "x");
    a.call.timeout_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_NOT_SENT, "timed out after 0.2 s");
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    close(full);
}

static void half_an_answer_times_out(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(
        answer_slowly, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    prepare(&a, p->port, "POST", "x");
    a.call.timeout_ms = 300;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "timed out after 0.3 s");
    peer_stop(p);
}

static void waiting_for_a_connection_times_out(void **state)
{
    (void)state;
    struct ask a;
    struct ask b;
    struct http_client_options o = {.connections_max = 1};
    struct http_client *wide = w->client;
    w->client = http_client_new_curl(w->f.loop, &o);
    struct peer *p = peer_start(never_answer, NULL);
    start(&a, p->port, "POST", "x");
    WAIT_UNTIL(&w->f, p->requests == 1);
    prepare(&b, p->port, "POST", "x");
    b.call.timeout_ms = 100;
    http_start(w->client, &b.call);
    finish(&b);
    assert_failed(&b, ERR_NOT_SENT, "timed out after 0.1 s");
    http_cancel(w->client, &a.call);
    http_client_free(w->client);
    w->client = wide;
    peer_stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refused_connection_is_not_sent),
        TEST(unresolved_name_is_not_sent),
        TEST(slow_resolver_holds_up_nobody),
        TEST(other_protocols_are_refused),
        TEST(broken_answers_are_unknown),
        TEST(plain_answer_to_tls_is_not_sent),
        TEST(long_answers_are_cut_off),
        TEST(silence_times_out),
        TEST(connecting_times_out),
        TEST(half_an_answer_times_out),
        TEST(waiting_for_a_connection_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
