/* What follows each ending of a try, over a client that calls routes. */
#include "../loop/fixture.h"
#include "base/buf.h"
#include "base/mem.h"
#include "net/routes.h"
#include "telegram/api.h"
#include "telegram/api_about.h"

#include <stdlib.h>

#define REQUESTS_MAX 32
#define OK "{\"ok\":true,\"result\":true}"

/* What the server says, in order; after the last one it is OK. */
struct answer {
    int status; /* 0: closes without an answer */
    const char *body;
    const char *retry_after; /* the header; NULL: none */
};

struct request {
    int64_t at_ms;
    char type[64];
    char body[200];
};

static struct world w;
static struct routes *routes;
static struct http_client *client;
static struct api *api;
static uint64_t start_ns;
static const struct answer *plan;
static size_t plan_len;
static struct request requests[REQUESTS_MAX];
static size_t asked;
static int64_t moved_from, moved_to;

struct ask {
    struct api_call call;
    int ends;
    struct err err;
    char result[100];
    int64_t at_ms;
};

static int64_t now_ms(void)
{
    return (int64_t)(clock_ns(&w.clock) - start_ns) / 1000000;
}

static void serve(struct exchange *x, void *arg)
{
    const struct answer ok = {200, OK, NULL};
    const struct answer *a = asked < plan_len ? &plan[asked] : &ok;
    struct request *r = &requests[asked++];
    size_t len;
    const char *body = exchange_body(x, &len);
    (void)arg;
    assert_true(asked < REQUESTS_MAX);
    r->at_ms = now_ms();
    snprintf(r->type, sizeof r->type, "%s", exchange_header(x, "Content-Type"));
    snprintf(r->body, sizeof r->body, "%.*s", (int)len, body);
    if (a->retry_after)
        exchange_add_header(x, "Retry-After", a->retry_after);
    if (a->status == 0)
        exchange_drop(x);
    else
        exchange_reply(x, a->status, "application/json", a->body,
                       strlen(a->body));
}

static void on_migrated(void *arg, int64_t from, int64_t to)
{
    (void)arg;
    moved_from = from;
    moved_to = to;
}

static void on_done(struct api_call *call, const struct err *e)
{
    struct ask *a = LIST_ENTRY(call, struct ask, call);
    a->ends++;
    a->err = *e;
    a->at_ms = now_ms();
    if (e->code == ERR_OK)
        snprintf(a->result, sizeof a->result, "%.*s", (int)call->result.len,
                 call->result.at);
    api_call_free(call);
}

static int open_api(void **state)
{
    const struct api_options o = {
        .url = "http://server/base",
        .token = "42:SECRET",
        .request_timeout_ms = 30000,
        .max_retries = 3,
        .backoff_base = 2,
        .migrated = on_migrated,
    };
    (void)state;
    world_open(&w, true);
    start_ns = clock_ns(&w.clock);
    routes = routes_new();
    static const char *const methods[] = {"sendMessage", "getChat",
                                          "sendChatAction", "sendDocument"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char path[80];
        snprintf(path, sizeof path, "/base/bot42:SECRET/%s", methods[i]);
        routes_add(routes, "POST", path, serve, NULL);
    }
    client = http_client_new_direct(w.loop, routes);
    api = api_new(w.loop, client, &o);
    asked = plan_len = 0;
    moved_from = moved_to = 0;
    return 0;
}

static int close_api(void **state)
{
    (void)state;
    api_free(api);
    http_client_free(client);
    routes_free(routes);
    world_close(&w);
    return 0;
}

static void begin(struct ask *a, const char *method, const char *params)
{
    a->call.method = method;
    a->call.params = params;
    a->call.params_len = params ? strlen(params) : 0;
    a->call.done = on_done;
    api_start(api, &a->call);
    assert_int_equal(a->ends, 0);
}

static void run(struct ask *a, const char *method)
{
    begin(a, method, "{\"chat_id\":7,\"text\":\"x\"}");
    while (a->ends == 0 &&
           loop_step(w.loop, start_ns + UINT64_C(1000000000000)))
        continue;
    assert_int_equal(a->ends, 1);
}

static void will_answer(const struct answer *answers, size_t len)
{
    plan = answers;
    plan_len = len;
    asked = 0;
}

