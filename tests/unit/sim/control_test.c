/* The routes under /sim, and what they refuse. */
#include "fixture.h"

#include "base/buf.h"

static void users_are_made_and_listed(void **state)
{
    struct fixture *f = *state;
    json_t *u = fine(post(f, "/sim/users",
                          "{\"first_name\":\"Eve\",\"id\":4503599627370495,"
                          "\"language_code\":\"fr\"}"));
    assert_int_equal(int_at(u, "id"), 4503599627370495);
    assert_true(json_is_false(at(u, "is_bot")));
    u = fine(post(f, "/sim/users", "{\"first_name\":\"Next\"}"));
    json_int_t id = int_at(u, "id");
    assert_int_not_equal(id, 1001);
    json_t *all = fine(get(f, "/sim/users"));
    assert_int_equal(json_array_size(all), 3);
    assert_string_equal(text_at(all, "0.first_name"), "Ann");
    assert_int_equal(int_at(all, "1.id"), 4503599627370495);
    refused(post(f, "/sim/users", "{\"first_name\":\"Two\",\"id\":1001}"), 400,
            "id: 1001 is taken");
}

static void chats_are_made_and_listed(void **state)
{
    struct fixture *f = *state;
    json_t *c = fine(post(f, "/sim/chats",
                          "{\"type\":\"supergroup\",\"title\":\"T\","
                          "\"members\":[1001]}"));
    assert_true(int_at(c, "id") < -1000000000000);
    same_json(at(c, "members"), "[1001]");
    fine(post(f, "/sim/chats",
              "{\"type\":\"channel\",\"title\":\"C\",\"members\":[]}"));
    json_t *all = fine(get(f, "/sim/chats"));
    assert_int_equal(json_array_size(all), 2);
    assert_string_equal(text_at(all, "1.title"), "C");
}

struct refusal {
    const char *path;
    const char *body;
    int status;
    const char *part;
};

static void all_refused(struct fixture *f, const struct refusal *rows,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/sim/%s", rows[i].path);
        refused(post(f, path, rows[i].body), rows[i].status, rows[i].part);
    }
}

static void limits_and_places_are_checked(void **state)
{
    static const struct refusal rows[] = {
        {"limits", "{\"per_second\":-1}", 400,
         "per_second: must be a number that is not negative"},
        {"limits", "{\"per_chat\":0.0001}", 400,
         "per_chat: must be 0 (off) or 0.001 to 1000000"},
        {"limits", "{\"per_second\":1e7}", 400,
         "per_second: must be 0 (off) or 0.001 to 1000000"},
        {"limits", "{\"per_group_minute\":1001}", 400,
         "per_group_minute: must be 0 (off) to 1000"},
        {"limits", "{\"latent\":1}", 400, "latent: must be true or false"},
        {"kick", "{}", 400, "chat: is required"},
        {"kick", "{\"chat\":-5}", 404, "chat: there is no chat -5"},
        {"kick", "{\"chat\":1001}", 400,
         "chat: must be a group, supergroup or channel; 1001 is a private"},
        {"join", "{\"chat\":-5,\"user\":1001}", 404, "there is no chat -5"},
        {"join", "{\"chat\":1001,\"user\":1001}", 400, "is a private chat"},
        {"migrate", "{\"chat\":-5}", 404, "chat: there is no chat -5"},
        {"migrate", "{\"chat\":1001}", 400, "1001 is a private chat"},
        {"deactivate", "{\"user\":7}", 404, "user: there is no user 7"},
        {"rights", "{\"chat\":1001,\"can_send_photos\":false}", 400,
         "can_send_photos: a private chat knows only can_send_voice_notes"},
        {"rights", "{\"chat\":1001,\"can_fly\":false}", 400,
         "can_fly: no such field"},
    };
    all_refused(*state, rows, sizeof(rows) / sizeof(rows[0]));
}

