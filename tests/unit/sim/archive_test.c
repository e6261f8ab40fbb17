/* Files: what is kept of them, and who gets their bytes for how long. */
#include "fixture.h"

#include "sim/archive.h"

#define PARTS "multipart/form-data; boundary=BOUND"

static struct answer *upload(struct fixture *f, const char *method,
                             const char *key, const char *name,
                             const char *bytes, size_t len)
{
    char target[64];
    struct buf body = {0};
    snprintf(target, sizeof(target), "/bot1:A/%s", method);
    buf_printf(&body,
               "--BOUND\r\nContent-Disposition: form-data; name=\"chat_id\""
               "\r\n\r\n1001\r\n--BOUND\r\nContent-Disposition: form-data; "
               "name=\"%s\"; filename=\"%s\"\r\n\r\n",
               key, name);
    buf_append(&body, bytes, len);
    buf_puts(&body, "\r\n--BOUND--\r\n");
    struct answer *a = request(f, "POST", target, PARTS, body.data, body.len);
    pass(f, 100);
    buf_free(&body);
    return a;
}

static struct answer *send_id(struct fixture *f, const char *method,
                              const char *key, const char *file_id)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"chat_id\":1001,\"%s\":\"%s\"}", key,
             file_id);
    return api(f, method, body);
}

static struct answer *ask_link(struct fixture *f, const char *file_id)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"file_id\":\"%s\"}", file_id);
    return api(f, "getFile", body);
}

static struct answer *download(struct fixture *f, const char *bot,
                               const char *path, const char *range)
{
    char target[256];
    snprintf(target, sizeof(target), "/file/%s/%s", bot, path);
    return request_range(f, "GET", target, NULL, NULL, 0, range);
}

static void has_bytes(const struct answer *a, int status, const char *bytes,
                      size_t len)
{
    assert_int_equal(a->status, status);
    assert_int_equal(a->body.len, len);
    if (len > 0)
        assert_memory_equal(a->body.data, bytes, len);
}

static void a_link_serves_the_bytes_for_an_hour(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(
        upload(f, "sendDocument", "document", "a.b/c d.TXT", "hello", 5));
    assert_string_equal(text_at(m, "document.file_name"), "c d.TXT");
    assert_string_equal(text_at(m, "document.mime_type"), "text/plain");
    const char *id = text_at(m, "document.file_id");
    fails(download(f, "bot1:A", "documents/file_1.TXT", NULL), 404,
          "Not Found");
    json_t *link = result(ask_link(f, id));
    const char *path = text_at(link, "file_path");
    assert_string_equal(path, "documents/file_1.TXT");
    assert_int_equal(int_at(link, "file_size"), 5);
    struct answer *a = download(f, "bot1:A", path, NULL);
    has_bytes(a, 200, "hello", 5);
    assert_string_equal(a->content_type, "text/plain");
    has_bytes(download(f, "bot1:A/test", path, NULL), 200, "hello", 5);
    fails(download(f, "bot2:B", path, NULL), 404, "Not Found");
    fails(download(f, "bot1:A", "documents/file_1.pdf", NULL), 404,
          "Not Found");
    fails(download(f, "bot1:A", "documents", NULL), 404, "Not Found");
    fails(download(f, "bot0:A", path, NULL), 401,
          "Unauthorized: invalid token specified");
    pass(f, ARCHIVE_LINK_MS - 1000);
    has_bytes(download(f, "bot1:A", path, NULL), 200, "hello", 5);
    pass(f, 2000);
    fails(download(f, "bot1:A", path, NULL), 404, "Not Found");
    result(ask_link(f, id));
    has_bytes(download(f, "bot1:A", path, NULL), 200, "hello", 5);
}

