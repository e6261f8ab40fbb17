/* Peers that stop, lie or leave while bodies stream. */
#include "net/http_client.h"

#include "http_bodies_peer.h"

#include <time.h>

/* Reads a head and no more until the client is gone. */
static void stop_reading(struct peer *p)
{
    int small = 4096;
    size_t head;
    setsockopt(p->listen_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    int fd = peer_accept(p);
    take_head_of(p, fd, &head);
    sem_wait(&far.go);
    close(fd);
}

static void stalled_upload_ends(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    sem_init(&far.go, 0, 0);
    struct peer *p = peer_start(stop_reading, NULL);
    prepare_upload(&a, p->port, &g, 500 * MB);
    a.call.timeout_ms = 0;
    a.call.stall_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "no byte for 0.2 s");
    sem_post(&far.go);
    stop(p);
    sem_destroy(&far.go);
}

static void give_half(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, 2000);
    give_bytes(fd, 1000);
    peer_linger(fd);
}

static void stalled_download_ends(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(give_half, NULL);
    prepare_download(&a, p->port, &t);
    a.call.timeout_ms = 0;
    a.call.stall_ms = 200;
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "no byte for 0.2 s");
    assert_int_equal(t.taken, 1000);
    stop(p);
}

#define DRIPS 12

static void drip(struct peer *p)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000000};
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, DRIPS);
    for (size_t i = 1; i <= DRIPS; i++) {
        nanosleep(&pause, NULL);
        give_bytes(fd, i);
    }
    peer_linger(fd);
}

/* All of it takes longer than it may stand still. */
static void slow_is_not_stalled(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(drip, NULL);
    prepare_download(&a, p->port, &t);
    a.call.stall_ms = 400;
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, DRIPS);
    http_call_free(&a.call);
    stop(p);
}

static bool passed;

static void on_passed(struct timer *t)
{
    (void)t;
    passed = true;
}

static void pass_ms(uint64_t ms)
{
    struct timer t;
    passed = false;
    timer_init(&t, w->f.loop, on_passed);
    timer_start(&t, ms);
    WAIT_UNTIL(&w->f, passed);
}

static void waiting_for_its_own_ends_is_no_stall(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    struct taker t = taker();
    struct peer *p = peer_start(mirror, NULL);
    prepare_upload(&a, p->port, &g, 3 * MB);
    a.call.sink = &t.sink;
    a.call.stall_ms = 150;
    g.wait_at = MB;
    t.wait_at = MB;
    http_start(w->client, &a.call);
    WAIT_UNTIL(&w->f, g.waits);
    pass_ms(600);
    assert_int_equal(a.ends, 0);
    g.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    WAIT_UNTIL(&w->f, t.waits);
    pass_ms(600);
    assert_int_equal(a.ends, 0);
    t.wait_at = SIZE_MAX;
    http_resume(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 3 * MB);
    http_call_free(&a.call);
    stop(p);
}

static void give_too_little(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, 2000);
    give_bytes(fd, 1000);
    close(fd);
}

static void give_too_much(struct peer *p)
{
    int fd = peer_accept(p);
    peer_read(p, fd);
    give_head(fd, 1000);
    give_bytes(fd, 2000);
    close(fd);
}

static void lies_about_the_length_are_found_out(void **state)
{
    (void)state;
    struct ask a;
    struct taker t = taker();
    struct peer *p = peer_start(give_too_little, NULL);
    prepare_download(&a, p->port, &t);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "connection closed within the answer");
    assert_int_equal(t.taken, 1000);
    peer_stop(p);

    t = taker();
    p = peer_start(give_too_much, NULL);
    prepare_download(&a, p->port, &t);
    http_start(w->client, &a.call);
    finish(&a);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(t.taken, 1000);
    assert_false(t.differs);
    http_call_free(&a.call);
    stop(p);
}

/* Closes with the body unread: the client is told by a reset. */
static void close_within_the_body(struct peer *p)
{
    size_t head;
    int fd = peer_accept(p);
    take_head_of(p, fd, &head);
    close(fd);
}