#define ANSWERS(...)                                                           \
    do {                                                                       \
        static const struct answer answers[] = {__VA_ARGS__};                  \
        will_answer(answers, sizeof answers / sizeof *answers);                \
    } while (0)

static bool status_has(const char *text)
{
    struct buf b = {0};
    api_put(api, &b);
    bool found = strstr(b.data, text) != NULL;
    if (!found)
        print_message("%s\n", b.data);
    buf_free(&b);
    return found;
}

static void a_success_is_one_request(void **state)
{
    struct ask a = {0};
    (void)state;
    run(&a, "sendMessage");
    assert_int_equal(a.err.code, ERR_OK);
    assert_string_equal(a.result, "true");
    assert_int_equal(asked, 1);
    assert_string_equal(requests[0].type, "application/json");
}

static void what_was_not_sent_is_repeated(void **state)
{
    struct ask a = {0};
    (void)state;
    http_direct_connect(client, NULL);
    run(&a, "sendMessage");
    assert_int_equal(a.err.code, ERR_NOT_SENT);
    assert_in_range(a.at_ms, 5600, 8400); /* 1 + 2 + 4 s */
    assert_true(status_has("{\"method\":\"sendMessage\",\"reason\":\"not "
                           "sent\",\"count\":3}"));
    http_direct_connect(client, routes);
}

static void a_5xx_is_repeated_and_counted(void **state)
{
    struct ask a = {0}, b = {0};
    (void)state;
    ANSWERS(
        {500, "{\"ok\":false,\"error_code\":500,\"description\":\"no\"}", NULL},
        {502, "<html>", NULL}, {503, "", NULL});
    run(&a, "sendMessage");
    assert_int_equal(a.err.code, ERR_OK);
    assert_int_equal(asked, 4);
    assert_true(status_has("\"reason\":\"5xx\",\"count\":3}"));
    ANSWERS({500, "a", NULL}, {500, "b", NULL}, {500, "c", NULL},
            {504, "d", NULL});
    run(&b, "sendMessage");
    assert_int_equal(b.err.code, ERR_API);
    assert_int_equal(b.err.detail, 504);
    assert_true(b.err.retryable);
    assert_int_equal(asked, 4);
}

static void a_5xx_may_say_how_long(void **state)
{
    struct ask a = {0}, b = {0};
    (void)state;
    ANSWERS({503, "", "17"});
    run(&a, "sendMessage");
    assert_int_equal(a.err.code, ERR_OK);
    assert_int_equal(requests[1].at_ms - requests[0].at_ms, 17000);
    ANSWERS({503, "", "600"});
    run(&b, "sendMessage");
    assert_int_equal(b.err.detail, 503);
    assert_true(b.err.retry_after == 600);
    assert_int_equal(asked, 1);
}

#define LATE(seconds)                                                          \
    {                                                                          \
        429,                                                                   \
            "{\"ok\":false,\"error_code\":429,\"description\":\"late\","       \
            "\"parameters\":{\"retry_after\":" seconds "}}",                   \
            NULL                                                               \
    }

static void a_429_is_waited_for_and_is_no_try(void **state)
{
    struct ask a = {0}, b = {0};
    (void)state;
    ANSWERS(LATE("5"), LATE("5"), LATE("5"), LATE("5"), LATE("5"), LATE("5"));
    run(&a, "sendMessage");
    assert_int_equal(a.err.code, ERR_OK);
    assert_int_equal(asked, 7);
    assert_int_equal(a.at_ms, 30000);
    ANSWERS(LATE("60"), LATE("31"));
    run(&b, "sendMessage");
    assert_int_equal(b.err.code, ERR_API);
    assert_int_equal(b.err.detail, 429);
    assert_true(b.err.retry_after == 31 && b.err.retryable);
    assert_string_equal(b.err.message, "late");
    assert_int_equal(asked, 2);
}

static void a_429_without_a_time_is_a_second(void **state)
{
    struct ask a = {0}, b = {0};
    (void)state;
    ANSWERS({429, "<html>", NULL});
    run(&a, "sendMessage");
    assert_int_equal(a.err.code, ERR_OK);
    assert_int_equal(requests[1].at_ms, 1000);
    ANSWERS(LATE("0.001"), LATE("-7"), LATE("0"), LATE("1.5"));
    run(&b, "getChat");
    assert_int_equal(b.err.code, ERR_OK);
    assert_int_equal(requests[4].at_ms - requests[0].at_ms, 4500);
}

