/* Bodies of any size, taken while they come. */
#include "http_server_fixture.h"

#include <signal.h>

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void);

static size_t heap_bytes(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
#include <malloc.h>
static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}
#endif

#define PIECE_MAX (16 * 1024)

/* How the taker behaves, and what it has seen. */
static struct upload {
    struct exchange *x;
    size_t wait_every; /* takes so much, then waits; 0: never waits */
    size_t refuse_at;  /* answers 413 there; 0: never */
    bool resumes_at_once;
    size_t until_wait;
    size_t taken;
    unsigned calls;
    unsigned sum;
    bool waits;
    bool ended;
    bool refused;
} up;

static unsigned sum_of(unsigned sum, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)data[i];
    return sum;
}

static size_t take(struct exchange *x, void *arg, const char *data, size_t len)
{
    assert_ptr_equal(arg, &up);
    assert_false(up.waits);
    assert_in_range(len, 1, PIECE_MAX);
    up.calls++;
    if (up.wait_every && len > up.until_wait) {
        len = up.until_wait;
        up.until_wait = up.wait_every;
        up.waits = !up.resumes_at_once;
        if (up.resumes_at_once)
            exchange_resume(x);
    } else if (up.wait_every) {
        up.until_wait -= len;
    }
    up.sum = sum_of(up.sum, data, len);
    up.taken += len;
    if (up.refuse_at && up.taken >= up.refuse_at) {
        up.refused = true;
        up.x = NULL;
        exchange_fail(x, 413, "too much");
    }
    return len;
}

static void end(struct exchange *x, void *arg)
{
    (void)x;
    assert_ptr_equal(arg, &up);
    assert_false(up.refused);
    up.ended = true;
}

static void upload_gone(struct exchange *x, void *arg)
{
    (void)arg;
    assert_ptr_equal(x, up.x);
    up.x = NULL;
    w->gone++;
}

static void receive(struct exchange *x, void *arg)
{
    static const struct exchange_taker taker = {.take = take, .end = end};
    (void)arg;
    w->runs++;
    up.x = x;
    up.until_wait = up.wait_every;
    exchange_on_gone(x, upload_gone, NULL);
    exchange_receive(x, &taker, &up);
}

static void refuse(struct exchange *x, void *arg)
{
    (void)arg;
    w->runs++;
    exchange_fail(x, 403, "not you");
}

static bool guard(struct exchange *x, void *arg)
{
    size_t len;
    (void)arg;
    exchange_body(x, &len);
    if (!exchange_header(x, "X-Thief"))
        return true;
    assert_int_equal(len, 0);
    exchange_fail(x, 401, "thief");
    return false;
}

static int open_uploads(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    memset(&up, 0, sizeof(up));
    open_world(state);
    routes_guard(w->routes, guard, NULL);
    routes_add_streamed(w->routes, NULL, "/up", receive, NULL);
    routes_add_streamed(w->routes, NULL, "/refuse", refuse, NULL);
    routes_add_streamed(w->routes, NULL, "/later", hold, NULL);
    return 0;
}

static void turn_some(void)
{
    for (int i = 0; i < 20; i++)
        fixture_turn(&w->f);
}

/* Sends a body of which each byte is told by its place. */
struct pour {
    size_t len;
    size_t sent;
    unsigned sum;
};

static void pour(int fd, struct pour *p)
{
    char block[60000];
    while (p->sent < p->len) {
        size_t n =
            p->len - p->sent < sizeof(block) ? p->len - p->sent : sizeof(block);
        for (size_t i = 0; i < n; i++)
            block[i] = (char)((p->sent + i) * 7 >> 3);
        ssize_t got = send(fd, block, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (got <= 0)
            return;
        p->sum = sum_of(p->sum, block, (size_t)got);
        p->sent += (size_t)got;
    }
}

static int ask_upload(const char *target, size_t len)
{
    char head[200];
    snprintf(head, sizeof(head),
             "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             target, len);
    return ask(head);
}

static void go_on(void)
{
    if (!up.waits)
        return;
    up.waits = false;
    exchange_resume(up.x);
}

static void finish(int fd)
{
    exchange_reply(up.x, 200, NULL, "thanks", 6);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "thanks"));
    up.ended = false;
}

