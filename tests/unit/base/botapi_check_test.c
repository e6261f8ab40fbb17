#include "base/botapi_check.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What is wrong with a call; "": nothing. */
static const char *wrong(const char *method, const char *params)
{
    static char text[600];
    struct buf why = {0};
    const struct botapi_method *m = botapi_check_method(method, &why);
    if (m) {
        struct jslice object = js_check(params, strlen(params));
        assert_non_null(object.at);
        bool fits = botapi_check_params(m, object, &why);
        assert_int_equal(fits, why.len == 0);
    } else {
        assert_true(why.len > 0);
    }
    snprintf(text, sizeof text, "%s", why.data ? why.data : "");
    buf_free(&why);
    return text;
}

static void methods_are_known_by_their_spelling(void **state)
{
    (void)state;
    assert_string_equal(wrong("getMe", "{}"), "");
    assert_string_equal(
        wrong("sendMesage", "{}"),
        "there is no Bot API method \"sendMesage\": did you mean sendMessage?");
    assert_string_equal(
        wrong("GETME", "{}"),
        "there is no Bot API method \"GETME\": did you mean getMe?");
    assert_string_equal(wrong("frobnicateAllThings", "{}"),
                        "there is no Bot API method \"frobnicateAllThings\"");
}

static void parameters_are_known(void **state)
{
    (void)state;
    assert_string_equal(
        wrong("sendMessage", "{\"chat_id\":1,\"txt\":\"x\"}"),
        "sendMessage has no parameter \"txt\": did you mean text?");
    assert_string_equal(wrong("getMe", "{\"anything\":1}"),
                        "getMe has no parameter \"anything\"");
    assert_string_equal(
        wrong("sendMessage", "{\"chat_id\":1,\"text\":\"\",\"tex\":1}"),
        "sendMessage has no parameter \"tex\": did you mean text?");
    assert_string_equal(
        wrong("sendMessage", "{\"reply_to_message_id\":1}"),
        "sendMessage has no parameter \"reply_to_message_id\": did you mean "
        "reply_parameters = { message_id = ... }?");
}

static void all_that_is_missing_is_named(void **state)
{
    (void)state;
    assert_string_equal(wrong("sendMessage", "{}"),
                        "sendMessage needs chat_id and text");
    assert_string_equal(wrong("sendMessage", "{\"text\":\"x\"}"),
                        "sendMessage needs chat_id");
    assert_string_equal(wrong("copyMessage", "{\"chat_id\":null}"),
                        "copyMessage needs chat_id, from_chat_id and "
                        "message_id");
}

static void a_list_is_not_taken_for_parameters(void **state)
{
    (void)state;
    assert_string_equal(wrong("sendMessage", "[5,\"x\"]"),
                        "sendMessage takes its parameters by name, got a list");
}

