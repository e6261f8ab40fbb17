#include "config_trial.h"

#include "base/log.h"

static void defaults_are_those_of_the_contract(void **state)
{
    struct outcome o;
    const struct config *c = &o.config;

    (void)state;
    load_good(&o, &(struct trial){0});
    assert_string_equal(c->bot_token, "");
    assert_string_equal(c->bot_api_url, "https://api.telegram.org");
    assert_string_equal(c->https_proxy, "");
    assert_string_equal(c->no_proxy, "");
    assert_string_equal(c->ssl_cert_file, "");
    assert_int_equal(c->admin_count, 0);
    assert_string_equal(c->scripts_dir, "/srv/bot/scripts/bot");
    assert_string_equal(c->data_dir, "/srv/bot/data");
    assert_string_equal(c->root, "/srv/bot");
    assert_string_equal(c->tz, "");
    assert_int_equal(c->log_level, LOG_INFO);
    assert_int_equal(c->log_format, LOG_TEXT);
    assert_string_equal(c->http_host, "127.0.0.1");
    assert_int_equal(c->http_port, 8080);
    assert_string_equal(c->console_token, "");
    assert_string_equal(c->webhook_url, "");
    assert_string_equal(c->webhook_secret, "");
    assert_string_equal(c->database_url, "");
    assert_string_equal(c->postgres_host, "");
    assert_int_equal(c->postgres_port, 5432);
    assert_string_equal(c->postgres_user, "");
    assert_string_equal(c->postgres_password, "");
    assert_string_equal(c->postgres_db, "");
    assert_int_equal(c->postgres_pool_size, 10);
    assert_int_equal(c->postgres_max_overflow, 20);
    assert_int_equal(c->postgres_pool_recycle_ms, 3600000);
    assert_int_equal(c->postgres_pool_timeout_ms, 30000);
    assert_true(c->postgres_pool_pre_ping);
    assert_string_equal(c->redis_url, "");
    assert_string_equal(c->redis_host, "");
    assert_int_equal(c->redis_port, 6379);
    assert_int_equal(c->redis_db, 0);
    assert_string_equal(c->redis_password, "");
    assert_int_equal(c->state_store, STATE_STORE_DEFAULT);
    assert_string_equal(c->rq_redis_url, "");
    assert_string_equal(c->rq_queue_name, "default");
    assert_int_equal(c->workers, 4);
    assert_int_equal(c->request_timeout_ms, 30000);
    assert_int_equal(c->file_download_timeout_ms, 300000);
    assert_int_equal(c->transfer_stall_timeout_ms, 30000);
    assert_int_equal(c->db_timeout_ms, 30000);
    assert_int_equal(c->max_retries, 3);
    assert_float_equal(c->retry_backoff_base, 2.0, 0);
    assert_int_equal(c->broadcast_batch_size, 30);
    assert_float_equal(c->broadcast_rate, 30, 0);
    assert_int_equal(c->broadcast_delay_ms, 0);
    assert_false(c->broadcast_paid);
    assert_true(c->hot_reload);
    assert_int_equal(c->handler_cpu_limit_ms, 200);
    assert_int_equal(c->handler_timeout_ms, 600000);
    assert_int_equal(c->lua_memory_limit, 256 << 20);
    assert_int_equal(c->inbox_limit, 100000);
    assert_int_equal(c->shutdown_timeout_ms, 10000);
    assert_true(c->sandbox);
    assert_false(c->core_dumps);
    assert_string_equal(config_origin(c, "HTTP_PORT"), "default");
    assert_null(config_origin(c, "HTTP_PROT"));
    assert_string_equal(warnings(&o), "");
    end(&o);
}

static void stronger_sources_win(void **state)
{
    struct outcome o;
    const struct config *c = &o.config;
    const struct trial t = {
        .entries = {{"http_port", "1001", 2},
                    {"workers", "11", 3},
                    {"max_retries", "21", 0},
                    {"redis_db", "5", 9}},
        .env = "HTTP_PORT=1002\nWORKERS=12\nREDIS_DB=\n",
        .environ = {"HTTP_PORT=1003", "MAX_RETRIES=", "PATH=/bin", "EMPTY"},
    };

    (void)state;
    load_good(&o, &t);
    assert_int_equal(c->http_port, 1003);
    assert_string_equal(config_origin(c, "HTTP_PORT"), "environment");
    assert_int_equal(c->workers, 12);
    assert_string_equal(config_origin(c, "workers"), ".env:2");
    assert_int_equal(c->max_retries, 21);
    assert_string_equal(config_origin(c, "MAX_RETRIES"), "config.lua");
    assert_int_equal(c->redis_db, 5);
    assert_string_equal(config_origin(c, "REDIS_DB"), "config.lua:9");
    assert_string_equal(warnings(&o), "");
    end(&o);
}

