/* Redirects, over sockets. */
#include "net/http_client.h"

#include "http_bodies_fixture.h"
#include "http_client_fixture.h"

/* Answers the n-th request by the n-th answer; %d is a port. */
struct script {
    const char *answers[8];
    int port; /* of the other peer */
    char seen[8][2000];
    int count;
};

static struct script here;
static struct script there;

static void play(struct peer *p, struct script *s)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        while (peer_read(p, fd)) {
            char answer[2000];
            snprintf(s->seen[s->count], sizeof(s->seen[0]), "%s", p->last);
            snprintf(answer, sizeof(answer), s->answers[s->count], s->port,
                     s->port);
            s->count++;
            peer_write(fd, answer);
        }
        close(fd);
    }
}

static void play_here(struct peer *p)
{
    play(p, &here);
}

static void play_there(struct peer *p)
{
    play(p, &there);
}

#define MOVED(status, location)                                                \
    "HTTP/1.1 " status " x\r\nLocation: " location                             \
    "\r\nX-Of: redirect\r\nContent-Length: 4\r\n\r\nmove"
#define LAST "HTTP/1.1 200 OK\r\nX-Of: last\r\nContent-Length: 2\r\n\r\nok"

static struct peer *open_here(void)
{
    here = (struct script){.answers = {NULL}};
    there = here;
    return peer_start(play_here, NULL);
}

static void stop(struct peer *p)
{
    if (w->client)
        http_client_free(w->client);
    w->client = NULL;
    peer_stop(p);
}

static void follow(struct ask *a, unsigned max)
{
    a->call.redirects_max = max;
    a->call.keep_head = true;
    http_start(w->client, &a->call);
    finish(a);
}

static bool seen(const struct script *s, int nth, const char *line)
{
    return strstr(s->seen[nth], line) != NULL;
}

static bool begins(const struct script *s, int nth, const char *text)
{
    return strncmp(s->seen[nth], text, strlen(text)) == 0;
}

