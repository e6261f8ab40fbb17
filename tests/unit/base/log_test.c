#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE_MAX_BYTES 8192

/* A log into memory, at 2026-11-24T02:10:11.123Z. */
struct sink {
    struct clock clock;
    struct log *log;
    int fd;
    char *text; /* what was written, after sink_read */
};

static void sink_open(struct sink *s, enum log_level level,
                      enum log_format format)
{
    clock_init_virtual(&s->clock, INT64_C(1795486211123));
    s->fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(s->fd >= 0);
    s->log = log_new(s->fd, level, format, &s->clock);
    s->text = NULL;
}

static const char *sink_read(struct sink *s)
{
    off_t len = lseek(s->fd, 0, SEEK_END);

    free(s->text);
    s->text = mem_zero(1, (size_t)len + 1);
    assert_int_equal(pread(s->fd, s->text, (size_t)len, 0), len);
    return s->text;
}

static void sink_close(struct sink *s)
{
    log_free(s->log);
    close(s->fd);
    free(s->text);
}

static void text_lines_are_key_value_pairs(void **state)
{
    struct sink s;

    (void)state;
    sink_open(&s, LOG_DEBUG, LOG_TEXT);
    LOG_AT(s.log, LOG_INFO, "polling.start", LOG_S("bot", "demo"),
           LOG_I("n", -3), LOG_D("x", 0.1));
    LOG_AT(s.log, LOG_ERROR, "script.error", LOG_S("a", "two words"),
           LOG_S("b", "q\"q"), LOG_S("c", ""), LOG_S("d", NULL),
           LOG_S("e", "l\nl"), LOG_S("f", "k=v"));
    LOG_AT(s.log, LOG_WARN, "bare");
    assert_string_equal(
        sink_read(&s),
        "2026-11-24T02:10:11.123Z info  polling.start bot=demo n=-3 x=0.1\n"
        "2026-11-24T02:10:11.123Z error script.error a=\"two words\" "
        "b=\"q\\\"q\" c=\"\" d=- e=\"l\\nl\" f=k=v\n"
        "2026-11-24T02:10:11.123Z warn  bare\n");
    sink_close(&s);
}

static void json_lines_are_objects(void **state)
{
    struct sink s;
    const double nan = strtod("nan", NULL);

    (void)state;
    sink_open(&s, LOG_DEBUG, LOG_JSON);
    LOG_AT(s.log, LOG_DEBUG, "a.b", LOG_S("t", "x\"\n\xFF"), LOG_I("i", 9),
           LOG_D("d", 2.5), LOG_D("no", nan));
    assert_string_equal(sink_read(&s),
                        "{\"ts\":\"2026-11-24T02:10:11.123Z\",\"level\":"
                        "\"debug\",\"event\":\"a.b\",\"t\":\"x\\\"\\n"
                        "\xEF\xBF\xBD\",\"i\":9,\"d\":2.5,\"no\":null}\n");
    sink_close(&s);
}

static void nobody_can_forge_a_line(void **state)
{
    struct sink s;

    (void)state;
    sink_open(&s, LOG_DEBUG, LOG_TEXT);
    LOG_AT(s.log, LOG_INFO, "a\nb", LOG_S("k\nl", "v\x1b[0m\r\n"));
    assert_string_equal(sink_read(&s),
                        "2026-11-24T02:10:11.123Z info  \"a\\nb\" "
                        "\"k\\nl\"=\"v\\u001b[0m\\r\\n\"\n");
    sink_close(&s);
}

static int calls;

static int64_t count_call(void)
{
    return ++calls;
}

static void arguments_of_silent_levels_are_not_evaluated(void **state)
{
    struct sink s;

    (void)state;
    sink_open(&s, LOG_WARN, LOG_TEXT);
    calls = 0;
    LOG_AT(s.log, LOG_INFO, "no", LOG_I("n", count_call()));
    log_write(s.log, LOG_DEBUG, "no", (struct log_field[]){{0}});
    assert_int_equal(calls, 0);
    LOG_AT(s.log, LOG_WARN, "yes", LOG_I("n", count_call()));
    assert_int_equal(calls, 1);
    assert_string_equal(sink_read(&s),
                        "2026-11-24T02:10:11.123Z warn  yes n=1\n");
    assert_false(log_enabled(NULL, LOG_ERROR));
    log_write(NULL, LOG_ERROR, "no", NULL);
    log_free(NULL);
    sink_close(&s);
    sink_open(&s, LOG_OFF, LOG_TEXT);
    LOG_AT(s.log, LOG_ERROR, "no");
    assert_string_equal(sink_read(&s), "");
    sink_close(&s);
}

