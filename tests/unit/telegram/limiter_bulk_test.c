/* Jobs and broadcasts: their rates, their order, their connections. */
#include "limiter_fixture.h"

#define MANY 400

static char ids[MANY][12];
static struct turn turns[MANY];

static void ask_many(int first, int count, enum limiter_class class)
{
    for (int i = first; i < first + count; i++) {
        snprintf(ids[i], sizeof ids[i], "%d", 1000 + i);
        ask(&turns[i], ids[i], class);
    }
}

static void a_chat_gets_one_a_second_after_three(void **state)
{
    struct turn t[6];
    const int64_t expected[] = {0, 34, 67, 1000, 2000, 3000};
    (void)state;
    for (int i = 0; i < 6; i++)
        ask(&t[i], "7", LIMITER_JOB);
    run_to(10000);
    for (int i = 0; i < 6; i++)
        assert_int_equal(t[i].at_ms, expected[i]);
}

/* No burst, and no drift by late timers. */
static void bulk_goes_out_evenly(void **state)
{
    (void)state;
    ask_many(0, 301, LIMITER_JOB);
    run_to(20000);
    for (int i = 0; i < 301; i++) {
        int64_t due = (int64_t)i * 1000 / 30;
        assert_in_range(turns[i].at_ms, due, due + 1);
    }
}

static void the_rate_can_be_set(void **state)
{
    const struct limiter_options o = {.bulk_rate = 4};
    (void)state;
    open_with(&o);
    ask_many(0, 9, LIMITER_BROADCAST);
    run_to(5000);
    assert_int_equal(turns[8].at_ms, 2000);
    close_limiter(NULL);
}

static void replies_pass_bulk_by_and_are_charged(void **state)
{
    struct turn reply[15], job;
    (void)state;
    ask_many(0, 31, LIMITER_JOB);
    for (int i = 0; i < 15; i++) {
        ask(&reply[i], "5", LIMITER_REPLY);
        assert_int_equal(reply[i].at_ms, 0);
    }
    run_to(5000);
    assert_in_range(turns[30].at_ms, 1500, 1501);
    for (int i = 0; i < 3; i++)
        ask(&reply[i], "6", LIMITER_REPLY);
    ask(&job, "6", LIMITER_JOB);
    run_to(10000);
    assert_int_equal(job.at_ms, 6000); /* the chat's clock, too */
}

static void replies_without_end_leave_one_a_second(void **state)
{
    struct turn reply;
    (void)state;
    ask_many(0, 10, LIMITER_JOB);
    for (int ms = 0; ms < 12000; ms += 10) {
        run_to(ms);
        ask(&reply, "5", LIMITER_REPLY);
        ask(&reply, "6", LIMITER_REPLY);
    }
    for (int i = 1; i < 10; i++)
        assert_in_range(turns[i].at_ms - turns[i - 1].at_ms, 1, 1001);
    assert_true(turns[9].at_ms > 8000);
}

static void jobs_and_broadcasts_take_turns(void **state)
{
    (void)state;
    ask_many(0, 10, LIMITER_JOB);
    ask_many(10, 10, LIMITER_BROADCAST);
    run_to(5000);
    for (int i = 1; i < 9; i++) {
        assert_true(turns[i].at_ms > turns[9 + i].at_ms);
        assert_true(turns[i].at_ms < turns[10 + i].at_ms);
    }
}

static void a_chat_keeps_its_order(void **state)
{
    struct turn t[5];
    (void)state;
    ask_many(0, 30, LIMITER_JOB);
    for (int i = 0; i < 5; i++)
        ask(&t[i], "7", LIMITER_JOB);
    run_to(20000);
    for (int i = 1; i < 5; i++)
        assert_true(t[i].at_ms > t[i - 1].at_ms);
}

