#ifndef MOONLET_TESTS_NET_HTTP_CLIENT_FIXTURE_H
#define MOONLET_TESTS_NET_HTTP_CLIENT_FIXTURE_H

/* A client over sockets, calls that count their ends, and what most peers do;
 * for the tests of http_client. */

#include "net/http_client.h"

#include "fixture.h"

#define JSON "application/json"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define LAST_ANSWER                                                            \
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

struct world {
    struct fixture f;
    struct http_client *client;
};

static struct world *w;

/* A call and its end. */
struct ask {
    struct http_call call;
    char url[200];
    int ends;
    struct err err;
};

static inline void on_done(struct http_call *call, const struct err *e)
{
    struct ask *a = LIST_ENTRY(call, struct ask, call);
    assert_null(call->transport);
    a->ends++;
    a->err.code = e->code;
    if (e->code)
        a->err = *e;
}

static inline void open_client(void)
{
    struct http_client_options o = {.connections_max = 300,
                                    .user_agent = "moonlet/test"};
    w->client = http_client_new_curl(w->f.loop, &o);
}

static inline int open_world(void **state)
{
    (void)state;
    w = MEM_NEW(struct world);
    fixture_open(&w->f);
    open_client();
    return 0;
}

static inline int close_world(void **state)
{
    (void)state;
    if (w->client)
        http_client_free(w->client);
    fixture_close(&w->f);
    free(w);
    return 0;
}

static inline void prepare(struct ask *a, int port, const char *method,
                           const char *body)
{
    memset(a, 0, sizeof(*a));
    snprintf(a->url, sizeof(a->url), "http://127.0.0.1:%d/bot1:SECRET/m", port);
    a->call = (struct http_call){.method = method,
                                 .url = a->url,
                                 .content_type = body ? JSON : NULL,
                                 .body = body,
                                 .body_len = body ? strlen(body) : 0,
                                 .response_max = 100000,
                                 .timeout_ms = 15000,
                                 .done = on_done};
}

static inline void start(struct ask *a, int port, const char *method,
                         const char *body)
{
    prepare(a, port, method, body);
    http_start(w->client, &a->call);
    assert_int_equal(a->ends, 0);
}

static inline void finish(struct ask *a)
{
    WAIT_UNTIL(&w->f, a->ends > 0);
    assert_int_equal(a->ends, 1);
}

static inline void run(struct ask *a, int port, const char *method,
                       const char *body)
{
    start(a, port, method, body);
    finish(a);
}

static inline void assert_ok(struct ask *a, const char *body)
{
    if (a->err.code)
        fail_msg("%s", a->err.message);
    assert_int_equal(a->call.response.status, 200);
    assert_string_equal(a->call.response.body.data, body);
    http_call_free(&a->call);
}

static inline void assert_failed(struct ask *a, enum err_code code,
                                 const char *text)
{
    if (a->err.code != code)
        fail_msg("%d, not %d: %s", a->err.code, code, a->err.message);
    if (!strstr(a->err.message, text))
        fail_msg("\"%s\" does not say \"%s\"", a->err.message, text);
    assert_null(strstr(a->err.message, "SECRET"));
    assert_int_equal(a->err.retryable, code == ERR_NOT_SENT);
    assert_null(a->call.response.body.data);
    http_call_free(&a->call);
}

/* Answers every request on every connection, one connection at a time. */
static inline void answer_all(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        while (peer_read(p, fd))
            peer_write(fd, p->answer);
        close(fd);
    }
}

/* Reads a request, writes the answer, closes. */
static inline void answer_and_close(struct peer *p)
{
    int fd;
    while ((fd = peer_accept(p)) >= 0) {
        peer_read(p, fd);
        peer_write(fd, p->answer);
        close(fd);
    }
}

/* Reads a request and leaves it at that until the client has closed. */
static inline void never_answer(struct peer *p)
{
    int fd = peer_accept(p);
    if (fd < 0)
        return;
    peer_read(p, fd);
    peer_linger(fd);
}

static inline void answer_slowly(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    peer_write(fd, p->answer);
    peer_linger(fd);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
