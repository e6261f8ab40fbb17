/* getUpdates as the real server has it. */
#include "fixture.h"

#include "sim/core.h"

#define LATER_MS 5000

static void say(struct fixture *f, const char *text)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"from\":1001,\"text\":\"%s\"}", text);
    fine(post(f, "/sim/send", body));
}

static struct answer *ask(struct fixture *f, json_int_t offset, int limit,
                          int timeout)
{
    char body[128];
    snprintf(body, sizeof(body),
             "{\"offset\":%lld,\"limit\":%d,\"timeout\":%d}", (long long)offset,
             limit, timeout);
    return api(f, "getUpdates", body);
}

/* A short poll that no earlier one slows down. */
static json_t *calm_poll(struct fixture *f, json_int_t offset, int limit)
{
    pass(f, LATER_MS);
    return result(ask(f, offset, limit, 0));
}

static json_int_t first_id(struct fixture *f)
{
    return int_at(calm_poll(f, 0, 100), "0.update_id");
}

static void updates_stay_until_confirmed(void **state)
{
    struct fixture *f = *state;
    say(f, "a");
    say(f, "b");
    say(f, "c");
    json_t *three = calm_poll(f, 0, 100);
    assert_int_equal(json_array_size(three), 3);
    assert_string_equal(text_at(three, "0.message.text"), "a");
    json_int_t id = int_at(three, "0.update_id");
    assert_in_range(id, 2000001, 1000000000);
    assert_int_equal(int_at(three, "2.update_id"), id + 2);
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 3);
    json_t *rest = calm_poll(f, id + 1, 100);
    assert_int_equal(json_array_size(rest), 2);
    assert_int_equal(int_at(rest, "0.update_id"), id + 1);
    assert_int_equal(json_array_size(calm_poll(f, id, 100)), 2);
    assert_int_equal(json_array_size(calm_poll(f, id + 3, 100)), 0);
    say(f, "d");
    assert_int_equal(first_id(f), id + 3);
}

static void limit_and_timeout_are_clamped(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 103; i++)
        say(f, "x");
    assert_int_equal(json_array_size(calm_poll(f, 0, 1000)), 100);
    assert_int_equal(json_array_size(calm_poll(f, 0, 0)), 1);
    json_int_t id = first_id(f);
    calm_poll(f, id + 103, 100);
    pass(f, LATER_MS);
    struct answer *a = ask(f, id + 104, 100, 3600);
    pass(f, 49900);
    assert_int_equal(a->status, 0);
    pass(f, 200);
    assert_int_equal(json_array_size(result(a)), 0);
}

static void negative_offset_keeps_the_newest(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++)
        say(f, "x");
    json_int_t id = first_id(f);
    json_t *two = calm_poll(f, -2, 100);
    assert_int_equal(json_array_size(two), 2);
    assert_int_equal(int_at(two, "0.update_id"), id + 3);
    assert_int_equal(first_id(f), id + 3);
}

static void strange_offsets_confirm_nothing(void **state)
{
    struct fixture *f = *state;
    say(f, "x");
    json_int_t id = first_id(f);
    assert_int_equal(int_at(calm_poll(f, id + 1000, 100), "0.update_id"), id);
    assert_int_equal(int_at(calm_poll(f, id - 200000, 100), "0.update_id"), id);
    assert_int_equal(json_array_size(calm_poll(f, id + 5, 100)), 0);
}

static void a_long_poll_wakes_at_once(void **state)
{
    struct fixture *f = *state;
    struct answer *a = ask(f, 0, 100, 30);
    pass(f, 1000);
    assert_int_equal(a->status, 0);
    say(f, "hello");
    loop_turn(f->loop);
    assert_int_equal(a->status, 0);
    pass(f, 1);
    assert_string_equal(text_at(result(a), "0.message.text"), "hello");
}

static void a_flood_is_answered_in_batches_of_two_milliseconds(void **state)
{
    struct fixture *f = *state;
    struct answer *a = ask(f, 0, 100, 30);
    uint64_t then = clock_ns(&f->clock);
    while (a->status == 0) {
        say(f, "x");
        loop_step(f->loop, clock_ns(&f->clock) + 400000);
    }
    assert_in_range(clock_ns(&f->clock) - then, 1000000, 2000000);
    assert_in_range(json_array_size(result(a)), 2, 6);
}

