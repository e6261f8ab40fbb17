/* A webhook is set, changed and taken away; what its answers may hold. */
#include "hook_fixture.h"

static void notes(const struct answer *a, const char *text)
{
    assert_true(json_is_true(result(a)));
    assert_string_equal(text_at(a->json, "description"), text);
}

static struct answer *move_hook(struct bot_end *b, const char *more)
{
    char body[160];
    snprintf(body, sizeof(body), "{\"url\":\"http://new.example/hook\"%s}",
             more);
    pass(&b->f, 1000);
    return api(&b->f, "setWebhook", body);
}

static void what_waits_is_posted_once_a_webhook_is_set(void **state)
{
    struct bot_end *b = *state;
    say(b, "one");
    say(b, "two");
    set_hook(b, 40);
    pass(&b->f, 0);
    assert_int_equal(b->count, 2);
    assert_string_equal(text_of(b, 0), "one");
}

static void a_new_webhook_gets_what_was_not_answered(void **state)
{
    static const int plan[] = {HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 0);
    assert_non_null(b->posts[0].x);
    notes(move_hook(b, ""), "Webhook was set");
    pass(&b->f, 0);
    assert_null(b->posts[0].x);
    assert_int_equal(b->count, 2);
    assert_true(json_equal(b->posts[0].update, b->posts[1].update));
    assert_int_equal(pending(b), 0);
}

static void the_same_webhook_again_disturbs_nothing(void **state)
{
    static const int plan[] = {HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 1000);
    struct answer *a = api(
        &b->f, "setWebhook",
        "{\"url\":\"http://bot.example/hook\",\"allowed_updates\":[\"poll\"]}");
    notes(a, "Webhook is already set");
    assert_non_null(b->posts[0].x);
    same_json(at(info_of(b), "allowed_updates"), "[\"poll\"]");
    answer_post(b, &b->posts[0], 200);
    pass(&b->f, 0);
    assert_int_equal(b->count, 1);
}

static void every_value_makes_it_another_one(void **state)
{
    static const char *const more[] = {
        ",\"secret_token\":\"s\"", ",\"max_connections\":3",
        ",\"ip_address\":\"10.0.0.1\"", ",\"drop_pending_updates\":true"};
    struct bot_end *b = *state;
    notes(move_hook(b, ""), "Webhook was set");
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        notes(move_hook(b, more[i]), "Webhook was set");
        notes(move_hook(b, i < 3 ? more[i] : ""), "Webhook is already set");
    }
}

static void polling_gets_what_the_webhook_did_not_take(void **state)
{
    static const int plan[] = {200, HOLD};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 2;
    set_hook(b, 40);
    say(b, "taken");
    pass(&b->f, 0);
    say(b, "held");
    say(b, "behind");
    pass(&b->f, 0);
    notes(api(&b->f, "deleteWebhook", "{}"), "Webhook was deleted");
    assert_null(b->posts[1].x);
    json_t *u = result(api(&b->f, "getUpdates", "{}"));
    assert_int_equal(json_array_size(u), 2);
    assert_string_equal(text_at(u, "0.message.text"), "held");
}

static void pending_updates_can_be_dropped(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 500;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(b->count, 2);
    notes(move_hook(b, ",\"drop_pending_updates\":true"), "Webhook was set");
    pass(&b->f, 100000);
    assert_int_equal(b->count, 2);
    assert_int_equal(pending(b), 0);
}

static void filters_are_those_of_setwebhook(void **state)
{
    struct bot_end *b = *state;
    result(api(&b->f, "setWebhook",
               "{\"url\":\"http://bot.example/hook\","
               "\"allowed_updates\":[\"callback_query\"]}"));
    say(b, "unwanted");
    pass(&b->f, 0);
    assert_int_equal(b->count, 0);
    result(api(&b->f, "deleteWebhook", "{}"));
    same_json(at(info_of(b), "allowed_updates"), "[\"callback_query\"]");
}