static void bodies_are_checked(void **state)
{
    static const struct refusal rows[] = {
        {"users", "{", 400, "the body must be a JSON object"},
        {"users", "[]", 400, "the body must be a JSON object"},
        {"users", "{}", 400, "first_name: is required"},
        {"users", "{\"name\":\"x\"}", 400,
         "name: no such field; allowed: first_name, id, last_name"},
        {"users", "{\"first_name\":5}", 400, "first_name: must be a text"},
        {"users", "{\"first_name\":\"\"}", 400, "first_name: must be a text"},
        {"users", "{\"first_name\":\"x\",\"id\":\"5\"}", 400,
         "id: must be an integer"},
        {"users", "{\"first_name\":\"x\",\"id\":9007199254740993}", 400,
         "id: must be an integer within"},
        {"users", "{\"first_name\":\"x\",\"id\":-5}", 400,
         "id: must be positive"},
        {"users", "{\"first_name\":\"x\",\"started\":1}", 400,
         "started: must be true or false"},
        {"chats", "{\"type\":\"private\",\"title\":\"x\",\"members\":[]}", 400,
         "type: must be group, supergroup or channel"},
        {"chats", "{\"type\":\"group\",\"title\":\"x\",\"members\":[7]}", 404,
         "members: there is no user 7"},
        {"chats", "{\"type\":\"group\",\"title\":\"x\",\"members\":[\"7\"]}",
         400, "members: must be an array of integers"},
        {"chats",
         "{\"type\":\"group\",\"title\":\"x\",\"members\":[],"
         "\"id\":3}",
         400, "id: must be negative"},
        {"chats",
         "{\"type\":\"group\",\"title\":\"x\",\"members\":[],"
         "\"admins\":[7]}",
         404, "admins: there is no user 7"},
        {"send", "{\"text\":\"x\"}", 400, "from: is required"},
        {"send", "{\"from\":3,\"text\":\"x\"}", 404, "from: there is no user"},
        {"send", "{\"from\":1001}", 400, "text: is required"},
        {"send", "{\"from\":1001,\"text\":\"x\",\"photo\":true}", 400,
         "photo: the message has text already"},
        {"send", "{\"from\":1001,\"txt\":\"x\"}", 400, "txt: no such field"},
        {"send", "{\"from\":1001,\"text\":\"x\",\"chat\":-5}", 404,
         "chat: there is no chat -5"},
        {"send", "{\"from\":1001,\"text\":\"x\",\"reply_to\":5}", 404,
         "reply_to: chat 1001 has no message 5"},
        {"send", "{\"from\":1001,\"forward\":{\"chat\":1001}}", 404,
         "forward: chat 1001 has no message 0"},
        {"send", "{\"from\":1001,\"forward\":{\"chat\":7}}", 404,
         "chat: there is no chat 7"},
        {"send", "{\"from\":1001,\"text\":\"x\",\"bot\":-1}", 404,
         "bot: there is no bot -1"},
        {"click", "{\"from\":1001}", 400, "data: is required, or text"},
        {"click", "{\"from\":1001,\"data\":\"x\"}", 404,
         "no message in chat 1001 has buttons"},
        {"click", "{\"from\":1001,\"data\":\"x\",\"message_id\":5}", 404,
         "has no message 5 with buttons"},
        {"update", "{}", 400, "message: is required, or another update kind"},
        {"update", "{\"Message\":{}}", 400, "Message: is no update kind"},
        {"update", "{\"\":{}}", 400, "is no update kind"},
        {"update", "{\"message\":5}", 400, "message: must be an object"},
        {"update", "{\"message\":{},\"poll\":{}}", 400,
         "one update has one kind"},
        {"block", "{\"user\":7,\"blocked\":true}", 404,
         "user: there is no user 7"},
        {"faults", "{\"mode\":\"418\"}", 400, "mode: must be 429, 500"},
        {"faults", "{\"mode\":\"500\",\"method\":\"sendMassage\"}", 400,
         "method: sendMassage is no method"},
        {"faults", "{\"mode\":\"500\",\"count\":0}", 400,
         "count: must be 1 or more"},
        {"clock", "{}", 400, "advance: is required"},
        {"clock", "{\"advance\":-1}", 400, "advance: must be a number"},
        {"clock", "{\"advance\":\"1h\"}", 400, "advance: must be a number"},
        {"clock", "{\"advance\":31622401}", 400,
         "advance: must be at most 31622400"},
    };
    struct fixture *f = *state;
    all_refused(f, rows, sizeof(rows) / sizeof(rows[0]));
    refused(get(f, "/sim/calls?since=x"), 400, "since: must be an integer");
    refused(get(f, "/sim/chats/5/messages"), 404, "there is no chat 5");
    refused(get(f, "/sim/chats/1001/messages?bot=9"), 404, "no bot 9");
    refused(request(f, "DELETE", "/sim/faults/3", NULL, NULL, 0), 404,
            "there is no fault 3");
    assert_int_equal(json_array_size(fine(get(f, "/sim/updates"))), 0);
    assert_int_equal(json_array_size(fine(get(f, "/sim/users"))), 1);
}

