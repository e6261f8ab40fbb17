/* Who goes when. */
#include "limiter_fixture.h"

static void replies_go_at_once(void **state)
{
    static struct turn t[200];
    (void)state;
    for (int i = 0; i < 200; i++) {
        ask(&t[i], "7", LIMITER_REPLY);
        assert_int_equal(t[i].at_ms, 0);
    }
}

static void a_group_gets_20_in_any_minute(void **state)
{
    struct turn t[40];
    (void)state;
    for (int i = 0; i < 10; i++)
        ask(&t[i], "-100", LIMITER_REPLY);
    run_to(30000);
    for (int i = 10; i < 40; i++)
        ask(&t[i], "-100", LIMITER_REPLY);
    run_to(500000);
    for (int i = 0; i < 40; i++)
        assert_int_equal(t[i].at_ms, i < 10   ? 0
                                     : i < 20 ? 30000
                                     : i < 30 ? 60000
                                              : 90000);
}

/* The window counts from when Telegram surely has the message; that of the
 * others is not held up by it. */
static void a_slow_answer_moves_the_window(void **state)
{
    struct turn slow = {.ask = ask_of("@name", LIMITER_REPLY), .holds = true};
    struct turn t[39];
    (void)state;
    ask_again(&slow);
    for (int i = 0; i < 39; i++)
        ask(&t[i], "@name", LIMITER_REPLY);
    run_to(2500);
    limiter_end(l, &slow.ask);
    run_to(100000);
    assert_int_equal(t[18].at_ms, 0);
    assert_int_equal(t[19].at_ms, 60000);
    assert_int_equal(t[37].at_ms, 60000);
    assert_int_equal(t[38].at_ms, 62500);
}

/* Telegram counts an upload when it is whole, however many messages went out
 * meanwhile. */
static void what_takes_longer_than_a_window_counts_at_its_end(void **state)
{
    struct turn slow = {.ask = ask_of("-1", LIMITER_REPLY), .holds = true};
    struct turn t[20], next[19];
    (void)state;
    ask_again(&slow);
    run_to(70000);
    for (int i = 0; i < 19; i++)
        ask(&t[i], "-1", LIMITER_REPLY);
    run_to(71000);
    ask(&t[19], "-1", LIMITER_REPLY);
    assert_int_equal(t[19].at_ms, 71000);
    limiter_end(l, &slow.ask);
    for (int i = 0; i < 19; i++)
        ask(&next[i], "-1", LIMITER_REPLY);
    run_to(200000);
    assert_int_equal(next[17].at_ms, 130000);
    assert_int_equal(next[18].at_ms, 131000);
}

static void an_album_counts_each(void **state)
{
    struct turn album = {.ask = ask_of("-1", LIMITER_REPLY)};
    struct turn t[12];
    (void)state;
    album.ask.messages = 10;
    ask_again(&album);
    for (int i = 0; i < 12; i++)
        ask(&t[i], "-1", LIMITER_REPLY);
    run_to(100000);
    assert_int_equal(t[9].at_ms, 0);
    assert_int_equal(t[10].at_ms, 60000);
    assert_int_equal(t[11].at_ms, 60000);
}

static void what_counts_for_nothing_waits_for_no_window(void **state)
{
    struct turn t[21];
    struct turn action = {.ask = ask_of("-1", LIMITER_REPLY)};
    (void)state;
    for (int i = 0; i < 20; i++)
        ask(&t[i], "-1", LIMITER_REPLY);
    action.ask.messages = 0;
    ask_again(&action);
    assert_int_equal(action.at_ms, 0);
}

static void a_reply_that_would_wait_too_long_is_told_so(void **state)
{
    static struct turn t[42];
    (void)state;
    for (int i = 0; i < 41; i++)
        ask(&t[i], "-1", LIMITER_REPLY);
    assert_int_equal(t[40].at_ms, REFUSED);
    assert_int_equal(t[40].err.code, ERR_LIMIT);
    assert_true(t[40].err.retry_after == 120);
    assert_non_null(strstr(t[40].err.message, "20 messages a minute"));
    run_to(61000);
    ask(&t[41], "-1", LIMITER_REPLY);
    assert_int_equal(t[41].at_ms, NOT_YET);
    run_to(200000);
    assert_int_equal(t[39].at_ms, 60000);
    assert_int_equal(t[41].at_ms, 120000);
}

/* What a 429 held up goes out one a second: the queue is long then, and no
 * group is to blame. */
