/* The modelled methods: what bots send, edit, delete, copy and answer. */
#include "fixture.h"

#include "base/buf.h"

#define BUTTON                                                                 \
    ",\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"Yes\","              \
    "\"callback_data\":\"y:1\"},{\"text\":\"Site\",\"url\":\"http://x.y\"}]]}"

static json_t *send_text(struct fixture *f, const char *extra)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"chat_id\":1001,\"text\":\"hi\"%s}", extra);
    return result(api(f, "sendMessage", body));
}

static json_t *messages(struct fixture *f)
{
    return fine(get(f, "/sim/chats/1001/messages"));
}

static void get_me_tells_who_the_bot_is(void **state)
{
    struct fixture *f = *state;
    json_t *me = result(api(f, "getMe", "{}"));
    assert_int_equal(int_at(me, "id"), 1);
    assert_string_equal(text_at(me, "username"), "demo_bot");
    assert_string_equal(text_at(me, "first_name"), "Demo bot");
    me = result(post(f, "/bot77:x/GETME", "{}"));
    assert_string_equal(text_at(me, "username"), "bot77");
    me = result(get(f, "/bot77:x/test/getMe"));
    assert_int_equal(int_at(me, "id"), 77);
    me = result(get(f, "/bot77:x/?method=getMe"));
    assert_int_equal(int_at(me, "id"), 77);
}

static void tokens_are_checked(void **state)
{
    struct fixture *f = *state;
    fails(get(f, "/bot0:x/getMe"), 401,
          "Unauthorized: invalid token specified");
    fails(get(f, "/botx/getMe"), 401, "Unauthorized: invalid token specified");
    fails(get(f, "/bot123/getMe"), 401,
          "Unauthorized: invalid token specified");
    fails(get(f, "/bot18014398509481984:x/getMe"), 401,
          "Unauthorized: invalid token specified");
    fails(get(f, "/bot12a:x/getMe"), 421,
          "Misdirected Request: unallowed token specified");
    fails(get(f, "/bot-5:x/getMe"), 401,
          "Unauthorized: invalid token specified");
    fails(get(f, "/bot:x/getMe"), 421,
          "Misdirected Request: unallowed token specified");
    fails(get(f, "/bot1:A"), 404, "Not Found");
    fails(get(f, "/bot1:A/test"), 404, "Not Found");
    fails(get(f, "/bot1:A/"), 404, "Not Found: method not found");
    fails(get(f, "/bot1:A/a/b/getMe"), 404, "Not Found: method not found");
    fails(get(f, "/file/bot1:A/photos/1.jpg"), 404, "Not Found");
    fails(get(f, "/bot1:A/getYou"), 404, "Not Found: method not found");
    assert_int_equal(request(f, "PUT", "/bot1:A/getMe", NULL, NULL, 0)->status,
                     501);
}

static void a_given_token_is_the_only_one(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, "5:secret");
    assert_int_equal(int_at(result(get(&f, "/bot5:secret/getMe")), "id"), 5);
    fails(get(&f, "/bot5:other/getMe"), 401, "Unauthorized");
    fails(get(&f, "/bot6:secret/getMe"), 401, "Unauthorized");
    fixture_close(&f);
}

static void a_message_is_stored_and_answered(void **state)
{
    struct fixture *f = *state;
    json_t *m = send_text(f, BUTTON);
    assert_int_equal(int_at(m, "message_id"), 1);
    assert_int_equal(int_at(m, "date"), EPOCH_MS / 1000);
    assert_int_equal(int_at(m, "from.id"), 1);
    assert_string_equal(text_at(m, "chat.type"), "private");
    assert_string_equal(text_at(m, "chat.first_name"), "Ann");
    json_t *seen = at(messages(f), "0");
    assert_string_equal(text_at(seen, "text"), "hi");
    same_json(at(seen, "buttons"),
              "[[{\"text\":\"Yes\",\"data\":\"y:1\"},"
              "{\"text\":\"Site\",\"url\":\"http://x.y\"}]]");
    assert_int_equal(int_at(send_text(f, ""), "message_id"), 2);
}

