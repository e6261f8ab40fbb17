/* How fast a bot may send, on the virtual clock. */
#include "fixture.h"

#define GROUP                                                                  \
    "{\"type\":\"supergroup\",\"title\":\"G\",\"members\":[1001],\"id\":-"     \
    "1005}"

static void limits(struct fixture *f, const char *json)
{
    fine(post(f, "/sim/limits", json));
}

static struct answer *send_to(struct fixture *f, const char *target,
                              json_int_t chat, const char *extra)
{
    char body[192];
    snprintf(body, sizeof(body), "{\"chat_id\":%lld,\"text\":\"x\"%s}",
             (long long)chat, extra);
    return post(f, target, body);
}

static struct answer *say(struct fixture *f, json_int_t chat)
{
    return send_to(f, "/bot1:A/sendMessage", chat, "");
}

static void must_wait(const struct answer *a, int64_t seconds)
{
    char text[64];
    char header[24];
    snprintf(text, sizeof(text), "Too Many Requests: retry after %lld",
             (long long)seconds);
    snprintf(header, sizeof(header), "%lld", (long long)seconds);
    fails(a, 429, text);
    assert_string_equal(a->retry_after, header);
    assert_int_equal(int_at(a->json, "parameters.retry_after"), seconds);
}

/* People 2001, 2002, ... */
static void crowd(struct fixture *f, int count)
{
    for (int i = 1; i <= count; i++) {
        char body[64];
        snprintf(body, sizeof(body), "{\"first_name\":\"P\",\"id\":%d}",
                 2000 + i);
        fine(post(f, "/sim/users", body));
    }
}

static void one_chat_takes_a_burst_and_then_one_a_second(void **state)
{
    struct fixture *f = *state;
    limits(f, "{}");
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
    must_wait(say(f, 1001), 1);
    pass(f, 1000);
    result(say(f, 1001));
    must_wait(say(f, 1001), 1);
    pass(f, 3000);
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
    must_wait(say(f, 1001), 1);
}

static void edits_count_and_questions_do_not(void **state)
{
    struct fixture *f = *state;
    limits(f, "{}");
    result(say(f, 1001));
    result(api(f, "copyMessage",
               "{\"chat_id\":1001,\"from_chat_id\":1001,\"message_id\":1}"));
    result(api(f, "editMessageText",
               "{\"chat_id\":1001,\"message_id\":1,\"text\":\"y\"}"));
    must_wait(api(f, "sendPhoto", "{\"chat_id\":1001,\"photo\":\"F\"}"), 1);
    for (int i = 0; i < 5; i++) {
        result(api(f, "getChat", "{\"chat_id\":1001}"));
        result(api(f, "sendChatAction",
                   "{\"chat_id\":1001,\"action\":\"typing\"}"));
    }
    result(api(f, "deleteMessage", "{\"chat_id\":1001,\"message_id\":1}"));
}

static void wrong_calls_count_for_nothing(void **state)
{
    struct fixture *f = *state;
    limits(f, "{}");
    for (int i = 0; i < 5; i++) {
        fails(api(f, "sendMessage", "{\"chat_id\":1001}"), 400,
              "Bad Request: message text is empty");
        fails(say(f, 9), 400, "Bad Request: chat not found");
    }
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
}

static void an_album_counts_its_messages(void **state)
{
    static const char album[] =
        "{\"chat_id\":1001,\"media\":[{\"type\":\"photo\",\"media\":\"A\"},"
        "{\"type\":\"photo\",\"media\":\"B\"},{\"type\":\"photo\",\"media\":"
        "\"C\"},{\"type\":\"photo\",\"media\":\"D\"}]}";
    struct fixture *f = *state;
    limits(f, "{}");
    result(api(f, "sendMediaGroup", album));
    must_wait(say(f, 1001), 2);
}

static void all_chats_share_the_rate(void **state)
{
    struct fixture *f = *state;
    crowd(f, 62);
    limits(f, "{}");
    for (int i = 1; i <= 30; i++)
        result(say(f, 2000 + i));
    must_wait(say(f, 2031), 1);
    pass(f, 1000);
    for (int i = 31; i <= 60; i++)
        result(say(f, 2000 + i));
    must_wait(say(f, 2061), 1);
    /* Another bot has a rate of its own. */
    result(send_to(f, "/bot2:B/sendMessage", 2061, ""));
}

static void who_pays_may_send_a_thousand(void **state)
{
    struct fixture *f = *state;
    crowd(f, 1001);
    limits(f, "{}");
    for (int i = 1; i <= 1000; i++)
        result(send_to(f, "/bot1:A/sendMessage", 2000 + i,
                       ",\"allow_paid_broadcast\":true"));
    must_wait(send_to(f, "/bot1:A/sendMessage", 3001,
                      ",\"allow_paid_broadcast\":true"),
              1);
    result(say(f, 3001));
}

