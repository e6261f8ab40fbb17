/* Parameters of API calls in all encodings. */
#include "fixture.h"

#include "base/buf.h"

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
        "\r\n--BOUND--\r\n";
    struct fixture *f = *state;
    json_t *m = result(parts(f, "sendDocument", body));
    assert_string_equal(text_at(m, "document.file_name"), "a b.txt");
    assert_int_equal(int_at(m, "document.file_size"), 15);
    assert_null(json_object_get(m, "caption"));
    same_json(at(fine(get(f, "/sim/calls")), "0.params.document"),
              "{\"file_name\":\"a b.txt\",\"size\":15}");
    m = result(parts(f, "sendDocument", attached));
    assert_string_equal(text_at(m, "document.file_name"), "x.bin");
    assert_int_equal(int_at(m, "document.file_size"), 0);
}

static void broken_multipart_ends_quietly(void **state)
{
    struct fixture *f = *state;
    static const char open_part[] =
        "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n"
        "1001";
    static const char *const bodies[] = {
        "",
        "--BOUND",
        "--BOUND\r\n",
        "--BOUND\r\nContent-Disposition: x",
        open_part,
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        fails(parts(f, "sendMessage", bodies[i]), 400,
              "Bad Request: chat_id is empty");
}

static void what_the_server_does_not_read_is_refused(void **state)
{
    struct fixture *f = *state;
    struct answer *a =
        request(f, "POST", "/bot1:A/getMe", "text/plain", "x", 1);
    assert_int_equal(a->status, 415);
    assert_int_equal(a->body.len, 0);
    a = request(f, "POST", "/bot1:A/getMe", "multipart/form-data", "x", 1);
    assert_int_equal(a->status, 413);
    struct buf big = {0};
    buf_puts(&big, "text=");
    for (int i = 0; i < 1024 * 1024 + 1; i++)
        buf_putc(&big, 'x');
    a = form(f, "/bot1:A/sendMessage", big.data);
    buf_free(&big);
    assert_int_equal(a->status, 413);
    fails(form(f, "/bot1:A/sendMessage", "chat_id=1001&text=%ff"), 400,
          "Bad Request: strings must be encoded in UTF-8");
    fails(form(f, "/bot1:A/sendMessage", "chat_id=1001&text=%ed%a0%80"), 400,
          "Bad Request: strings must be encoded in UTF-8");
    fails(api(f, "getMe", "{\"x\":[\"\xff\"],\"\xfe\":1}"), 400,
          "Bad Request: strings must be encoded in UTF-8");
    fails(get(f, "/bot1:A/get%ffMe"), 404, "Not Found: method not found");
    json_t *calls = fine(get(f, "/sim/calls"));
    same_json(at(calls, "2.params"), "{\"x\":\"\",\"\xef\xbf\xbd\":1}");
    assert_string_equal(text_at(calls, "3.method"), "?");
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
        SIM_TEST(broken_multipart_ends_quietly),
        SIM_TEST(what_the_server_does_not_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