static void reply_keyboards_are_shown_not_returned(void **state)
{
    struct fixture *f = *state;
    json_t *m = send_text(f, ",\"reply_markup\":{\"keyboard\":[[\"A\"]]}");
    assert_null(json_object_get(m, "reply_markup"));
    same_json(at(messages(f), "0.reply_markup"), "{\"keyboard\":[[\"A\"]]}");
    fails(api(f, "editMessageText",
              "{\"chat_id\":1001,\"message_id\":1,\"text\":\"x\"}"),
          400, "Bad Request: message can't be edited");
}

static void bad_markup_is_refused(void **state)
{
    static const struct {
        const char *markup;
        const char *error;
    } rows[] = {
        {"\"{\"", "can't parse reply keyboard markup JSON object"},
        {"null", "object expected as reply markup"},
        {"{\"inline_keyboard\":[[{\"text\":\"a\"}]]}",
         "text buttons are unallowed in the inline keyboard"},
        {"{\"inline_keyboard\":[[{\"text\":\"a\",\"callback_data\":\"\"}]]}",
         "BUTTON_DATA_INVALID"},
        {"{\"inline_keyboard\":[[{\"text\":\"a\",\"callback_data\":\"12345678"
         "901234567890123456789012345678901234567890123456789012345\"}]]}",
         "BUTTON_DATA_INVALID"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[512];
        char error[128];
        snprintf(body, sizeof(body),
                 "{\"chat_id\":1001,\"text\":\"x\",\"reply_markup\":%s}",
                 rows[i].markup);
        snprintf(error, sizeof(error), "Bad Request: %s", rows[i].error);
        fails(api(f, "sendMessage", body), 400, error);
    }
    assert_int_equal(json_array_size(messages(f)), 0);
}

static struct answer *send_long(struct fixture *f, const char *unit, int times)
{
    struct buf b = {0};
    buf_puts(&b, "{\"chat_id\":1001,\"text\":\"");
    for (int i = 0; i < times; i++)
        buf_puts(&b, unit);
    buf_puts(&b, "\"}");
    struct answer *a = api(f, "sendMessage", b.data);
    buf_free(&b);
    return a;
}

static void texts_have_bounds(void **state)
{
    struct fixture *f = *state;
    result(send_long(f, "x", 4096));
    result(send_long(f, "\xf0\x9f\x98\x80", 4096));
    fails(send_long(f, "x", 4097), 400, "Bad Request: message is too long");
    fails(send_long(f, "x", 40000), 400, "Bad Request: text is too long");
    fails(send_long(f, " \\n", 5), 400, "Bad Request: text must be non-empty");
    fails(send_long(f, "", 1), 400, "Bad Request: message text is empty");
}

static void unknown_chats_and_people_are_refused(void **state)
{
    struct fixture *f = *state;
    fails(api(f, "sendMessage", "{\"chat_id\":5,\"text\":\"x\"}"), 400,
          "Bad Request: chat not found");
    fails(api(f, "sendMessage", "{\"chat_id\":\"@nobody\",\"text\":\"x\"}"),
          400, "Bad Request: chat not found");
    fails(api(f, "getChat", "{\"chat_id\":null}"), 400,
          "Bad Request: chat not found");
    result(api(f, "getChat", "{\"chat_id\":\"1001x\"}"));
    fine(post(f, "/sim/users",
              "{\"first_name\":\"New\",\"id\":9,\"started\":false}"));
    fails(api(f, "sendMessage", "{\"chat_id\":9,\"text\":\"x\"}"), 403,
          "Forbidden: bot can't initiate conversation with a user");
    fine(post(f, "/sim/send", "{\"from\":9,\"text\":\"/start\"}"));
    result(api(f, "sendMessage", "{\"chat_id\":9,\"text\":\"x\"}"));
}

static void blocking_is_felt_and_told(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/block", "{\"user\":1001,\"blocked\":true}"));
    fails(api(f, "sendMessage", "{\"chat_id\":1001,\"text\":\"x\"}"), 403,
          "Forbidden: bot was blocked by the user");
    fails(api(f, "sendPhoto", "{\"chat_id\":1001,\"photo\":\"x\"}"), 403,
          "Forbidden: bot was blocked by the user");
    refused(post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\"}"), 400,
            "has blocked the bot");
    fine(post(f, "/sim/block", "{\"user\":1001,\"blocked\":false}"));
    send_text(f, "");
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_int_equal(json_array_size(updates), 2);
    assert_string_equal(
        text_at(updates, "0.update.my_chat_member.new_chat_member.status"),
        "kicked");
    assert_string_equal(
        text_at(updates, "1.update.my_chat_member.new_chat_member.status"),
        "member");
}