static void an_offset_ahead_takes_what_comes_before_it(void **state)
{
    struct fixture *f = *state;
    say(f, "x");
    json_int_t id = first_id(f);
    pass(f, LATER_MS);
    struct answer *a = ask(f, id + 4, 100, 30);
    say(f, "gone");
    pass(f, 5);
    assert_int_equal(json_array_size(result(a)), 0);
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 0);
}

static void the_older_poll_dies(void **state)
{
    static const char conflict[] =
        "Conflict: terminated by other getUpdates request; make sure that "
        "only one bot instance is running";
    struct fixture *f = *state;
    struct answer *first = ask(f, 0, 100, 30);
    struct answer *second = ask(f, 0, 100, 30);
    fails(first, 409, conflict);
    assert_int_equal(second->status, 0);
    /* The next conflict so soon is answered late. */
    struct answer *third = ask(f, 0, 100, 30);
    assert_int_equal(second->status, 0);
    pass(f, 3100);
    fails(second, 409, conflict);
    say(f, "x");
    pass(f, 1);
    assert_int_equal(json_array_size(result(third)), 1);
}

static void conflicts_are_answered_at_once_every_three_seconds(void **state)
{
    struct fixture *f = *state;
    struct answer *polls[4];
    for (int i = 0; i < 4; i++) {
        polls[i] = ask(f, i, 100, 30);
        pass(f, 1000);
    }
    assert_int_equal(polls[0]->status, 409); /* at 1 s */
    assert_int_equal(polls[1]->status, 0);   /* at 2 s, told at 5 s */
    assert_int_equal(polls[2]->status, 0);   /* at 3 s, told at 6 s */
    pass(f, 1100);
    assert_int_equal(polls[1]->status, 409);
    assert_int_equal(polls[2]->status, 0);
    struct answer *last = ask(f, 9, 100, 30);
    assert_int_equal(polls[3]->status, 409);
    pass(f, 1000);
    assert_int_equal(polls[2]->status, 409);
    assert_int_equal(last->status, 0);
}

static void a_short_poll_disturbs_nobody(void **state)
{
    struct fixture *f = *state;
    struct answer *waiting = ask(f, 0, 100, 30);
    assert_int_equal(json_array_size(result(ask(f, 1, 100, 0))), 0);
    assert_int_equal(waiting->status, 0);
    say(f, "x");
    pass(f, 1);
    assert_int_equal(json_array_size(result(waiting)), 1);
}

static void quick_repeats_are_slowed_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(json_array_size(result(ask(f, 0, 100, 0))), 0);
    struct answer *second = ask(f, 0, 100, 0);
    assert_int_equal(second->status, 0);
    say(f, "a");
    say(f, "b");
    pass(f, 1);
    assert_int_equal(json_array_size(result(second)), 1);
    /* Half a second later it is slow only. */
    pass(f, 500);
    assert_int_equal(json_array_size(result(ask(f, 0, 100, 0))), 2);
    pass(f, 2500);
    struct answer *slow =
        ask(f, int_at(result(second), "0.update_id") + 2, 100, 0);
    assert_int_equal(json_array_size(result(slow)), 0);
    pass(f, 600);
    slow = ask(f, int_at(result(second), "0.update_id") + 2, 100, 1);
    pass(f, 2900);
    assert_int_equal(slow->status, 0);
    pass(f, 100);
    assert_int_equal(json_array_size(result(slow)), 0);
}

static void raw(struct fixture *f, const char *json)
{
    fine(post(f, "/sim/update", json));
}

static size_t pending(struct fixture *f)
{
    json_t *info = result(api(f, "getWebhookInfo", "{}"));
    return (size_t)int_at(info, "pending_update_count");
}

static void updates_live_as_long_as_their_kind(void **state)
{
    static const struct {
        uint64_t after_ms;
        size_t left;
    } rows[] = {{30000, 5},  {1000, 4}, {119000, 4},   {1000, 3},
                {449000, 3}, {1000, 2}, {85799000, 2}, {1000, 0}};
    struct fixture *f = *state;
    raw(f, "{\"inline_query\":{}}");
    raw(f, "{\"callback_query\":{\"id\":\"1\"}}");
    raw(f, "{\"chosen_inline_result\":{}}");
    raw(f, "{\"message\":{\"date\":1}}");
    say(f, "x");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pass(f, rows[i].after_ms);
        assert_int_equal(pending(f), rows[i].left);
    }
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_int_equal(json_array_size(updates), 5);
    assert_string_equal(text_at(updates, "0.state"), "expired");
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 0);
}