static void texts_reach_the_bot_with_entities(void **state)
{
    struct fixture *f = *state;
    json_t *m =
        fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"/start deep\"}"));
    assert_int_equal(int_at(m, "message_id"), 1);
    json_t *u = at(fine(get(f, "/sim/updates")), "0.update.message");
    assert_string_equal(text_at(u, "text"), "/start deep");
    same_json(at(u, "entities"),
              "[{\"offset\":0,\"length\":6,\"type\":\"bot_command\"}]");
    assert_int_equal(int_at(u, "from.id"), 1001);
    assert_int_equal(int_at(u, "chat.id"), 1001);
    m = fine(
        post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\",\"reply_to\":1}"));
    assert_int_equal(int_at(m, "reply_to_message.message_id"), 1);
}

static void other_contents_are_made_plausible(void **state)
{
    struct fixture *f = *state;
    json_t *m = fine(post(f, "/sim/send",
                          "{\"from\":1001,\"caption\":\"c\",\"document\":"
                          "{\"name\":\"a.pdf\",\"size\":123}}"));
    assert_string_equal(text_at(m, "document.file_name"), "a.pdf");
    assert_int_equal(int_at(m, "document.file_size"), 123);
    assert_true(json_string_length(at(m, "document.file_id")) > 0);
    assert_string_equal(text_at(m, "caption"), "c");
    m = fine(post(f, "/sim/send", "{\"from\":1001,\"photo\":true}"));
    assert_int_equal(json_array_size(at(m, "photo")), 3);
    assert_int_equal(int_at(m, "photo.0.width"), 90);
    assert_int_equal(int_at(m, "photo.2.width"), 800);
    m = fine(post(f, "/sim/send",
                  "{\"from\":1001,\"contact\":{\"phone_number\":\"+1\"}}"));
    assert_string_equal(text_at(m, "contact.phone_number"), "+1");
    assert_true(json_is_string(at(m, "contact.first_name")));
    m = fine(post(f, "/sim/send",
                  "{\"from\":1001,\"location\":{\"latitude\":1.25,"
                  "\"longitude\":-2}}"));
    same_json(at(m, "location"), "{\"latitude\":1.25,\"longitude\":-2}");
}

static void groups_and_channels(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/users", "{\"first_name\":\"Bob\",\"id\":1002}"));
    fine(post(f, "/sim/chats",
              "{\"type\":\"group\",\"title\":\"G\","
              "\"members\":[1001],\"id\":-42}"));
    fine(post(f, "/sim/chats",
              "{\"type\":\"channel\",\"title\":\"C\","
              "\"members\":[1001],\"id\":-10042}"));
    refused(post(f, "/sim/send", "{\"from\":1002,\"chat\":-42,\"text\":\"x\"}"),
            400, "from: user 1002 is no member of chat -42");
    json_t *m = fine(
        post(f, "/sim/send", "{\"from\":1001,\"chat\":-42,\"text\":\"x\"}"));
    assert_string_equal(text_at(m, "chat.title"), "G");
    fine(
        post(f, "/sim/send", "{\"from\":1001,\"chat\":-10042,\"text\":\"x\"}"));
    json_t *u = at(fine(get(f, "/sim/updates")), "1.update.channel_post");
    assert_int_equal(int_at(u, "sender_chat.id"), -10042);
    assert_null(json_object_get(u, "from"));
}

static void people_join_groups_that_have_admins(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/users", "{\"first_name\":\"Bob\",\"id\":1002}"));
    fine(post(f, "/sim/users", "{\"first_name\":\"Cid\",\"id\":1003}"));
    json_t *chat = fine(post(f, "/sim/chats",
                             "{\"type\":\"supergroup\",\"title\":\"G\","
                             "\"members\":[1001],\"admins\":[1001,1002],"
                             "\"id\":-42}"));
    same_json(at(chat, "members"), "[1001,1002]");
    json_t *m = fine(post(f, "/sim/join", "{\"chat\":-42,\"user\":1003}"));
    assert_int_equal(int_at(m, "from.id"), 1003);
    assert_int_equal(int_at(m, "new_chat_members.0.id"), 1003);
    refused(post(f, "/sim/join", "{\"chat\":-42,\"user\":1003}"), 400,
            "user: 1003 is in chat -42");
    fine(post(f, "/sim/send", "{\"from\":1003,\"chat\":-42,\"text\":\"x\"}"));
    result(
        api(f, "banChatMember", "{\"chat_id\":\"-42\",\"user_id\":\"1003\"}"));
    refused(post(f, "/sim/join", "{\"chat\":-42,\"user\":1003,\"from\":1001}"),
            400, "user: 1003 was banned from chat -42");
    json_t *member = result(
        api(f, "getChatMember", "{\"chat_id\":\"-42\",\"user_id\":\"1002\"}"));
    assert_string_equal(text_at(member, "status"), "administrator");
    assert_true(json_is_true(json_object_get(member, "can_restrict_members")));
}

