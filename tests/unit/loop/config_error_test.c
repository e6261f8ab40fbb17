#include "config_trial.h"

#include "base/rng.h"

/* A value that is refused on line 12 of config.lua. */
struct bad_value {
    const char *key, *value, *error;
};

static void expect_errors(const struct bad_value *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_error(
            &(struct trial){.entries = {{rows[i].key, rows[i].value, 12}}},
            rows[i].error);
}

static void bad_numbers_name_file_line_and_key(void **state)
{
    static const struct bad_value rows[] = {
        {"redis_port", "abc",
         "config.lua:12: redis_port must be 1..65535, got \"abc\""},
        {"http_port", "0",
         "config.lua:12: http_port must be 1..65535, got \"0\""},
        {"http_port", "65536",
         "config.lua:12: http_port must be 1..65535, got \"65536\""},
        {"http_port", "80.5",
         "config.lua:12: http_port must be 1..65535, got \"80.5\""},
        {"http_port", "-1",
         "config.lua:12: http_port must be 1..65535, got \"-1\""},
        {"http_port", "0x50",
         "config.lua:12: http_port must be 1..65535, got \"0x50\""},
        {"http_port", "99999999999999999999",
         "config.lua:12: http_port must be 1..65535, got "
         "\"99999999999999999999\""},
        {"redis_db", " 1",
         "config.lua:12: redis_db must be 0..65535, got \" 1\""},
        {"workers", "many",
         "config.lua:12: workers must be 0..1000, got "
         "\"many\""},
        {"retry_backoff_base", "0.5",
         "config.lua:12: retry_backoff_base must be 1..100, got \"0.5\""},
        {"retry_backoff_base", "nan",
         "config.lua:12: retry_backoff_base must be 1..100, got \"nan\""},
        {"broadcast_rate", "31",
         "config.lua:12: broadcast_rate must be 0..30 without BROADCAST_PAID "
         "or a BOT_API_URL other than Telegram's, got \"31\""},
        {"broadcast_rate", "1001",
         "config.lua:12: broadcast_rate must be 0..1000, got \"1001\""},
        {"workers",
         "1234567890123456789012345678901234567890123456789012345678901234",
         "config.lua:12: workers must be 0..1000, got "
         "\"123456789012345678901234567890123456789012345678901234567890\"…"},
    };

    (void)state;
    expect_errors(rows, sizeof(rows) / sizeof(rows[0]));
}

static void zones_are_those_of_the_zone_database(void **state)
{
    static const struct bad_value rows[] = {
        {"tz", "Mars/Base",
         "config.lua:12: tz must be a time zone like Europe/Berlin, got "
         "\"Mars/Base\""},
        {"tz", "Europe",
         "config.lua:12: tz must be a time zone like Europe/Berlin, got "
         "\"Europe\""},
        {"tz", "/usr/share/zoneinfo/UTC",
         "config.lua:12: tz must be a time zone like Europe/Berlin, got "
         "\"/usr/share/zoneinfo/UTC\""},
        {"tz", "../zoneinfo/UTC",
         "config.lua:12: tz must be a time zone like Europe/Berlin, got "
         "\"../zoneinfo/UTC\""},
    };

    (void)state;
    expect_errors(rows, sizeof(rows) / sizeof(rows[0]));
}

static void bad_durations_and_sizes_name_file_line_and_key(void **state)
{
    static const struct bad_value rows[] = {
        {"request_timeout", "soon",
         "config.lua:12: request_timeout must be a duration of 1ms..1d "
         "(30, 500ms, 30s, 5m, 2h, 7d), got \"soon\""},
        {"request_timeout", "0",
         "config.lua:12: request_timeout must be a duration of 1ms..1d "
         "(30, 500ms, 30s, 5m, 2h, 7d), got \"0\""},
        {"shutdown_timeout", "2d",
         "config.lua:12: shutdown_timeout must be a duration of 0..1d "
         "(30, 500ms, 30s, 5m, 2h, 7d), got \"2d\""},
        {"postgres_pool_recycle", "10ms",
         "config.lua:12: postgres_pool_recycle must be a duration of "
         "1s..365d (30, 500ms, 30s, 5m, 2h, 7d), got \"10ms\""},
        {"lua_memory_limit", "256 MB",
         "config.lua:12: lua_memory_limit must be a size of 1M..1024G "
         "(64M, 1G), got \"256 MB\""},
        {"lua_memory_limit", "1000",
         "config.lua:12: lua_memory_limit must be a size of 1M..1024G "
         "(64M, 1G), got \"1000\""},
    };

    (void)state;
    expect_errors(rows, sizeof(rows) / sizeof(rows[0]));
}