static void values_that_can_be_right_pass(void **state)
{
    static const char *const rows[][2] = {
        {"sendMessage", "{\"chat_id\":-1001234567890,\"text\":\"x\"}"},
        {"sendMessage", "{\"chat_id\":\"@name\",\"text\":5}"},
        {"sendMessage", "{\"chat_id\":12.0,\"text\":\"x\","
                        "\"disable_notification\":\"true\"}"},
        {"sendMessage", "{\"chat_id\":1,\"text\":\"x\",\"protect_content\":1,"
                        "\"reply_markup\":{\"force_reply\":true},"
                        "\"entities\":{}}"},
        {"sendMessage",
         "{\"chat_id\":1,\"text\":\"x\",\"entities\":[],"
         "\"reply_markup\":\"{}\",\"message_thread_id\":\"12\"}"},
        {"sendMessage", "{\"chat_id\":1,\"text\":\"x\",\"parse_mode\":null}"},
        {"sendLocation",
         "{\"chat_id\":1,\"latitude\":1.5,\"longitude\":\"-2.5\"}"},
        {"sendPhoto", "{\"chat_id\":1,\"photo\":{\"path\":\"a.png\"}}"},
        {"sendPhoto", "{\"chat_id\":1,\"photo\":\"AgACAgI\"}"},
        {"sendMessage", "{\"chat_id\":1,\"text\":\"x\",\"entities\":\" []\","
                        "\"reply_markup\":\"\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(wrong(rows[i][0], rows[i][1]), "");
}

static void values_that_cannot_are_named(void **state)
{
    static const char *const rows[][3] = {
        {"deleteMessage", "{\"chat_id\":1,\"message_id\":{\"a\":1}}",
         "deleteMessage: message_id must be Integer, got a table"},
        {"deleteMessage", "{\"chat_id\":1,\"message_id\":\"twelve\"}",
         "deleteMessage: message_id must be Integer, got the text \"twelve\""},
        {"deleteMessage", "{\"chat_id\":1,\"message_id\":1.5}",
         "deleteMessage: message_id must be Integer, got the number 1.5"},
        {"setMessageReaction",
         "{\"chat_id\":1,\"message_id\":1,\"reaction\":\"+1\"}",
         "setMessageReaction: reaction must be Array of ReactionType, got the "
         "text \"+1\""},
        {"sendMessage",
         "{\"chat_id\":1,\"text\":\"x\",\"link_preview_options\":\"[]\"}",
         "sendMessage: link_preview_options must be LinkPreviewOptions, got "
         "the text \"[]\""},
        {"sendMessage", "{\"chat_id\":1.5,\"text\":\"x\"}",
         "sendMessage: chat_id must be Integer or String, got the number 1.5"},
        {"sendMessage", "{\"chat_id\":1e300,\"text\":\"x\"}",
         "sendMessage: chat_id must be Integer or String, got the number "
         "1e300"},
        {"sendMessage", "{\"chat_id\":false,\"text\":\"x\"}",
         "sendMessage: chat_id must be Integer or String, got the boolean "
         "false"},
        {"sendMessage", "{\"chat_id\":1,\"text\":[\"x\"]}",
         "sendMessage: text must be String, got a list"},
        {"sendMessage", "{\"chat_id\":1,\"text\":true}",
         "sendMessage: text must be String, got the boolean true"},
        {"sendMessage",
         "{\"chat_id\":1,\"text\":\"x\",\"protect_content\":\"maybe\"}",
         "sendMessage: protect_content must be Boolean, got the text "
         "\"maybe\""},
        {"sendMessage", "{\"chat_id\":1,\"text\":\"x\",\"entities\":true}",
         "sendMessage: entities must be Array of MessageEntity, got the "
         "boolean true"},
        {"sendLocation",
         "{\"chat_id\":1,\"latitude\":\"north\",\"longitude\":1}",
         "sendLocation: latitude must be Float, got the text \"north\""},
        {"sendMessage",
         "{\"chat_id\":1,\"text\":\"x\",\"link_preview_options\":3}",
         "sendMessage: link_preview_options must be LinkPreviewOptions, got "
         "the number 3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(wrong(rows[i][0], rows[i][1]), rows[i][2]);
}

#define TEN "éééééééééé"
#define LETTERS TEN TEN TEN TEN

static void long_names_and_values_are_cut(void **state)
{
    char params[2000];
    (void)state;
    snprintf(params, sizeof params, "{\"%0900d\":1}", 1);
    assert_true(strlen(wrong("getMe", params)) < 200);
    snprintf(params, sizeof params,
             "{\"chat_id\":1,\"message_id\":\"%0900d x\"}", 1);
    assert_true(strlen(wrong("deleteMessage", params)) < 200);
    for (int i = 0; i < 2; i++) { /* both places of a cut in two bytes */
        snprintf(params, sizeof params,
                 "{\"chat_id\":1,\"message_id\":\"%s" LETTERS "\"}", &"x"[i]);
        assert_non_null(strstr(wrong("deleteMessage", params), "é…"));
        snprintf(params, sizeof params, "{\"%s" LETTERS "\":1}", &"x"[i]);
        assert_non_null(strstr(wrong("getMe", params), "é\""));
    }
    memset(params, 'a', 300);
    params[300] = '\0';
    assert_true(strlen(wrong(params, "{}")) < 200);
}

/* The tables fit what the check assumes. */
static void every_method_can_be_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < botapi_methods_count; i++) {
        const struct botapi_method *m = &botapi_methods[i];
        bool needs = false;
        assert_true(m->params_count <= 64);
        for (size_t p = 0; p < m->params_count; p++)
            needs |= m->params[p].required;
        assert_int_equal(*wrong(m->name, "{}") != '\0', needs);
    }
}

static void the_nearest_name_is_near(void **state)
{
    static const char *const rows[][3] = {
        {"text", "txt", "text"},          {"text", "TEXT", "text"},
        {"text", "etxt", "text"},         {"text", "foo", NULL},
        {"chat_id", "chatid", "chat_id"}, {"chat_id", "user_id", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nearest n = nearest_to(rows[i][1]);
        nearest_try(&n, rows[i][0]);
        if (rows[i][2])
            assert_string_equal(n.found, rows[i][2]);
        else
            assert_null(n.found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_known_by_their_spelling),
        cmocka_unit_test(parameters_are_known),
        cmocka_unit_test(all_that_is_missing_is_named),
        cmocka_unit_test(a_list_is_not_taken_for_parameters),
        cmocka_unit_test(values_that_can_be_right_pass),
        cmocka_unit_test(values_that_cannot_are_named),
        cmocka_unit_test(long_names_and_values_are_cut),
        cmocka_unit_test(every_method_can_be_checked),
        cmocka_unit_test(the_nearest_name_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