static void replies_quote(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"question\"}"));
    json_t *m = send_text(f, ",\"reply_parameters\":{\"message_id\":1}");
    assert_string_equal(text_at(m, "reply_to_message.text"), "question");
    m = send_text(f, ",\"reply_parameters\":{\"message_id\":2}");
    assert_null(json_object_get(at(m, "reply_to_message"), "reply_to_message"));
    fails(api(f, "sendMessage",
              "{\"chat_id\":1001,\"text\":\"x\","
              "\"reply_parameters\":{\"message_id\":99}}"),
          400, "Bad Request: message to be replied not found");
    send_text(f, ",\"reply_parameters\":{\"message_id\":99,"
                 "\"allow_sending_without_reply\":true}");
    assert_int_equal(int_at(send_text(f, ",\"reply_to_message_id\":\"1\""),
                            "reply_to_message.message_id"),
                     1);
}

static void entities_are_kept_or_found(void **state)
{
    struct fixture *f = *state;
    json_t *m = send_text(f, ",\"entities\":[{\"type\":\"bold\",\"offset\":0,"
                             "\"length\":2}]");
    assert_string_equal(text_at(m, "entities.0.type"), "bold");
    m = result(api(f, "sendMessage",
                   "{\"chat_id\":1001,\"text\":\"\xf0\x9f\x98\x80 /go@demo_bot"
                   " @someone https://a.b/c?d. #tag\"}"));
    same_json(at(m, "entities"),
              "[{\"offset\":3,\"length\":12,\"type\":\"bot_command\"},"
              "{\"offset\":16,\"length\":8,\"type\":\"mention\"},"
              "{\"offset\":25,\"length\":15,\"type\":\"url\"},"
              "{\"offset\":42,\"length\":4,\"type\":\"hashtag\"}]");
    fails(api(f, "sendMessage",
              "{\"chat_id\":1001,\"text\":\"x\","
              "\"parse_mode\":\"bbcode\"}"),
          400, "Bad Request: unsupported parse_mode");
}

static json_t *send_as(struct fixture *f, const char *text, const char *more)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"chat_id\":1001,\"text\":\"%s\"%s}", text,
             more);
    return result(api(f, "sendMessage", body));
}

static void texts_are_trimmed(void **state)
{
    struct fixture *f = *state;
    json_t *m = send_as(f, " \\n one \\n two \\t\\r\\n ", "");
    assert_string_equal(text_at(m, "text"), "one \n two");
    m = send_as(f, "\\n \xf0\x9f\x98\x80 <b>a </b><i> </i>\\n",
                ",\"parse_mode\":\"HTML\"");
    assert_string_equal(text_at(m, "text"), "\xf0\x9f\x98\x80 a");
    same_json(at(m, "entities"),
              "[{\"offset\":3,\"length\":1,\"type\":\"bold\"}]");
    m = send_as(f, "   a",
                ",\"entities\":[{\"type\":\"code\",\"offset\":1,"
                "\"length\":3}]");
    assert_string_equal(text_at(m, "text"), "  a");
    assert_int_equal(int_at(m, "entities.0.offset"), 0);
    fails(api(f, "editMessageText",
              "{\"chat_id\":1001,\"message_id\":1,\"text\":\"one \\n two \"}"),
          400,
          "Bad Request: message is not modified: specified new message "
          "content and reply markup are exactly the same as a current content "
          "and reply markup of the message");
    fails(api(f, "sendMessage", "{\"chat_id\":1001,\"text\":\" \\n \"}"), 400,
          "Bad Request: text must be non-empty");
}