static void the_chat_waits_for_the_429_of_another_call(void **state)
{
    struct ask a = {0}, b = {0};
    (void)state;
    ANSWERS(LATE("9"));
    begin(&a, "sendMessage", "{\"chat_id\":\"7\"}");
    while (asked == 0 || loop_step(w.loop, start_ns + 1000000))
        loop_turn(w.loop);
    run(&b, "sendChatAction");
    assert_int_equal(b.err.code, ERR_OK);
    assert_int_equal(b.at_ms, 9000);
    assert_int_equal(a.ends, 1);
}

static void a_4xx_ends_it(void **state)
{
    static const struct {
        struct answer answer;
        const char *says;
    } rows[] = {
        {{400, "{\"ok\":false,\"error_code\":400,\"description\":\"bad\"}",
          NULL},
         "bad"},
        {{413, "", NULL}, "larger than the server takes"},
        {{414, "<html>", NULL}, "address"},
        {{431, "", NULL}, "head"},
        {{302, "", NULL}, "BOT_API_URL"},
        {{401, "{\"ok\":false,\"error_code\":401,\"description\":\"Un\"}",
          NULL},
         "Un"},
        {{200, "{\"ok\":false,\"error_code\":403,\"description\":\"odd\"}",
          NULL},
         "odd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ask a = {0};
        will_answer(&rows[i].answer, 1);
        run(&a, "sendMessage");
        assert_int_equal(a.err.code, ERR_API);
        assert_false(a.err.retryable);
        assert_non_null(strstr(a.err.message, rows[i].says));
        assert_int_equal(asked, 1);
    }
}

/* Sent, and then: nothing, half of something, anything. */
static const struct answer unknown[] = {
    {0, NULL, NULL},          {200, "", NULL},
    {200, "<html>", NULL},    {200, "{\"ok\":true}", NULL},
    {204, "", NULL},          {200, "{\"ok\":true,\"result\":{\"mess", NULL},
    {200, "\xff\xfe{{", NULL}};

static void an_unknown_send_is_not_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct ask a = {0};
        will_answer(&unknown[i], 1);
        run(&a, "sendMessage");
        assert_int_equal(a.err.code, ERR_UNKNOWN);
        assert_false(a.call.skipped);
        assert_int_equal(asked, 1);
    }
    assert_true(status_has("\"unknown\":[{\"method\":\"sendMessage\","
                           "\"reason\":\"unknown\",\"count\":7}]"));
}

static void what_nobody_sees_twice_is_repeated(void **state)
{
    struct ask a = {0}, b = {0}, once = {0};
    (void)state;
    will_answer(unknown, 3);
    run(&a, "getChat");
    assert_int_equal(a.err.code, ERR_OK);
    assert_int_equal(asked, 4);
    will_answer(unknown, 4);
    run(&b, "sendChatAction");
    assert_int_equal(b.err.code, ERR_UNKNOWN);
    assert_int_equal(asked, 4);
    will_answer(unknown, 1);
    once.call.once = true;
    run(&once, "getChat");
    assert_int_equal(once.err.code, ERR_UNKNOWN);
}

static void the_caller_says_what_becomes_of_the_unknown(void **state)
{
    struct ask resend = {0}, skip = {0}, broadcast = {0}, error = {0};
    (void)state;
    will_answer(unknown, 2);
    resend.call.on_unknown = API_UNKNOWN_RESEND;
    run(&resend, "sendMessage");
    assert_int_equal(resend.err.code, ERR_OK);
    assert_int_equal(asked, 3);
    will_answer(unknown, 1);
    skip.call.on_unknown = API_UNKNOWN_SKIP;
    run(&skip, "sendMessage");
    assert_int_equal(skip.err.code, ERR_UNKNOWN);
    assert_true(skip.call.skipped);
    will_answer(unknown, 1);
    broadcast.call.class = LIMITER_BROADCAST;
    run(&broadcast, "sendMessage");
    assert_true(broadcast.call.skipped);
    will_answer(unknown, 1);
    error.call.class = LIMITER_BROADCAST;
    error.call.on_unknown = API_UNKNOWN_ERROR;
    run(&error, "sendMessage");
    assert_false(error.call.skipped);
}

