/* The Bot API of the stub: as much of it as an echo bot calls. */

#include "stub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVEN_MAX 100    /* updates a getUpdates call */
#define UPDATE_BYTES 838 /* what an average message has */
#define FIRST_CHAT INT64_C(7123400000)
#define DATE INT64_C(1790000000)

/* Behind `"name":` in text, or NULL. */
static const char *member(const char *text, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(text, quoted);
    return at ? at + strlen(quoted) : NULL;
}

static int64_t member_int(const char *text, const char *name, int64_t other)
{
    const char *at = member(text, name);
    return at ? strtoll(at, NULL, 10) : other;
}

/* Length of the JSON string at text, quotes and escapes included. */
static size_t string_length(const char *text)
{
    size_t len = 1;
    while (text[len] && text[len] != '"')
        len += text[len] == '\\' && text[len + 1] ? 2 : 1;
    return text[len] ? len + 1 : len;
}

/* As many headers as the real server sends. */
static void put_head(struct connection *c, size_t length)
{
    bytes_printf(&c->out,
                 "HTTP/1.1 200 OK\r\n"
                 "Server: bench\r\n"
                 "Date: Tue, 22 Sep 2026 12:00:00 GMT\r\n"
                 "Content-Type: application/json\r\n"
                 "Content-Length: %zu\r\n"
                 "Connection: keep-alive\r\n"
                 "Strict-Transport-Security: max-age=31536000; "
                 "includeSubDomains; preload\r\n"
                 "Access-Control-Allow-Origin: *\r\n"
                 "Access-Control-Expose-Headers: Content-Length,Content-Type,"
                 "Date,Server,Connection\r\n\r\n",
                 length);
}

static void reply(struct connection *c, const struct bytes *body)
{
    put_head(c, body->len);
    bytes_add(&c->out, body->data, body->len);
}

static void reply_text(struct connection *c, const char *body)
{
    struct bytes b = {.data = strdup(body), .len = strlen(body)};
    reply(c, &b);
    free(b.data);
}

static void put_person(struct bytes *b, int64_t chat)
{
    bytes_printf(b,
                 "{\"id\":%" PRId64 ",\"first_name\":\"Anastasia\","
                 "\"last_name\":\"Petrova\",\"username\":\"anna_%" PRId64
                 "\",\"type\":\"private\"}",
                 chat, chat);
}

static const char bot_user[] =
    "{\"id\":4242,\"is_bot\":true,\"first_name\":\"Bench\","
    "\"username\":\"bench_bot\"}";

/* A reply to a message of the bot, as long as UPDATE_BYTES says. */
void stub_put_update(struct stub *s, struct bytes *b, int64_t id)
{
    static const char filler[] =
        "Could you please tell me when my order will be delivered? I have "
        "moved to another flat, and nobody will be there on Thursday. "
        "Thank you very much in advance, and have a nice and quiet day!";
    int64_t chat = FIRST_CHAT + 17 * (id % s->chats);
    size_t start = b->len;
    bytes_printf(b,
                 "{\"update_id\":%" PRId64
                 ",\"message\":{\"message_id\":%" PRId64
                 ",\"from\":{\"id\":%" PRId64
                 ",\"is_bot\":false,\"first_name\":\"Anastasia\","
                 "\"last_name\":\"Petrova\",\"username\":\"anna_%" PRId64
                 "\",\"language_code\":\"en\"},\"chat\":",
                 id, ++s->message_id, chat, chat);
    put_person(b, chat);
    bytes_printf(b,
                 ",\"date\":%" PRId64
                 ",\"reply_to_message\":{\"message_id\":%" PRId64
                 ",\"from\":%s,\"chat\":",
                 DATE + 5, s->message_id - 1, bot_user);
    put_person(b, chat);
    bytes_printf(b, ",\"date\":%" PRId64 ",\"text\":\"How can I help?\"},",
                 DATE);
    char end[128];
    int tail = snprintf(end, sizeof end,
                        "\",\"entities\":[{\"offset\":0,\"length\":%d,"
                        "\"type\":\"hashtag\"}]}}",
                        snprintf(NULL, 0, "#%" PRId64, id - s->first_id));
    bytes_printf(b, "\"text\":\"#%" PRId64 " ", id - s->first_id);
    size_t used = b->len - start + (size_t)tail;
    size_t fill = used < UPDATE_BYTES ? UPDATE_BYTES - used : 0;
    bytes_add(b, filler, fill < sizeof filler - 1 ? fill : sizeof filler - 1);
    bytes_add(b, end, (size_t)tail);
}