static void parts_of_a_file_are_served(void **state)
{
    static const struct {
        const char *range;
        int status;
        const char *bytes;
        const char *told;
    } rows[] = {
        {"bytes=0-1", 206, "01", "bytes 0-1/10"},
        {"bytes=8-", 206, "89", "bytes 8-9/10"},
        {"bytes=8-100", 206, "89", "bytes 8-9/10"},
        {"bytes=-3", 206, "789", "bytes 7-9/10"},
        {"bytes=-30", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=10-", 416, NULL, "bytes */10"},
        {"bytes=-0", 416, NULL, "bytes */10"},
        {"bytes=3-1", 200, "0123456789", NULL},
        {"bytes=0-1,3-4", 200, "0123456789", NULL},
        {"lines=0-1", 200, "0123456789", NULL},
    };
    struct fixture *f = *state;
    json_t *m =
        result(upload(f, "sendDocument", "document", "x", "0123456789", 10));
    const char *path = text_at(
        result(ask_link(f, text_at(m, "document.file_id"))), "file_path");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer *a = download(f, "bot1:A", path, rows[i].range);
        assert_int_equal(a->status, rows[i].status);
        if (rows[i].bytes != NULL)
            has_bytes(a, rows[i].status, rows[i].bytes, strlen(rows[i].bytes));
        if (rows[i].told != NULL)
            assert_string_equal(a->content_range, rows[i].told);
        else
            assert_null(a->content_range);
    }
}

static void large_uploads_come_back_whole(void **state)
{
    struct fixture *f = *state;
    size_t len = 3 * 1000 * 1000;
    char *bytes = mem_alloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i % 13 == 0 ? '\r' : i * 31);
    json_t *m =
        result(upload(f, "sendDocument", "document", "big.bin", bytes, len));
    assert_int_equal(int_at(m, "document.file_size"), len);
    const char *path = text_at(
        result(ask_link(f, text_at(m, "document.file_id"))), "file_path");
    has_bytes(download(f, "bot1:A", path, NULL), 200, bytes, len);
    has_bytes(download(f, "bot1:A", path, "bytes=1000000-1000099"), 206,
              bytes + 1000000, 100);
    free(bytes);
}

static void a_file_is_sent_again_by_its_id(void **state)
{
    struct fixture *f = *state;
    json_t *m =
        result(upload(f, "sendDocument", "document", "a.pdf", "abc", 3));
    const char *id = text_at(m, "document.file_id");
    json_t *again = result(send_id(f, "sendDocument", "document", id));
    assert_true(json_equal(at(m, "document"), at(again, "document")));
    fails(send_id(f, "sendPhoto", "photo", id), 400,
          "Bad Request: can't use file of type Document as Photo");
    char body[256];
    snprintf(body, sizeof(body), "{\"chat_id\":1001,\"document\":\"%s\"}", id);
    fine(post(f, "/sim/send", "{\"bot\":2,\"from\":1001,\"text\":\"x\"}"));
    fails(post(f, "/bot2:B/sendDocument", body), 400,
          "Bad Request: wrong file identifier/HTTP URL specified");
    fails(post(f, "/bot2:B/getFile", body), 400,
          "Bad Request: file_id not specified");
    fails(ask_link(f, "BQACAgIAA-1-00000000-1"), 400,
          "Bad Request: invalid file_id");
    fails(ask_link(f, "F1"), 400,
          "Bad Request: wrong file_id or the file is temporarily unavailable");
    assert_string_equal(
        text_at(result(send_id(f, "sendDocument", "document", "F1")),
                "document.file_id"),
        "F1");
}

static void photos_have_sizes_as_their_bytes_say(void **state)
{
    static const unsigned char png[] = {
        0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
        'I',  'H', 'D', 'R', 0,    0,    4,    0,    0, 0, 2, 0};
    struct fixture *f = *state;
    json_t *m = result(upload(f, "sendPhoto", "photo", "p.png",
                              (const char *)png, sizeof(png)));
    json_t *photo = at(m, "photo");
    assert_int_equal(json_array_size(photo), 4);
    assert_int_equal(int_at(photo, "0.width"), 90);
    assert_int_equal(int_at(photo, "0.height"), 45);
    assert_int_equal(int_at(photo, "3.width"), 1024);
    assert_int_equal(int_at(photo, "3.height"), 512);
    assert_string_not_equal(text_at(photo, "0.file_unique_id"),
                            text_at(photo, "3.file_unique_id"));
    json_t *again =
        result(send_id(f, "sendPhoto", "photo", text_at(photo, "1.file_id")));
    assert_true(json_equal(photo, at(again, "photo")));
    json_t *link = result(ask_link(f, text_at(photo, "3.file_id")));
    assert_string_equal(text_at(link, "file_path"), "photos/file_4.jpg");
    struct answer *a = download(f, "bot1:A", "photos/file_4.jpg", NULL);
    has_bytes(a, 200, (const char *)png, sizeof(png));
    assert_string_equal(a->content_type, "image/png");
}