static void a_group_has_twenty_in_any_minute(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/chats", GROUP));
    limits(f, "{\"per_chat\":0}");
    for (int i = 0; i < 10; i++)
        result(say(f, -1005));
    pass(f, 30000);
    for (int i = 0; i < 10; i++)
        result(say(f, -1005));
    must_wait(say(f, -1005), 30);
    pass(f, 29999);
    limits(f, "{\"per_chat\":0}");
    for (int i = 0; i < 20; i++)
        result(say(f, -1005));
    pass(f, 30000);
    must_wait(say(f, -1005), 30);
    pass(f, 30000);
    for (int i = 0; i < 20; i++)
        result(say(f, -1005));
    must_wait(say(f, -1005), 60);
    /* Private chats have no such window. */
    for (int i = 0; i < 21; i++) {
        pass(f, 100);
        result(say(f, 1001));
    }
}

static void the_window_slides(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/chats", GROUP));
    limits(f, "{\"per_chat\":0,\"per_group_minute\":2}");
    result(say(f, -1005));
    pass(f, 20000);
    result(say(f, -1005));
    pass(f, 40000);
    result(say(f, -1005));
    must_wait(say(f, -1005), 20);
    pass(f, 20000);
    result(say(f, -1005));
}

static void impatience_is_punished(void **state)
{
    struct fixture *f = *state;
    limits(f, "{}");
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
    must_wait(say(f, 1001), 1);
    /* What comes together is one impatience. */
    must_wait(say(f, 1001), 2);
    must_wait(say(f, 1001), 2);
    pass(f, 1500);
    must_wait(say(f, 1001), 4);
    pass(f, 3000);
    must_wait(say(f, 1001), 8);
    pass(f, 7999);
    must_wait(say(f, 1001), 16);
    pass(f, 16000);
    result(say(f, 1001));
}

static void whoever_keeps_to_it_is_not_punished(void **state)
{
    struct fixture *f = *state;
    limits(f, "{}");
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
    for (int i = 0; i < 10; i++) {
        must_wait(say(f, 1001), 1);
        pass(f, 1000);
        result(say(f, 1001));
    }
}

static void punishment_has_an_end(void **state)
{
    struct fixture *f = *state;
    json_int_t last = 0;
    limits(f, "{}");
    for (int i = 0; i < 40; i++) {
        struct answer *a = say(f, 1001);
        if (a->status == 429)
            last = int_at(a->json, "parameters.retry_after");
        pass(f, 1000);
        assert_true(last <= 43200);
        if (last < 2)
            for (int k = 0; k < 5; k++)
                say(f, 1001);
    }
    assert_int_equal(last, 43200);
}

static void one_chat_holds_up_no_other(void **state)
{
    struct fixture *f = *state;
    crowd(f, 1);
    limits(f, "{}");
    for (int i = 0; i < 6; i++)
        say(f, 1001);
    result(say(f, 2001));
}

static void zero_is_off(void **state)
{
    struct fixture *f = *state;
    limits(f, LIMITS_OFF);
    for (int i = 0; i < 100; i++)
        result(say(f, 1001));
}

static void new_limits_forgive(void **state)
{
    struct fixture *f = *state;
    limits(f, "{}");
    for (int i = 0; i < 5; i++)
        say(f, 1001);
    json_t *seen = fine(get(f, "/sim/limits"));
    same_json(at(seen, "blocked"),
              "[{\"bot\":1,\"chat\":1001,\"retry_after\":2}]");
    assert_int_equal(int_at(seen, "refused"), 2);
    limits(f, "{\"per_chat\":0.5}");
    seen = fine(get(f, "/sim/limits"));
    same_json(at(seen, "blocked"), "[]");
    same_json(at(seen, "per_chat"), "0.5");
    same_json(at(seen, "per_second"), "30");
    same_json(at(seen, "per_group_minute"), "20");
    same_json(at(seen, "latent"), "false");
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
    must_wait(say(f, 1001), 2);
}