void stub_note_given(struct stub *s, int64_t id)
{
    struct trace *t = &s->traces[id - s->first_id];
    if (!t->given)
        t->given = stub_now_ns();
    if (!s->began)
        s->began = t->given;
}

void stub_give(struct stub *s, struct connection *c)
{
    int64_t from = s->confirmed;
    struct bytes body = {0};
    int64_t most = s->stepping ? 1 : GIVEN_MAX;
    int64_t end = from + most < s->next_id ? from + most : s->next_id;
    bytes_printf(&body, "{\"ok\":true,\"result\":[");
    for (int64_t id = from; id < end; id++) {
        if (id > from)
            bytes_add(&body, ",", 1);
        stub_put_update(s, &body, id);
    }
    bytes_add(&body, "]}", 2);
    for (int64_t id = from; id < end; id++)
        stub_note_given(s, id);
    reply(c, &body);
    free(body.data);
}

bool stub_may_step(const struct stub *s)
{
    return s->stepping && s->confirmed < s->next_id &&
           s->answered == s->confirmed - s->first_id &&
           (!s->posting || s->next_post == s->confirmed);
}

void stub_rest(struct stub *s)
{
    s->next_step = stub_now_ns() + STUB_STEP_MS * INT64_C(1000000);
}

static int compare_delay(const void *a, const void *b)
{
    const struct trace *x = a, *y = b;
    return (x->delay > y->delay) - (x->delay < y->delay);
}

void stub_report(struct stub *s)
{
    int64_t n = s->next_id - s->first_id;
    if (s->reported || n == 0 || s->answered < n || s->confirmed < s->next_id)
        return;
    s->reported = true;
    qsort(s->traces, (size_t)n, sizeof *s->traces, compare_delay);
    printf("{\"event\":\"done\",\"updates\":%" PRId64 ",\"calls\":%" PRId64
           ",\"polls\":%" PRId64 ",\"doubled\":%" PRId64
           ",\"connections\":%" PRId64 ",\"wall_ns\":%" PRId64
           ",\"p50_ns\":%" PRId64 ",\"p99_ns\":%" PRId64 "}\n",
           n, s->calls, s->polls, s->doubled, s->connections,
           s->ended - s->began, s->traces[n / 2].delay,
           s->traces[n * 99 / 100].delay);
    fflush(stdout);
}

static void note_send(struct stub *s, const char *text)
{
    int64_t n = s->next_id - s->first_id;
    int64_t number = strtoll(text + 2, NULL, 10); /* "#NUMBER … */
    s->calls++;
    if (text[1] != '#' || number < 0 || number >= n || s->reported)
        return; /* a call of a client that got no update from here */
    struct trace *t = &s->traces[number];
    s->ended = stub_now_ns();
    if (t->delay >= 0) {
        s->doubled++;
        return;
    }
    t->delay = s->ended - t->given;
    s->answered++;
    stub_rest(s);
}

static void get_me(struct stub *s, struct connection *c, const char *body)
{
    struct bytes b = {0};
    (void)s;
    (void)body;
    bytes_printf(&b, "{\"ok\":true,\"result\":%s}", bot_user);
    reply(c, &b);
    free(b.data);
}