static void photos_that_are_none_are_refused(void **state)
{
    unsigned char png[] = {0x89, 'P', 'N', 'G',  '\r', '\n', 0x1a, '\n',
                           0,    0,   0,   13,   'I',  'H',  'D',  'R',
                           0,    0,   7,   0xd1, 0,    0,    0,    100};
    struct fixture *f = *state;
    size_t len = 10 * 1024 * 1024 + 1;
    char *bytes = mem_zero(len, 1);
    fails(upload(f, "sendPhoto", "photo", "p", (char *)png, sizeof(png)), 400,
          "Bad Request: PHOTO_INVALID_DIMENSIONS");
    png[19] = 0xd0;
    result(upload(f, "sendPhoto", "photo", "p", (char *)png, sizeof(png)));
    fails(upload(f, "sendPhoto", "photo", "p", bytes, len), 400,
          "Bad Request: file of size 10485761 bytes is too big for a photo; "
          "the maximum size is 10485760 bytes");
    result(upload(f, "sendPhoto", "photo", "p", bytes, len - 1));
    fails(upload(f, "sendDocument", "document", "x", "", 0), 400,
          "Bad Request: file must be non-empty");
    free(bytes);
}

static void a_test_may_set_the_public_servers_limits(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(upload(f, "sendDocument", "document", "x", "12345", 5));
    fine(post(f, "/sim/limits",
              "{\"per_second\":0,\"per_chat\":0,\"per_group_minute\":0,"
              "\"upload_max\":5,\"download_max\":4}"));
    assert_int_equal(int_at(fine(get(f, "/sim/limits")), "upload_max"), 5);
    fails(ask_link(f, text_at(m, "document.file_id")), 400,
          "Bad Request: file is too big");
    fails(upload(f, "sendDocument", "document", "x", "123456", 6), 413,
          "Request Entity Too Large");
    m = result(upload(f, "sendDocument", "document", "x", "1234", 4));
    fine(post(f, "/sim/limits", LIMITS_OFF)); /* leaves the sizes alone */
    fails(upload(f, "sendDocument", "document", "x", "123456", 6), 413,
          "Request Entity Too Large");
    result(ask_link(f, text_at(m, "document.file_id")));
    refused(post(f, "/sim/limits", "{\"upload_max\":0}"), 400,
            "upload_max: must be 1 to 4194304000 bytes");
    refused(post(f, "/sim/limits", "{\"download_max\":-1}"), 400,
            "download_max: must be 0 to 4194304000 bytes");
}

static void what_people_send_has_bytes(void **state)
{
    struct fixture *f = *state;
    json_t *m = fine(post(f, "/sim/send",
                          "{\"from\":1001,\"document\":{\"name\":\"n.csv\","
                          "\"text\":\"a,b\"}}"));
    assert_int_equal(int_at(m, "document.file_size"), 3);
    assert_string_equal(text_at(m, "document.mime_type"), "text/csv");
    const char *path = text_at(
        result(ask_link(f, text_at(m, "document.file_id"))), "file_path");
    has_bytes(download(f, "bot1:A", path, NULL), 200, "a,b", 3);
    m = fine(post(f, "/sim/send",
                  "{\"from\":1001,\"voice\":{\"base64\":\"AP/+YQ==\"}}"));
    char shown[128];
    snprintf(shown, sizeof(shown), "/sim/files/%s",
             text_at(m, "voice.file_id"));
    has_bytes(get(f, shown), 200, "\0\xff\xfe\x61", 4);
    m = fine(
        post(f, "/sim/send", "{\"from\":1001,\"document\":{\"size\":40}}"));
    snprintf(shown, sizeof(shown), "/sim/files/%s",
             text_at(m, "document.file_id"));
    has_bytes(get(f, shown), 200, "0123456789abcdefghijklmnopqrstuvwxyz\n012",
              40);
    m = fine(post(f, "/sim/send", "{\"from\":1001,\"photo\":true}"));
    snprintf(shown, sizeof(shown), "/sim/files/%s",
             text_at(m, "photo.0.file_id"));
    assert_string_equal(get(f, shown)->content_type, "image/png");
    refused(
        post(f, "/sim/send", "{\"from\":1001,\"document\":{\"base64\":\"a\"}}"),
        400, "document: base64: is none");
    refused(post(f, "/sim/send",
                 "{\"from\":1001,\"document\":{\"size\":4194304001}}"),
            400, "document: size: must be 0 to 4194304000 bytes");
    refused(get(f, "/sim/files/none"), 404, "there is no file none");
}

