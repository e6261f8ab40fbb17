#include "fixture.h"

#include "base/json.h"
#include "vm/config_file.h"

static char dir[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/moonlet-config-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/config.lua", dir);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void save(const char *text, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static void read_good(struct config_file *f, const char *text)
{
    struct err e;
    save(text, strlen(text));
    if (config_file_read(f, path, NULL, &e) != 0)
        fail_msg("%s: %s", text, e.message);
    assert_int_equal(e.code, ERR_OK);
}

static const struct config_row *row_of(const struct config_file *f,
                                       const char *key)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->rows[i].key, key) == 0)
            return &f->rows[i];
    fail_msg("no row %s", key);
    return NULL;
}

static void assert_row(const struct config_file *f, const char *key,
                       const char *value, int line)
{
    const struct config_row *row = row_of(f, key);
    assert_string_equal(row->value, value);
    if (row->line != line)
        fail_msg("%s: line %d, not %d", key, row->line, line);
}

static void values_become_texts(void **state)
{
    struct config_file f;
    (void)state;

    read_good(&f, "return {\n"
                  "  bot_token = \"1:abc\",\n"
                  "  workers = 4, http_port = 16 / 2,\n"
                  "  retry_backoff_base = 2.5,\n"
                  "  hot_reload = false,\n"
                  "  admin_ids = { 1, 4503599627370495, '3' },\n"
                  "  big = 2^53, negative = -1.0, empty = '', none = {},\n"
                  "  absent = nil,\n"
                  "}\n");
    assert_int_equal(f.count, 10);
    assert_row(&f, "bot_token", "1:abc", 2);
    assert_row(&f, "workers", "4", 3);
    assert_row(&f, "http_port", "8", 3);
    assert_row(&f, "retry_backoff_base", "2.5", 4);
    assert_row(&f, "hot_reload", "false", 5);
    assert_row(&f, "admin_ids", "1,4503599627370495,3", 6);
    assert_row(&f, "big", "9007199254740992", 7);
    assert_row(&f, "negative", "-1", 7);
    assert_row(&f, "empty", "", 7);
    assert_row(&f, "none", "", 7);
    assert_null(f.app_json);
    for (size_t i = 1; i < f.count; i++) /* in the order of the file */
        assert_true(f.rows[i - 1].line <= f.rows[i].line);
    config_file_free(&f);
    config_file_free(&f);
}

struct placed {
    const char *text;
    int line; /* of the key `key` */
};

static const struct placed placed[] = {
    {"return { key = 1 }", 1},
    {"\xEF\xBB\xBFreturn {\nkey = 1 }", 2},
    {"return {\r\n\r\nkey = 1 }", 3},
    {"return {\n other_key = 2,\n key = 1 }", 3},
    {"return {\n key_other = 2,\n key = 1 }", 3},
    {"return {\n key\n  = 1 }", 2},
    {"return {\n -- key = 2\n key = 1 }", 3},
    {"return { -- {\n key = 1 }", 2},
    {"return {\n key = 1, -- key = 2\n}", 2},
    {"return {\n key = 1,\n --[[ key = 2\n key = 3 ]]\n}", 2},
    {"return {\n --[==[ ]] key = 2\n]=] ]==] key = 1 }", 3},
    {"return {\n text = 'key = 2 {',\n key = 1 }", 3},
    {"return {\n text = \"a\\\"key = 2\",\n key = 1 }", 3},
    {"return {\n text = 'a\\\nb {',\n key = 1 }", 4},
    {"return {\n text = 'a\\z\n\n   b { key = 3',\n key = 1 }", 5},
    {"return {\n text = [[\nkey = 2\n{\n]],\n key = 1 }", 6},
    {"return {\n text = [==[\n]] key = 2 ]==],\n key = 1 }", 4},
    {"return {\n app = { key = 2 },\n key = 1 }", 3},
    {"return {\n key = 1,\n app = { deep = {\n key = 2 } } }", 2},
    {"return {\n [\"key\"] = 1 }", 2},
    {"return {\n [ 'key' ] = 1 }", 2},
    {"return {\n ['other'] = 'key',\n ['key']\n= 1 }", 3},
    {"return {\n app = { ['key'] = 2 },\n key = 1 }", 3},
    {"return {\n key = 2,\n key = 1 }", 3},
    {"local t = {}\nt.key = 1\nreturn t", 2},
    {"local t = {}\nt['key'] = 1\nreturn t", 2},
    {"local x = 2\nlocal same = x == 2\nreturn {\n key = 1 }", 4},
    {"local t = {}\nt['k' .. 'ey'] = 1\n\nreturn t", 4},
    {"return setmetatable({\n key = 1 }, {\n__index = error })", 2},
};