static void edits_replace(void **state)
{
    struct fixture *f = *state;
    send_text(f, "");
    json_t *m = result(api(f, "editMessageText",
                           "{\"chat_id\":1001,\"message_id\":1,"
                           "\"text\":\"new\"" BUTTON "}"));
    assert_string_equal(text_at(m, "text"), "new");
    assert_int_equal(int_at(m, "edit_date"), EPOCH_MS / 1000);
    assert_string_equal(text_at(messages(f), "0.text"), "new");
    assert_string_equal(text_at(messages(f), "0.buttons.0.0.data"), "y:1");
    /* The same again, the members of its button in another order. */
    fails(api(f, "editMessageText",
              "{\"chat_id\":1001,\"message_id\":1,\"text\":\"new\","
              "\"reply_markup\":{\"inline_keyboard\":[[{\"callback_data\":"
              "\"y:1\",\"text\":\"Yes\"},{\"text\":\"Site\","
              "\"url\":\"http://x.y\"}]]}}"),
          400,
          "Bad Request: message is not modified: specified new message "
          "content and reply markup are exactly the same as a current content "
          "and reply markup of the message");
    m = result(api(f, "editMessageReplyMarkup",
                   "{\"chat_id\":1001,\"message_id\":1}"));
    assert_null(json_object_get(m, "reply_markup"));
    fails(api(f, "editMessageText",
              "{\"chat_id\":1001,\"message_id\":9,\"text\":\"x\"}"),
          400, "Bad Request: message to edit not found");
    fails(api(f, "editMessageCaption", "{\"chat_id\":1001,\"message_id\":1}"),
          400, "Bad Request: there is no caption in the message to edit");
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"mine\"}"));
    fails(api(f, "editMessageText",
              "{\"chat_id\":1001,\"message_id\":2,\"text\":\"x\"}"),
          400, "Bad Request: message can't be edited");
    assert_true(json_is_true(
        result(api(f, "editMessageText",
                   "{\"inline_message_id\":\"abc\",\"text\":\"x\"}"))));
}

static void edits_do_not_change_what_was_quoted(void **state)
{
    struct fixture *f = *state;
    send_text(f, "");
    send_text(f, ",\"reply_parameters\":{\"message_id\":1}");
    result(api(f, "editMessageText",
               "{\"chat_id\":1001,\"message_id\":1,\"text\":\"new\"}"));
    assert_string_equal(text_at(messages(f), "1.reply_to_message.text"), "hi");
}

static void deletes_remove(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++)
        send_text(f, "");
    result(api(f, "deleteMessage", "{\"chat_id\":1001,\"message_id\":2}"));
    fails(api(f, "deleteMessage", "{\"chat_id\":1001,\"message_id\":2}"), 400,
          "Bad Request: message to delete not found");
    result(api(f, "deleteMessages",
               "{\"chat_id\":1001,\"message_ids\":[1,2,77]}"));
    assert_int_equal(json_array_size(messages(f)), 2);
    assert_int_equal(int_at(messages(f), "0.message_id"), 3);
    fails(api(f, "deleteMessages", "{\"chat_id\":1001,\"message_ids\":[]}"),
          400, "Bad Request: message identifiers are not specified");
}

static void copies_and_forwards(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/users", "{\"first_name\":\"Bob\",\"id\":1002}"));
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"/go now\"}"));
    json_t *m = result(api(f, "forwardMessage",
                           "{\"chat_id\":1002,\"from_chat_id\":1001,"
                           "\"message_id\":1}"));
    assert_string_equal(text_at(m, "text"), "/go now");
    assert_string_equal(text_at(m, "entities.0.type"), "bot_command");
    assert_int_equal(int_at(m, "forward_origin.sender_user.id"), 1001);
    assert_int_equal(int_at(m, "chat.id"), 1002);
    m = result(api(f, "copyMessage",
                   "{\"chat_id\":1002,\"from_chat_id\":1001,"
                   "\"message_id\":1}"));
    same_json(m, "{\"message_id\":3}");
    m = result(api(f, "copyMessages",
                   "{\"chat_id\":1002,\"from_chat_id\":1001,"
                   "\"message_ids\":[1,55]}"));
    assert_int_equal(json_array_size(m), 1);
    fails(api(f, "copyMessage",
              "{\"chat_id\":1002,\"from_chat_id\":1001,"
              "\"message_id\":9}"),
          400, "Bad Request: message to copy not found");
    fails(api(f, "forwardMessage",
              "{\"chat_id\":1002,\"from_chat_id\":6,"
              "\"message_id\":9}"),
          400, "Bad Request: chat not found");
}