static void answers_are_cut_at_four_megabytes(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    buf_puts(&b, "{\"message\":{\"text\":\"");
    for (int i = 0; i < 500 * 1024; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}}");
    for (int i = 0; i < 9; i++)
        raw(f, b.data);
    buf_free(&b);
    json_t *some = calm_poll(f, 0, 100);
    assert_int_equal(json_array_size(some), 8);
    json_int_t id = int_at(some, "7.update_id");
    assert_int_equal(json_array_size(calm_poll(f, id + 1, 100)), 1);
}

static void a_full_queue_takes_nothing(void **state)
{
    struct fixture *f = *state;
    struct queue *q = &f->sim->world.bots[0]->queue;
    json_t *payload = json_pack("{s:s}", "a", "b");
    for (int i = 0; i < QUEUE_LIVE_MAX; i++)
        assert_true(queue_push(q, "poll", json_incref(payload), 0, false) > 0);
    assert_int_equal(queue_push(q, "poll", payload, 0, false), 0);
    assert_int_equal(pending(f), QUEUE_LIVE_MAX);
    refused(post(f, "/sim/update", "{\"poll\":{}}"), 400, "queue is full");
    int64_t id = q->next_id;
    queue_drop(q, 10);
    raw(f, "{\"poll\":{}}");
    assert_int_equal(q->next_id, id + 1);
    assert_int_equal(pending(f), 11);
}

static void the_bytes_of_a_queue_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct queue *q = &f->sim->world.bots[0]->queue;
    char *text = mem_alloc(500 * 1024);
    memset(text, 'x', 500 * 1024);
    json_t *payload = json_object();
    json_object_set_new(payload, "a", json_stringn(text, 500 * 1024));
    int taken = 0;
    while (queue_push(q, "poll", json_incref(payload), 0, false) > 0)
        taken++;
    assert_int_equal(taken, 128 * 1024 / 500);
    json_decref(payload);
    free(text);
}

static void the_first_id_is_random(void **state)
{
    struct fixture *f = *state;
    struct queue *one = &f->sim->world.bots[0]->queue;
    struct queue *two = &world_make_bot(&f->sim->world, f->sim, 2)->queue;
    assert_in_range(one->next_id, 2000001, 1000000000);
    assert_in_range(two->next_id, 2000001, 1000000000);
    assert_int_not_equal(one->next_id, two->next_id);
}

static void ids_that_are_used_up_begin_anew(void **state)
{
    struct fixture *f = *state;
    struct queue *q = &f->sim->world.bots[0]->queue;
    q->next_id = 1999999998;
    say(f, "last");
    say(f, "first");
    json_t *one = calm_poll(f, 0, 100);
    assert_int_equal(json_array_size(one), 1);
    assert_string_equal(text_at(one, "0.message.text"), "first");
    assert_in_range(int_at(one, "0.update_id"), 2000001, 1000000000);
}

static void filters_work_when_updates_are_made(void **state)
{
    struct fixture *f = *state;
    result(api(f, "getUpdates", "{\"allowed_updates\":[\"callback_query\"]}"));
    say(f, "unseen");
    result(api(f, "getUpdates",
               "{\"offset\":1,\"allowed_updates\":"
               "[\"MESSAGE\",\"nonsense\"]}"));
    say(f, "seen");
    json_t *info = result(api(f, "getWebhookInfo", "{}"));
    same_json(at(info, "allowed_updates"), "[\"message\"]");
    /* Neither no list nor bad ones change anything. */
    result(api(f, "getUpdates",
               "{\"offset\":2,\"allowed_updates\":"
               "[\"poll\",5]}"));
    json_t *one = calm_poll(f, 0, 100);
    assert_int_equal(json_array_size(one), 1);
    assert_string_equal(text_at(one, "0.message.text"), "seen");
    result(api(f, "getUpdates", "{\"offset\":3,\"allowed_updates\":[]}"));
    info = result(api(f, "getWebhookInfo", "{}"));
    assert_null(json_object_get(info, "allowed_updates"));
    assert_int_equal(int_at(info, "pending_update_count"), 1);
}