static void bad_words_and_texts_name_file_line_and_key(void **state)
{
    static const struct bad_value rows[] = {
        {"sandbox", "maybe",
         "config.lua:12: sandbox must be true or false, got \"maybe\""},
        {"log_level", "loud",
         "config.lua:12: log_level must be debug, info, warn, error or off, "
         "got \"loud\""},
        {"log_format", "xml",
         "config.lua:12: log_format must be text or json, got \"xml\""},
        {"state_store", "memory",
         "config.lua:12: state_store must be database or redis, got "
         "\"memory\""},
        {"state_store", "redis",
         "config.lua:12: state_store = redis needs REDIS_URL or REDIS_HOST, "
         "neither is set"},
        {"admin_ids", "1,ann",
         "config.lua:12: admin_ids must be user ids (up to 52 bits) with "
         "commas between them, got \"1,ann\""},
        {"admin_ids", "4503599627370496",
         "config.lua:12: admin_ids must be user ids (up to 52 bits) with "
         "commas between them, got \"4503599627370496\""},
        {"bot_api_url", "ftp://x",
         "config.lua:12: bot_api_url must be an address that begins with "
         "http:// or https://, got \"ftp://x\""},
        {"bot_api_url", "https://",
         "config.lua:12: bot_api_url must be an address that begins with "
         "http:// or https://, got \"https://\""},
        {"http_host", "a b",
         "config.lua:12: http_host must be a text without spaces, got "
         "\"a b\""},
        {"scripts_dir", "a\nb",
         "config.lua:12: scripts_dir must be one line of text, got "
         "\"a\\nb\""},
    };

    (void)state;
    expect_errors(rows, sizeof(rows) / sizeof(rows[0]));
}

static void bad_values_elsewhere_name_their_place(void **state)
{
    (void)state;
    expect_error(&(struct trial){.environ = {"HTTP_PORT=x"}},
                 "environment: HTTP_PORT must be 1..65535, got \"x\"");
    expect_error(&(struct trial){.env = "\n# ports\nHTTP_PORT=70000\n"},
                 ".env:3: HTTP_PORT must be 1..65535, got \"70000\"");
    expect_error(&(struct trial){.entries = {{"http_port", "x", 0}}},
                 "config.lua: http_port must be 1..65535, got \"x\"");
}

/* What a stronger source replaces is not in effect, so it does no harm. */
static void a_replaced_value_is_not_checked(void **state)
{
    struct outcome o;

    (void)state;
    load_good(
        &o, &(struct trial){.env = "HTTP_PORT=x", .environ = {"HTTP_PORT=81"}});
    assert_int_equal(o.config.http_port, 81);
    end(&o);
}