static void errors_are_told_until_it_is_set_anew(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 500;
    set_hook(b, 40);
    assert_null(json_object_get(info_of(b), "last_error_date"));
    say(b, "x");
    pass(&b->f, 1000);
    json_t *info = info_of(b);
    assert_string_equal(
        text_at(info, "last_error_message"),
        "Wrong response from the webhook: 500 Internal Server Error");
    assert_int_equal(int_at(info, "last_error_date"), EPOCH_MS / 1000);
    b->otherwise = 200;
    pass(&b->f, 2000);
    assert_non_null(json_object_get(info_of(b), "last_error_message"));
    notes(move_hook(b, ""), "Webhook was set");
    assert_null(json_object_get(info_of(b), "last_error_message"));
    assert_null(json_object_get(info_of(b), "last_error_date"));
}

static void bad_values_take_the_old_webhook_away(void **state)
{
    static const struct {
        const char *body;
        const char *error;
    } rows[] = {
        {"{\"url\":\"ftp://x\"}", "Bad Request: invalid webhook URL specified"},
        {"{\"url\":\"http://x\",\"ip_address\":\"1.2.3\"}",
         "Bad Request: bad webhook: Invalid IP address specified"},
        {"{\"url\":\"http://x\",\"secret_token\":\"\\u00e4\"}",
         "Bad Request: secret token contains unallowed characters"},
    };
    struct bot_end *b = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_hook(b, 40);
        pass(&b->f, 1000);
        fails(api(&b->f, "setWebhook", rows[i].body), 400, rows[i].error);
        assert_string_equal(text_at(info_of(b), "url"), "");
        pass(&b->f, 1000);
    }
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(b->count, 0);
}

static void certificates_are_noted(void **state)
{
    static const char form[] =
        "--b\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\n"
        "https://127.0.0.1:8443/hook\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"certificate\"; "
        "filename=\"c.pem\"\r\n\r\nPEM\r\n--b--\r\n";
    struct bot_end *b = *state;
    for (int i = 0; i < 2; i++) {
        notes(request(&b->f, "POST", "/bot1:A/setWebhook",
                      "multipart/form-data; boundary=b", form,
                      sizeof(form) - 1),
              "Webhook was set"); /* a certificate may be another one */
        json_t *info = info_of(b);
        assert_true(json_is_true(at(info, "has_custom_certificate")));
        assert_string_equal(text_at(info, "ip_address"), "127.0.0.1");
        pass(&b->f, 1000);
    }
    notes(move_hook(b, ",\"ip_address\":\"10.0.0.1\""), "Webhook was set");
    json_t *info = info_of(b);
    assert_true(json_is_false(at(info, "has_custom_certificate")));
    assert_string_equal(text_at(info, "ip_address"), "10.0.0.1");
}

static void twenty_three_hours_of_410_end_the_webhook(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 410;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, UINT64_C(22) * 3600 * 1000);
    assert_string_equal(text_at(info_of(b), "last_error_message"),
                        "Wrong response from the webhook: 410 Gone");
    pass(&b->f, 3600 * 1000 + 200 * 1000);
    json_t *info = info_of(b);
    assert_string_equal(text_at(info, "url"), "");
    assert_null(json_object_get(info, "last_error_message"));
    assert_int_equal(int_at(info, "pending_update_count"), 1);
    assert_int_equal(json_array_size(result(api(&b->f, "getUpdates", "{}"))),
                     1);
}

static void another_status_in_between_keeps_it(void **state)
{
    struct bot_end *b = *state;
    b->otherwise = 410;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, UINT64_C(22) * 3600 * 1000);
    b->otherwise = 500;
    pass(&b->f, 200 * 1000);
    b->otherwise = 410;
    say_as(b, 1002, "y");
    pass(&b->f, UINT64_C(20) * 3600 * 1000);
    assert_string_not_equal(text_at(info_of(b), "url"), "");
}