static void contents_take_what_is_given(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(api(f, "sendPhoto",
                           "{\"chat_id\":1001,\"photo\":\"F1\""
                           ",\"caption\":\"/see\"}"));
    assert_string_equal(text_at(m, "photo.0.file_id"), "F1");
    assert_string_equal(text_at(m, "caption_entities.0.type"), "bot_command");
    m = result(api(f, "sendVenue",
                   "{\"chat_id\":1001,\"latitude\":1.5,\"longitude\":2.5,"
                   "\"title\":\"T\",\"address\":\"A\"}"));
    assert_string_equal(text_at(m, "venue.title"), "T");
    same_json(at(m, "venue.location"), "{\"latitude\":1.5,\"longitude\":2.5}");
    m = result(api(f, "sendPoll",
                   "{\"chat_id\":1001,\"question\":\"Q\",\"options\":"
                   "[\"one\",{\"text\":\"two\"}]}"));
    assert_string_equal(text_at(m, "poll.question"), "Q");
    assert_string_equal(text_at(m, "poll.options.0.text"), "one");
    assert_string_equal(text_at(m, "poll.options.1.text"), "two");
    m = result(api(f, "sendMediaGroup",
                   "{\"chat_id\":1001,\"media\":[{\"type\":\"photo\","
                   "\"media\":\"P\",\"caption\":\"c\"},{\"type\":\"video\","
                   "\"media\":\"V\"}]}"));
    assert_string_equal(text_at(m, "0.photo.0.file_id"), "P");
    assert_string_equal(text_at(m, "1.video.file_id"), "V");
    assert_string_equal(text_at(m, "0.media_group_id"),
                        text_at(m, "1.media_group_id"));
    fails(api(f, "sendMediaGroup", "{\"chat_id\":1001,\"media\":[]}"), 400,
          "Bad Request: there are no messages to send");
    m = result(api(f, "editMessageMedia",
                   "{\"chat_id\":1001,\"message_id\":1,\"media\":{\"type\":"
                   "\"document\",\"media\":\"D\"}}"));
    assert_string_equal(text_at(m, "document.file_id"), "D");
    assert_null(json_object_get(m, "photo"));
}

static void supergroups_count_for_themselves(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/chats",
              "{\"type\":\"supergroup\",\"title\":\"S\","
              "\"members\":[1001],\"id\":-1001234567890123,"
              "\"username\":\"Team\"}"));
    fine(post(f, "/sim/chats",
              "{\"type\":\"group\",\"title\":\"G\","
              "\"members\":[1001],\"id\":-42}"));
    send_text(f, "");
    json_t *m = result(api(f, "sendMessage",
                           "{\"chat_id\":-1001234567890123,"
                           "\"text\":\"x\"}"));
    assert_int_equal(int_at(m, "message_id"), 1);
    assert_int_equal(int_at(m, "chat.id"), -1001234567890123);
    m = result(api(f, "sendMessage", "{\"chat_id\":-42,\"text\":\"x\"}"));
    assert_int_equal(int_at(m, "message_id"), 2);
    m = result(api(f, "sendMessage", "{\"chat_id\":\"@team\",\"text\":\"x\"}"));
    assert_int_equal(int_at(m, "message_id"), 2);
    assert_int_equal(
        int_at(result(api(f, "getChatMemberCount", "{\"chat_id\":\"-42\"}")),
               ""),
        2);
}

static void chats_and_members_are_told(void **state)
{
    struct fixture *f = *state;
    json_t *chat = result(api(f, "getChat", "{\"chat_id\":1001}"));
    assert_string_equal(text_at(chat, "first_name"), "Ann");
    json_t *member =
        result(api(f, "getChatMember", "{\"chat_id\":1001,\"user_id\":1001}"));
    assert_string_equal(text_at(member, "status"), "member");
    fails(api(f, "getChatMember", "{\"chat_id\":1001,\"user_id\":5}"), 400,
          "Bad Request: user not found");
}