static void a_key_has_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof placed / sizeof *placed; i++) {
        struct config_file f;
        read_good(&f, placed[i].text);
        const struct config_row *row = row_of(&f, "key");
        assert_string_equal(row->value, "1");
        if (row->line != placed[i].line)
            fail_msg("%s\nline %d, not %d", placed[i].text, row->line,
                     placed[i].line);
        config_file_free(&f);
    }
}

static void env_reads_the_environment(void **state)
{
    struct config_file f;
    (void)state;

    setenv("MOONLET_TEST_TOKEN", "1:secret", 1);
    unsetenv("MOONLET_TEST_ABSENT");
    read_good(&f, "return {\n bot_token = env \"MOONLET_TEST_TOKEN\",\n"
                  " tz = env(\"MOONLET_TEST_ABSENT\"),\n"
                  " data_dir = env 'MOONLET_TEST_ABSENT' or './data',\n"
                  " app = { t = env 'MOONLET_TEST_TOKEN' } }");
    assert_int_equal(f.count, 2);
    assert_row(&f, "bot_token", "1:secret", 2);
    assert_row(&f, "data_dir", "./data", 4);
    assert_string_equal(f.app_json, "{\"t\":\"1:secret\"}");
    config_file_free(&f);
}

static void app_becomes_json(void **state)
{
    struct config_file f;
    int64_t id;
    (void)state;

    read_good(&f, "return { workers = 1, app = {\n"
                  " owner = 4503599627370495, list = { 1, 2.5, 'x' },\n"
                  " deep = { on = true } } }");
    struct jslice app = js_check(f.app_json, strlen(f.app_json));
    assert_true(js_int(js_get(app, "owner"), &id));
    assert_true(id == 4503599627370495);
    assert_non_null(strstr(f.app_json, "\"list\":[1,2.5,\"x\"]"));
    assert_non_null(strstr(f.app_json, "\"deep\":{\"on\":true}"));
    assert_int_equal(f.count, 1);
    config_file_free(&f);
    read_good(&f, "return { app = {} }");
    assert_string_equal(f.app_json, "{}");
    config_file_free(&f);
}

static const char *const refused[][2] = {
    {"return {\n a = 1\n b = 2 }",
     "config.lua:3: '}' expected (to close '{' at line 1)"},
    {"\nerror 'own words'", "config.lua:2: own words"},
    {"\nerror('no place', 0)", "config.lua:2: no place"},
    {"\nerror {}", "config.lua:2: it raised a value that is no text"},
    {"\n\nerror()", "config.lua:3: it raised a value that is no text"},
    {"\nlocal x = nil + 1",
     "config.lua:2: attempt to perform arithmetic on a nil value"},
    {"return {\n tz = os.getenv 'TZ' }",
     "config.lua:2: attempt to index a nil value (global 'os')"},
    {"\nreturn { tz = env() }",
     "config.lua:2: bad argument #1 to 'env' (string expected, got no value)"},
    {"\nrequire 'x'",
     "config.lua:2: attempt to call a nil value (global 'require')"},
    {"", "config.lua:1: return must give a table of settings"},
    {"-- nothing\n\nreturn 5",
     "config.lua:3: return must give a table of settings"},
    {"return {\n 'bot_token' }",
     "config.lua:1: return may have only names as keys"},
    {"return { [true] = 1 }",
     "config.lua:1: return may have only names as keys"},
    {"return { [''] = 1 }", "config.lua:1: return may have only names as keys"},
    {"return { ['a\\0b'] = 1 }",
     "config.lua:1: return may have only names as keys"},
    {"return {\n\n workers = env }",
     "config.lua:3: workers must be a text, a number or a boolean"},
    {"return {\n tz = 'a\\0b' }", "config.lua:2: tz holds a zero byte"},
    {"return {\n admin_ids = { 1, 'a\\0b' } }",
     "config.lua:2: admin_ids holds a zero byte"},
    {"return {\n admin_ids = { 1, {} } }",
     "config.lua:2: admin_ids may list only numbers and texts"},
    {"return {\n admin_ids = { ann = 1 } }",
     "config.lua:2: admin_ids must be a list: its keys are 1, 2, 3"},
    {"return {\n admin_ids = { 1, 2, x = 4 } }",
     "config.lua:2: admin_ids must be a list: its keys are 1, 2, 3"},
    {"return {\n admin_ids = { 1, nil, 3 } }", "config.lua:2: admin_ids m"},
    {"return {\n app = 5 }", "config.lua:2: app must be a table"},
    {"return { app = {\n f = env } }",
     "config.lua:1: app cannot be handed to scripts: a function cannot be "
     "written as JSON"},
    {"local a = {}\na.a = a\nreturn {\n app = a }",
     "config.lua:4: app cannot be handed to scripts: tables are nested deeper "
     "than 512 levels (or in a circle)"},
    {"\nwhile true do end", "config.lua:2: it computes for too long"},
    {"\nlocal function f() while true do\nend end\nwhile true do pcall(f) end",
     "config.lua:4: it computes for too long"},
    {"\nlocal function f() return f() end\nf()",
     "config.lua:2: it computes for too long"},
    {"\nlocal function f() return 1 + f() end\nf()",
     "config.lua:2: stack overflow"},
    {"\x1bLuaS", "config.lua:1: attempt to load a binary chunk (mode is 't')"},
};