static void every_type_is_read(void **state)
{
    struct outcome o;
    const struct config *c = &o.config;
    const struct trial t = {
        .entries = {{"admin_ids", "1,4503599627370495", 1},
                    {"http_port", "8081.0", 2},
                    {"request_timeout", "1.5", 3},
                    {"lua_memory_limit", "1g", 4},
                    {"sandbox", "false", 5},
                    {"scripts_dir", "/abs/scripts", 6}},
        .env = "LOG_LEVEL=Debug\nLOG_FORMAT=json\nSTATE_STORE=redis\n"
               "REDIS_HOST=cache\nCORE_DUMPS=on\nHOT_RELOAD=No\n"
               "DATA_DIR=.//var\nDATABASE_URL=sqlite:./my bot.db\n",
        .environ = {"RETRY_BACKOFF_BASE=1.25", "HANDLER_TIMEOUT=2h",
                    "BOT_API_URL=http://127.0.0.1:8081//", "BOT_TOKEN=" TOKEN,
                    "BROADCAST_DELAY=0.05"},
    };

    (void)state;
    load_good(&o, &t);
    assert_int_equal(c->admin_count, 2);
    assert_int_equal(c->admin_ids[0], 1);
    assert_int_equal(c->admin_ids[1], INT64_C(4503599627370495));
    assert_int_equal(c->http_port, 8081);
    assert_int_equal(c->request_timeout_ms, 1500);
    assert_int_equal(c->lua_memory_limit, 1 << 30);
    assert_false(c->sandbox);
    assert_string_equal(c->scripts_dir, "/abs/scripts");
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_int_equal(c->log_format, LOG_JSON);
    assert_int_equal(c->state_store, STATE_STORE_REDIS);
    assert_true(c->core_dumps);
    assert_false(c->hot_reload);
    assert_string_equal(c->data_dir, "/srv/bot/var");
    assert_string_equal(c->database_url, "sqlite:/srv/bot/my bot.db");
    assert_float_equal(c->retry_backoff_base, 1.25, 0);
    assert_int_equal(c->handler_timeout_ms, 7200000);
    assert_string_equal(c->bot_api_url, "http://127.0.0.1:8081");
    assert_string_equal(c->bot_token, TOKEN);
    assert_int_equal(c->broadcast_delay_ms, 50);
    end(&o);
}

static void env_files_have_comments_quotes_and_export(void **state)
{
    static const struct {
        const char *line, *value;
    } rows[] = {
        {"RQ_QUEUE_NAME=plain", "plain"},
        {"export RQ_QUEUE_NAME=exported", "exported"},
        {"export\tRQ_QUEUE_NAME=exported", "exported"},
        {"  RQ_QUEUE_NAME = spaced  ", "spaced"},
        {"RQ_QUEUE_NAME=a#b # comment", "a#b"},
        {"RQ_QUEUE_NAME=#comment", "default"},
        {"RQ_QUEUE_NAME= # comment", "default"},
        {"RQ_QUEUE_NAME=\"\"", "default"},
        {"RQ_QUEUE_NAME=\"a#b\" # comment", "a#b"},
        {"RQ_QUEUE_NAME='a\"#b\\n'", "a\"#b\\n"},
        {"RQ_QUEUE_NAME=\"q\\\"\\\\\\$\\x\"", "q\"\\$\\x"},
        {"RQ_QUEUE_NAME=a=b", "a=b"},
        {"RQ_QUEUE_NAME=one\nRQ_QUEUE_NAME=two", "two"},
        {"RQ_QUEUE_NAME=crlf\r\nWORKERS=5\r\n", "crlf"},
        {"\xEF\xBB\xBFRQ_QUEUE_NAME=bom", "bom"},
        {"\n \t\n# RQ_QUEUE_NAME=x\n", "default"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome o;

        load_good(&o, &(struct trial){.env = rows[i].line});
        assert_string_equal(o.config.rq_queue_name, rows[i].value);
        assert_string_equal(warnings(&o), "");
        end(&o);
    }
}

static void a_webhook_needs_its_secret_and_tls(void **state)
{
    struct outcome o;

    (void)state;
    expect_error(&(struct trial){.env = "TZ=UTC\nWEBHOOK_URL=https://h/w"},
                 ".env:2: WEBHOOK_URL needs WEBHOOK_SECRET, which is not set");
    expect_error(&(struct trial){.entries = {{"webhook_url", "http://h", 4},
                                             {"webhook_secret", "abc", 5}}},
                 "config.lua:4: webhook_url must begin with https:// (http:// "
                 "only with a BOT_API_URL other than Telegram's)");
    load_good(&o, &(struct trial){
                      .environ = {"WEBHOOK_URL=http://h/w", "WEBHOOK_SECRET=a",
                                  "BOT_API_URL=http://127.0.0.1:8081"}});
    assert_string_equal(o.config.webhook_url, "http://h/w");
    end(&o);
}

static void fast_broadcasts_need_payment_or_another_server(void **state)
{
    static const char *const allowed[][2] = {
        {"BROADCAST_RATE=30", NULL},
        {"BROADCAST_RATE=0", NULL},
        {"BROADCAST_RATE=1000", "BROADCAST_PAID=true"},
        {"BROADCAST_RATE=1000", "BOT_API_URL=http://api.telegram.org.evil"},
    };
    struct outcome o;

    (void)state;
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        load_good(&o,
                  &(struct trial){.environ = {allowed[i][0], allowed[i][1]}});
        assert_float_equal(o.config.broadcast_rate,
                           atof(strchr(allowed[i][0], '=') + 1), 0);
        end(&o);
    }
    expect_error(
        &(struct trial){
            .environ = {"BROADCAST_RATE=30.5",
                        "BOT_API_URL=https://API.telegram.org:443/"}},
        "environment: BROADCAST_RATE must be 0..30 without "
        "BROADCAST_PAID or a BOT_API_URL other than Telegram's, got "
        "\"30.5\"");
}

