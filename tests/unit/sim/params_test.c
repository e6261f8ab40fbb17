/* Parameters of API calls in all encodings. */
#include "fixture.h"

#include "base/buf.h"
#include "sim/params.h"

#define FORM "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data; boundary=BOUND"

static struct answer *form(struct fixture *f, const char *target,
                           const char *body)
{
    return request(f, "POST", target, FORM, body, strlen(body));
}

static struct answer *parts(struct fixture *f, const char *method,
                            const char *body)
{
    char target[64];
    snprintf(target, sizeof(target), "/bot1:A/%s", method);
    return request(f, "POST", target, PARTS, body, strlen(body));
}

static void all_encodings_say_the_same(void **state)
{
    static const char multipart[] =
        "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
        "1001\r\n--BOUND\r\ncontent-disposition: form-data; name=\"text\"\r\n"
        "Content-Type: text/plain\r\n\r\na +b&\xc3\xa4\r\n--BOUND--\r\n";
    struct fixture *f = *state;
    struct answer *answers[] = {
        get(f, "/bot1:A/sendMessage?chat_id=1001&text=a+%2Bb%26%C3%A4"),
        form(f, "/bot1:A/sendMessage", "chat_id=1001&text=a+%2Bb%26%C3%A4"),
        api(f, "sendMessage", "{\"chat_id\":1001,\"text\":\"a +b&\\u00e4\"}"),
        api(f, "sendMessage",
            "{\"chat_id\":\"1001\",\"text\":"
            "\"a +b&\xc3\xa4\"}"),
        parts(f, "sendMessage", multipart),
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        json_t *m = result(answers[i]);
        assert_string_equal(text_at(m, "text"), "a +b&\xc3\xa4");
        char path[32];
        snprintf(path, sizeof(path), "%zu.params", i);
        same_json(at(fine(get(f, "/sim/calls")), path),
                  "{\"chat_id\":1001,\"text\":\"a +b&\xc3\xa4\"}");
    }
}

static void the_first_value_wins_and_the_query_is_first(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(form(f, "/bot1:A/sendMessage?text=query&text=second",
                            "chat_id=1001&chat_id=5&text=body"));
    assert_string_equal(text_at(m, "text"), "query");
    same_json(at(fine(get(f, "/sim/calls")), "0.params"),
              "{\"text\":\"query\",\"chat_id\":1001}");
}

static void broken_json_counts_until_the_break(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(
        api(f, "sendMessage", "{\"chat_id\":1001,\"text\":\"x\",\"y\":[1,"));
    assert_string_equal(text_at(m, "text"), "x");
    fails(api(f, "sendMessage", "{\"chat_id\":1001,\"text\":\"x"), 400,
          "Bad Request: message text is empty");
    fails(api(f, "sendMessage", "{\"chat_id\":1001 \"text\":\"x\"}"), 400,
          "Bad Request: message text is empty");
    fails(api(f, "sendMessage", "[1]"), 400, "Bad Request: chat_id is empty");
    fails(api(f, "sendMessage", "{\"chat_id\":}"), 400,
          "Bad Request: chat_id is empty");
    result(api(f, "getMe", "nonsense"));
}

static void other_values_are_kept_as_raw_text(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(api(f, "sendMessage",
                           "{ \"chat_id\" : 1001 , \"text\" : [1, \"}\" ]}"));
    assert_string_equal(text_at(m, "text"), "[1, \"}\" ]");
    m = result(api(f, "sendMessage", "{\"chat_id\":1001,\"text\":null}"));
    assert_string_equal(text_at(m, "text"), "null");
    m = result(form(f, "/bot1:A/sendMessage",
                    "chat_id=1001&text=x&reply_markup="
                    "{\"inline_keyboard\":[[{\"text\":\"a\",\"url\":"
                    "\"u\"}]]}"));
    assert_string_equal(text_at(m, "reply_markup.inline_keyboard.0.0.url"),
                        "u");
}