static void close_behind_the_body(struct peer *p)
{
    size_t head;
    int fd = peer_accept(p);
    size_t have = take_head_of(p, fd, &head);
    take_body_of(p, fd, head, have, announced(p));
    close(fd);
}

static void peer_that_closes_leaves_it_unknown(void **state)
{
    (void)state;
    struct ask a;
    struct giver g = giver();
    struct peer *p = peer_start(close_within_the_body, NULL);
    prepare_upload(&a, p->port, &g, 50 * MB);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "connection ");
    peer_stop(p);

    g = giver();
    p = peer_start(close_behind_the_body, NULL);
    prepare_upload(&a, p->port, &g, 5 * MB);
    http_start(w->client, &a.call);
    finish(&a);
    assert_failed(&a, ERR_UNKNOWN, "connection closed without an answer");
    assert_int_equal(far.in, 5 * MB);
    stop(p);
}

static void refuse_early(struct peer *p)
{
    size_t head;
    int fd = peer_accept(p);
    take_head_of(p, fd, &head);
    peer_write(fd, p->answer);
    shutdown(fd, SHUT_WR);
    peer_linger(fd);
}

/* Also while the source has nothing to send, and nothing to resume it. */
static void early_refusal_is_the_answer(void **state)
{
    (void)state;
    static const size_t waits[] = {SIZE_MAX, 0, MB};
    for (size_t i = 0; i < 3; i++) {
        struct ask a;
        struct giver g = giver();
        struct peer *p = peer_start(
            refuse_early, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n"
                          "\r\nno");
        prepare_upload(&a, p->port, &g, 100 * MB);
        g.wait_at = waits[i];
        http_start(w->client, &a.call);
        finish(&a);
        if (a.err.code)
            fail_msg("%zu: %s", i, a.err.message);
        assert_int_equal(a.call.response.status, 413);
        assert_string_equal(a.call.response.body.data, "no");
        http_call_free(&a.call);
        peer_stop(p);
    }
}

/* The first connection answers once; then it reads the next request, too,
 * and closes. Any further connection answers. */
static void close_after_the_second(struct peer *p)
{
    size_t head;
    size_t have;
    int fd = peer_accept(p);
    for (int i = 0; i < 2; i++) {
        have = take_head_of(p, fd, &head);
        take_body_of(p, fd, head, have, announced(p));
        p->requests++;
        if (i == 0)
            peer_write(fd, p->answer);
    }
    close(fd);
    take_uploads(p);
}

static void nothing_but_get_and_head_is_sent_again(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT",    "PATCH", "DELETE",
                                          "GET",  "DELETE", "HEAD"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        struct ask a;
        struct giver g = giver();
        struct peer *p = peer_start(close_after_the_second, OK_ANSWER);
        run(&a, p->port, "POST", "");
        assert_ok(&a, "ok");
        if (i < 4)
            prepare_upload(&a, p->port, &g, i < 2 ? 200000 : 9);
        else
            prepare(&a, p->port, "GET", NULL);
        a.call.method = methods[i];
        http_start(w->client, &a.call);
        finish(&a);
        if (strcmp(methods[i], "GET") == 0) {
            assert_ok(&a, "ok");
            assert_int_equal(p->requests, 3);
        } else if (strcmp(methods[i], "HEAD") == 0) {
            assert_int_equal(a.err.code, 0);
            assert_int_equal(p->requests, 3);
        } else {
            assert_failed(&a, ERR_UNKNOWN, "connection closed without");
            assert_int_equal(p->requests, 2);
        }
        http_client_free(w->client);
        open_client();
        peer_stop(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stalled_upload_ends),
        TEST(stalled_download_ends),
        TEST(slow_is_not_stalled),
        TEST(waiting_for_its_own_ends_is_no_stall),
        TEST(lies_about_the_length_are_found_out),
        TEST(peer_that_closes_leaves_it_unknown),
        TEST(early_refusal_is_the_answer),
        TEST(nothing_but_get_and_head_is_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