static void a_url_wins_over_its_parts_with_one_warning(void **state)
{
    struct outcome o;
    const struct config *c = &o.config;
    const struct trial t = {
        .entries = {{"postgres_db", "shop", 7}},
        .env = "POSTGRES_HOST=db\nPOSTGRES_PORT=5433\nPOSTGRES_USER=ann\n"
               "POSTGRES_PASSWORD=s3cret\nREDIS_HOST=cache\nREDIS_DB=2\n",
        .environ = {"DATABASE_URL=postgresql://ann:other@db:5432/shop?a=b",
                    "REDIS_URL=redis://:pw@cache/1"},
    };

    (void)state;
    load_good(&o, &t);
    assert_string_equal(
        warnings(&o),
        "environment: DATABASE_URL wins over POSTGRES_PORT (.env:2), "
        "POSTGRES_PASSWORD (.env:4), which it differs from\n"
        "environment: REDIS_URL wins over REDIS_DB (.env:6), which it "
        "differs from\n");
    assert_string_equal(c->database_url,
                        "postgresql://ann:other@db:5432/shop?a=b");
    assert_string_equal(c->postgres_host, "");
    assert_string_equal(c->postgres_password, "");
    assert_int_equal(c->postgres_port, 5432);
    assert_string_equal(c->redis_host, "");
    assert_int_equal(c->redis_db, 0);
    end(&o);
}