static void uploads_are_seen(void **state)
{
    static const char body[] =
        "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
        "1001\r\n--BOUND\r\nContent-Disposition: form-data; "
        "name=\"document\"; filename=\"a b.txt\"\r\n"
        "Content-Type: text/plain\r\n\r\n12345\r\n--BOUN\r\n"
        "\r\n--BOUND\r\nContent-Disposition: form-data; name=\"caption\"\r\n"
        "\r\n\r\n--BOUND--\r\n";
    static const char attached[] =
        "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
        "1001\r\n--BOUND\r\nContent-Disposition: form-data; "
        "name=\"document\"\r\n\r\nattach://part7\r\n--BOUND\r\n"
        "Content-Disposition: form-data; name=part7; filename=x.bin\r\n\r\n"
        "y\r\n--BOUND--\r\n";
    struct fixture *f = *state;
    json_t *m = result(parts(f, "sendDocument", body));
    assert_string_equal(text_at(m, "document.file_name"), "a b.txt");
    assert_int_equal(int_at(m, "document.file_size"), 15);
    assert_null(json_object_get(m, "caption"));
    same_json(at(fine(get(f, "/sim/calls")), "0.params.document"),
              "{\"file_name\":\"a b.txt\",\"size\":15}");
    m = result(parts(f, "sendDocument", attached));
    assert_string_equal(text_at(m, "document.file_name"), "x.bin");
    assert_int_equal(int_at(m, "document.file_size"), 1);
}

static void no_body(const struct answer *a, int status)
{
    assert_int_equal(a->status, status);
    assert_int_equal(a->body.len, 0);
}

static void broken_multipart_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    static const char open_part[] =
        "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
        "1001";
    static const char nameless[] =
        "--BOUND\r\nContent-Disposition: form-data\r\n\r\n1\r\n--BOUND--";
    static const char *const bodies[] = {
        "x",           "--BOUND",
        "--BOUND\r\n", "--BOUND\r\nContent-Disposition: x",
        open_part,     nameless,
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        no_body(parts(f, "sendMessage", bodies[i]), 400);
    fails(parts(f, "sendMessage", ""), 400, "Bad Request: chat_id is empty");
    fails(parts(f, "sendMessage", "--BOUND--"), 400,
          "Bad Request: chat_id is empty");
}

static void a_part_that_is_not_there_is_no_file(void **state)
{
    struct fixture *f = *state;
    static const char *const files[] = {"attach://none", "two words",
                                        "ftp://a.b/c"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char body[256];
        snprintf(body, sizeof(body), "{\"chat_id\":1001,\"photo\":\"%s\"}",
                 files[i]);
        fails(api(f, "sendPhoto", body), 400,
              "Bad Request: wrong file identifier/HTTP URL specified");
        snprintf(body, sizeof(body),
                 "{\"chat_id\":1001,\"media\":[{\"type\":\"photo\",\"media\":"
                 "\"P\"},{\"type\":\"photo\",\"media\":\"%s\"}]}",
                 files[i]);
        fails(api(f, "sendMediaGroup", body), 400,
              "Bad Request: wrong file identifier/HTTP URL specified");
    }
    assert_int_equal(json_array_size(fine(get(f, "/sim/chats/1001/messages"))),
                     0);
    result(api(f, "sendPhoto",
               "{\"chat_id\":1001,\"photo\":\"https://a.b/c.jpg\"}"));
}

static void attached_parts_reach_albums(void **state)
{
    static const char body[] =
        "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
        "1001\r\n--BOUND\r\nContent-Disposition: form-data; name=\"media\""
        "\r\n\r\n[{\"type\":\"document\",\"media\":\"attach://a\"},"
        "{\"type\":\"document\",\"media\":\"F2\"}]\r\n--BOUND\r\n"
        "Content-Disposition: form-data; name=\"a\"; filename=\"x.txt\""
        "\r\n\r\n12345\r\n--BOUND--\r\n";
    struct fixture *f = *state;
    json_t *sent = result(parts(f, "sendMediaGroup", body));
    assert_string_equal(text_at(sent, "0.document.file_name"), "x.txt");
    assert_int_equal(int_at(sent, "0.document.file_size"), 5);
    assert_string_equal(text_at(sent, "1.document.file_id"), "F2");
}