static void commands_are_kept_by_scope(void **state)
{
    struct fixture *f = *state;
    result(api(f, "setMyCommands",
               "{\"commands\":[{\"command\":\"go\","
               "\"description\":\"Go\"}]}"));
    json_t *list = result(api(f, "getMyCommands", "{}"));
    assert_string_equal(text_at(list, "0.command"), "go");
    list = result(api(f, "getMyCommands", "{\"language_code\":\"de\"}"));
    assert_int_equal(json_array_size(list), 0);
    result(api(f, "deleteMyCommands", "{}"));
    list = result(api(f, "getMyCommands", "{}"));
    assert_int_equal(json_array_size(list), 0);
    fails(api(f, "setMyCommands", "{\"commands\":\"x\"}"), 400,
          "Bad Request: expected an Array of BotCommand");
}

static void a_button_press_is_answered_once(void **state)
{
    static const char old[] =
        "Bad Request: query is too old and response timeout expired or query "
        "ID is invalid";
    struct fixture *f = *state;
    char body[128];
    send_text(f, BUTTON);
    json_t *press =
        fine(post(f, "/sim/click", "{\"from\":1001,\"text\":\"Yes\"}"));
    assert_true(json_is_false(at(press, "answered")));
    json_t *query = at(fine(get(f, "/sim/updates")), "0.update.callback_query");
    assert_string_equal(text_at(query, "id"), text_at(press, "id"));
    assert_string_equal(text_at(query, "data"), "y:1");
    assert_string_equal(text_at(query, "message.text"), "hi");
    snprintf(body, sizeof(body), "{\"callback_query_id\":\"%s\"}",
             text_at(press, "id"));
    result(api(f, "answerCallbackQuery", body));
    fails(api(f, "answerCallbackQuery", body), 400, old);
    fails(api(f, "answerCallbackQuery", "{\"callback_query_id\":\"1\"}"), 400,
          old);
}

static void two_bots_do_not_see_each_other(void **state)
{
    struct fixture *f = *state;
    send_text(f, "");
    result(post(f, "/bot2:B/sendMessage",
                "{\"chat_id\":1001,\"text\":\"of two\"}"));
    assert_int_equal(
        json_array_size(fine(get(f, "/sim/chats/1001/messages?bot=1"))), 1);
    json_t *of_two = fine(get(f, "/sim/chats/1001/messages"));
    assert_string_equal(text_at(of_two, "0.text"), "of two");
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"x\",\"bot\":1}"));
    json_t *updates = fine(get(f, "/sim/updates"));
    assert_int_equal(int_at(updates, "0.bot"), 1);
    fails(post(f, "/bot2:B/editMessageText",
               "{\"chat_id\":1001,\"message_id\":2,\"text\":\"x\"}"),
          400, "Bad Request: message to edit not found");
}

static void what_came_before_the_bot_waits_for_it(void **state)
{
    struct fixture *f = *state;
    fine(post(f, "/sim/send", "{\"from\":1001,\"text\":\"early\"}"));
    json_t *updates =
        result(post(f, "/bot987:Z/getUpdates", "{\"timeout\":0}"));
    assert_string_equal(text_at(updates, "0.message.text"), "early");
    assert_int_equal(int_at(fine(get(f, "/sim/updates")), "0.bot"), 987);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(get_me_tells_who_the_bot_is),
        SIM_TEST(tokens_are_checked),
        cmocka_unit_test(a_given_token_is_the_only_one),
        SIM_TEST(a_message_is_stored_and_answered),
        SIM_TEST(reply_keyboards_are_shown_not_returned),
        SIM_TEST(bad_markup_is_refused),
        SIM_TEST(texts_have_bounds),
        SIM_TEST(unknown_chats_and_people_are_refused),
        SIM_TEST(blocking_is_felt_and_told),
        SIM_TEST(replies_quote),
        SIM_TEST(entities_are_kept_or_found),
        SIM_TEST(texts_are_trimmed),
        SIM_TEST(edits_replace),
        SIM_TEST(edits_do_not_change_what_was_quoted),
        SIM_TEST(deletes_remove),
        SIM_TEST(copies_and_forwards),
        SIM_TEST(contents_take_what_is_given),
        SIM_TEST(supergroups_count_for_themselves),
        SIM_TEST(chats_and_members_are_told),
        SIM_TEST(commands_are_kept_by_scope),
        SIM_TEST(a_button_press_is_answered_once),
        SIM_TEST(two_bots_do_not_see_each_other),
        SIM_TEST(what_came_before_the_bot_waits_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
