#ifndef MOONLET_TESTS_SIM_HOOK_FIXTURE_H
#define MOONLET_TESTS_SIM_HOOK_FIXTURE_H

/*
 * A bot that serves a webhook at /hook: it notes each post and answers it
 * with the next status of its plan, 200 behind the last; 0 holds the post.
 */

#include "fixture.h"

#include "net/routes.h"
#include "sim/core.h"

#define POSTS_MAX 20000
#define HOLD 0
#define DROP (-1)

struct noted {
    uint64_t ms; /* since the start */
    json_t *update;
    struct exchange *x; /* held; NULL: answered */
};

struct bot_end {
    struct fixture f;
    struct noted posts[POSTS_MAX];
    size_t count;
    const int *plan;
    size_t planned;
    int otherwise;
    const char *retry_after;
    const char *reply; /* of a 200 */
    const char *reply_type;
    char *query;
    char *secret;
    char *authorization;
    char *type;
    char *body;
};

static inline void note_text(char **to, const char *text)
{
    free(*to);
    *to = text != NULL ? mem_strdup(text) : NULL;
}

static inline void hook_gone(struct exchange *x, void *arg)
{
    struct noted *n = arg;
    assert_ptr_equal(n->x, x);
    n->x = NULL;
}

static inline void answer_post(struct bot_end *b, struct noted *n, int status)
{
    struct exchange *x = n->x;
    n->x = NULL;
    exchange_on_gone(x, NULL, NULL);
    if (status == DROP) {
        exchange_drop(x);
        return;
    }
    if (b->retry_after != NULL)
        exchange_add_header(x, "Retry-After", b->retry_after);
    const char *text = b->reply != NULL ? b->reply : "";
    exchange_reply(x, status, b->reply_type, text, strlen(text));
}

static inline void on_post(struct exchange *x, void *arg)
{
    struct bot_end *b = arg;
    assert_true(b->count < POSTS_MAX);
    struct noted *n = &b->posts[b->count];
    int status = b->count < b->planned ? b->plan[b->count] : b->otherwise;
    size_t len;
    b->count++;
    n->ms = loop_now_ms(b->f.loop);
    n->x = x;
    note_text(&b->query, exchange_query(x));
    note_text(&b->secret,
              exchange_header(x, "X-Telegram-Bot-Api-Secret-Token"));
    note_text(&b->authorization, exchange_header(x, "Authorization"));
    note_text(&b->type, exchange_header(x, "Content-Type"));
    note_text(&b->body, exchange_body(x, &len));
    n->update = json_loads(b->body, 0, NULL);
    assert_non_null(n->update);
    exchange_on_gone(x, hook_gone, n);
    if (status != HOLD)
        answer_post(b, n, status);
}

static inline int hook_setup(void **state)
{
    struct bot_end *b = MEM_NEW(struct bot_end);
    fixture_open(&b->f, NULL);
    fine(post(&b->f, "/sim/limits", LIMITS_OFF));
    routes_add(b->f.hooks, "POST", "/hook", on_post, b);
    b->otherwise = 200;
    fine(post(&b->f, "/sim/users", FIXTURE_ANN));
    fine(post(&b->f, "/sim/users", "{\"first_name\":\"Bob\",\"id\":1002}"));
    *state = b;
    return 0;
}

static inline int hook_teardown(void **state)
{
    struct bot_end *b = *state;
    fixture_close(&b->f);
    for (size_t i = 0; i < b->count; i++) {
        assert_null(b->posts[i].x);
        json_decref(b->posts[i].update);
    }
    free(b->query);
    free(b->secret);
    free(b->authorization);
    free(b->type);
    free(b->body);
    free(b);
    return 0;
}

#define HOOK_TEST(function)                                                    \
    cmocka_unit_test_setup_teardown(function, hook_setup, hook_teardown)

static inline void set_hook(struct bot_end *b, int connections)
{
    char body[128];
    snprintf(body, sizeof(body),
             "{\"url\":\"http://bot.example/hook\",\"max_connections\":%d}",
             connections);
    result(api(&b->f, "setWebhook", body));
}

static inline void say_as(struct bot_end *b, int user, const char *text)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"from\":%d,\"text\":\"%s\"}", user, text);
    fine(post(&b->f, "/sim/send", body));
}

static inline void say(struct bot_end *b, const char *text)
{
    say_as(b, 1001, text);
}

/* A press of a button by user 1001. */
static inline void press(struct bot_end *b)
{
    fine(post(&b->f, "/sim/update",
              "{\"callback_query\":{\"id\":\"1\",\"from\":{\"id\":1001}}}"));
}

/* A message in a chat that nobody knows. */
static inline void say_in(struct bot_end *b, int chat)
{
    char body[128];
    snprintf(body, sizeof(body),
             "{\"message\":{\"text\":\"%d\",\"chat\":{\"id\":%d}}}", chat,
             chat);
    fine(post(&b->f, "/sim/update", body));
}

static inline const char *text_of(const struct bot_end *b, size_t i)
{
    assert_true(i < b->count);
    return text_at(b->posts[i].update, "message.text");
}

static inline json_t *info_of(struct bot_end *b)
{
    return result(api(&b->f, "getWebhookInfo", "{}"));
}

static inline json_int_t pending(struct bot_end *b)
{
    return int_at(info_of(b), "pending_update_count");
}

/* The seconds at which the posts came, as "0 0 2 6". */
static inline void came_at(const struct bot_end *b, const char *expected)
{
    struct buf got = {0};
    buf_puts(&got, "");
    for (size_t i = 0; i < b->count; i++)
        buf_printf(&got, "%s%g", i > 0 ? " " : "",
                   (double)(b->posts[i].ms - b->posts[0].ms) / 1000);
    assert_string_equal(got.data, expected);
    buf_free(&got);
}

#endif
