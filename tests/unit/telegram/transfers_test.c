#include "../store/fixture.h"

#include "base/buf.h"
#include "net/http_client.h"
#include "net/routes.h"
#include "store/files.h"
#include "telegram/api.h"
#include "telegram/download.h"
#include "telegram/transfers.h"
#include "telegram/upload.h"

#include <fcntl.h>
#include <sys/stat.h>

#define TOKEN "42:SECRET"
#define MIB ((int64_t)1 << 20)

struct desk {
    struct world w;
    struct routes *routes;
    struct http_client *client;
    struct api *api;
    struct files *files;
    struct transfers *transfers;
    int calls, gets, actions;
    int64_t file_size; /* what getFile says */
    const char *file_path;
    struct exchange *held[TRANSFERS_AT_ONCE]; /* answered by the test */
    size_t holding;
    bool hold;
    int done;
    struct err error;
    bool over;
};

static void serve_method(struct exchange *x, void *arg)
{
    struct desk *d = arg;
    struct buf body = {0};
    const char *method = strrchr(exchange_path(x), '/') + 1;
    if (strcmp(method, "sendChatAction") == 0)
        d->actions++;
    else
        d->calls++;
    if (d->hold) {
        d->held[d->holding++] = x;
        return;
    }
    buf_printf(&body,
               "{\"ok\":true,\"result\":{\"file_id\":\"F\",\"file_unique_id\":"
               "\"U\",\"file_size\":%lld,\"file_path\":\"%s\"}}",
               (long long)d->file_size, d->file_path);
    exchange_reply(x, 200, "application/json", body.data, body.len);
    buf_free(&body);
}

static void serve_file(struct exchange *x, void *arg)
{
    struct desk *d = arg;
    d->gets++;
    exchange_reply(x, 200, "text/plain", "text", 4);
}

static void open_desk(struct desk *d, const char *url)
{
    char path[128];
    world_make_folder(&d->w);
    world_open_loop(&d->w, true);
    world_path(&d->w, "files", path);
    assert_int_equal(mkdir(path, 0700), 0);
    d->routes = routes_new();
    routes_add(d->routes, "POST", "/bot*/*", serve_method, d);
    routes_add(d->routes, "GET", "/file/**", serve_file, d);
    d->client = http_client_new_direct(d->w.loop, d->routes);
    const struct api_options api = {
        .url = url,
        .token = TOKEN,
        .request_timeout_ms = 30000,
        .transfer_stall_ms = 30000,
        .backoff_base = 1,
    };
    const struct transfers_options options = {
        .url = url, .token = TOKEN, .stall_ms = 30000, .backoff_base = 1};
    d->api = api_new(d->w.loop, d->client, &api);
    d->files = files_new(d->w.loop, path);
    d->transfers =
        transfers_new(d->w.loop, d->api, d->client, d->files, &options);
    d->file_size = 4;
    d->file_path = "docs/f.txt";
}

static struct desk *new_desk(const char *url)
{
    struct desk *d = MEM_NEW(struct desk);
    open_desk(d, url);
    return d;
}

static void free_desk(struct desk *d)
{
    transfers_free(d->transfers);
    api_free(d->api);
    http_client_free(d->client);
    world_close_loop(&d->w);
    files_free(d->files);
    routes_free(d->routes);
    world_remove_folder(&d->w);
    free(d);
}

static void put(struct desk *d, const char *name, int64_t size)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/files/%s", d->w.folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

/* --- one transfer at a time */

static struct desk *waiting; /* of the callbacks below */

static void ended(const struct err *e)
{
    waiting->error = *e;
    waiting->done++;
    waiting->over = true;
    loop_stop(waiting->w.loop);
}

static void upload_done(struct upload *u, const struct err *e)
{
    (void)u;
    ended(e);
}

static void download_done(struct download *dl, const struct err *e)
{
    (void)dl;
    ended(e);
}

static void wait_over(struct desk *d)
{
    world_wait(&d->w, &d->over);
    d->over = false;
}