static void clicks_find_their_button(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"chat_id\":1001,\"text\":\"x\",\"reply_markup\":"
                 "{\"inline_keyboard\":[[{\"text\":\"A%d\",\"callback_data\":"
                 "\"a%d\"}],[{\"text\":\"U\",\"url\":\"u\"}]]}}",
                 i, i);
        result(api(f, "sendMessage", body));
    }
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"after\"}"));
    json_t *c = fine(post(f, "/sim/click", "{\"from\":1001,\"data\":\"a1\"}"));
    assert_int_equal(int_at(c, "message_id"), 2);
    c = fine(post(f, "/sim/click",
                  "{\"from\":1001,\"text\":\"A0\",\"message_id\":1}"));
    assert_string_equal(text_at(c, "data"), "a0");
    refused(post(f, "/sim/click", "{\"from\":1001,\"data\":\"a0\"}"), 404,
            "message 2 has no such button; it has: A1, U");
    refused(post(f, "/sim/click", "{\"from\":1001,\"text\":\"U\"}"), 400,
            "has no callback_data");
    refused(post(f, "/sim/click",
                 "{\"from\":1001,\"data\":\"a\",\"message_id\":3}"),
            404, "has no message 3 with buttons");
}

static void raw_updates_make_people_known(void **state)
{
    struct fixture *f = *state;
    json_t *row = fine(post(
        f, "/sim/update",
        "{\"update_id\":5,\"message\":{\"message_id\":500,\"date\":1,\"text\":"
        "\"raw\",\"from\":{\"id\":4503599627370495,\"is_bot\":false,"
        "\"first_name\":\"Big\"},\"chat\":{\"id\":-1001234567890123,"
        "\"title\":\"T\",\"type\":\"supergroup\"}}}"));
    assert_true(int_at(row, "update.update_id") > 2000000);
    assert_int_equal(int_at(row, "update.message.from.id"), 4503599627370495);
    json_t *m = result(api(f, "sendMessage",
                           "{\"chat_id\":-1001234567890123,\"text\":\"x\","
                           "\"reply_parameters\":{\"message_id\":500}}"));
    assert_int_equal(int_at(m, "message_id"), 501);
    result(
        api(f, "sendMessage", "{\"chat_id\":4503599627370495,\"text\":\"x\"}"));
    /* Of any kind, whatever the bot allows, and its query can be answered. */
    fine(post(f, "/sim/update", "{\"message_reaction\":{\"a\":1}}"));
    fine(post(f, "/sim/update",
              "{\"callback_query\":{\"id\":\"abc\",\"chat_instance\":\"1\","
              "\"from\":{\"id\":1001,\"is_bot\":false,"
              "\"first_name\":\"Ann\"}}}"));
    result(api(f, "answerCallbackQuery", "{\"callback_query_id\":\"abc\"}"));
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_int_equal(json_array_size(updates), 3);
}

static void raw_updates_may_be_of_unknown_kinds(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    json_t *row = fine(post(f, "/sim/update", "{\"new_kind\":{\"a\":1}}"));
    assert_int_equal(int_at(row, "update.new_kind.a"), 1);
    buf_puts(&b, "{\"");
    for (int i = 0; i < 64; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\":{}}");
    fine(post(f, "/sim/update", b.data));
    buf_clear(&b);
    buf_puts(&b, "{\"");
    for (int i = 0; i < 65; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\":{}}");
    refused(post(f, "/sim/update", b.data), 400, "is no update kind");
    buf_free(&b);
}

static void updates_have_a_largest_size(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    buf_puts(&b, "{\"message\":{\"text\":\"");
    for (int i = 0; i < 512 * 1024; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}}");
    refused(post(f, "/sim/update", b.data), 400, "larger than 512 KiB");
    buf_free(&b);
    assert_int_equal(json_array_size(fine(get(f, "/sim/updates"))), 0);
}