/* What remains of a method and its body after a status. */
static void methods_change_as_in_browsers(void **state)
{
    (void)state;
    static const struct {
        const char *method, *status, *answer, *after;
    } cases[] = {
        {"POST", "301", MOVED("301", "../x?y=1"), "GET"},
        {"POST", "302", MOVED("302", "../x?y=1"), "GET"},
        {"POST", "303", MOVED("303", "../x?y=1"), "GET"},
        {"POST", "307", MOVED("307", "../x?y=1"), "POST"},
        {"POST", "308", MOVED("308", "../x?y=1"), "POST"},
        {"PUT", "302", MOVED("302", "../x?y=1"), "PUT"},
        {"DELETE", "303", MOVED("303", "../x?y=1"), "GET"},
        {"HEAD", "303", MOVED("303", "../x?y=1"), "HEAD"},
        {"GET", "301", MOVED("301", "../x?y=1"), "GET"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ask a;
        char line[60];
        struct peer *p = open_here();
        bool body = strcmp(cases[i].method, "HEAD") != 0 &&
                    strcmp(cases[i].method, "GET") != 0;
        bool kept = body && strcmp(cases[i].after, "GET") != 0;
        here.answers[0] = body || cases[i].method[0] == 'G'
                              ? cases[i].answer
                              : "HTTP/1.1 303 x\r\nLocation: ../x?y=1\r\n\r\n";
        here.answers[1] =
            cases[i].method[0] == 'H'
                ? "HTTP/1.1 200 OK\r\nX-Of: last\r\nContent-Length: 2\r\n\r\n"
                : LAST;
        prepare(&a, p->port, cases[i].method, body ? "body" : NULL);
        follow(&a, 1);
        assert_int_equal(a.err.code, 0);
        assert_int_equal(a.call.response.status, 200);
        assert_string_equal(a.call.response.head.data,
                            "X-Of: last\r\nContent-Length: 2\r\n");
        assert_int_equal(here.count, 2);
        snprintf(line, sizeof(line), "%s /x?y=1 HTTP/1.1\r\n", cases[i].after);
        assert_true(begins(&here, 1, line));
        assert_int_equal(kept, seen(&here, 1, "\r\n\r\nbody"));
        assert_int_equal(kept, seen(&here, 1, "Content-Type: "));
        assert_true(seen(&here, 1, "\r\nUser-Agent: moonlet/test\r\n"));
        http_call_free(&a.call);
        assert_int_equal(p->connections, 1);
        stop(p);
        open_client();
    }
}

static void too_many_are_an_error(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = open_here();
    for (int i = 0; i < 8; i++)
        here.answers[i] = MOVED("302", "/again");
    prepare(&a, p->port, "GET", NULL);
    follow(&a, 3);
    assert_failed(&a, ERR_LIMIT, "over 3 redirects");
    assert_int_equal(here.count, 4);
    stop(p);
}

static const struct http_header secrets[] = {
    {"Authorization", "Bearer s"}, {"cookie", "c=1"}, {"X-Own", "o"}};

static void other_hosts_get_no_credentials(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = open_here();
    struct peer *q = peer_start(play_there, NULL);
    here.port = q->port;
    there.port = p->port;
    here.answers[0] = MOVED("307", "/near");
    here.answers[1] = MOVED("307", "http://127.0.0.1:%d/far");
    there.answers[0] = MOVED("307", "/farther");
    there.answers[1] = MOVED("307", "http://127.0.0.1:%d/back");
    here.answers[2] = LAST;
    prepare(&a, p->port, "POST", "body");
    snprintf(a.url, sizeof(a.url), "http://u:pw@127.0.0.1:%d/a", p->port);
    a.call.headers = secrets + 1;
    a.call.headers_count = 2;
    follow(&a, 4);
    assert_ok(&a, "ok");
    for (int i = 0; i < 5; i++) {
        const struct script *s = i == 2 || i == 3 ? &there : &here;
        int nth = i < 2 ? i : i < 4 ? i - 2 : 2;
        /* Nor on the way back: the stranger has chosen the address. */
        assert_int_equal(i < 2, seen(s, nth, "\r\ncookie: c=1\r\n"));
        assert_true(seen(s, nth, "\r\nX-Own: o\r\n"));
        assert_true(seen(s, nth, "\r\nUser-Agent: moonlet/test\r\n"));
        assert_true(seen(s, nth, "\r\n\r\nbody"));
        /* A user in the URL stays with what is relative to it. */
        assert_int_equal(i < 2, seen(s, nth, "Authorization: Basic "));
    }
    /* The next call of the same handle has them again. */
    here.answers[3] = LAST;
    prepare(&a, p->port, "POST", "body");
    a.call.headers = secrets;
    a.call.headers_count = 3;
    follow(&a, 4);
    assert_ok(&a, "ok");
    assert_true(seen(&here, 3, "\r\nAuthorization: Bearer s\r\n"));
    assert_true(seen(&here, 3, "\r\ncookie: c=1\r\n"));
    stop(p);
    stop(q);
}

static void a_header_for_the_host_stays_at_home(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = open_here();
    struct peer *q = peer_start(play_there, NULL);
    here.port = q->port;
    here.answers[0] = MOVED("302", "http://127.0.0.1:%d/far");
    there.answers[0] = LAST;
    prepare(&a, p->port, "GET", NULL);
    a.call.headers = secrets;
    a.call.headers_count = 1;
    follow(&a, 1);
    assert_ok(&a, "ok");
    assert_true(seen(&here, 0, "\r\nAuthorization: Bearer s\r\n"));
    assert_false(seen(&there, 0, "Authorization"));
    stop(p);
    stop(q);
}

static void what_cannot_be_followed_is_the_answer(void **state)
{
    (void)state;
    static const char *const answers[] = {
        MOVED("302", "file:///etc/passwd"),
        MOVED("302", "ftp://127.0.0.1/"),
        MOVED("302", "http://"),
        MOVED("300", "/x"),
        MOVED("304", "/x"),
        "HTTP/1.1 302 x\r\nContent-Length: 4\r\n\r\nmove"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        struct ask a;
        struct peer *p = open_here();
        here.answers[0] = answers[i];
        prepare(&a, p->port, "GET", NULL);
        follow(&a, 3);
        assert_int_equal(a.err.code, 0);
        assert_in_range(a.call.response.status, 300, 304);
        if (a.call.response.status != 304)
            assert_string_equal(a.call.response.body.data, "move");
        assert_int_equal(here.count, 1);
        http_call_free(&a.call);
        stop(p);
        open_client();
    }
}

static void a_source_is_not_read_again(void **state)
{
    (void)state;
    static const char *const statuses[] = {MOVED("307", "/x"),
                                           MOVED("303", "/x")};
    for (int i = 0; i < 2; i++) {
        struct ask a;
        struct giver g = giver();
        struct taker t = taker();
        struct peer *p = open_here();
        here.answers[0] = statuses[i];
        here.answers[1] = LAST;
        prepare(&a, p->port, "POST", NULL);
        a.call.content_type = "x/y";
        a.call.source = &g.source;
        a.call.body_len = 1000;
        a.call.sink = &t.sink;
        follow(&a, 3);
        assert_int_equal(a.err.code, 0);
        assert_int_equal(a.call.response.status, i ? 200 : 307);
        assert_int_equal(t.begins, 1);
        assert_int_equal(t.status, i ? 200 : 307);
        assert_int_equal(t.taken, i ? 2 : 4);
        assert_int_equal(here.count, 1 + i);
        http_call_free(&a.call);
        stop(p);
        open_client();
    }
}

static void redirect_at_great_length(struct peer *p)
{
    static char block[64 * 1024];
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, "HTTP/1.1 302 x\r\nLocation: /x\r\n"
                   "Content-Length: 100000000\r\n\r\n");
    for (int i = 0; i < 1000; i++) {
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL) <= 0)
            break;
    }
    close(fd);
    answer_all(p);
}