static const struct err *send_file(struct desk *d, const char *method,
                                   const char *kind)
{
    static const char params[] =
        "{\"chat_id\":7,\"document\":\"attach://file0\"}";
    struct upload_file file = {
        .path = "big",
        .name = "big",
        .kind = kind,
        .at = (size_t)(strstr(params, "\"attach") - params),
        .item = -1,
    };
    struct upload u = {
        .transfers = d->transfers,
        .method = method,
        .params = params,
        .params_len = sizeof(params) - 1,
        .files = &file,
        .count = 1,
        .done = upload_done,
    };
    waiting = d;
    upload_start(&u);
    assert_false(d->over);
    wait_over(d);
    upload_free(&u);
    return &d->error;
}

static const struct err *fetch(struct desk *d, int64_t size, int64_t max_size)
{
    struct download dl = {
        .transfers = d->transfers,
        .file_id = "F",
        .folder = "in",
        .size = size,
        .max_size = max_size,
        .done = download_done,
    };
    waiting = d;
    download_start(&dl);
    assert_false(d->over);
    wait_over(d);
    download_free(&dl);
    return &d->error;
}

static void what_telegram_does_not_take_is_not_sent(void **state)
{
    struct desk *d = new_desk("https://api.telegram.org");
    (void)state;
    put(d, "big", 50 * MIB + 1);
    const struct err *e = send_file(d, "sendDocument", "document");
    assert_int_equal(e->code, ERR_LIMIT);
    assert_string_equal(e->message,
                        "big has 50.0 MB; api.telegram.org takes a file of at "
                        "most 50 MB (a server of your own: BOT_API_URL)");
    put(d, "big", 10 * MIB + 1);
    assert_int_equal(send_file(d, "sendPhoto", "photo")->code, ERR_LIMIT);
    assert_int_equal(d->calls, 0);
    assert_int_equal(send_file(d, "sendDocument", "document")->code, ERR_OK);
    assert_int_equal(d->calls, 1);
    free_desk(d);
}

static void another_server_takes_more(void **state)
{
    struct desk *d = new_desk("http://127.0.0.1:8081");
    (void)state;
    put(d, "big", 2000 * MIB + 1);
    const struct err *e = send_file(d, "sendPhoto", "photo");
    assert_int_equal(e->code, ERR_LIMIT);
    assert_non_null(strstr(e->message, "at most 2000 MB"));
    put(d, "big", 11 * MIB);
    assert_int_equal(send_file(d, "sendPhoto", "photo")->code, ERR_OK);
    free_desk(d);
}

static void what_telegram_does_not_give_is_not_asked_for(void **state)
{
    struct desk *d = new_desk("https://api.telegram.org");
    (void)state;
    const struct err *e = fetch(d, 20 * MIB + 1, 0);
    assert_int_equal(e->code, ERR_LIMIT);
    assert_non_null(strstr(e->message, "api.telegram.org takes 20 MB"));
    assert_int_equal(d->calls, 0);
    d->file_size = 20 * MIB + 1; /* not known before */
    assert_int_equal(fetch(d, 0, 0)->code, ERR_LIMIT);
    assert_int_equal(d->calls, 1);
    assert_int_equal(d->gets, 0);
    d->file_size = 4;
    assert_int_equal(fetch(d, 20 * MIB, 0)->code, ERR_OK);
    assert_int_equal(fetch(d, 4, 3)->code, ERR_LIMIT);
    free_desk(d);

    d = new_desk("http://127.0.0.1:8081");
    assert_int_equal(fetch(d, 30 * MIB, 0)->code, ERR_OK);
    free_desk(d);
}

/* Of a file that is there and must not be read the bytes are asked for. */
static void asks_for_the_file(const char *url)
{
    struct desk *d = new_desk(url);
    char path[256];
    put(d, "own", 4);
    world_path(&d->w, "files/own", path);
    d->file_path = path;
    assert_int_equal(fetch(d, 0, 0)->code, ERR_OK);
    assert_int_equal(d->gets, 1);
    free_desk(d);
}

/* A link that looks like a path of the server's disk is none by Telegram. */
static void only_another_server_has_files_on_this_disk(void **state)
{
    (void)state;
    asks_for_the_file("https://api.telegram.org");
}

/* A server elsewhere names files of the bot's folder alone, which it may have
 * on a disk that is shared; one here whatever it likes. */