#define MOVED                                                                  \
    {                                                                          \
        400,                                                                   \
            "{\"ok\":false,\"error_code\":400,\"description\":\"upgraded\","   \
            "\"parameters\":{\"migrate_to_chat_id\":-1009}}",                  \
            NULL                                                               \
    }

static void a_moved_chat_is_followed_once(void **state)
{
    struct ask a = {0}, b = {0};
    (void)state;
    ANSWERS(MOVED);
    begin(&a, "sendMessage", "{\"text\":\"x\",\"chat_id\": -5 ,\"a\":[1]}");
    while (a.ends == 0)
        loop_step(w.loop, start_ns + UINT64_C(1000000000));
    assert_int_equal(a.err.code, ERR_OK);
    assert_string_equal(requests[1].body,
                        "{\"text\":\"x\",\"chat_id\": -1009 ,\"a\":[1]}");
    assert_int_equal(moved_from, -5);
    assert_int_equal(moved_to, -1009);
    assert_int_equal(world_logged(&w, "chat.migrated"), 1);
    ANSWERS(MOVED, MOVED);
    run(&b, "sendMessage");
    assert_int_equal(b.err.detail, 400);
    assert_int_equal(asked, 2);
}

static void a_call_can_be_cancelled_wherever_it_is(void **state)
{
    struct ask in_flight = {0}, told = {0}, held = {0}, backoff = {0};
    (void)state;
    begin(&in_flight, "sendMessage", "{\"chat_id\":1}");
    ANSWERS(LATE("50"), {500, "", NULL});
    begin(&told, "sendMessage", "{\"chat_id\":2}");
    begin(&backoff, "sendMessage", "{\"chat_id\":3}");
    api_cancel(&in_flight.call);
    while (loop_step(w.loop, start_ns + 100000000))
        continue;
    assert_int_equal(asked, 2);
    begin(&held, "sendMessage", "{\"chat_id\":2}");
    api_cancel(&told.call);
    api_cancel(&held.call);
    api_cancel(&backoff.call);
    while (loop_step(w.loop, start_ns + UINT64_C(100000000000)))
        continue;
    assert_int_equal(asked, 2);
    assert_int_equal(in_flight.ends + told.ends + held.ends + backoff.ends, 0);
    api_call_free(&in_flight.call);
    api_call_free(&told.call);
    api_call_free(&held.call);
    api_call_free(&backoff.call);
}

static void a_call_that_cannot_wait_ends_later(void **state)
{
    struct ask a = {0}, b = {0}, c = {0};
    (void)state;
    ANSWERS(LATE("1000"));
    run(&a, "sendMessage");
    assert_true(a.err.retry_after == 1000);
    run(&b, "sendMessage");
    assert_int_equal(b.err.code, ERR_API);
    assert_int_equal(b.err.detail, 429);
    assert_int_equal(asked, 1);
    begin(&c, "sendMessage", "{\"chat_id\":7}");
    api_cancel(&c.call);
    api_call_free(&c.call);
}

static const struct about {
    const char *method;
    const char *params;
    const char *chat;
    unsigned messages;
    enum limiter_class class;
    bool paid;
} abouts[] = {
    {"sendMessage", "{\"chat_id\":7}", "7", 1, LIMITER_JOB, false},
    {"sendMessage", "{\"chat_id\":\"-100\"}", "-100", 1, LIMITER_JOB, false},
    {"sendMessage", "{\"chat_id\":-1e2}", "-100", 1, LIMITER_JOB, false},
    {"sendMessage", "{\"chat_id\":\"@Some_Name\"}", "@some_name", 1,
     LIMITER_JOB, false},
    {"editMessageText", "{\"inline_message_id\":\"x\"}", "", 1, LIMITER_JOB,
     false},
    {"sendMediaGroup", "{\"media\":[{},{},{}],\"chat_id\":1}", "1", 3,
     LIMITER_JOB, false},
    {"copyMessages", "{\"message_ids\":[1,2],\"chat_id\":1}", "1", 2,
     LIMITER_JOB, false},
    {"deleteMessages", "{\"message_ids\":[1,2],\"chat_id\":1}", "1", 0,
     LIMITER_JOB, false},
    {"sendChatAction", "{\"chat_id\":1}", "1", 0, LIMITER_JOB, false},
    {"getMe", "{}", "", 0, LIMITER_JOB, false},
    {"answerCallbackQuery", "{}", "", 0, LIMITER_REPLY, false},
    {"sendMessage", "{\"chat_id\":1,\"allow_paid_broadcast\":true}", "1", 1,
     LIMITER_JOB, true},
    {"sendSomethingNew", "{\"chat_id\":1}", "1", 1, LIMITER_JOB, false},
};