/* Gigabytes take no room, and a part of them is at hand. */
static void made_files_may_be_huge(void **state)
{
    static const char zeros[100] = {0};
    struct fixture *f = *state;
    json_t *m = fine(post(f, "/sim/send",
                          "{\"from\":1001,\"document\":{\"name\":\"big\","
                          "\"size\":2000000000}}"));
    pass(f, 100);
    const char *path = text_at(
        result(ask_link(f, text_at(m, "document.file_id"))), "file_path");
    struct answer *a = download(f, "bot1:A", path, "bytes=1999999900-");
    has_bytes(a, 206, zeros, 100);
    assert_string_equal(a->content_range,
                        "bytes 1999999900-1999999999/2000000000");
    has_bytes(download(f, "bot1:A", path, "bytes=10-12"), 206, "abc", 3);
}

static void the_oldest_bytes_are_forgotten_first(void **state)
{
    struct fixture *f = *state;
    json_t *first = fine(
        post(f, "/sim/send", "{\"from\":1001,\"document\":{\"name\":\"n\"}}"));
    const char *id = text_at(first, "document.file_id");
    for (int i = 1; i < ARCHIVE_CONTENTS_MAX; i++)
        fine(post(f, "/sim/send", "{\"from\":1001,\"document\":true}"));
    result(ask_link(f, id));
    fine(post(f, "/sim/send", "{\"from\":1001,\"document\":true}"));
    fails(ask_link(f, id), 400,
          "Bad Request: wrong file_id or the file is temporarily unavailable");
    fails(download(f, "bot1:A", "documents/file_1", NULL), 404, "Not Found");
    json_t *again = result(send_id(f, "sendDocument", "document", id));
    assert_true(json_equal(at(first, "document"), at(again, "document")));
}

static void a_full_disk_fails_the_call(void **state)
{
    struct fixture *f = *state;
    size_t len = 1000 * 1000;
    char *bytes = mem_zero(len, 1);
    setenv("TMPDIR", "/nonexistent", 1);
    struct answer *a = upload(f, "sendDocument", "document", "x", bytes, len);
    unsetenv("TMPDIR");
    fails(a, 500,
          "Internal Server Error: a file cannot be kept in $TMPDIR: No such "
          "file or directory");
    result(upload(f, "sendDocument", "document", "x", bytes, len));
    free(bytes);
}

static void fault(struct fixture *f, const char *mode)
{
    char body[128];
    snprintf(body, sizeof(body),
             "{\"mode\":\"%s\",\"method\":\"file\",\"retry_after\":7}", mode);
    fine(post(f, "/sim/faults", body));
}

static void downloads_fail_on_demand(void **state)
{
    struct fixture *f = *state;
    json_t *m =
        result(upload(f, "sendDocument", "document", "x", "0123456789", 10));
    const char *path = text_at(
        result(ask_link(f, text_at(m, "document.file_id"))), "file_path");
    fault(f, "429");
    struct answer *a = download(f, "bot1:A", path, NULL);
    fails(a, 429, "Too Many Requests: retry after 7");
    assert_string_equal(a->retry_after, "7");
    fault(f, "500");
    fails(download(f, "bot1:A", path, NULL), 500,
          "Internal Server Error: restart");
    fault(f, "502html");
    assert_int_equal(download(f, "bot1:A", path, NULL)->status, 502);
    fault(f, "cut_before");
    assert_true(download(f, "bot1:A", path, NULL)->dropped);
    fault(f, "cut_after");
    a = download(f, "bot1:A", path, NULL);
    has_bytes(a, 200, "01234", 5);
    assert_int_equal(a->promised, 10);
    fault(f, "slow");
    a = download(f, "bot1:A", path, NULL);
    assert_non_null(a->open);
    pass(f, 1000);
    has_bytes(a, 200, "0123456789", 10);
    json_t *calls = fine(get(f, "/sim/calls"));
    static const struct {
        int status;
        const char *fault;
    } told[] = {{429, "429"},      {500, "500"},     {502, "502html"},
                {0, "cut_before"}, {0, "cut_after"}, {200, "slow"}};
    for (size_t i = 0; i < 6; i++) {
        json_t *row = json_array_get(calls, i + 2);
        assert_string_equal(text_at(row, "method"), "file");
        assert_string_equal(text_at(row, "params.path"), path);
        assert_int_equal(int_at(row, "status"), told[i].status);
        assert_string_equal(text_at(row, "fault"), told[i].fault);
    }
}

