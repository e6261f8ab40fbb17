/* Failures on demand. */
#include "fixture.h"

static const char hello[] = "{\"chat_id\":1001,\"text\":\"x\"}";

static size_t stored(struct fixture *f)
{
    return json_array_size(fine(get(f, "/sim/chats/1001/messages")));
}

static json_t *last_call(struct fixture *f)
{
    json_t *calls = fine(get(f, "/sim/calls"));
    return json_array_get(calls, json_array_size(calls) - 1);
}

static void too_many_requests(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults",
              "{\"mode\":\"429\",\"retry_after\":7,\"count\":2}"));
    for (int i = 0; i < 2; i++) {
        struct answer *a = api(f, "sendMessage", hello);
        fails(a, 429, "Too Many Requests: retry after 7");
        assert_int_equal(int_at(a->json, "parameters.retry_after"), 7);
        assert_string_equal(a->retry_after, "7");
    }
    assert_int_equal(stored(f), 0);
    assert_string_equal(text_at(last_call(f), "fault"), "429");
    result(api(f, "sendMessage", hello));
}

static void servers_fail(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults", "{\"mode\":\"500\"}"));
    fails(api(f, "sendMessage", hello), 500, "Internal Server Error: restart");
    fine(post(f, "/sim/faults", "{\"mode\":\"502html\"}"));
    struct answer *a = api(f, "sendMessage", hello);
    assert_int_equal(a->status, 502);
    assert_string_equal(a->content_type, "text/html");
    assert_non_null(strstr(a->body.data, "<html>"));
    assert_int_equal(int_at(last_call(f), "status"), 502);
    assert_int_equal(stored(f), 0);
}

static void connections_are_cut(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults", "{\"mode\":\"cut_before\"}"));
    struct answer *a = api(f, "sendMessage", hello);
    assert_true(a->dropped);
    assert_int_equal(stored(f), 0);
    assert_int_equal(int_at(last_call(f), "status"), 0);
    assert_null(json_object_get(last_call(f), "result"));
    fine(post(f, "/sim/faults", "{\"mode\":\"cut_after\"}"));
    a = api(f, "sendMessage", hello);
    assert_true(a->dropped);
    assert_int_equal(stored(f), 1);
    assert_int_equal(int_at(last_call(f), "status"), 0);
    assert_int_equal(int_at(last_call(f), "result.message_id"), 1);
}

static void slow_ones_execute_and_answer_later(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults",
              "{\"mode\":\"slow\",\"seconds\":2.5,\"count\":2}"));
    struct answer *a = api(f, "sendMessage", hello);
    struct answer *lost = api(f, "sendMessage", hello);
    assert_int_equal(stored(f), 2);
    hang_up(lost);
    pass(f, 2400);
    assert_int_equal(a->status, 0);
    pass(f, 200);
    assert_int_equal(int_at(result(a), "message_id"), 1);
}

static void rules_choose_method_and_chat(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/users", "{\"first_name\":\"Bob\",\"id\":1002}"));
    fine(post(f, "/sim/faults",
              "{\"mode\":\"500\",\"chat\":1002,"
              "\"method\":\"SENDMESSAGE\"}"));
    result(api(f, "sendMessage", hello));
    result(
        api(f, "sendChatAction", "{\"chat_id\":1002,\"action\":\"typing\"}"));
    fails(api(f, "sendMessage", "{\"chat_id\":1002,\"text\":\"x\"}"), 500,
          "Internal Server Error: restart");
    result(api(f, "sendMessage", "{\"chat_id\":1002,\"text\":\"x\"}"));
}

static void rules_are_listed_and_cleared(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults", "{\"mode\":\"429\",\"retry_after\":3}"));
    fine(post(f, "/sim/faults", "{\"mode\":\"slow\",\"seconds\":1}"));
    fine(post(f, "/sim/faults", "{\"mode\":\"500\"}"));
    json_t *list = fine(get(f, "/sim/faults"));
    assert_int_equal(json_array_size(list), 3);
    same_json(at(list, "0"),
              "{\"id\":1,\"mode\":\"429\",\"count\":1,\"retry_after\":3}");
    fine(request(f, "DELETE", "/sim/faults/1", NULL, NULL, 0));
    list = fine(get(f, "/sim/faults"));
    assert_int_equal(int_at(list, "0.id"), 2);
    fine(request(f, "DELETE", "/sim/faults", NULL, NULL, 0));
    assert_int_equal(json_array_size(fine(get(f, "/sim/faults"))), 0);
    result(api(f, "sendMessage", hello));
}

static void duplicates_come_twice(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults", "{\"mode\":\"duplicate\"}"));
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"a\"}"));
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"b\"}"));
    json_t *u = result(api(f, "getUpdates", "{}"));
    assert_int_equal(json_array_size(u), 3);
    json_int_t id = int_at(u, "0.update_id");
    assert_int_equal(int_at(u, "1.update_id"), id);
    assert_int_equal(int_at(u, "2.update_id"), id + 1);
}

static void waiting_polls_fail_too(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/faults",
              "{\"mode\":\"cut_after\",\"method\":\"getUpdates\"}"));
    struct answer *a = api(f, "getUpdates", "{\"timeout\":30}");
    assert_false(a->dropped);
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"a\"}"));
    pass(f, 1);
    assert_true(a->dropped);
    json_t *u = result(api(f, "getUpdates", "{\"offset\":1}"));
    assert_int_equal(json_array_size(u), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(too_many_requests),
        SIM_TEST(servers_fail),
        SIM_TEST(connections_are_cut),
        SIM_TEST(slow_ones_execute_and_answer_later),
        SIM_TEST(rules_choose_method_and_chat),
        SIM_TEST(rules_are_listed_and_cleared),
        SIM_TEST(duplicates_come_twice),
        SIM_TEST(waiting_polls_fail_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