static void calls_are_listed(void **state)
{
    struct fixture *f = *state;
    api(f, "getme", "");
    api(f, "sendMessage",
        "{\"chat_id\":1001,\n \"text\":\"5\",\"reply_markup\""
        ":\"{\\\"force_reply\\\":true}\"}");
    api(f, "nonsense", "{}");
    json_t *calls = fine(get(f, "/sim/calls"));
    assert_int_equal(json_array_size(calls), 3);
    assert_int_equal(int_at(calls, "0.n"), 1);
    assert_string_equal(text_at(calls, "0.method"), "getMe");
    assert_true(json_is_null(at(calls, "0.chat_id")));
    assert_true(json_is_real(at(calls, "0.at")));
    assert_int_equal(int_at(calls, "1.status"), 200);
    assert_int_equal(int_at(calls, "1.chat_id"), 1001);
    same_json(at(calls, "1.params"),
              "{\"chat_id\":1001,\"text\":\"5\","
              "\"reply_markup\":{\"force_reply\":true}}");
    assert_string_equal(text_at(calls, "1.result.text"), "5");
    assert_int_equal(int_at(calls, "2.status"), 404);
    assert_string_equal(text_at(calls, "2.error"),
                        "Not Found: method not found");
    calls = fine(get(f, "/sim/calls?since=2"));
    assert_int_equal(json_array_size(calls), 1);
    assert_int_equal(int_at(calls, "0.n"), 3);
    calls = fine(get(f, "/sim/calls?since=3"));
    assert_int_equal(json_array_size(calls), 0);
}

static void empty_polls_are_one_row(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        char body[64];
        snprintf(body, sizeof(body), "{\"offset\":%d}", i);
        result(api(f, "getUpdates", body));
    }
    json_t *calls = fine(get(f, "/sim/calls"));
    assert_int_equal(json_array_size(calls), 1);
    assert_int_equal(int_at(calls, "0.repeated"), 3);
    assert_int_equal(int_at(calls, "0.params.offset"), 3);
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\"}"));
    json_t *u = result(api(f, "getUpdates", "{\"offset\":4}"));
    calls = fine(get(f, "/sim/calls?since=1"));
    assert_int_equal(int_at(calls, "0.result.0.update_id"),
                     int_at(u, "0.update_id"));
}

static void only_the_newest_calls_are_kept(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10050; i++) {
        struct answer *a = api(f, "getMe", "");
        json_decref(a->json);
        buf_free(&a->body);
        free(a->content_type);
        f->answers_count--;
        free(a);
    }
    json_t *calls = fine(get(f, "/sim/calls"));
    assert_int_equal(json_array_size(calls), 10000);
    assert_int_equal(int_at(calls, "9999.n"), 10050);
}

static void there_are_no_endless_people(void **state)
{
    struct fixture *f = *state;
    int made = 1;
    for (int status = 200; status == 200; made += status == 200) {
        struct answer *a = post(f, "/sim/users", "{\"first_name\":\"x\"}");
        status = a->status;
        if (status != 200) {
            refused(a, 400, "there are 10000 users already");
            break;
        }
        json_decref(a->json);
        buf_free(&a->body);
        free(a->content_type);
        f->answers_count--;
        free(a);
    }
    assert_int_equal(made, 10000);
}

static void the_demo_world(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, "1:PLAY");
    sim_demo_world(f.sim);
    json_t *users = fine(get(&f, "/sim/users"));
    assert_int_equal(int_at(users, "0.id"), 5000000001);
    assert_string_equal(text_at(users, "1.first_name"), "Bob");
    json_t *chats = fine(get(&f, "/sim/chats"));
    assert_string_equal(text_at(chats, "0.title"), "Team");
    same_json(at(chats, "0.members"), "[5000000001,5000000002]");
    json_t *admins = result(post(&f, "/bot1:PLAY/getChatAdministrators",
                                 "{\"chat_id\":\"-1001000000001\"}"));
    assert_int_equal(json_array_size(admins), 1);
    assert_string_equal(text_at(admins, "0.user.first_name"), "Ann");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(users_are_made_and_listed),
        SIM_TEST(chats_are_made_and_listed),
        SIM_TEST(bodies_are_checked),
        SIM_TEST(limits_and_places_are_checked),
        SIM_TEST(texts_reach_the_bot_with_entities),
        SIM_TEST(other_contents_are_made_plausible),
        SIM_TEST(groups_and_channels),
        SIM_TEST(people_join_groups_that_have_admins),
        SIM_TEST(clicks_find_their_button),
        SIM_TEST(raw_updates_make_people_known),
        SIM_TEST(raw_updates_may_be_of_unknown_kinds),
        SIM_TEST(updates_have_a_largest_size),
        SIM_TEST(calls_are_listed),
        SIM_TEST(empty_polls_are_one_row),
        SIM_TEST(only_the_newest_calls_are_kept),
        SIM_TEST(there_are_no_endless_people),
        cmocka_unit_test(the_demo_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