static void levels_have_names(void **state)
{
    enum log_level level;

    (void)state;
    assert_true(log_parse_level("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_parse_level("OFF", &level));
    assert_int_equal(level, LOG_OFF);
    assert_false(log_parse_level("loud", &level));
    assert_false(log_parse_level("", &level));
}

static void secrets_are_cut_out_of_every_value(void **state)
{
    struct sink s;

    (void)state;
    sink_open(&s, LOG_DEBUG, LOG_TEXT);
    log_hide(s.log, "12:AB");
    log_hide(s.log, "12:ABCDEF");
    log_hide(s.log, "pass word");
    log_hide(s.log, "abc");
    log_hide(s.log, NULL);
    LOG_AT(s.log, LOG_INFO, "e", LOG_S("whole", "12:ABCDEF"),
           LOG_S("url", "https://h/bot12:ABCDEF/getMe?12:AB"),
           LOG_S("twice", "pass wordpass word"), LOG_S("short", "abc"),
           LOG_S("part", "12:A"));
    LOG_AT(s.log, LOG_INFO, "got 12:AB");
    assert_string_equal(
        sink_read(&s),
        "2026-11-24T02:10:11.123Z info  e whole=*** url=https://h/bot***/"
        "getMe?*** twice=****** short=abc part=12:A\n"
        "2026-11-24T02:10:11.123Z info  \"got ***\"\n");
    sink_close(&s);
}

/* The cut may not leave the front half of a secret behind. */
static void a_secret_at_the_cut_is_hidden_too(void **state)
{
    struct sink s;

    (void)state;
    sink_open(&s, LOG_DEBUG, LOG_TEXT);
    log_hide(s.log, "SECRETSECRETSECRETSECRET");
    for (size_t before = 8000; before < 8192; before++) {
        char *text = mem_alloc(before + 32);

        memset(text, 'x', before);
        strcpy(text + before, "SECRETSECRETSECRETSECRET");
        LOG_AT(s.log, LOG_INFO, "e", LOG_S("t", text));
        free(text);
    }
    assert_null(strstr(sink_read(&s), "S"));
    assert_non_null(strstr(s.text, "cut=true"));
    sink_close(&s);
}

static void expect_bounded(const char *text, enum log_format format)
{
    struct sink s;
    const char *ending =
        format == LOG_JSON ? ",\"cut\":true}\n" : " cut=true\n";

    sink_open(&s, LOG_DEBUG, format);
    LOG_AT(s.log, LOG_INFO, "e", LOG_S("first", "1"), LOG_S("text", text),
           LOG_S("after", "1"));
    const char *line = sink_read(&s);
    size_t len = strlen(line);

    assert_in_range(len, 7000, LINE_MAX_BYTES);
    assert_string_equal(line + len - strlen(ending), ending);
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    assert_null(strstr(line, "after"));
    assert_null(strstr(line, "\xEF\xBF\xBD"));
    if (format == LOG_JSON)
        assert_non_null(js_check(line, len).at);
    sink_close(&s);
}

static void long_lines_are_cut_and_say_so(void **state)
{
    static const char *const patterns[] = {
        "x", "\n", "\"", "\xD0\x9F", "a\xF0\x9F\x98\x80", "\x01y"};

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct buf text = {0};

        while (text.len < 20000)
            buf_puts(&text, patterns[i]);
        for (int shift = 0; shift < 5; shift++) {
            char *part = mem_printf("%.*s%s", shift, "aaaaa", text.data);
            expect_bounded(part, LOG_TEXT);
            expect_bounded(part, LOG_JSON);
            free(part);
        }
        buf_free(&text);
    }
}

static void many_fields_are_cut_too(void **state)
{
    struct sink s;
    struct log_field fields[1001];

    (void)state;
    for (int i = 0; i < 1000; i++)
        fields[i] = (struct log_field)LOG_I("some_number", 123456789 + i);
    fields[1000] = (struct log_field){.type = LOG_END};
    sink_open(&s, LOG_DEBUG, LOG_JSON);
    log_write(s.log, LOG_INFO, "e", fields);
    size_t len = strlen(sink_read(&s));

    assert_in_range(len, 8100, LINE_MAX_BYTES);
    assert_non_null(js_check(s.text, len).at);
    assert_non_null(strstr(s.text, ",\"cut\":true}\n"));
    sink_close(&s);
}

static void *write_lines(void *arg)
{
    char text[6000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 100; i++)
        LOG_AT((struct log *)arg, LOG_INFO, "thread", LOG_S("t", text));
    return NULL;
}

struct pipe_reader {
    int fd;
    struct buf text;
};

static void *read_pipe(void *arg)
{
    struct pipe_reader *r = arg;
    ssize_t n;

    while ((n = read(r->fd, buf_reserve(&r->text, 65536), 65536)) > 0)
        r->text.len += (size_t)n;
    buf_append(&r->text, "", 0);
    return NULL;
}

/* On a pipe, longer writes than PIPE_BUF would mix. */
static void lines_of_several_threads_do_not_mix(void **state)
{
    struct clock clock;
    pthread_t writers[4], reader;
    struct pipe_reader r = {0};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    clock_init_real(&clock);
    struct log *log = log_new(ends[1], LOG_INFO, LOG_JSON, &clock);

    r.fd = ends[0];
    assert_int_equal(pthread_create(&reader, NULL, read_pipe, &r), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_lines, log),
                         0);
    for (int i = 0; i < 4; i++)
        pthread_join(writers[i], NULL);
    close(ends[1]);
    pthread_join(reader, NULL);
    close(ends[0]);
    log_free(log);

    int lines = 0;
    char *rest = r.text.data;
    char *line;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        assert_non_null(js_check(line, strlen(line)).at);
        lines++;
    }
    assert_int_equal(lines, 400);
    buf_free(&r.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_are_key_value_pairs),
        cmocka_unit_test(json_lines_are_objects),
        cmocka_unit_test(nobody_can_forge_a_line),
        cmocka_unit_test(arguments_of_silent_levels_are_not_evaluated),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(secrets_are_cut_out_of_every_value),
        cmocka_unit_test(a_secret_at_the_cut_is_hidden_too),
        cmocka_unit_test(long_lines_are_cut_and_say_so),
        cmocka_unit_test(many_fields_are_cut_too),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