static void long_body_of_a_redirect_is_cut_off(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(redirect_at_great_length, LAST);
    prepare(&a, p->port, "GET", NULL);
    follow(&a, 1);
    assert_ok(&a, "ok");
    assert_int_equal(p->connections, 2);
    stop(p);
}

/* The redirected request is lost on the kept connection. */
static void redirect_and_close(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, MOVED("307", "/x"));
    peer_read(p, fd);
    close(fd);
    answer_all(p);
}

static void each_request_is_sent_once(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(redirect_and_close, LAST);
    prepare(&a, p->port, "POST", "body");
    follow(&a, 3);
    assert_failed(&a, ERR_UNKNOWN, "connection closed without an answer");
    assert_int_equal(p->requests, 2);
    stop(p);
}

/* The first request was carried out, whatever becomes of the second. */
static void after_a_redirect_all_is_sent(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = open_here();
    here.port = p->port;
    here.answers[0] = MOVED("302", "http://moonlet-test.invalid/");
    prepare(&a, p->port, "POST", "body");
    follow(&a, 3);
    assert_failed(&a, ERR_UNKNOWN, "moonlet-test.invalid");
    stop(p);
}

static void redirect_then_silence(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, MOVED("302", "/x"));
    peer_read(p, fd);
    peer_linger(fd);
}

static void ends_on_the_way(void **state)
{
    (void)state;
    struct ask a;
    struct peer *p = peer_start(redirect_then_silence, NULL);
    prepare(&a, p->port, "GET", NULL);
    a.call.timeout_ms = 200;
    follow(&a, 3);
    assert_failed(&a, ERR_UNKNOWN, "timed out after 0.2 s");
    peer_stop(p);
    p = peer_start(redirect_then_silence, NULL);
    prepare(&a, p->port, "GET", NULL);
    a.call.redirects_max = 3;
    http_start(w->client, &a.call);
    WAIT_UNTIL(&w->f, p->requests == 2);
    http_cancel(w->client, &a.call);
    assert_int_equal(a.ends, 0);
    stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(methods_change_as_in_browsers),
        TEST(too_many_are_an_error),
        TEST(other_hosts_get_no_credentials),
        TEST(a_header_for_the_host_stays_at_home),
        TEST(what_cannot_be_followed_is_the_answer),
        TEST(a_source_is_not_read_again),
        TEST(long_body_of_a_redirect_is_cut_off),
        TEST(each_request_is_sent_once),
        TEST(after_a_redirect_all_is_sent),
        TEST(ends_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