static json_t *last_call(struct bot_end *b)
{
    json_t *calls = fine(get(&b->f, "/sim/calls"));
    return json_array_get(calls, json_array_size(calls) - 1);
}

static void an_answer_may_be_a_call(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        int status;
    } rows[] = {
        {"application/json",
         "{\"method\":\"sendMessage\",\"chat_id\":1001,\"text\":\"hi\"}", 200},
        {"application/json; charset=utf-8",
         "{\"method\":\"SENDMESSAGE\",\"chat_id\":1001,\"text\":\"hi\"}", 202},
        {"application/x-www-form-urlencoded",
         "method=sendMessage&chat_id=1001&text=h%69", 200},
        {"multipart/form-data; boundary=b",
         "--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\n"
         "sendMessage\r\n"
         "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
         "1001\r\n"
         "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"
         "hi\r\n--b--\r\n",
         200},
    };
    struct bot_end *b = *state;
    set_hook(b, 40);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        b->reply = rows[i].body;
        b->reply_type = rows[i].type;
        b->otherwise = rows[i].status;
        say(b, "x");
        pass(&b->f, 0);
        json_t *call = last_call(b);
        assert_string_equal(text_at(call, "method"), "sendMessage");
        assert_int_equal(int_at(call, "status"), 200);
        assert_int_equal(int_at(call, "chat_id"), 1001);
        assert_string_equal(text_at(call, "params.text"), "hi");
        assert_true(json_is_true(at(call, "reply")));
        json_t *shown = fine(get(&b->f, "/sim/chats/1001/messages"));
        assert_int_equal(json_array_size(shown), 2 * (i + 1));
        assert_int_equal(pending(b), 0);
    }
}

static void some_answers_are_no_calls(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        int status;
    } rows[] = {
        {"application/json", "{\"method\":\"deleteWebhook\"}", 200},
        {"application/json", "{\"method\":\"SetWebhook\",\"url\":\"\"}", 200},
        {"application/json", "{\"method\":\"close\"}", 200},
        {"application/json", "{\"method\":\"logOut\"}", 200},
        {"application/json", "{\"method\":\"getMe\"}", 200},
        {"application/json", "{\"method\":\"GetUpdates\"}", 200},
        {"application/json", "{\"ok\":true}", 200},
        {"application/json", "not JSON", 200},
        {"application/json", "", 200},
        {"text/plain", "method=sendChatAction", 200},
        {NULL, "{\"method\":\"sendChatAction\"}", 200},
    };
    struct bot_end *b = *state;
    set_hook(b, 40);
    size_t before = json_array_size(fine(get(&b->f, "/sim/calls")));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        b->reply = rows[i].body;
        b->reply_type = rows[i].type;
        b->otherwise = rows[i].status;
        say(b, "x");
        pass(&b->f, 0);
    }
    assert_int_equal(b->count, sizeof(rows) / sizeof(rows[0]));
    json_t *calls = fine(get(&b->f, "/sim/calls"));
    assert_int_equal(json_array_size(calls), before);
    assert_int_equal(pending(b), 0);
}

static void a_call_with_a_failing_status_is_not_run(void **state)
{
    static const int plan[] = {500};
    struct bot_end *b = *state;
    b->plan = plan;
    b->planned = 1;
    b->reply = "{\"method\":\"sendMessage\",\"chat_id\":1001,\"text\":\"hi\"}";
    b->reply_type = "application/json";
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(b->count, 2);
    json_t *shown = fine(get(&b->f, "/sim/chats/1001/messages"));
    assert_int_equal(json_array_size(shown), 2);
}