static void what_is_wrong_has_file_and_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *expected = refused[i][1];
        struct config_file f;
        struct err e;
        save(refused[i][0], strlen(refused[i][0]));
        if (config_file_read(&f, path, NULL, &e) == 0)
            fail_msg("%s\nwas taken", refused[i][0]);
        assert_int_equal(e.code, ERR_CONFIG);
        if (strncmp(e.message, expected, strlen(expected)) != 0)
            fail_msg("%s\ngave %s", refused[i][0], e.message);
        assert_int_equal(f.count, 0);
        assert_null(f.rows);
        assert_null(f.app_json);
    }
}

/* The text near a fault may be a token; the file's name is shown whole. */
static void syntax_errors_show_nothing_of_the_text(void **state)
{
    static const char *const texts[][2] = {
        {"return {\n key = 'SECRET }", " near .lua:2: unfinished string"},
        {"return {\n key = 0SECRET }", " near .lua:2: malformed number"},
        {"return { key = 1 ' near SECRET' }", " near .lua:1: '}' expected"},
        {"return { key = [[\nSECRET }",
         " near .lua:2: unfinished long string (starting at line 1)"},
        {"return 'SECRET' 'SECRET'", " near .lua:1: <eof> expected"},
    };
    char odd[sizeof dir + 16];
    (void)state;

    snprintf(odd, sizeof odd, "%s/ near .lua", dir);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config_file f;
        struct err e;
        save(texts[i][0], strlen(texts[i][0]));
        assert_int_equal(rename(path, odd), 0);
        assert_int_equal(config_file_read(&f, odd, NULL, &e), ERR_CONFIG);
        unlink(odd);
        assert_string_equal(e.message, texts[i][1]);
    }
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct config_file f;
    struct err e;
    char expected[200];
    (void)state;

    unlink(path);
    assert_int_equal(config_file_read(&f, path, NULL, &e), ERR_CONFIG);
    snprintf(expected, sizeof expected, "%s: No such file or directory", path);
    assert_string_equal(e.message, expected);
    assert_int_equal(config_file_read(&f, dir, NULL, &e), ERR_CONFIG);
    snprintf(expected, sizeof expected, "%s: cannot be read", dir);
    assert_string_equal(e.message, expected);
    save("", 0);
}

static void a_huge_file_is_refused(void **state)
{
    size_t len = (1 << 20) + 1;
    char *text = mem_alloc(len);
    struct config_file f;
    struct err e;
    (void)state;

    memset(text, ' ', len);
    save(text, len);
    free(text);
    assert_int_equal(config_file_read(&f, path, NULL, &e), ERR_CONFIG);
    assert_non_null(strstr(e.message, "is larger than 1 MiB"));
}

static void nothing_dangerous_is_there(void **state)
{
    struct config_file f;
    (void)state;

    read_good(&f, "local found = ''\n"
                  "for _, name in ipairs { 'io', 'os', 'debug', 'package',\n"
                  "  'require', 'dofile', 'loadfile', 'load', 'print',\n"
                  "  'collectgarbage', 'coroutine' } do\n"
                  "  if _G[name] ~= nil then found = found .. name end\n"
                  "end\n"
                  "return { key = found .. '.' }");
    assert_row(&f, "key", ".", 7);
    config_file_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_texts),
        cmocka_unit_test(a_key_has_its_line),
        cmocka_unit_test(env_reads_the_environment),
        cmocka_unit_test(app_becomes_json),
        cmocka_unit_test(what_is_wrong_has_file_and_line),
        cmocka_unit_test(syntax_errors_show_nothing_of_the_text),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_huge_file_is_refused),
        cmocka_unit_test(nothing_dangerous_is_there),
    };
    alarm(FIXTURE_SECONDS);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
