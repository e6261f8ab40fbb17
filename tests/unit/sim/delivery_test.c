/* Updates on their way to a webhook: order, parallel posts, repeats. */
#include "hook_fixture.h"

static void an_update_is_posted_as_the_server_does(void **state)
{
    struct bot_end *b = *state;
    char expected[64];
    result(api(&b->f, "setWebhook",
               "{\"url\":\"http://user:pa:ss@bot.example:81/hook?a=b#c\","
               "\"secret_token\":\"a-B_9\"}"));
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(b->count, 1);
    assert_string_equal(b->query, "a=b");
    assert_string_equal(b->secret, "a-B_9");
    assert_string_equal(b->type, "application/json");
    assert_string_equal(b->authorization, "Basic dXNlcjpwYTpzcw==");
    snprintf(expected, sizeof(expected), "{\"update_id\":%lld,\n\"message\":{",
             (long long)int_at(b->posts[0].update, "update_id"));
    assert_int_equal(strncmp(b->body, expected, strlen(expected)), 0);
    assert_int_equal(pending(b), 0);
    json_t *rows = fine(get(&b->f, "/sim/updates"));
    assert_string_equal(text_at(rows, "0.state"), "confirmed");
}

static void no_secret_no_header(void **state)
{
    struct bot_end *b = *state;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(b->count, 1);
    assert_null(b->secret);
    assert_null(b->authorization);
}

static void every_2xx_is_a_success_and_nothing_else(void **state)
{
    static const int plan[] = {204, 299, 302, 199, 300};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 5;
    set_hook(b, 40);
    say(b, "one");
    say(b, "two");
    say(b, "three");
    pass(&b->f, 3000);
    came_at(b, "0 0 0 0 2");
    assert_string_equal(text_of(b, 4), "three");
    assert_string_equal(
        text_at(info_of(b), "last_error_message"),
        "Wrong response from the webhook: 300 Multiple Choices");
    assert_int_equal(pending(b), 1);
    pass(&b->f, 4000);
    assert_int_equal(pending(b), 0);
}