static void replies_of_a_chat_go_before_its_bulk(void **state)
{
    struct turn job, reply;
    (void)state;
    refuse("7", LIMITER_REPLY, 3);
    ask(&job, "7", LIMITER_JOB);
    ask(&reply, "7", LIMITER_REPLY);
    run_to(20000);
    assert_int_equal(reply.at_ms, 3000);
    assert_int_equal(job.at_ms, 4000);
}

static void paid_messages_have_a_rate_of_their_own(void **state)
{
    struct turn job;
    (void)state;
    for (int i = 0; i < 101; i++) {
        snprintf(ids[i], sizeof ids[i], "%d", 1000 + i);
        turns[i] = (struct turn){.ask = ask_of(ids[i], LIMITER_BROADCAST)};
        turns[i].ask.paid = true;
        ask_again(&turns[i]);
    }
    run_to(1000);
    assert_int_equal(turns[100].at_ms, 100);
    ask(&job, "7", LIMITER_JOB);
    assert_int_equal(job.at_ms, 1000);
}

static void what_is_no_message_waits_for_no_rate(void **state)
{
    struct turn t = {.ask = ask_of("7", LIMITER_JOB)};
    (void)state;
    ask_many(0, 100, LIMITER_JOB);
    t.ask.messages = 0;
    ask_again(&t);
    assert_int_equal(t.at_ms, 0);
}

static void one_chats_429_slows_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        refuse("1", LIMITER_REPLY, 1);
        run_to(now_ms() + 1001);
    }
    ask_many(0, 1, LIMITER_JOB);
    assert_int_equal(turns[0].at_ms, now_ms());
    assert_true(status_has("\"bulk_rate\":30,"));
    run_to(now_ms() + 60000); /* long ago is no sign */
    refuse("2", LIMITER_REPLY, 1);
    assert_true(status_has("\"bulk_rate\":30,"));
}

static void two_chats_429s_stop_bulk_and_halve_it(void **state)
{
    struct turn reply;
    (void)state;
    refuse("1", LIMITER_BROADCAST, 20);
    assert_true(status_has("\"bulk_rate\":30,"));
    refuse("2", LIMITER_REPLY, 20);
    refuse("3", LIMITER_REPLY, 10); /* of the same flood */
    assert_true(status_has("\"bulk_rate\":15,"));
    ask_many(0, 31, LIMITER_JOB);
    ask(&reply, "9", LIMITER_REPLY);
    assert_int_equal(reply.at_ms, 0);
    run_to(25000);
    assert_int_equal(turns[0].at_ms, 20000);
    assert_in_range(turns[30].at_ms, 21999, 22002);
    run_to(40001);
    assert_true(status_has("\"bulk_rate\":17,"));
    run_to(400000);
    assert_true(status_has("\"bulk_rate\":30,"));
}

/* Those who wait and those who come, of any chat; replies are not meant. */
static void bulk_that_is_stopped_for_long_is_told(void **state)
{
    struct turn job, reply;
    (void)state;
    ask_many(0, 10, LIMITER_JOB);
    ask_many(10, 10, LIMITER_BROADCAST);
    refuse("1", LIMITER_REPLY, 5);
    refuse("2", LIMITER_REPLY, 3600);
    run_to(1);
    for (int i = 1; i < 20; i++) {
        assert_int_equal(turns[i].at_ms, REFUSED);
        assert_int_equal(turns[i].err.detail, 429);
        assert_true(turns[i].err.retry_after == 3600);
    }
    run_to(10000);
    ask(&reply, "9", LIMITER_REPLY);
    assert_int_equal(reply.at_ms, 10000);
    ask(&job, "9", LIMITER_JOB);
    assert_int_equal(job.at_ms, REFUSED);
    assert_true(job.err.retry_after == 3590 && job.err.retryable);
    run_to(3511000);
    ask(&job, "9", LIMITER_JOB);
    assert_int_equal(job.at_ms, NOT_YET);
    run_to(3700000);
    assert_int_equal(job.at_ms, 3600000);
}