static void large_body_passes_in_bounded_memory(void **state)
{
    struct pour p = {.len = 64 << 20};
    (void)state;
    up.wait_every = 1000003;
    int fd = ask_upload("/up", p.len);
    WAIT_UNTIL(&w->f, w->runs == 1);
    assert_int_equal(exchange_body_length(up.x), p.len);
    size_t before = heap_bytes();
    while (!up.ended) {
        pour(fd, &p);
        loop_turn(w->f.loop);
        go_on();
        assert_true(heap_bytes() < before + (1 << 20));
    }
    assert_int_equal(up.taken, p.len);
    assert_int_equal(up.sum, p.sum);
    finish(fd);
    client_send(fd, "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_int_equal(w->gone, 0);
    close(fd);
}

/* Its end would wait behind what it has sent, but not its reset. */
static void taker_that_waits_stops_the_sender(void **state)
{
    struct linger reset = {.l_onoff = 1};
    struct pour p = {.len = 256 << 20};
    size_t before = 1;
    (void)state;
    up.wait_every = 10;
    int fd = ask_upload("/up", p.len);
    WAIT_UNTIL(&w->f, (pour(fd, &p), up.waits));
    for (int still = 0; still < 20; fixture_turn(&w->f)) {
        pour(fd, &p);
        still = p.sent == before ? still + 1 : 0;
        before = p.sent;
    }
    assert_true(p.sent < p.len);
    assert_int_equal(up.taken, 10);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    WAIT_UNTIL(&w->f, w->gone == 1);
}

static void taker_may_take_a_byte_at_a_time(void **state)
{
    struct pour p = {.len = 500};
    (void)state;
    up.wait_every = 1;
    int fd = ask_upload("/up", p.len);
    WAIT_UNTIL(&w->f, (pour(fd, &p), go_on(), up.ended));
    assert_int_equal(up.taken, p.len);
    assert_int_equal(up.sum, p.sum);
    finish(fd);
    close(fd);
}

static void taker_may_resume_from_within(void **state)
{
    struct pour p = {.len = 100000};
    (void)state;
    up.wait_every = 5000;
    up.resumes_at_once = true;
    int fd = ask_upload("/up", p.len);
    WAIT_UNTIL(&w->f, (pour(fd, &p), up.ended));
    assert_int_equal(up.taken, p.len);
    assert_int_equal(up.sum, p.sum);
    finish(fd);
    close(fd);
}

static void chunks_come_as_one_body(void **state)
{
    static const size_t waits[] = {0, 1, 3, 4};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        memset(&up, 0, sizeof(up));
        memset(&w->in, 0, sizeof(w->in));
        up.wait_every = waits[i];
        int fd = ask("PUT /up HTTP/1.1\r\nHost: a\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n4\r\nchun\r\n");
        WAIT_UNTIL(&w->f, (go_on(), up.taken == 4));
        assert_int_equal(exchange_body_length(up.x), -1);
        assert_false(up.ended);
        client_send(fd, "5\r\nked-!\r\n1;x=y\r\n?\r\n0\r\n\r\n"
                        "GET /echo/behind HTTP/1.1\r\nHost: a\r\n\r\n");
        WAIT_UNTIL(&w->f, (go_on(), up.ended));
        assert_int_equal(up.sum, sum_of(0, "chunked-!?", 10));
        finish(fd);
        WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/behind"));
        close(fd);
    }
}