static void a_lane_is_in_order_and_waits_for_each_answer(void **state)
{
    static const int plan[] = {HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    set_hook(b, 40);
    say(b, "one");
    say(b, "two");
    pass(&b->f, 30000);
    assert_int_equal(b->count, 1);
    assert_int_equal(pending(b), 2);
    answer_post(b, &b->posts[0], 200);
    pass(&b->f, 0);
    assert_int_equal(b->count, 2);
    assert_string_equal(text_of(b, 1), "two");
}

static void other_lanes_pass_one_that_fails(void **state)
{
    static const int plan[] = {200, 500, 500, 200, 200, 500};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 6;
    set_hook(b, 40);
    say_as(b, 1002, "warm");
    pass(&b->f, 0);
    say(b, "stuck");
    pass(&b->f, 0);
    say_as(b, 1002, "passes");
    press(b);
    say(b, "behind");
    pass(&b->f, 0);
    assert_int_equal(b->count, 5);
    assert_string_equal(text_of(b, 3), "passes");
    assert_non_null(at(b->posts[4].update, "callback_query"));
    pass(&b->f, 10000);
    came_at(b, "0 0 0 0 0 2 6 6");
    assert_string_equal(text_of(b, 2), "stuck");
    assert_string_equal(text_of(b, 5), "stuck");
    assert_string_equal(text_of(b, 6), "stuck");
    assert_string_equal(text_of(b, 7), "behind");
}

/* After a success, ten connections at once and twenty a second more. */
static void connections_open_slowly(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = HOLD;
    set_hook(b, 100);
    for (int i = 1; i <= 60; i++)
        say_in(b, i);
    pass(&b->f, 1000);
    assert_int_equal(b->count, 1);
    answer_post(b, &b->posts[0], 200);
    pass(&b->f, 0);
    assert_int_equal(b->count, 12);
    pass(&b->f, 500);
    assert_int_equal(b->count, 22);
    pass(&b->f, 500);
    assert_int_equal(b->count, 32);
    b->otherwise = 200;
    for (size_t i = 1; i < 32; i++)
        answer_post(b, &b->posts[i], 200);
    pass(&b->f, 1000);
    assert_int_equal(b->count, 60);
    assert_int_equal(pending(b), 0);
}

static void no_more_posts_than_the_bot_takes(void **state)
{
    static const int plan[] = {200, HOLD, HOLD, HOLD, HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 5;
    set_hook(b, 3);
    say_in(b, 1);
    pass(&b->f, 0);
    for (int i = 1; i <= 5; i++)
        say_in(b, i);
    pass(&b->f, 8000);
    assert_int_equal(b->count, 4);
    answer_post(b, &b->posts[2], 200);
    pass(&b->f, 0);
    assert_int_equal(b->count, 5);
    for (size_t i = 1; i < 5; i++)
        if (b->posts[i].x != NULL)
            answer_post(b, &b->posts[i], 200);
    pass(&b->f, 0);
    assert_int_equal(pending(b), 0);
}

/* One that was idle for a minute begins with one connection again. */
static void connections_do_not_stay_idle(void **state)
{
    struct bot_end *b = *state;
    set_hook(b, 10);
    for (int i = 1; i <= 5; i++)
        say_in(b, i);
    pass(&b->f, 30000);
    assert_int_equal(b->count, 5);
    b->otherwise = HOLD;
    for (int i = 1; i <= 5; i++)
        say_in(b, i);
    pass(&b->f, 0);
    assert_int_equal(b->count, 9); /* the four that are open */
    b->otherwise = 200;
    for (size_t i = 5; i < 9; i++)
        answer_post(b, &b->posts[i], 200);
    pass(&b->f, 61000);
    assert_int_equal(b->count, 10);
    b->otherwise = HOLD;
    for (int i = 1; i <= 5; i++)
        say_in(b, i);
    pass(&b->f, 5000);
    assert_int_equal(b->count, 11);
    b->otherwise = 200;
    answer_post(b, &b->posts[10], 200);
    pass(&b->f, 0);
    assert_int_equal(b->count, 15);
}

static void a_failure_is_repeated_at_once_and_then_later_and_later(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 500;
    set_hook(b, 40);
    say(b, "poison");
    pass(&b->f, 100000);
    came_at(b, "0 0 2 6 14 30 62");
    pass(&b->f, 3600000);
    for (size_t i = 7; i < b->count; i++)
        assert_in_range(b->posts[i].ms - b->posts[i - 1].ms, 60000, 120000);
    assert_in_range(b->count, 30, 70);
    assert_int_equal(pending(b), 1);
    b->otherwise = 200;
    pass(&b->f, 120000);
    assert_int_equal(pending(b), 0);
}

static void pauses_are_chosen_by_the_loops_generator(void **state)
{
    uint64_t gaps[2];
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct bot_end *b;
        hook_setup((void **)&b);
        b->otherwise = 500;
        set_hook(b, 40);
        say(b, "poison");
        pass(&b->f, 3600000);
        gaps[run] = b->posts[b->count - 1].ms - b->posts[7].ms;
        hook_teardown((void **)&b);
    }
    assert_int_equal(gaps[0], gaps[1]);
}

static void retry_after_is_obeyed(void **state)
{
    static const int plan[] = {429, 503, 500, 500};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 4;
    b->retry_after = "17";
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 20000);
    came_at(b, "0 17");
    b->retry_after = NULL;
    pass(&b->f, 19000);
    came_at(b, "0 17 34 36");
    pass(&b->f, 900);
    came_at(b, "0 17 34 36");
    pass(&b->f, 200);
    came_at(b, "0 17 34 36 40");
}

static void retry_after_is_an_hour_at_most(void **state)
{
    static const int plan[] = {429};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    b->retry_after = "90000";
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 4000000);
    came_at(b, "0 3600");
}

static void repeats_end_with_the_life_of_the_update(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 500;
    set_hook(b, 40);
    press(b);
    pass(&b->f, 400000);
    came_at(b, "0 0 2 6 14 30 62 126");
    assert_int_equal(pending(b), 0);
    json_t *rows = fine(get(&b->f, "/sim/updates"));
    assert_string_equal(text_at(rows, "0.state"), "expired");
}

static void what_expires_behind_a_failing_one_is_not_posted(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = HOLD;
    set_hook(b, 40);
    press(b);
    press(b);
    pass(&b->f, 150000);
    assert_int_equal(pending(b), 2);
    pass(&b->f, 1000);
    assert_int_equal(pending(b), 1);
    pass(&b->f, 60000);
    assert_int_equal(pending(b), 0);
    came_at(b, "0 60 122");
    assert_true(json_equal(b->posts[2].update, b->posts[0].update));
}

