#include "../store/fixture.h"

#include "base/buf.h"
#include "store/files.h"
#include "telegram/multipart.h"

#include <fcntl.h>
#include <sys/stat.h>

struct desk {
    struct world w;
    struct files *files;
    struct multipart *m;
    struct file_reader *reader;
    bool told;
};

static void on_event(void *arg)
{
    struct desk *d = arg;
    d->told = true;
    loop_stop(d->w.loop);
}

static int setup(void **state)
{
    struct desk *d = MEM_NEW(struct desk);
    char path[128];
    world_make_folder(&d->w);
    world_open_loop(&d->w, true);
    world_path(&d->w, "files", path);
    assert_int_equal(mkdir(path, 0700), 0);
    d->files = files_new(d->w.loop, path);
    d->m = multipart_new(&d->w.rng);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    multipart_free(d->m);
    file_reader_close(d->reader);
    world_close_loop(&d->w);
    files_free(d->files);
    world_remove_folder(&d->w);
    free(d);
    return 0;
}

static void put(struct desk *d, const char *content)
{
    char path[128];
    world_path(&d->w, "files/a", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

static void open_file(struct desk *d)
{
    d->reader = file_reader_open(d->files, "a", false, on_event, d);
    world_wait(&d->w, &d->told);
    d->told = false;
    assert_null(file_reader_error(d->reader));
}

static void param(struct desk *d, const char *name, const char *json)
{
    multipart_param(d->m, name, strlen(name), js_check(json, strlen(json)));
}

/* The whole body, `step` bytes at a time. */
static struct buf read_all(struct desk *d, struct api_upload *u, size_t step)
{
    struct buf out = {0};
    while (out.len < u->len) {
        ssize_t n = u->source->read(u->source, buf_reserve(&out, step), step);
        if (n == HTTP_WAIT) {
            world_wait(&d->w, &d->told);
            d->told = false;
            continue;
        }
        assert_true(n > 0);
        out.len += (size_t)n;
        out.data[out.len] = '\0';
    }
    assert_int_equal(out.len, u->len);
    return out;
}

/* The text with each "@" for the boundary. */
static void assert_body(struct api_upload *u, const struct buf *got,
                        const char *text)
{
    const char *boundary = strstr(u->content_type, "boundary=") + 9;
    struct buf want = {0};
    assert_int_equal(strncmp(u->content_type, "multipart/form-data; ", 21), 0);
    for (; *text; text++)
        if (*text == '@')
            buf_puts(&want, boundary);
        else
            buf_putc(&want, *text);
    assert_string_equal(got->data, want.data);
    buf_free(&want);
}

#define PART(name) "--@\r\nContent-Disposition: form-data; name=\"" name "\""
#define FILE(part, name)                                                       \
    PART(part)                                                                 \
    "; filename=\"" name "\"\r\nContent-Type: "                                \
    "application/octet-stream\r\n\r\n"

static void parameters_and_files_are_written_byte_by_byte(void **state)
{
    struct desk *d = *state;
    const size_t steps[] = {1, 7, 100000};
    put(d, "file's");
    open_file(d);
    param(d, "chat_id", "-100123");
    param(d, "caption", "\"a \\u00e4\\n\\\"b\\\"\"");
    param(d, "media", "[{\"media\":\"attach://file1\"}]");
    multipart_file(d->m, "document", "r.pdf", d->reader);
    multipart_bytes(d->m, "file1", "b.txt", "by\0tes", 3);
    multipart_bytes(d->m, "file2", "empty", "", 0);
    struct api_upload *u = multipart_end(d->m, on_event, d);
    assert_int_equal(multipart_total(d->m), 9);
    for (int i = 0; i < 3; i++) {
        u->rewind(u);
        assert_int_equal(multipart_sent(d->m), 0);
        struct buf got = read_all(d, u, steps[i]);
        got.data[strlen(got.data)] = '0'; /* the zero among the bytes */
        assert_body(
            u, &got,
            PART("chat_id") "\r\n\r\n-100123\r\n" PART(
                "caption") "\r\n\r\na "
                           "\xc3\xa4\n\""
                           "b\"\r"
                           "\n" PART(
                               "me"
                               "di"
                               "a") "\r\n\r\n[{\"media\":\"attach://"
                                    "file1\"}]\r\n" FILE(
                                        "documen"
                                        "t",
                                        "r.pdf") "file'"
                                                 "s\r\n" FILE("file1", "b.txt") "by0\r\n" FILE(
                                                     "file2",
                                                     "empty") "\r\n--@--\r\n");
        assert_int_equal(multipart_sent(d->m), 9);
        buf_free(&got);
    }
}

static void a_chat_can_be_replaced(void **state)
{
    struct desk *d = *state;
    param(d, "caption", "\"before\"");
    param(d, "chat_id", "7");
    param(d, "x", "1");
    multipart_bytes(d->m, "document", "n", "text", 4);
    struct api_upload *u = multipart_end(d->m, on_event, d);
    const int64_t chats[] = {-1001234567890, 5};
    const char *const texts[] = {"-1001234567890", "5"};
    for (int i = 0; i < 2; i++) {
        struct buf want = {0};
        u->set_chat(u, chats[i]);
        u->rewind(u);
        struct buf got = read_all(d, u, 64);
        buf_printf(
            &want,
            PART("caption") "\r\n\r\nbefore\r\n" PART(
                "chat_id") "\r\n\r\n%s\r\n" PART("x") "\r\n\r\n1\r"
                                                      "\n" FILE("documen"
                                                                "t",
                                                                "n") "te"
                                                                     "xt"
                                                                     "\r"
                                                                     "\n"
                                                                     "--"
                                                                     "@-"
                                                                     "-"
                                                                     "\r"
                                                                     "\n",
            texts[i]);
        assert_body(u, &got, want.data);
        buf_free(&want);
        buf_free(&got);
    }
}

static void names_cannot_break_a_header(void **state)
{
    static const char *const rows[][2] = {
        {"plain.txt", "plain.txt"},
        {"a\"b\\c.txt", "a_b_c.txt"},
        {"a\r\nX: y", "a__X: y"},
        {"\xd0\xbe\xd1\x82\xe2\x82\xac\xf0\x9f\x98\x80",
         "\xd0\xbe\xd1\x82"
         "\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xff\xc3(\xe2\x82", "__(__"},
        {"\x7f\x01", "__"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf out = {0};
        multipart_put_name(&out, rows[i][0], strlen(rows[i][0]));
        assert_string_equal(out.data, rows[i][1]);
        buf_free(&out);
    }
}

static void a_file_that_shrinks_breaks_the_body(void **state)
{
    struct desk *d = *state;
    char path[128], out[1000];
    put(d, "text that is long enough");
    open_file(d);
    multipart_file(d->m, "document", "n", d->reader);
    struct api_upload *u = multipart_end(d->m, on_event, d);
    world_path(&d->w, "files/a", path);
    assert_int_equal(truncate(path, 3), 0);
    u->rewind(u);
    ssize_t n = u->source->read(u->source, out, sizeof(out));
    assert_true(n > 0); /* the header */
    while ((n = u->source->read(u->source, out, sizeof(out))) == HTTP_WAIT) {
        world_wait(&d->w, &d->told);
        d->told = false;
    }
    assert_int_equal(n, HTTP_BROKEN);
    assert_string_equal(multipart_error(d->m)->message,
                        "a: the file has changed while it was read");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_and_files_are_written_byte_by_byte),
        TEST(a_chat_can_be_replaced),
        TEST(names_cannot_break_a_header),
        TEST(a_file_that_shrinks_breaks_the_body),
    };
    alarm(110);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