static void nobody_learns_that_such_a_call_failed(void **state)
{
    static const struct {
        const char *fault;
        int status;
    } rows[] = {
        {"{\"mode\":\"429\",\"method\":\"sendMessage\"}", 429},
        {"{\"mode\":\"cut_before\",\"method\":\"sendMessage\"}", 0},
        {"{\"mode\":\"cut_after\",\"method\":\"sendMessage\"}", 0},
        {"{\"mode\":\"502html\",\"method\":\"sendMessage\"}", 502},
        {"{\"mode\":\"slow\",\"seconds\":2,\"method\":\"sendMessage\"}", 200},
    };
    struct bot_end *b = *state;
    set_hook(b, 40);
    b->reply = "{\"method\":\"sendMessage\",\"chat_id\":1001,\"text\":\"hi\"}";
    b->reply_type = "application/json";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fine(post(&b->f, "/sim/faults", rows[i].fault));
        say(b, "x");
        pass(&b->f, 3000);
        assert_int_equal(int_at(last_call(b), "status"), rows[i].status);
        assert_int_equal(pending(b), 0);
    }
    assert_int_equal(b->count, sizeof(rows) / sizeof(rows[0]));
    b->reply = "{\"method\":\"sendMessage\",\"chat_id\":7,\"text\":\"hi\"}";
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(int_at(last_call(b), "status"), 400);
    b->reply = "{\"method\":\"noSuchMethod\"}";
    say(b, "x");
    pass(&b->f, 0);
    assert_int_equal(int_at(last_call(b), "status"), 404);
}

static void a_long_answer_is_a_wrong_one(void **state)
{
    struct bot_end *b = *state;
    size_t len = 9 * 1024 * 1024;
    char *text = mem_alloc(len + 1);
    memset(text, ' ', len);
    text[len] = '\0';
    b->reply = text;
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 0);
    b->reply = NULL;
    assert_string_equal(text_at(info_of(b), "last_error_message"),
                        "Wrong response from the webhook: it is too long");
    pass(&b->f, 2000);
    assert_int_equal(pending(b), 0);
    free(text);
}

static void without_a_client_it_is_only_kept(void **state)
{
    struct bot_end *b = *state;
    const struct sim_options options = {.token = NULL};
    sim_free(b->f.sim);
    b->f.sim = sim_new(b->f.loop, &options);
    routes_free(b->f.routes);
    b->f.routes = routes_new();
    sim_mount(b->f.sim, b->f.routes);
    fine(post(&b->f, "/sim/users", FIXTURE_ANN));
    set_hook(b, 40);
    say(b, "x");
    pass(&b->f, 10000);
    assert_int_equal(b->count, 0);
    assert_int_equal(pending(b), 1);
    refused(post(&b->f, "/sim/clock", "{\"advance\":1}"), 400,
            "the clock is the real one here; moonlet sim --virtual-clock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOOK_TEST(what_waits_is_posted_once_a_webhook_is_set),
        HOOK_TEST(a_new_webhook_gets_what_was_not_answered),
        HOOK_TEST(the_same_webhook_again_disturbs_nothing),
        HOOK_TEST(every_value_makes_it_another_one),
        HOOK_TEST(polling_gets_what_the_webhook_did_not_take),
        HOOK_TEST(pending_updates_can_be_dropped),
        HOOK_TEST(filters_are_those_of_setwebhook),
        HOOK_TEST(errors_are_told_until_it_is_set_anew),
        HOOK_TEST(bad_values_take_the_old_webhook_away),
        HOOK_TEST(certificates_are_noted),
        HOOK_TEST(twenty_three_hours_of_410_end_the_webhook),
        HOOK_TEST(another_status_in_between_keeps_it),
        HOOK_TEST(an_answer_may_be_a_call),
        HOOK_TEST(some_answers_are_no_calls),
        HOOK_TEST(a_call_with_a_failing_status_is_not_run),
        HOOK_TEST(nobody_learns_that_such_a_call_failed),
        HOOK_TEST(a_long_answer_is_a_wrong_one),
        HOOK_TEST(without_a_client_it_is_only_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