/* Two lanes a connection: stuck ones keep all others out. */
static void too_many_stuck_chats_stop_the_bot(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 500;
    set_hook(b, 2);
    for (int i = 1; i <= 5; i++)
        say_in(b, i);
    pass(&b->f, 50000);
    for (size_t i = 0; i < b->count; i++)
        assert_string_not_equal(text_of(b, i), "5");
    b->otherwise = 200;
    pass(&b->f, 120000);
    assert_int_equal(pending(b), 0);
    assert_string_equal(text_of(b, b->count - 1), "5");
}

static void silence_ends_after_a_minute(void **state)
{
    static const int plan[] = {HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 59000);
    assert_null(json_object_get(info_of(b), "last_error_date"));
    pass(&b->f, 2000);
    came_at(b, "0 60");
    json_t *info = info_of(b);
    assert_string_equal(text_at(info, "last_error_message"),
                        "Read timeout expired");
    assert_int_equal(int_at(info, "last_error_date"), EPOCH_MS / 1000 + 60);
    assert_int_equal(int_at(info, "pending_update_count"), 0);
}

/* While nothing succeeds, a new connection is tried every two seconds. */
static void a_closed_connection_is_a_failure_without_a_text(void **state)
{
    static const int plan[] = {DROP, DROP, DROP};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 3;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 10000);
    came_at(b, "0 2 4 8");
    assert_null(json_object_get(info_of(b), "last_error_message"));
    assert_int_equal(pending(b), 0);
}

static void the_duplicate_fault_posts_it_twice(void **state)
{
    struct bot_end *b = *state;
    fine(post(&b->f, "/sim/faults", "{\"mode\":\"duplicate\"}"));
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(b->count, 2);
    assert_true(json_equal(b->posts[0].update, b->posts[1].update));
}

static void updates_of_unknown_kinds_wait_for_nobody(void **state)
{
    static const int plan[] = {200, HOLD, HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 3;
    set_hook(b, 40);
    say(b, "warm");
    pass(&b->f, 0);
    fine(post(&b->f, "/sim/update", "{\"new_kind\":{}}"));
    fine(post(&b->f, "/sim/update", "{\"new_kind\":{}}"));
    pass(&b->f, 0);
    assert_int_equal(b->count, 3);
    answer_post(b, &b->posts[1], 200);
    answer_post(b, &b->posts[2], 200);
    pass(&b->f, 0);
}

static void the_end_of_the_simulator_ends_posts(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = HOLD;
    set_hook(b, 40);
    say(b, "x");
    say(b, "y");
    pass(&b->f, 0);
    assert_non_null(b->posts[0].x);
    sim_free(b->f.sim);
    assert_null(b->posts[0].x);
    open_sim(&b->f, NULL);
}

static void new_ids_end_the_post_under_way(void **state)
{
    static const int plan[] = {HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    set_hook(b, 40);
    b->f.sim->world.bots[0]->queue.next_id = 1999999998;
    say(b, "last");
    pass(&b->f, 0);
    assert_non_null(b->posts[0].x);
    say(b, "first");
    pass(&b->f, 2000);
    assert_null(b->posts[0].x);
    assert_string_equal(text_of(b, 1), "first");
    assert_int_equal(pending(b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOOK_TEST(an_update_is_posted_as_the_server_does),
        HOOK_TEST(no_secret_no_header),
        HOOK_TEST(every_2xx_is_a_success_and_nothing_else),
        HOOK_TEST(a_lane_is_in_order_and_waits_for_each_answer),
        HOOK_TEST(other_lanes_pass_one_that_fails),
        HOOK_TEST(connections_open_slowly),
        HOOK_TEST(no_more_posts_than_the_bot_takes),
        HOOK_TEST(connections_do_not_stay_idle),
        HOOK_TEST(a_failure_is_repeated_at_once_and_then_later_and_later),
        cmocka_unit_test(pauses_are_chosen_by_the_loops_generator),
        HOOK_TEST(retry_after_is_obeyed),
        HOOK_TEST(retry_after_is_an_hour_at_most),
        HOOK_TEST(repeats_end_with_the_life_of_the_update),
        HOOK_TEST(what_expires_behind_a_failing_one_is_not_posted),
        HOOK_TEST(too_many_stuck_chats_stop_the_bot),
        HOOK_TEST(silence_ends_after_a_minute),
        HOOK_TEST(a_closed_connection_is_a_failure_without_a_text),
        HOOK_TEST(the_duplicate_fault_posts_it_twice),
        HOOK_TEST(updates_of_unknown_kinds_wait_for_nobody),
        HOOK_TEST(the_end_of_the_simulator_ends_posts),
        HOOK_TEST(new_ids_end_the_post_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