static void delete_webhook_can_drop_updates(void **state)
{
    struct fixture *f = *state;
    say(f, "x");
    result(api(f, "deleteWebhook", "{}"));
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 1);
    struct answer *a =
        api(f, "deleteWebhook", "{\"drop_pending_updates\":true}");
    assert_true(json_is_true(result(a)));
    assert_string_equal(text_at(a->json, "description"),
                        "Webhook is already deleted");
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 0);
}

static void notes(struct answer *a, const char *text)
{
    assert_true(json_is_true(result(a)));
    assert_string_equal(text_at(a->json, "description"), text);
}

#define HOOK                                                                   \
    "{\"url\":\"http://127.0.0.1:1/hook\",\"secret_token\":\"a-B_9\","         \
    "\"max_connections\":7,\"allowed_updates\":[\"message\"]}"

static void a_webhook_is_set_and_taken_away(void **state)
{
    struct fixture *f = *state;
    notes(api(f, "setWebhook", HOOK), "Webhook was set");
    say(f, "kept for it");
    json_t *info = result(api(f, "getWebhookInfo", "{}"));
    assert_string_equal(text_at(info, "url"), "http://127.0.0.1:1/hook");
    assert_int_equal(int_at(info, "max_connections"), 7);
    assert_int_equal(int_at(info, "pending_update_count"), 1);
    same_json(at(info, "allowed_updates"), "[\"message\"]");
    fails(api(f, "getUpdates", "{}"), 409,
          "Conflict: can't use getUpdates method while webhook is active; use "
          "deleteWebhook to delete the webhook first");
    notes(api(f, "deleteWebhook", "{}"), "Webhook was deleted");
    info = result(api(f, "getWebhookInfo", "{}"));
    assert_string_equal(text_at(info, "url"), "");
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 1);
    notes(api(f, "setWebhook", "{\"url\":\"\"}"), "Webhook is already deleted");
}

static void a_webhook_that_is_set_is_not_set_again(void **state)
{
    struct fixture *f = *state;
    notes(api(f, "setWebhook", HOOK), "Webhook was set");
    struct answer *a = api(f, "setWebhook", HOOK);
    fails(a, 429, "Too Many Requests: retry after 1");
    assert_int_equal(int_at(a->json, "parameters.retry_after"), 1);
    pass(f, 1000);
    notes(api(f, "setWebhook", HOOK), "Webhook is already set");
    pass(f, 1000);
    say(f, "dropped");
    notes(api(f, "setWebhook",
              "{\"url\":\"https://x.example\","
              "\"drop_pending_updates\":true}"),
          "Webhook was set");
    json_t *info = result(api(f, "getWebhookInfo", "{}"));
    assert_int_equal(int_at(info, "max_connections"), 40);
    assert_int_equal(int_at(info, "pending_update_count"), 0);
}

static void a_webhook_ends_the_waiting_poll(void **state)
{
    struct fixture *f = *state;
    struct answer *poll = ask(f, 0, 100, 50);
    assert_int_equal(poll->status, 0);
    notes(api(f, "setWebhook", HOOK), "Webhook was set");
    fails(poll, 409, "Conflict: terminated by setWebhook request");
    struct answer *soon = ask(f, 0, 100, 0);
    assert_int_equal(soon->status, 0);
    pass(f, 3000);
    assert_int_equal(soon->status, 409);
}

static void bad_webhooks_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *url = "Bad Request: invalid webhook URL specified";
    char text[400] = "{\"url\":\"https://x.example\",\"secret_token\":\"";
    fails(api(f, "setWebhook", "{\"url\":\"ftp://x.example\"}"), 400, url);
    pass(f, 1000);
    fails(api(f, "setWebhook", "{\"url\":\"https:///x\"}"), 400, url);
    pass(f, 1000);
    fails(api(f, "setWebhook",
              "{\"url\":\"https://x.example\",\"secret_token\":\"a b\"}"),
          400, "Bad Request: secret token contains unallowed characters");
    size_t len = strlen(text);
    memset(text + len, 'a', 257);
    strcpy(text + len + 257, "\"}");
    pass(f, 1000);
    fails(api(f, "setWebhook", text), 400,
          "Bad Request: secret token is too long");
    json_t *info = result(api(f, "getWebhookInfo", "{}"));
    assert_string_equal(text_at(info, "url"), "");
}