static void numbers_are_clamped_and_truth_has_words(void **state)
{
    static const struct {
        const char *value;
        bool alert;
    } rows[] = {
        {"true", true}, {"\"TRUE\"", true}, {"\"yes\"", true}, {"1", true},
        {"0", false},   {"2", false},       {"\"on\"", false}, {"null", false},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[128];
        snprintf(body, sizeof(body),
                 "{\"chat_id\":1001,\"text\":\"x\",\"protect_content\":%s}",
                 rows[i].value);
        json_t *m = result(api(f, "sendMessage", body));
        assert_int_equal(json_object_get(m, "has_protected_content") != NULL,
                         rows[i].alert);
    }
    fails(api(f, "deleteMessage",
              "{\"chat_id\":1001,\"message_id\":99999999999999999999}"),
          400, "Bad Request: message to delete not found");
    fails(api(f, "deleteMessage",
              "{\"chat_id\":1001,\"message_id\":-99999999999999999999}"),
          400, "Bad Request: message to delete not found");
    result(api(f, "deleteMessage", "{\"chat_id\":1001,\"message_id\":\"2;\"}"));
}

static void they_are_not_too_many(void **state)
{
    struct fixture *f = *state;
    struct buf many = {0};
    for (int i = 0; i < PARAMS_MAX; i++)
        buf_printf(&many, "n%d&", i);
    result(form(f, "/bot1:A/getMe", many.data));
    buf_puts(&many, "more");
    no_body(form(f, "/bot1:A/getMe", many.data), 413);
    buf_free(&many);
}

static void what_the_server_does_not_read_is_refused(void **state)
{
    struct fixture *f = *state;
    result(request(f, "POST", "/bot1:A/getMe?x=1", "text/plain", "\xff", 1));
    no_body(request(f, "POST", "/bot1:A/getMe", "multipart/form-data", "x", 1),
            400);
    struct buf big = {0};
    buf_puts(&big, "text=");
    for (int i = 0; i < 1024 * 1024 + 1; i++)
        buf_putc(&big, 'x');
    no_body(form(f, "/bot1:A/sendMessage", big.data), 413);
    memset(big.data, ' ', big.len);
    no_body(api(f, "getMe", big.data), 413);
    buf_free(&big);
    fails(form(f, "/bot1:A/sendMessage", "chat_id=1001&text=%ff"), 400,
          "Bad Request: strings must be encoded in UTF-8");
    fails(form(f, "/bot1:A/sendMessage", "chat_id=1001&text=%ed%a0%80"), 400,
          "Bad Request: strings must be encoded in UTF-8");
    fails(api(f, "getMe", "{\"x\":[\"\xff\"],\"\xfe\":1}"), 400,
          "Bad Request: strings must be encoded in UTF-8");
    fails(get(f, "/bot1:A/get%ffMe"), 404, "Not Found: method not found");
    json_t *calls = fine(get(f, "/sim/calls"));
    same_json(at(calls, "3.params"), "{\"x\":\"\",\"\xef\xbf\xbd\":1}");
    assert_string_equal(text_at(calls, "4.method"), "?");
    result(api(f, "getMe", "{\"x\":\"\\ud800\"}"));
    result(form(f, "/bot1:A/sendMessage", "chat_id=1001&text=100%"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(all_encodings_say_the_same),
        SIM_TEST(the_first_value_wins_and_the_query_is_first),
        SIM_TEST(broken_json_counts_until_the_break),
        SIM_TEST(other_values_are_kept_as_raw_text),
        SIM_TEST(uploads_are_seen),
        SIM_TEST(broken_multipart_ends_the_connection),
        SIM_TEST(a_part_that_is_not_there_is_no_file),
        SIM_TEST(attached_parts_reach_albums),
        SIM_TEST(numbers_are_clamped_and_truth_has_words),
        SIM_TEST(they_are_not_too_many),
        SIM_TEST(what_the_server_does_not_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