static void parameters_tell_the_limiter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof abouts / sizeof *abouts; i++) {
        const struct about *row = &abouts[i];
        struct api_call call = {.method = row->method,
                                .params = row->params,
                                .params_len = strlen(row->params),
                                .ask = {.class = LIMITER_JOB}};
        api_about(&call);
        assert_string_equal(call.chat, row->chat);
        assert_int_equal(call.ask.messages, row->messages);
        assert_int_equal(call.ask.class, row->class);
        assert_int_equal(call.ask.paid, row->paid);
    }
}

/* --- uploads */

struct upload {
    struct api_upload u;
    struct http_source source;
    int rewinds;
    int64_t chat;
};

static ssize_t read_source(struct http_source *s, char *out, size_t max)
{
    (void)s;
    memset(out, 'x', max);
    return (ssize_t)max;
}

static void on_rewind(struct api_upload *u)
{
    LIST_ENTRY(u, struct upload, u)->rewinds++;
}

static void on_set_chat(struct api_upload *u, int64_t chat)
{
    LIST_ENTRY(u, struct upload, u)->chat = chat;
}

static struct upload new_upload(void)
{
    return (struct upload){
        .u = {.content_type = "multipart/form-data; boundary=b",
              .len = 10,
              .rewind = on_rewind},
        .source = {.read = read_source},
    };
}

static void an_upload_is_rewound_before_each_try(void **state)
{
    struct upload up = new_upload();
    struct ask a = {0};
    (void)state;
    up.u.source = &up.source;
    ANSWERS({500, "", NULL}, LATE("1"));
    a.call.upload = &up.u;
    a.call.timeout_ms = 60000;
    run(&a, "sendDocument");
    assert_int_equal(a.err.code, ERR_OK);
    assert_int_equal(up.rewinds, 3);
    assert_string_equal(requests[2].type, "multipart/form-data; boundary=b");
    assert_string_equal(requests[2].body, "xxxxxxxxxx");
}

static void an_upload_follows_its_chat_if_it_can(void **state)
{
    struct upload up = new_upload();
    struct ask a = {0}, b = {0};
    (void)state;
    up.u.source = &up.source;
    ANSWERS(MOVED);
    a.call.upload = b.call.upload = &up.u;
    a.call.timeout_ms = b.call.timeout_ms = 60000;
    run(&a, "sendDocument");
    assert_int_equal(a.err.detail, 400);
    up.u.set_chat = on_set_chat;
    ANSWERS(MOVED);
    run(&b, "sendDocument");
    assert_int_equal(b.err.code, ERR_OK);
    assert_int_equal(up.chat, -1009);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_api, close_api)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_success_is_one_request),
        TEST(what_was_not_sent_is_repeated),
        TEST(a_5xx_is_repeated_and_counted),
        TEST(a_5xx_may_say_how_long),
        TEST(a_429_is_waited_for_and_is_no_try),
        TEST(a_429_without_a_time_is_a_second),
        TEST(the_chat_waits_for_the_429_of_another_call),
        TEST(a_4xx_ends_it),
        TEST(an_unknown_send_is_not_repeated),
        TEST(what_nobody_sees_twice_is_repeated),
        TEST(the_caller_says_what_becomes_of_the_unknown),
        TEST(a_moved_chat_is_followed_once),
        TEST(a_call_can_be_cancelled_wherever_it_is),
        TEST(a_call_that_cannot_wait_ends_later),
        cmocka_unit_test(parameters_tell_the_limiter),
        TEST(an_upload_is_rewound_before_each_try),
        TEST(an_upload_follows_its_chat_if_it_can),
    };
    return FIXTURE_RUN(tests);
}