static void request_without_a_body_ends_at_once(void **state)
{
    (void)state;
    int fd = ask("POST /up HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, up.ended);
    assert_int_equal(up.calls, 0);
    assert_int_equal(exchange_body_length(up.x), 0);
    finish(fd);
    close(fd);
}

static void pipelined_request_waits_behind_the_body(void **state)
{
    (void)state;
    up.wait_every = 3;
    int fd = ask("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
                 "bodyGET /echo/behind HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, up.waits);
    turn_some();
    go_on();
    WAIT_UNTIL(&w->f, up.ended);
    turn_some();
    assert_int_equal(w->runs, 1);
    assert_int_equal(up.sum, sum_of(0, "body", 4));
    finish(fd);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/behind"));
    close(fd);
}

static void client_that_leaves_is_noticed(void **state)
{
    (void)state;
    for (size_t wait = 0; wait < 2; wait++) {
        memset(&up, 0, sizeof(up));
        up.wait_every = wait;
        w->gone = 0;
        int fd = ask_upload("/up", 1 << 20);
        client_send(fd, "some of it");
        WAIT_UNTIL(&w->f, wait ? up.waits : up.taken == 10);
        assert_int_equal(w->gone, 0);
        close(fd);
        WAIT_UNTIL(&w->f, w->gone == 1);
        assert_false(up.ended);
    }
}

static void chunks_that_break_off_are_no_end(void **state)
{
    (void)state;
    int fd = ask("PUT /up HTTP/1.1\r\nHost: a\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n4\r\nchun\r\n");
    WAIT_UNTIL(&w->f, up.taken == 4);
    close(fd);
    WAIT_UNTIL(&w->f, w->gone == 1);
    assert_false(up.ended);
}

static void early_answer_comes_after_the_rest(void **state)
{
    struct pour p = {.len = 4 << 20};
    (void)state;
    up.refuse_at = 20000;
    int fd = ask_upload("/up", p.len);
    WAIT_UNTIL(&w->f, (pour(fd, &p), client_has(fd, &w->in, "too much")));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 413 "));
    assert_int_equal(p.sent, p.len);
    assert_true(up.taken < 20000 + PIECE_MAX);
    client_send(fd, "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_int_equal(w->gone, 0);
    close(fd);
}

static void early_answer_may_come_during_a_wait(void **state)
{
    (void)state;
    up.wait_every = 2;
    int fd = ask("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
                 "body");
    WAIT_UNTIL(&w->f, up.waits);
    exchange_fail(up.x, 507, "full");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "full"));
    assert_int_equal(up.taken, 2);
    close(fd);
}

static void rest_that_is_too_long_closes(void **state)
{
    struct pour p = {.len = 64 << 20};
    (void)state;
    up.refuse_at = 1;
    int fd = ask_upload("/up", p.len);
    WAIT_UNTIL(&w->f, (pour(fd, &p), client_ended(fd, &w->in)));
    assert_true(p.sent < p.len);
    close(fd);
}

static void dropped_upload_closes(void **state)
{
    (void)state;
    up.wait_every = 2;
    int fd = ask_upload("/up", 1 << 20);
    client_send(fd, "some of it");
    WAIT_UNTIL(&w->f, up.waits);
    exchange_drop(up.x);
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_int_equal(w->in.len, 0);
    assert_int_equal(w->gone, 0);
    close(fd);
}

static void answer_to_the_head_spares_a_long_body(void **state)
{
    (void)state;
    int fd = ask_upload("/refuse", 1 << 30);
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 403 "));
    close(fd);
}

static void answer_to_the_head_throws_a_short_body_away(void **state)
{
    struct pour p = {.len = 1 << 20};
    (void)state;
    int fd = ask_upload("/refuse", p.len);
    WAIT_UNTIL(&w->f, w->runs == 1);
    WAIT_UNTIL(&w->f, (pour(fd, &p), client_has(fd, &w->in, "not you")));
    assert_int_equal(p.sent, p.len);
    client_send(fd, "GET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    close(fd);
}

static void answer_to_the_head_may_come_later(void **state)
{
    (void)state;
    int fd = ask("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
                 "bodyGET /echo/next HTTP/1.1\r\nHost: a\r\n\r\n");
    WAIT_UNTIL(&w->f, w->held_count == 1);
    turn_some();
    exchange_reply(w->held[0], 200, NULL, "later", 5);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "GET /echo/next"));
    assert_non_null(strstr(w->in.text, "later"));
    close(fd);
}

static void guards_run_before_the_body(void **state)
{
    (void)state;
    int fd = ask("POST /up HTTP/1.1\r\nHost: a\r\nX-Thief: yes\r\n"
                 "Content-Length: 999999999\r\n\r\n");
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 401 "));
    assert_int_equal(w->runs, 0);
    close(fd);
}

#define EXPECT                                                                 \
    " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"                            \
    "Expect: 100-continue\r\n\r\n"

static void client_that_awaits_our_word_gets_it(void **state)
{
    (void)state;
    int fd = ask("POST /up" EXPECT);
    WAIT_UNTIL(&w->f, client_has(fd, &w->in, "100 Continue\r\n\r\n"));
    assert_false(up.ended);
    client_send(fd, "body");
    WAIT_UNTIL(&w->f, up.ended);
    finish(fd);
    close(fd);
}

static void client_that_awaits_our_word_is_refused_at_once(void **state)
{
    (void)state;
    int fd = ask("POST /refuse" EXPECT);
    WAIT_UNTIL(&w->f, client_ended(fd, &w->in));
    assert_non_null(strstr(w->in.text, "HTTP/1.1 403 "));
    assert_null(strstr(w->in.text, "100 Continue"));
    close(fd);
}