static void secrets_never_appear_in_errors(void **state)
{
    static const struct {
        const char *row, *error;
    } rows[] = {
        {"BOT_TOKEN=s3cret:part",
         "environment: BOT_TOKEN must be a token like 123456:ABC-def "
         "(digits, colon, rest); the value found is not shown"},
        {"BOT_TOKEN=12",
         "environment: BOT_TOKEN must be a token like 123456:ABC-def "
         "(digits, colon, rest); the value found is not shown"},
        {"BOT_TOKEN=12:",
         "environment: BOT_TOKEN must be a token like 123456:ABC-def "
         "(digits, colon, rest); the value found is not shown"},
        {"BOT_TOKEN=12:a/b",
         "environment: BOT_TOKEN must be a token like 123456:ABC-def "
         "(digits, colon, rest); the value found is not shown"},
        {"DATABASE_URL=mysql://u:s3cret@h/d",
         "environment: DATABASE_URL must be sqlite:PATH or postgresql://…; "
         "the value found is not shown"},
        {"DATABASE_URL=sqlite:///x",
         "environment: DATABASE_URL must be sqlite:PATH or postgresql://…; "
         "the value found is not shown"},
        {"REDIS_URL=s3cret@h",
         "environment: REDIS_URL must be redis://…, rediss://… or unix://…; "
         "the value found is not shown"},
        {"RQ_REDIS_URL=http://s3cret@h",
         "environment: RQ_REDIS_URL must be redis://…, rediss://… or "
         "unix://…; the value found is not shown"},
        {"HTTPS_PROXY=ftp://u:s3cret@h",
         "environment: HTTPS_PROXY must be a proxy like http://host:3128 or "
         "socks5h://host:1080; the value found is not shown"},
        {"HTTPS_PROXY=u:s3cret@h:3128",
         "environment: HTTPS_PROXY must be a proxy like http://host:3128 or "
         "socks5h://host:1080; the value found is not shown"},
        {"HTTPS_PROXY=socks4://u:s3cret@h",
         "environment: HTTPS_PROXY must be a proxy like http://host:3128 or "
         "socks5h://host:1080; the value found is not shown"},
        {"WEBHOOK_SECRET=s3cret!",
         "environment: WEBHOOK_SECRET must be 1 to 256 letters, digits, _ or "
         "-; the value found is not shown"},
        {"WEBHOOK_URL=ftp://h/s3cret",
         "environment: WEBHOOK_URL must be an address that begins with "
         "https://; the value found is not shown"},
        {"CONSOLE_TOKEN=s3 cret",
         "environment: CONSOLE_TOKEN must be a text without spaces; the "
         "value found is not shown"},
        {"POSTGRES_PASSWORD=s3\ncret",
         "environment: POSTGRES_PASSWORD must be one line of text; the value "
         "found is not shown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_error(&(struct trial){.environ = {rows[i].row}}, rows[i].error);
    expect_error(&(struct trial){.env = "BOT_TOKEN=" TOKEN "\n",
                                 .environ = {"BOT_API_URL=bot" TOKEN}},
                 "environment: BOT_API_URL must be an address that begins "
                 "with http:// or https://; the value found is not shown");
}

static void unknown_names_are_told_by_source(void **state)
{
    struct outcome o;

    (void)state;
    expect_error(&(struct trial){.entries = {{"http_prot", "1", 3}}},
                 "config.lua:3: unknown setting \"http_prot\"; did you mean "
                 "\"http_port\"?");
    expect_error(&(struct trial){.entries = {{"HTTP_PORT", "1", 3}}},
                 "config.lua:3: unknown setting \"HTTP_PORT\"; did you mean "
                 "\"http_port\"?");
    expect_error(&(struct trial){.entries = {{"favourite_colour", "1", 4}}},
                 "config.lua:4: unknown setting \"favourite_colour\"");
    load_good(&o, &(struct trial){.env = "BOT_TOKN=secret\nNODE_ENV=x\n",
                                  .environ = {"HTTP_PROT=x", "http_port=x"}});
    assert_string_equal(warnings(&o),
                        ".env:1: unknown setting \"BOT_TOKN\"; did you mean "
                        "\"BOT_TOKEN\"?\n"
                        ".env:2: unknown setting \"NODE_ENV\"\n");
    end(&o);
}

static void the_nearest_name_is_found(void **state)
{
    static const char *const rows[][2] = {
        {"http_prot", "HTTP_PORT"},
        {"HTTPPORT", "HTTP_PORT"},
        {"token", NULL},
        {"bot_tokens", "BOT_TOKEN"},
        {"databse_url", "DATABASE_URL"},
        {"admin_id", "ADMIN_IDS"},
        {"lua_memroy_limt", "LUA_MEMORY_LIMIT"},
        {"tz", "TZ"},
        {"x", NULL},
        {"", NULL},
        {"a_name_that_is_longer_than_any_setting_there_is", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *nearest = config_nearest(rows[i][0]);

        assert_string_equal(nearest != NULL ? nearest : "(none)",
                            rows[i][1] != NULL ? rows[i][1] : "(none)");
    }
}

static void broken_env_lines_are_errors_without_their_text(void **state)
{
    static const char *const rows[][2] = {
        {"WORKERS=1\nsecret", ".env:2: expected NAME=value"},
        {"=secret", ".env:1: expected NAME=value"},
        {"A secret=1", ".env:1: expected NAME=value"},
        {"1A=secret", ".env:1: expected NAME=value"},
        {"TZ=\"secret", ".env:1: the closing quote is missing"},
        {"TZ=\"secret\\\"", ".env:1: the closing quote is missing"},
        {"TZ='secret", ".env:1: the closing quote is missing"},
        {"TZ='a'secret", ".env:1: text follows the closing quote"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_error(&(struct trial){.env = rows[i][0]}, rows[i][1]);
}

static void an_env_file_that_cannot_be_read_is_an_error(void **state)
{
    struct config c;
    struct err e;
    const struct config_sources s = {.env_file = "/tmp", .root = "/"};

    (void)state;
    assert_int_equal(config_load(&c, &s, NULL, NULL, &e), ERR_CONFIG);
    assert_string_equal(e.message, ".env: Is a directory");
    config_free(&c);
}

/* Whatever a .env holds, it is read or refused with its line. */
static void random_env_files_are_read_or_refused(void **state)
{
    static const char letters[] = "TZ=\"'\\# \n\nexport\r\t$";
    struct rng rng;

    (void)state;
    rng_seed(&rng, 9);
    for (int round = 0; round < 500; round++) {
        char text[60] = {0};
        struct outcome o;

        for (size_t i = 0; i < rng_below(&rng, sizeof(text)); i++)
            text[i] = letters[rng_below(&rng, sizeof(letters) - 1)];
        load(&o, &(struct trial){.env = text});
        if (o.rc != 0)
            assert_memory_equal(o.err.message, ".env:", 5);
        end(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_numbers_name_file_line_and_key),
        cmocka_unit_test(zones_are_those_of_the_zone_database),
        cmocka_unit_test(bad_durations_and_sizes_name_file_line_and_key),
        cmocka_unit_test(bad_words_and_texts_name_file_line_and_key),
        cmocka_unit_test(bad_values_elsewhere_name_their_place),
        cmocka_unit_test(a_replaced_value_is_not_checked),
        cmocka_unit_test(secrets_never_appear_in_errors),
        cmocka_unit_test(unknown_names_are_told_by_source),
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(broken_env_lines_are_errors_without_their_text),
        cmocka_unit_test(an_env_file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(random_env_files_are_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