static void parts_that_agree_with_the_url_are_no_warning(void **state)
{
    static const struct trial trials[] = {
        {.env = "POSTGRES_HOST=db\nPOSTGRES_PORT=5432\nPOSTGRES_USER=a@n\n"
                "POSTGRES_PASSWORD=p:w/%\nPOSTGRES_DB=shop\n",
         .environ = {"DATABASE_URL=postgres://a%40n:p:w%2f%@db/shop"}},
        {.env = "REDIS_HOST=::1\nREDIS_PORT=7000\nREDIS_DB=0\n",
         .environ = {"REDIS_URL=redis://[::1]:7000"}},
        {.env = "REDIS_HOST=cache\nREDIS_PASSWORD=pw\nREDIS_DB=3\n",
         .environ = {"REDIS_URL=rediss://user:pw@cache/3#x"}},
        {.environ = {"REDIS_URL=unix:///run/redis.sock"}},
        {.environ = {"DATABASE_URL=sqlite:bot.db"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        struct outcome o;

        load_good(&o, &trials[i]);
        assert_string_equal(warnings(&o), "");
        end(&o);
    }
}

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t ms;
    } rows[] = {
        {"30", true, 30000},
        {"500ms", true, 500},
        {"30s", true, 30000},
        {"5m", true, 300000},
        {"2h", true, 7200000},
        {"7d", true, 604800000},
        {"0.05", true, 50},
        {"1.5h", true, 5400000},
        {"0", true, 0},
        {"0.0001", true, 0},
        {"2H", true, 7200000},
        {"10.", true, 10000},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {"1 s", false, 0},
        {"s", false, 0},
        {".5", false, 0},
        {"1e3", false, 0},
        {"inf", false, 0},
        {"5min", false, 0},
        {"1.2.3", false, 0},
        {"0x10", false, 0},
        {" 1", false, 0},
        {"1s ", false, 0},
        {"99999999999999999999", false, 0},
        {"999999999999d", false, 0},
        {"1000000000000000000000000000000000000", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 0;

        if (config_duration(rows[i].text, &ms) != rows[i].good ||
            ms != rows[i].ms)
            fail_msg("\"%s\" became %lld", rows[i].text, (long long)ms);
    }
}

static void an_empty_config_can_be_freed(void **state)
{
    struct config c = {0};

    (void)state;
    config_free(&c);
    assert_null(c.bot_token);
}

static void keep_secret(void *arg, const char *secret)
{
    buf_printf(arg, "%s\n", secret);
}

static void secrets_are_told_to_whoever_hides_them(void **state)
{
    struct outcome o;
    struct buf seen = {0};

    (void)state;
    load_good(&o,
              &(struct trial){
                  .env = "WEBHOOK_URL=https://host/path\nWEBHOOK_SECRET=hook\n"
                         "REDIS_HOST=cache\nREDIS_PASSWORD=a://b\n"
                         "HTTPS_PROXY=http://me:proxypw@host:3128\n",
                  .environ = {"BOT_TOKEN=" TOKEN,
                              "DATABASE_URL=postgresql://ann:p%40ss@db/shop",
                              "RQ_REDIS_URL=redis://cache/1"},
              });
    config_secrets(&o.config, keep_secret, &seen);
    assert_string_equal(seen.data, TOKEN "\nproxypw\nhook\np%40ss\np@ss\n"
                                         "a://b\n");
    buf_free(&seen);
    end(&o);
}

static const struct config_fixed fixed[] = {
    {"BOT_TOKEN", TOKEN},  {"BOT_API_URL", "http://here"},
    {"REDIS_URL", ""},     {"REDIS_PORT", ""},
    {"STATE_STORE", ""},   {"WEBHOOK_URL", ""},
    {"HOT_RELOAD", "yes"}, {NULL, NULL}};

static void fixed_settings_are_what_they_are(void **state)
{
    static const struct trial t = {
        .entries = {{"redis_port", "many", 1},
                    {"state_store", "redis", 2},
                    {"workers", "7", 3},
                    {"broadcast_rate", "99", 4}},
        .env = "WEBHOOK_URL=https://x.example\nHOT_RELOAD=maybe\n",
        .environ = {"BOT_TOKEN=none", "REDIS_URL=cache", "BOT_API_URL=?"},
        .fixed = fixed,
    };
    struct outcome o;

    (void)state;
    load(&o, &t);
    if (o.rc != 0)
        fail_msg("%s", o.err.message);
    assert_null(o.warnings.data);
    assert_string_equal(o.config.bot_token, TOKEN);
    assert_string_equal(o.config.bot_api_url, "http://here");
    assert_string_equal(o.config.redis_url, "");
    assert_string_equal(o.config.webhook_url, "");
    assert_int_equal(o.config.redis_port, 6379);
    assert_int_equal(o.config.state_store, STATE_STORE_DEFAULT);
    assert_true(o.config.hot_reload);
    assert_int_equal(o.config.workers, 7);
    assert_string_equal(config_origin(&o.config, "REDIS_PORT"), "default");
    assert_string_equal(config_origin(&o.config, "WORKERS"), "config.lua:3");
    config_free(&o.config);
}

static void a_secret_that_does_not_count_is_still_not_shown(void **state)
{
    static const struct trial t = {
        .environ = {"BOT_TOKEN=987:a-secret", "HTTP_PORT=987:a-secret"},
        .fixed = fixed,
    };

    (void)state;
    expect_error(&t, "environment: HTTP_PORT must be 1..65535; the value found "
                     "is not shown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_contract),
        cmocka_unit_test(stronger_sources_win),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(env_files_have_comments_quotes_and_export),
        cmocka_unit_test(a_webhook_needs_its_secret_and_tls),
        cmocka_unit_test(fast_broadcasts_need_payment_or_another_server),
        cmocka_unit_test(a_url_wins_over_its_parts_with_one_warning),
        cmocka_unit_test(parts_that_agree_with_the_url_are_no_warning),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(an_empty_config_can_be_freed),
        cmocka_unit_test(secrets_are_told_to_whoever_hides_them),
        cmocka_unit_test(fixed_settings_are_what_they_are),
        cmocka_unit_test(a_secret_that_does_not_count_is_still_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