static void a_lost_poll_leaves_the_updates(void **state)
{
    struct fixture *f = *state;
    struct answer *a = ask(f, 0, 100, 30);
    hang_up(a);
    say(f, "x");
    loop_turn(f->loop);
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_string_equal(text_at(updates, "0.state"), "waiting");
    assert_int_equal(json_array_size(calm_poll(f, 0, 100)), 1);
    json_t *calls = fine(get(f, "/sim/calls"));
    assert_int_equal(int_at(calls, "0.status"), 0);
}

static void states_are_listed(void **state)
{
    struct fixture *f = *state;
    say(f, "a");
    json_int_t id = first_id(f);
    say(f, "b");
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_string_equal(text_at(updates, "0.state"), "fetched");
    assert_string_equal(text_at(updates, "1.state"), "waiting");
    assert_int_equal(int_at(updates, "1.update.update_id"), id + 1);
    assert_int_equal(int_at(updates, "0.bot"), 1);
    calm_poll(f, id + 1, 100);
    updates = fine(get(f, "/sim/updates?since=0"));
    assert_string_equal(text_at(updates, "0.state"), "confirmed");
    assert_string_equal(text_at(updates, "1.state"), "fetched");
    updates = fine(get(f, "/sim/updates?since=1"));
    assert_int_equal(json_array_size(updates), 1);
    assert_int_equal(int_at(updates, "0.n"), 2);
}

static void the_oldest_history_is_forgotten(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10500; i++) {
        struct answer *a =
            post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\"}");
        json_decref(a->json);
        buf_free(&a->body);
        free(a->content_type);
        f->answers_count--;
        free(a);
    }
    result(api(f, "deleteWebhook", "{\"drop_pending_updates\":true}"));
    say(f, "x");
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_in_range(json_array_size(updates), 10000, 10001);
    assert_int_equal(int_at(updates, "10000.n"), 10501);
    json_t *messages = fine(get(f, "/sim/chats/1001/messages"));
    assert_int_equal(json_array_size(messages), 5000);
    assert_int_equal(int_at(messages, "4999.message_id"), 10501);
}

static void the_end_of_the_simulator_ends_polls(void **state)
{
    struct fixture *f = *state;
    struct answer *a = ask(f, 0, 100, 30);
    sim_free(f->sim);
    fails(a, 500, "Internal Server Error: restart");
    open_sim(f, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(updates_stay_until_confirmed),
        SIM_TEST(limit_and_timeout_are_clamped),
        SIM_TEST(negative_offset_keeps_the_newest),
        SIM_TEST(strange_offsets_confirm_nothing),
        SIM_TEST(a_long_poll_wakes_at_once),
        SIM_TEST(a_flood_is_answered_in_batches_of_two_milliseconds),
        SIM_TEST(an_offset_ahead_takes_what_comes_before_it),
        SIM_TEST(the_older_poll_dies),
        SIM_TEST(conflicts_are_answered_at_once_every_three_seconds),
        SIM_TEST(a_short_poll_disturbs_nobody),
        SIM_TEST(quick_repeats_are_slowed_down),
        SIM_TEST(updates_live_as_long_as_their_kind),
        SIM_TEST(answers_are_cut_at_four_megabytes),
        SIM_TEST(a_full_queue_takes_nothing),
        SIM_TEST(the_bytes_of_a_queue_are_bounded),
        SIM_TEST(the_first_id_is_random),
        SIM_TEST(ids_that_are_used_up_begin_anew),
        SIM_TEST(filters_work_when_updates_are_made),
        SIM_TEST(delete_webhook_can_drop_updates),
        SIM_TEST(a_webhook_is_set_and_taken_away),
        SIM_TEST(a_webhook_that_is_set_is_not_set_again),
        SIM_TEST(bad_webhooks_are_refused),
        SIM_TEST(a_webhook_ends_the_waiting_poll),
        SIM_TEST(a_lost_poll_leaves_the_updates),
        SIM_TEST(states_are_listed),
        SIM_TEST(the_oldest_history_is_forgotten),
        SIM_TEST(the_end_of_the_simulator_ends_polls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