static void a_server_elsewhere_does_not_choose_what_is_read(void **state)
{
    static const struct {
        const char *url;
        const char *path;
        bool copied;
    } rows[] = {
        {"http://bot-api:8081", "/etc/passwd", false},
        {"http://bot-api:8081", "/var/" TOKEN "/documents/a", true},
        {"http://bot-api:8081", "/var/" TOKEN "/../a", false},
        {"http://bot-api:8081", "/var/" TOKEN "x/a", false},
        {"http://bot-api:8081", "var/" TOKEN "/a", false},
        {"https://api.telegram.org", "/var/" TOKEN "/a", false},
        {"https://API.telegram.org:443", "/var/" TOKEN "/a", false},
        {"http://localhost.example", "/a", false},
        {"http://127.0.0.1.example", "/a", false},
        {"http://127.0.0.1@bot-api", "/a", false},
        {"http://bot-api/127.0.0.1", "/a", false},
        {"http://[2001:db8::1]:8081", "/a", false},
        {"http://10.0.0.1", "/a", false},
        {"http://127.0.0.1", "/a", true},
        {"http://127.0.0.1", "a", false},
        {"http://user@127.1.2.3:8081", "/a", true},
        {"http://[::1]:8081/base", "/a", true},
        {"http://LocalHost:8081", "/a", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct transfers_options o = {.url = rows[i].url, .token = TOKEN};
        struct transfers *t = transfers_new(NULL, NULL, NULL, NULL, &o);
        if (transfers_may_copy(t, rows[i].path) != rows[i].copied)
            fail_msg("%s %s", rows[i].url, rows[i].path);
        transfers_free(t);
    }
}

static void what_may_not_be_read_here_is_asked_for(void **state)
{
    (void)state;
    asks_for_the_file("http://bot-api:8081");
}

/* --- places */

struct many {
    struct download *at;
    size_t count;
};

static struct many start_many(struct desk *d, size_t count)
{
    struct many m = {mem_zero(count, sizeof(struct download)), count};
    waiting = d;
    d->hold = true;
    for (size_t i = 0; i < count; i++) {
        m.at[i].transfers = d->transfers;
        m.at[i].file_id = "F";
        m.at[i].folder = "in";
        m.at[i].done = download_done;
        download_start(&m.at[i]);
    }
    return m;
}

static void turn_until_held(struct desk *d, size_t count)
{
    for (int i = 0; i < 1000 && d->holding < count; i++)
        loop_turn(d->w.loop);
    assert_int_equal(d->holding, count);
}

static void so_many_run_and_the_others_wait(void **state)
{
    struct desk *d = new_desk("http://127.0.0.1:8081");
    (void)state;
    struct many m =
        start_many(d, TRANSFERS_AT_ONCE + TRANSFERS_WAITING_MAX + 1);
    turn_until_held(d, TRANSFERS_AT_ONCE);
    assert_int_equal(d->calls, TRANSFERS_AT_ONCE);
    assert_int_equal(d->done, 1); /* the last was one too many */
    assert_int_equal(d->error.code, ERR_LIMIT);
    for (size_t i = TRANSFERS_AT_ONCE + 1; i < m.count - 1; i++)
        download_cancel(&m.at[i]);
    d->hold = false;
    for (size_t i = 0; i < TRANSFERS_AT_ONCE; i++)
        serve_method(d->held[i], d);
    while (d->done < TRANSFERS_AT_ONCE + 2)
        loop_run(d->w.loop);
    assert_int_equal(d->error.code, ERR_OK);
    assert_int_equal(d->gets, TRANSFERS_AT_ONCE + 1);
    for (size_t i = 0; i < m.count; i++)
        download_free(&m.at[i]);
    free(m.at);
    free_desk(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_telegram_does_not_take_is_not_sent),
        cmocka_unit_test(another_server_takes_more),
        cmocka_unit_test(what_telegram_does_not_give_is_not_asked_for),
        cmocka_unit_test(only_another_server_has_files_on_this_disk),
        cmocka_unit_test(a_server_elsewhere_does_not_choose_what_is_read),
        cmocka_unit_test(what_may_not_be_read_here_is_asked_for),
        cmocka_unit_test(so_many_run_and_the_others_wait),
    };
    alarm(110);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