static void bulk_is_never_slower_than_one_a_second(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        refuse(i % 2 ? "1" : "2", LIMITER_REPLY, 1);
        run_to(now_ms() + 1001);
    }
    assert_true(status_has("\"bulk_rate\":1,"));
    ask_many(0, 5, LIMITER_JOB);
    int64_t began = now_ms();
    run_to(began + 9000);
    assert_in_range(turns[4].at_ms - began, 3900, 5000);
}

static void bulk_leaves_connections_for_replies(void **state)
{
    static struct turn held[LIMITER_IN_FLIGHT_MAX + 2], more;
    int i = 0;
    (void)state;
    for (; i < LIMITER_BULK_IN_FLIGHT_MAX; i++) {
        held[i] = (struct turn){.ask = ask_of("7", LIMITER_JOB), .holds = true};
        held[i].ask.messages = 0;
        ask_again(&held[i]);
        assert_int_equal(held[i].at_ms, 0);
    }
    more = (struct turn){.ask = ask_of("7", LIMITER_JOB)};
    more.ask.messages = 0;
    ask_again(&more);
    for (; i < LIMITER_IN_FLIGHT_MAX + 2; i++) {
        held[i] =
            (struct turn){.ask = ask_of("8", LIMITER_REPLY), .holds = true};
        ask_again(&held[i]);
    }
    run_to(1000);
    assert_int_equal(more.at_ms, NOT_YET);
    assert_int_equal(held[LIMITER_IN_FLIGHT_MAX - 1].at_ms, 0);
    assert_int_equal(held[LIMITER_IN_FLIGHT_MAX].at_ms, NOT_YET);
    limiter_end(l, &held[0].ask);
    run_to(2000);
    assert_int_equal(held[LIMITER_IN_FLIGHT_MAX].at_ms, 1000);
    assert_int_equal(more.at_ms, NOT_YET); /* all places are taken */
    limiter_end(l, &held[LIMITER_IN_FLIGHT_MAX + 1].ask);
    limiter_end(l, &held[1].ask);
    run_to(3000);
    assert_int_equal(more.at_ms, 2000);
    for (i = 2; i <= LIMITER_IN_FLIGHT_MAX; i++)
        limiter_end(l, &held[i].ask);
}

/* Between the end of a call and the turn of who waits for its connection, no
 * bulk gets in line. */
static void bulk_is_never_in_line_before_replies(void **state)
{
    static struct turn held[LIMITER_IN_FLIGHT_MAX], reply[20], job[9];
    (void)state;
    for (int i = 0; i < LIMITER_IN_FLIGHT_MAX; i++) {
        bool bulk = i < LIMITER_BULK_IN_FLIGHT_MAX - 1;
        held[i] = (struct turn){
            .ask = ask_of("7", bulk ? LIMITER_JOB : LIMITER_REPLY),
            .holds = true};
        held[i].ask.messages = 0;
        ask_again(&held[i]);
        assert_int_equal(held[i].at_ms, 0);
    }
    ask(&reply[0], "8", LIMITER_REPLY);
    run_to(1000);
    limiter_end(l, &held[LIMITER_IN_FLIGHT_MAX - 1].ask);
    for (int i = 0; i < 9; i++) {
        job[i] = (struct turn){.ask = ask_of("9", LIMITER_JOB), .holds = true};
        job[i].ask.messages = 0;
        ask_again(&job[i]);
    }
    for (int i = 1; i < 20; i++)
        ask(&reply[i], "8", LIMITER_REPLY);
    run_to(2000);
    for (int i = 0; i < 20; i++)
        assert_int_equal(reply[i].at_ms, 1000);
    for (int i = 0; i < 9; i++)
        limiter_end(l, &job[i].ask);
    for (int i = 0; i < LIMITER_IN_FLIGHT_MAX; i++)
        limiter_end(l, &held[i].ask);
}