static void who_waits_behind_a_429_is_not_told_of_a_group(void **state)
{
    static struct turn t[101];
    (void)state;
    refuse("7", LIMITER_REPLY, 5);
    for (int i = 0; i < 86; i++)
        ask(&t[i], "7", LIMITER_REPLY);
    run_to(5500);
    for (int i = 86; i < 101; i++)
        ask(&t[i], "7", LIMITER_REPLY);
    assert_int_equal(t[100].at_ms, REFUSED);
    assert_int_equal(t[100].err.code, ERR_API);
    assert_int_equal(t[100].err.detail, 429);
    assert_null(strstr(t[100].err.message, "minute"));
    run_to(200000);
}

static void a_429_blocks_its_chat_alone(void **state)
{
    struct turn held, other, queued;
    (void)state;
    refuse("7", LIMITER_REPLY, 5);
    ask(&held, "7", LIMITER_REPLY);
    ask(&other, "8", LIMITER_REPLY);
    ask(&queued, "7", LIMITER_REPLY);
    assert_int_equal(other.at_ms, 0);
    run_to(100000);
    assert_int_equal(held.at_ms, 5000);
    assert_int_equal(queued.at_ms, 6000);
    ask(&held, "7", LIMITER_REPLY);
    ask(&queued, "7", LIMITER_REPLY);
    assert_int_equal(held.at_ms, 100000);
    assert_int_equal(queued.at_ms, 100000);
}

/* Nothing but time clears a deadline. */
static void a_deadline_is_never_shortened(void **state)
{
    struct turn under_way = {.ask = ask_of("7", LIMITER_REPLY), .holds = true};
    struct turn cancelled, held;
    (void)state;
    ask_again(&under_way);
    refuse("7", LIMITER_REPLY, 60);
    limiter_end(l, &under_way.ask); /* a success */
    limiter_told(l, &under_way.ask, 3);
    ask(&cancelled, "7", LIMITER_REPLY);
    ask(&held, "7", LIMITER_REPLY);
    run_to(10000);
    limiter_end(l, &cancelled.ask);
    run_to(200000);
    assert_int_equal(cancelled.at_ms, NOT_YET);
    assert_int_equal(held.at_ms, 60000);
}

static void a_repeat_keeps_its_place(void **state)
{
    struct turn first = {.ask = ask_of("7", LIMITER_REPLY), .holds = true};
    struct turn second;
    (void)state;
    ask_again(&first);
    limiter_end(l, &first.ask);
    limiter_told(l, &first.ask, 5);
    ask(&second, "7", LIMITER_REPLY);
    first.holds = false;
    ask_again(&first);
    run_to(20000);
    assert_int_equal(first.at_ms, 5000);
    assert_int_equal(second.at_ms, 6000);
}

static void waits_for_429s_end_at_90_seconds_in_all(void **state)
{
    struct turn t = {.ask = ask_of("7", LIMITER_JOB), .holds = true};
    struct turn late;
    (void)state;
    ask_again(&t);
    for (int i = 0; i < 2; i++) {
        assert_true(t.at_ms >= 0);
        limiter_end(l, &t.ask);
        limiter_told(l, &t.ask, 50);
        ask_again(&t);
        run_to(now_ms() + 50000);
    }
    assert_int_equal(t.at_ms, REFUSED);
    refuse("8", LIMITER_REPLY, 3600);
    ask(&late, "8", LIMITER_REPLY);
    assert_int_equal(late.at_ms, REFUSED);
    assert_int_equal(late.err.code, ERR_API);
    assert_int_equal(late.err.detail, 429);
    assert_true(late.err.retry_after == 3600 && late.err.retryable);
}

static void who_waits_is_told_of_a_later_deadline(void **state)
{
    struct turn under_way = {.ask = ask_of("7", LIMITER_REPLY), .holds = true};
    struct turn reply, job;
    (void)state;
    ask_again(&under_way);
    refuse("7", LIMITER_REPLY, 5);
    ask(&reply, "7", LIMITER_REPLY);
    ask(&job, "7", LIMITER_JOB);
    limiter_end(l, &under_way.ask);
    limiter_told(l, &under_way.ask, 1000);
    run_to(1000);
    assert_int_equal(reply.at_ms, REFUSED);
    assert_int_equal(job.at_ms, REFUSED);
    assert_true(reply.err.retry_after == 1000);
}