/* Three times as long as a silent client is borne. */
static void upload_that_moves_is_left_alone(void **state)
{
    char block[1501] = {0};
    (void)state;
    memset(block, 'b', 1500);
    stop_serving();
    serve(10, 1000);
    int fd = ask_upload("/up", 30 * 1500);
    for (int i = 0; i < 30; i++) {
        uint64_t until = loop_now_ms(w->f.loop) + 100;
        client_send(fd, block);
        WAIT_UNTIL(&w->f, loop_now_ms(w->f.loop) >= until);
    }
    WAIT_UNTIL(&w->f, up.ended);
    finish(fd);
    close(fd);
}

static void upload_that_stands_still_is_ended(void **state)
{
    (void)state;
    stop_serving();
    serve(10, 1000);
    int silent = ask_upload("/up", 1 << 20);
    client_send(silent, "some of it");
    WAIT_UNTIL(&w->f, w->gone == 1);
    close(silent);

    memset(&up, 0, sizeof(up));
    int trickle = ask_upload("/up", 1 << 20);
    WAIT_UNTIL(&w->f, (send(trickle, "b", 1, MSG_NOSIGNAL), w->gone == 2));
    close(trickle);
}

/* Not the client's fault. */
static void taker_may_wait_long(void **state)
{
    (void)state;
    stop_serving();
    serve(10, 1000);
    up.wait_every = 1;
    int fd = ask("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
                 "bo");
    WAIT_UNTIL(&w->f, up.waits);
    uint64_t until = loop_now_ms(w->f.loop) + 2500;
    WAIT_UNTIL(&w->f, loop_now_ms(w->f.loop) >= until);
    assert_int_equal(w->gone, 0);
    go_on();
    WAIT_UNTIL(&w->f, up.ended);
    finish(fd);
    close(fd);
}

static void free_ends_uploads(void **state)
{
    (void)state;
    for (size_t wait = 0; wait < 2; wait++) {
        memset(&up, 0, sizeof(up));
        up.wait_every = wait;
        w->gone = 0;
        int fd = ask_upload("/up", 1 << 20);
        client_send(fd, "some of it");
        WAIT_UNTIL(&w->f, wait ? up.waits : up.taken == 10);
        stop_serving();
        assert_int_equal(w->gone, 1);
        close(fd);
        serve(10, 1000);
    }
}

static void free_ends_refused_uploads(void **state)
{
    (void)state;
    up.refuse_at = 1;
    int fd = ask_upload("/up", 1 << 20);
    client_send(fd, "some of it");
    WAIT_UNTIL(&w->f, up.refused);
    stop_serving();
    assert_int_equal(w->gone, 0);
    close(fd);
}

#define UPLOAD(name)                                                           \
    cmocka_unit_test_setup_teardown(name, open_uploads, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UPLOAD(large_body_passes_in_bounded_memory),
        UPLOAD(taker_that_waits_stops_the_sender),
        UPLOAD(taker_may_take_a_byte_at_a_time),
        UPLOAD(taker_may_resume_from_within),
        UPLOAD(chunks_come_as_one_body),
        UPLOAD(request_without_a_body_ends_at_once),
        UPLOAD(pipelined_request_waits_behind_the_body),
        UPLOAD(client_that_leaves_is_noticed),
        UPLOAD(chunks_that_break_off_are_no_end),
        UPLOAD(early_answer_comes_after_the_rest),
        UPLOAD(early_answer_may_come_during_a_wait),
        UPLOAD(rest_that_is_too_long_closes),
        UPLOAD(dropped_upload_closes),
        UPLOAD(answer_to_the_head_spares_a_long_body),
        UPLOAD(answer_to_the_head_throws_a_short_body_away),
        UPLOAD(answer_to_the_head_may_come_later),
        UPLOAD(guards_run_before_the_body),
        UPLOAD(client_that_awaits_our_word_gets_it),
        UPLOAD(client_that_awaits_our_word_is_refused_at_once),
        UPLOAD(upload_that_moves_is_left_alone),
        UPLOAD(upload_that_stands_still_is_ended),
        UPLOAD(taker_may_wait_long),
        UPLOAD(free_ends_uploads),
        UPLOAD(free_ends_refused_uploads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