static void a_peer_that_leaves_ends_its_upload(void **state)
{
    struct fixture *f = *state;
    struct buf body = {0};
    buf_puts(&body, "--BOUND\r\nContent-Disposition: form-data; name=\"a\"; "
                    "filename=\"b\"\r\n\r\n");
    while (body.len < 1000 * 1000)
        buf_puts(&body, "0123456789");
    struct answer *a =
        request(f, "POST", "/bot1:A/sendDocument", PARTS, body.data, body.len);
    assert_non_null(a->open); /* a write is due */
    hang_up(a);
    request(f, "POST", "/bot1:A/sendDocument", PARTS, body.data, body.len);
    pass(f, 100);
    buf_free(&body);
    assert_int_equal(json_array_size(fine(get(f, "/sim/calls"))), 0);
}

static void addresses_are_not_fetched(void **state)
{
    struct fixture *f = *state;
    json_t *m = result(send_id(f, "sendDocument", "document",
                               "https://a.example/b/report.pdf?x=1"));
    assert_string_equal(text_at(m, "document.file_name"), "report.pdf");
    result(ask_link(f, text_at(m, "document.file_id")));
    m = result(send_id(f, "sendPhoto", "photo", "https://a.example/p.jpg"));
    assert_int_equal(int_at(m, "photo.2.width"), 800);
    fails(send_id(f, "sendPhoto", "photo", "https://a.invalid/p.jpg"), 400,
          "Bad Request: failed to get HTTP URL content");
    fails(send_id(f, "sendPhoto", "photo", "https:///p.jpg"), 400,
          "Bad Request: wrong HTTP URL specified");
    fails(send_id(f, "sendPhoto", "photo", "https://a.example/p.html"), 400,
          "Bad Request: wrong type of the web page content");
}

static void long_names_are_cut(void **state)
{
    struct fixture *f = *state;
    char name[128];
    memset(name, 'n', 70);
    snprintf(name + 70, sizeof(name) - 70, ".12345678901234567");
    json_t *m = result(upload(f, "sendDocument", "document", name, "x", 1));
    const char *kept = text_at(m, "document.file_name");
    assert_int_equal(strlen(kept), 64 + 1 + 16);
    assert_memory_equal(kept, name, 64);
    assert_string_equal(kept + 64, ".1234567890123456");
    m = result(
        upload(f, "sendDocument", "document", "..\\\\..\\\\a<b>.t", "x", 1));
    assert_string_equal(text_at(m, "document.file_name"), "a b.t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(a_link_serves_the_bytes_for_an_hour),
        SIM_TEST(parts_of_a_file_are_served),
        SIM_TEST(large_uploads_come_back_whole),
        SIM_TEST(a_file_is_sent_again_by_its_id),
        SIM_TEST(photos_have_sizes_as_their_bytes_say),
        SIM_TEST(photos_that_are_none_are_refused),
        SIM_TEST(a_test_may_set_the_public_servers_limits),
        SIM_TEST(what_people_send_has_bytes),
        SIM_TEST(made_files_may_be_huge),
        SIM_TEST(the_oldest_bytes_are_forgotten_first),
        SIM_TEST(a_full_disk_fails_the_call),
        SIM_TEST(downloads_fail_on_demand),
        SIM_TEST(a_peer_that_leaves_ends_its_upload),
        SIM_TEST(addresses_are_not_fetched),
        SIM_TEST(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
