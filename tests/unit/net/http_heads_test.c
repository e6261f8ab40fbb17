/* Methods, and the heads of answers. */
#include "net/http_client.h"

#include "http_bodies_peer.h"

static void methods_are_sent_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body, *line;
    } cases[] = {
        {"PUT", "xyz", "Content-Length: 3\r\n"},
        {"GET", NULL, NULL},
        {"PATCH", "xy", "Content-Length: 2\r\n"},
        {"DELETE", NULL, NULL},
        {"POST", "x", "Content-Length: 1\r\n"},
        {"DELETE", "x", "Content-Length: 1\r\n"},
        {"PUT", NULL, "Content-Length: 0\r\n"},
        {"OPTIONS", NULL, NULL},
        {"POST", NULL, "Content-Length: 0\r\n"},
    };
    struct peer *p = peer_start(answer_all, OK_ANSWER);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ask a;
        char line[40];
        run(&a, p->port, cases[i].method, cases[i].body);
        assert_ok(&a, "ok");
        snprintf(line, sizeof(line), "%s /bot1", cases[i].method);
        assert_int_equal(strncmp(p->last, line, strlen(line)), 0);
        if (cases[i].line)
            assert_non_null(strstr(p->last, cases[i].line));
        else
            assert_null(strcasestr(p->last, "Content-Length"));
    }
    assert_int_equal(p->connections, 1);
    stop(p);
}

static void answers_without_a_body(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(
        answer_all, "HTTP/1.1 200 OK\r\nContent-Length: 7000000000\r\n\r\n");
    prepare_download(&a, p->port, &t);
    a.call.method = "HEAD";
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.call.response.status, 200);
    assert_int_equal(a.call.response.length, 7000000000);
    assert_int_equal(t.begins, 1);
    assert_int_equal(strncmp(p->last, "HEAD ", 5), 0);
    http_call_free(&a.call);
    run(&a, p->port, "HEAD", NULL);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(p->connections, 1);
    http_call_free(&a.call);
    stop(p);

    open_client();
    t = taker();
    p = peer_start(answer_all, "HTTP/1.1 204 No Content\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        prepare_download(&a, p->port, &t);
        http_start(w->client, &a.call);
        finish(&a);
        assert_int_equal(a.err.code, 0);
        assert_int_equal(a.call.response.status, 204);
        http_call_free(&a.call);
    }
    assert_int_equal(t.taken, 0);
    assert_int_equal(t.begins, 2);
    assert_int_equal(p->connections, 1);
    stop(p);
}

static void heads_are_kept(void **state)
{
    (void)state;
    struct ask a;
    struct buf answer = {0};
    struct buf want = {0};
    buf_puts(&answer, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\n"
                      "Set-cookie:b=2  \r\nX-Empty:\r\n"
                      "X-Long: one\r\n  two\r\n");
    buf_puts(&want, "Set-Cookie: a=1\r\nSet-cookie: b=2\r\nX-Empty: \r\n"
                    "X-Long: one two\r\n");
    for (int i = 0; i < 800; i++) {
        buf_printf(&answer, "X-Many-%d: %d\r\n", i, i * 7);
        buf_printf(&want, "X-Many-%d: %d\r\n", i, i * 7);
    }
    buf_puts(&answer, "Content-Length: 2\r\n\r\nok");
    buf_puts(&want, "Content-Length: 2\r\n");
    struct peer *p = peer_start(answer_all, answer.data);
    for (int i = 0; i < 3; i++) {
        prepare(&a, p->port, "GET", NULL);
        a.call.keep_head = i != 1;
        http_start(w->client, &a.call);
        finish(&a);
        if (i == 1)
            assert_null(a.call.response.head.data);
        else
            assert_string_equal(a.call.response.head.data, want.data);
        assert_int_equal(a.call.response.length, 2);
        assert_ok(&a, "ok");
    }
    buf_free(&answer);
    buf_free(&want);
    stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(methods_are_sent_as_they_are),
        TEST(answers_without_a_body),
        TEST(heads_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