static void transfers_have_a_bound_of_their_own(void **state)
{
    static struct turn t[LIMITER_TRANSFERS_MAX + 2], reply;
    (void)state;
    for (int i = 0; i < LIMITER_TRANSFERS_MAX + 2; i++) {
        t[i] = (struct turn){.ask = ask_of("7", LIMITER_REPLY), .holds = true};
        t[i].ask.transfer = true;
        ask_again(&t[i]);
    }
    ask(&reply, "7", LIMITER_REPLY);
    assert_int_equal(reply.at_ms, 0);
    assert_int_equal(t[LIMITER_TRANSFERS_MAX].at_ms, NOT_YET);
    run_to(500);
    limiter_end(l, &t[3].ask);
    run_to(1000);
    assert_int_equal(t[LIMITER_TRANSFERS_MAX].at_ms, 500);
    assert_int_equal(t[LIMITER_TRANSFERS_MAX + 1].at_ms, NOT_YET);
    for (int i = 0; i < LIMITER_TRANSFERS_MAX + 2; i++)
        limiter_end(l, &t[i].ask);
}

static void the_queue_has_a_bound(void **state)
{
    struct turn *t = mem_zero(LIMITER_WAITING_MAX + 10, sizeof *t), reply;
    int refused = 0;
    (void)state;
    for (int i = 0; i < LIMITER_WAITING_MAX + 10; i++) {
        ask(&t[i], "7", LIMITER_JOB);
        refused += t[i].at_ms == REFUSED;
    }
    assert_in_range(refused, 5, 10);
    assert_int_equal(t[LIMITER_WAITING_MAX + 9].err.code, ERR_LIMIT);
    assert_true(t[LIMITER_WAITING_MAX + 9].err.retry_after == 1);
    ask(&reply, "7", LIMITER_REPLY);
    assert_int_equal(reply.at_ms, 0);
    for (int i = 0; i < LIMITER_WAITING_MAX + 10; i++)
        limiter_end(l, &t[i].ask);
    assert_true(status_has("\"job\":0,"));
    free(t);
}

/* 10,000 that count for nothing are held up by a 429. */
static void a_long_queue_costs_no_more_than_a_short_one(void **state)
{
    struct turn *t = mem_zero(LIMITER_WAITING_MAX, sizeof *t);
    (void)state;
    refuse("7", LIMITER_REPLY, 80);
    for (int i = 0; i < LIMITER_WAITING_MAX; i++) {
        t[i] = (struct turn){.ask = ask_of("7", LIMITER_REPLY)};
        t[i].ask.messages = 0;
        ask_again(&t[i]);
        run_to(i / 200);
    }
    run_to(90000);
    for (int i = 0; i < LIMITER_WAITING_MAX; i++)
        assert_int_equal(t[i].at_ms, 80000);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chat_gets_one_a_second_after_three),
        TEST(bulk_goes_out_evenly),
        cmocka_unit_test(the_rate_can_be_set),
        TEST(replies_pass_bulk_by_and_are_charged),
        TEST(replies_without_end_leave_one_a_second),
        TEST(jobs_and_broadcasts_take_turns),
        TEST(a_chat_keeps_its_order),
        TEST(replies_of_a_chat_go_before_its_bulk),
        TEST(paid_messages_have_a_rate_of_their_own),
        TEST(what_is_no_message_waits_for_no_rate),
        TEST(one_chats_429_slows_nobody),
        TEST(two_chats_429s_stop_bulk_and_halve_it),
        TEST(bulk_that_is_stopped_for_long_is_told),
        TEST(bulk_is_never_slower_than_one_a_second),
        TEST(bulk_leaves_connections_for_replies),
        TEST(bulk_is_never_in_line_before_replies),
        TEST(transfers_have_a_bound_of_their_own),
        TEST(the_queue_has_a_bound),
        TEST(a_long_queue_costs_no_more_than_a_short_one),
    };
    return FIXTURE_RUN(tests);
}