/* Before anybody sets limits. */
static void a_short_wait_is_only_felt(void **state)
{
    struct fixture f;
    struct answer *sent[12];
    (void)state;
    fixture_open(&f, NULL);
    fine(post(&f, "/sim/users", FIXTURE_ANN));
    same_json(at(fine(get(&f, "/sim/limits")), "latent"), "true");
    for (int i = 0; i < 12; i++)
        sent[i] = say(&f, 1001);
    for (int i = 0; i < 3; i++)
        result(sent[i]);
    for (int i = 3; i < 11; i++)
        assert_int_equal(sent[i]->status, 0);
    must_wait(sent[11], 9);
    assert_int_equal(int_at(fine(get(&f, "/sim/limits")), "waiting"), 8);
    for (int i = 3; i < 11; i++) {
        pass(&f, 999);
        assert_int_equal(sent[i]->status, 0);
        pass(&f, 1);
        assert_int_equal(int_at(result(sent[i]), "message_id"), i + 1);
        assert_int_equal(int_at(result(sent[i]), "date"),
                         EPOCH_MS / 1000 + i - 2);
    }
    assert_int_equal(int_at(fine(get(&f, "/sim/limits")), "waiting"), 0);
    fixture_close(&f);
}

static void what_waits_keeps_its_order(void **state)
{
    struct fixture *f = *state;
    struct answer *sent[5];
    crowd(f, 40);
    limits(f, "{\"latent\":true,\"per_second\":2}");
    say(f, 2001);
    for (int i = 0; i < 5; i++)
        sent[i] = i % 2 == 0 ? say(f, 1001)
                             : send_to(f, "/bot1:A/sendMessage", 1001,
                                       ",\"allow_paid_broadcast\":true");
    pass(f, 10000);
    for (int i = 1; i < 5; i++)
        assert_int_equal(int_at(result(sent[i]), "message_id"),
                         int_at(result(sent[i - 1]), "message_id") + 1);
}

static void what_waits_is_sent_without_its_client(void **state)
{
    struct fixture *f = *state;
    limits(f, "{\"latent\":true}");
    for (int i = 0; i < 3; i++)
        result(say(f, 1001));
    hang_up(say(f, 1001));
    assert_int_equal(json_array_size(fine(get(f, "/sim/chats/1001/messages"))),
                     3);
    pass(f, 1000);
    assert_int_equal(json_array_size(fine(get(f, "/sim/chats/1001/messages"))),
                     4);
    json_t *call = at(fine(get(f, "/sim/calls")), "3");
    assert_int_equal(int_at(call, "status"), 0);
    assert_int_equal(int_at(call, "result.message_id"), 4);
}

static void what_waits_at_the_end_is_answered(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, NULL);
    fine(post(&f, "/sim/users", FIXTURE_ANN));
    struct answer *last = NULL;
    for (int i = 0; i < 4; i++)
        last = say(&f, 1001);
    say(&f, 1001);
    hang_up(say(&f, 1001));
    assert_int_equal(last->status, 0);
    fixture_close(&f);
}

static void who_was_kicked_meanwhile_sends_nothing(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/chats", GROUP));
    limits(f, "{\"latent\":true}");
    for (int i = 0; i < 3; i++)
        result(say(f, -1005));
    struct answer *a = say(f, -1005);
    fine(post(f, "/sim/kick", "{\"chat\":-1005}"));
    pass(f, 1000);
    fails(a, 403, "Forbidden: bot was kicked from the supergroup chat");
}

static void a_chat_holds_so_many_unsent(void **state)
{
    struct fixture *f = *state;
    limits(f, "{\"latent\":true,\"per_second\":100,\"per_chat\":0}");
    for (int i = 0; i < 100 + 310; i++)
        say(f, 1001);
    assert_int_equal(int_at(fine(get(f, "/sim/limits")), "waiting"), 310);
    struct answer *a = say(f, 1001);
    pass(f, 2999);
    assert_int_equal(a->status, 0);
    pass(f, 1);
    must_wait(a, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(one_chat_takes_a_burst_and_then_one_a_second),
        SIM_TEST(edits_count_and_questions_do_not),
        SIM_TEST(wrong_calls_count_for_nothing),
        SIM_TEST(an_album_counts_its_messages),
        SIM_TEST(all_chats_share_the_rate),
        SIM_TEST(who_pays_may_send_a_thousand),
        SIM_TEST(a_group_has_twenty_in_any_minute),
        SIM_TEST(the_window_slides),
        SIM_TEST(impatience_is_punished),
        SIM_TEST(whoever_keeps_to_it_is_not_punished),
        SIM_TEST(punishment_has_an_end),
        SIM_TEST(one_chat_holds_up_no_other),
        SIM_TEST(zero_is_off),
        SIM_TEST(new_limits_forgive),
        cmocka_unit_test(a_short_wait_is_only_felt),
        SIM_TEST(what_waits_keeps_its_order),
        SIM_TEST(what_waits_is_sent_without_its_client),
        cmocka_unit_test(what_waits_at_the_end_is_answered),
        SIM_TEST(who_was_kicked_meanwhile_sends_nothing),
        SIM_TEST(a_chat_holds_so_many_unsent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