static void a_429_without_a_chat_blocks_its_method(void **state)
{
    struct turn same, other;
    (void)state;
    struct turn t = {.ask = ask_of("", LIMITER_REPLY), .holds = true};
    t.ask.method = "setMyName";
    t.ask.messages = 0;
    ask_again(&t);
    limiter_end(l, &t.ask);
    limiter_told(l, &t.ask, 10);
    same = (struct turn){.ask = ask_of("", LIMITER_REPLY)};
    same.ask.method = "setMyName";
    other = (struct turn){.ask = ask_of("", LIMITER_REPLY)};
    other.ask.method = "getMe";
    ask_again(&same);
    ask_again(&other);
    assert_int_equal(other.at_ms, 0);
    run_to(20000);
    assert_int_equal(same.at_ms, 10000);
}

static void a_moved_chat_takes_its_state_along(void **state)
{
    struct turn t[21], moved;
    struct limiter_ask other = {0};
    (void)state;
    for (int i = 0; i < 20; i++)
        ask(&t[i], "-5", LIMITER_REPLY);
    refuse("-6", LIMITER_REPLY, 30);
    limiter_migrate(l, &other, "-5", "-100");
    limiter_migrate(l, &other, "-6", "-200");
    limiter_migrate(l, &other, "-7", "-300");
    ask(&t[20], "-100", LIMITER_REPLY);
    ask(&moved, "-200", LIMITER_REPLY);
    run_to(100000);
    assert_int_equal(moved.at_ms, 30000);
    assert_int_equal(t[20].at_ms, 60000);
}

/* What the old id refuses fills no window, and holds up nobody who waits. */
static void what_a_moved_chat_refuses_counts_for_nothing(void **state)
{
    struct turn old[30], again[30];
    (void)state;
    for (int i = 0; i < 30; i++) {
        old[i] = (struct turn){.ask = ask_of("-5", LIMITER_REPLY)};
        old[i].holds = true;
        ask_again(&old[i]);
    }
    for (int i = 0; i < 30; i++) {
        run_to(1000);
        assert_int_equal(old[i].ask.state, LIMITER_ACTIVE);
        limiter_migrate(l, &old[i].ask, "-5", "-100");
        limiter_end(l, &old[i].ask);
        ask(&again[i], "-100", LIMITER_REPLY);
    }
    run_to(100000);
    for (int i = 0; i < 30; i++)
        assert_int_equal(again[i].at_ms > 1000, i >= 20);
}

/* Both have a window of their own until an answer tells. */
static void a_name_and_its_id_are_one_chat(void **state)
{
    struct turn by_id[15], by_name[15],
        held = {.ask = ask_of("@a", LIMITER_REPLY)};
    struct turn late;
    (void)state;
    for (int i = 0; i < 15; i++)
        ask(&by_id[i], "-100", LIMITER_REPLY);
    held.holds = true;
    ask_again(&held);
    run_to(1000);
    for (int i = 0; i < 15; i++)
        ask(&by_name[i], "@a", LIMITER_REPLY);
    limiter_named(l, "@a", -100);
    limiter_end(l, &held.ask); /* counts from here on */
    ask(&late, "@a", LIMITER_REPLY);
    run_to(60500);
    assert_int_equal(late.at_ms, 60000);
    for (int i = 0; i < 4; i++)
        ask(&by_id[i], "-100", LIMITER_REPLY);
    run_to(100000);
    assert_int_equal(by_id[2].at_ms, 60500);
    assert_int_equal(by_id[3].at_ms, 61000);
}

static void what_waits_for_a_name_waits_for_its_chat(void **state)
{
    struct turn t[20], named[40];
    (void)state;
    for (int i = 0; i < 20; i++)
        ask(&t[i], "-100", LIMITER_REPLY);
    for (int i = 0; i < 40; i++)
        ask(&named[i], "@a", LIMITER_REPLY);
    limiter_named(l, "@a", -100);
    limiter_named(l, "@a", -100);
    run_to(300000);
    for (int i = 0; i < 20; i++)
        assert_int_equal(named[i].at_ms, 0);
    for (int i = 20; i < 40; i++)
        assert_int_equal(named[i].at_ms, 60000);
    refuse("-100", LIMITER_REPLY, 10);
    ask(&t[0], "@a", LIMITER_REPLY);
    assert_int_equal(t[0].at_ms, NOT_YET);
    run_to(400000);
    assert_int_equal(t[0].at_ms, 310000);
}