static void get_webhook_info(struct stub *s, struct connection *c,
                             const char *body)
{
    (void)s;
    (void)body;
    reply_text(c, "{\"ok\":true,\"result\":{\"url\":\"\","
                  "\"has_custom_certificate\":false,"
                  "\"pending_update_count\":0}}");
}

static void get_updates(struct stub *s, struct connection *c, const char *body)
{
    int64_t offset = member_int(body, "offset", 0);
    int64_t wait = member_int(body, "timeout", 0);
    int64_t now = stub_now_ns();
    if (!s->polled)
        printf("{\"event\":\"polling\",\"at\":%" PRId64 "}\n", now);
    s->polled = true;
    fflush(stdout);
    s->polls++;
    if (offset > s->confirmed && offset <= s->next_id)
        s->confirmed = offset;
    stub_report(s);
    stub_rest(s);
    if ((s->confirmed < s->next_id && !s->stepping) || wait <= 0) {
        stub_give(s, c);
        return;
    }
    s->poller = c;
    s->poll_ends = now + wait * 1000000000;
}

static void set_webhook(struct stub *s, struct connection *c, const char *body)
{
    (void)s;
    (void)body;
    printf("{\"event\":\"webhook\",\"at\":%" PRId64 "}\n", stub_now_ns());
    fflush(stdout);
    reply_text(c, "{\"ok\":true,\"result\":true}");
}

static void send_message(struct stub *s, struct connection *c, const char *body)
{
    struct bytes b = {0};
    const char *text = member(body, "text");
    if (!text) {
        reply_text(c, "{\"ok\":false,\"error_code\":400,\"description\":"
                      "\"Bad Request: message text is empty\"}");
        return;
    }
    note_send(s, text);
    bytes_printf(&b,
                 "{\"ok\":true,\"result\":{\"message_id\":%" PRId64
                 ",\"from\":%s,\"chat\":",
                 ++s->message_id, bot_user);
    put_person(&b, member_int(body, "chat_id", 0));
    bytes_printf(&b, ",\"date\":%" PRId64 ",\"text\":", DATE + 6);
    bytes_add(&b, text, string_length(text));
    bytes_printf(&b, ",\"entities\":[{\"offset\":0,\"length\":5,"
                     "\"type\":\"hashtag\"}]}}");
    reply(c, &b);
    free(b.data);
    stub_report(s);
}

static const struct {
    const char *name;
    void (*answer)(struct stub *s, struct connection *c, const char *body);
} methods[] = {
    {"sendMessage", send_message},
    {"getUpdates", get_updates},
    {"getMe", get_me},
    {"setWebhook", set_webhook},
    {"getWebhookInfo", get_webhook_info},
};

void stub_answer(struct stub *s, struct connection *c, const char *target,
                 const char *body)
{
    const char *name = target + strcspn(target + 1, "/ ") + 1;
    name += *name == '/';
    size_t len = strcspn(name, " ?");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strlen(methods[i].name) == len &&
            strncmp(methods[i].name, name, len) == 0) {
            methods[i].answer(s, c, body);
            return;
        }
    }
    fprintf(stderr, "stub: a call that no bench makes: %.60s\n", target);
    reply_text(c, "{\"ok\":false,\"error_code\":404,"
                  "\"description\":\"Not Found\"}");
}

void stub_begin(struct stub *s, int64_t n)
{
    free(s->traces);
    s->traces = calloc((size_t)n, sizeof *s->traces);
    if (!s->traces)
        stub_die("calloc");
    for (int64_t i = 0; i < n; i++)
        s->traces[i].delay = -1;
    s->first_id = s->confirmed = s->next_post = s->next_id;
    s->next_id += n;
    s->answered = s->doubled = s->calls = s->polls = 0;
    s->began = s->ended = 0;
    s->reported = false;
    s->posting = s->stepping = false;
    s->next_step = 0;
}