/* Each could wait for its own window, but not for both. */
static void who_waits_too_long_for_both_is_told(void **state)
{
    static struct turn by_id[40], by_name[40];
    int refused = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        ask(&by_id[i], "-100", LIMITER_REPLY);
        ask(&by_name[i], "@a", LIMITER_REPLY);
    }
    limiter_named(l, "@a", -100);
    run_to(1000);
    for (int i = 0; i < 40; i++) {
        refused += by_id[i].at_ms == REFUSED;
        refused += by_name[i].at_ms == REFUSED;
        if (by_name[i].at_ms == REFUSED)
            assert_true(by_name[i].err.retry_after == 120);
    }
    assert_int_equal(refused, 20);
    run_to(200000);
    assert_int_equal(by_id[25].at_ms, 60000);
    assert_int_equal(by_name[25].at_ms, 60000);
}

static void the_name_used_longest_ago_is_forgotten(void **state)
{
    struct turn t[20], other;
    char name[20];
    (void)state;
    limiter_named(l, "@a", -1);
    limiter_named(l, "@b", -2);
    for (int i = 0; i < LIMITER_NAMES_MAX - 1; i++) {
        ask(&t[0], "@a", LIMITER_REPLY);
        snprintf(name, sizeof name, "@n%d", i);
        limiter_named(l, name, -1000 - i);
        if (i % 15 == 0)
            run_to(now_ms() + 70000);
    }
    run_to(now_ms() + 70000);
    for (int i = 0; i < 20; i++) {
        ask(&t[i], "-1", LIMITER_REPLY);
        ask(&other, "-2", LIMITER_REPLY);
    }
    ask(&other, "@b", LIMITER_REPLY);
    assert_true(other.at_ms >= 0);
    ask(&other, "@a", LIMITER_REPLY);
    assert_int_equal(other.at_ms, NOT_YET);
    run_to(now_ms() + 100000);
}

static void chats_that_hold_nothing_are_forgotten(void **state)
{
    struct turn t;
    char id[20];
    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof id, "%d", i + 1);
        ask(&t, id, LIMITER_REPLY);
    }
    ask(&t, "@seven", LIMITER_REPLY);
    assert_true(status_has("\"chats\":5001,"));
    limiter_named(l, "@seven", -7);
    assert_true(status_has("\"chats\":5002,"));
    run_to(20000);
    assert_true(status_has("\"chats\":1,"));
    run_to(300000);
    assert_true(status_has("\"chats\":0,"));
}

static void chats_beyond_the_bound_share_a_place(void **state)
{
    const struct limiter_options o = {.chats_max = 2};
    struct turn t;
    (void)state;
    open_with(&o);
    ask(&t, "1", LIMITER_REPLY);
    ask(&t, "2", LIMITER_REPLY);
    for (int i = 0; i < 30; i++) {
        ask(&t, "-3", LIMITER_REPLY);
        assert_int_equal(t.at_ms, 0);
    }
    refuse("4", LIMITER_REPLY, 5);
    ask(&t, "-3", LIMITER_REPLY);
    assert_int_equal(t.at_ms, NOT_YET);
    run_to(5000);
    assert_int_equal(t.at_ms, 5000);
    assert_int_equal(world_logged(&w, "limiter.crowded"), 1);
    close_limiter(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(replies_go_at_once),
        TEST(a_group_gets_20_in_any_minute),
        TEST(a_slow_answer_moves_the_window),
        TEST(what_takes_longer_than_a_window_counts_at_its_end),
        TEST(an_album_counts_each),
        TEST(what_counts_for_nothing_waits_for_no_window),
        TEST(a_reply_that_would_wait_too_long_is_told_so),
        TEST(who_waits_behind_a_429_is_not_told_of_a_group),
        TEST(a_429_blocks_its_chat_alone),
        TEST(a_deadline_is_never_shortened),
        TEST(a_repeat_keeps_its_place),
        TEST(waits_for_429s_end_at_90_seconds_in_all),
        TEST(who_waits_is_told_of_a_later_deadline),
        TEST(a_429_without_a_chat_blocks_its_method),
        TEST(a_moved_chat_takes_its_state_along),
        TEST(what_a_moved_chat_refuses_counts_for_nothing),
        TEST(a_name_and_its_id_are_one_chat),
        TEST(what_waits_for_a_name_waits_for_its_chat),
        TEST(who_waits_too_long_for_both_is_told),
        TEST(the_name_used_longest_ago_is_forgotten),
        TEST(chats_that_hold_nothing_are_forgotten),
        cmocka_unit_test(chats_beyond_the_bound_share_a_place),
    };
    return FIXTURE_RUN(tests);
}
