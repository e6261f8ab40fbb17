#ifndef MOONLET_TESTS_SIM_FIXTURE_H
#define MOONLET_TESTS_SIM_FIXTURE_H

/*
 * A simulator on a virtual clock, and a carrier of exchanges that notes what
 * becomes of each. Answers live until the fixture is closed.
 */

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/exchange.h"
#include "net/http_client.h"
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define EPOCH_MS INT64_C(1700000000000)
#define ANSWERS_MAX 4096

struct answer {
    int status;        /* 0: none yet, or dropped */
    uint64_t promised; /* bytes, of an answer that is cut */
    char *content_range;
    bool dropped;
    bool ended; /* of a stream */
    char *retry_after;
    char *content_type;
    struct buf body;
    json_t *json;         /* NULL: not JSON */
    struct carried *open; /* the exchange while it is held */
};

struct carried {
    struct exchange x; /* first member */
    struct answer *answer;
    const char *content_type;
    const char *range;  /* header; NULL: none */
    struct buf sent;    /* the body of a streamed route */
    size_t taken;       /* of it */
    size_t stream_room; /* bytes that the stream takes; for back pressure */
};

struct fixture {
    struct clock clock;
    struct rng rng;
    struct loop *loop;
    struct routes *routes;
    struct routes *hooks; /* where webhooks are posted to */
    struct http_client *client;
    struct sim *sim;
    struct answer *answers[ANSWERS_MAX];
    size_t answers_count;
};

static inline struct carried *carried_of(const struct exchange *x)
{
    return (struct carried *)(void *)(uintptr_t)x;
}

static inline struct answer *let_go(struct exchange *x)
{
    struct carried *c = carried_of(x);
    struct answer *a = c->answer;
    a->open = NULL;
    for (struct exchange_header *h = x->headers; h != NULL; h = h->next)
        if (strcasecmp(h->name, "Retry-After") == 0)
            a->retry_after = mem_strdup(h->value);
        else if (strcasecmp(h->name, "Content-Range") == 0)
            a->content_range = mem_strdup(h->value);
    exchange_clear(x);
    buf_free(&c->sent);
    free(c);
    return a;
}

static inline void carry_reply(struct exchange *x, int status,
                               const char *content_type, const char *body,
                               size_t len)
{
    struct answer *a = let_go(x);
    a->status = status;
    a->content_type = content_type != NULL ? mem_strdup(content_type) : NULL;
    buf_append(&a->body, body, len);
    a->json = json_loadb(body, len, JSON_DECODE_ANY, NULL);
}

static inline void carry_drop(struct exchange *x)
{
    let_go(x)->dropped = true;
}

static inline void carry_stream_begin(struct exchange *x, int status,
                                      const char *content_type)
{
    carried_of(x)->answer->status = status;
    carried_of(x)->answer->content_type = mem_strdup(content_type);
}

static inline bool carry_stream_write(struct exchange *x, const char *data,
                                      size_t len)
{
    struct carried *c = carried_of(x);
    if (len > c->stream_room)
        return false;
    c->stream_room -= len;
    buf_append(&c->answer->body, data, len);
    return true;
}

static inline void carry_stream_end(struct exchange *x)
{
    let_go(x)->ended = true;
}

static inline const char *carry_header(const struct exchange *x,
                                       const char *name)
{
    if (strcasecmp(name, "Range") == 0)
        return carried_of(x)->range;
    return strcasecmp(name, "Content-Type") == 0 ? carried_of(x)->content_type
                                                 : NULL;
}

/* Gives the taker what it takes. */
static inline void feed(struct carried *c)
{
    struct answer *a = c->answer;
    const struct exchange_taker *taker = c->x.taker;
    while (c->taken < c->sent.len) {
        size_t left = c->sent.len - c->taken;
        size_t took =
            taker->take(&c->x, c->x.taker_arg, c->sent.data + c->taken, left);
        if (a->open == NULL)
            return;
        c->taken += took;
        if (took < left)
            return;
    }
    taker->end(&c->x, c->x.taker_arg);
}

static inline void carry_receive(struct exchange *x)
{
    (void)x; /* request goes on */
}

static inline void carry_resume(struct exchange *x)
{
    feed(carried_of(x));
}

static inline int64_t carry_body_length(const struct exchange *x)
{
    return (int64_t)carried_of(x)->sent.len;
}

static inline void carry_reply_file(struct exchange *x, int status,
                                    const char *content_type, int fd,
                                    uint64_t offset, uint64_t len)
{
    struct answer *a = let_go(x);
    char *place = buf_reserve(&a->body, len);
    a->status = status;
    a->content_type = mem_strdup(content_type);
    assert_int_equal(pread(fd, place, len, (off_t)offset), len);
    a->body.len = len;
    close(fd);
}

static inline void carry_reply_cut(struct exchange *x, int status,
                                   const char *content_type, const char *body,
                                   size_t len, uint64_t promised)
{
    carried_of(x)->answer->promised = promised;
    carry_reply(x, status, content_type, body, len);
}

static const struct exchange_carrier test_carrier = {
    .reply = carry_reply,
    .drop = carry_drop,
    .stream_begin = carry_stream_begin,
    .stream_write = carry_stream_write,
    .stream_end = carry_stream_end,
    .header = carry_header,
    .receive = carry_receive,
    .resume = carry_resume,
    .body_length = carry_body_length,
    .reply_file = carry_reply_file,
    .reply_cut = carry_reply_cut,
};

static inline void open_sim(struct fixture *f, const char *token)
{
    const struct sim_options options = {
        .token = token, .client = f->client, .may_advance = true};
    f->sim = sim_new(f->loop, &options);
}

static inline void fixture_open(struct fixture *f, const char *token)
{
    memset(f, 0, sizeof(*f));
    clock_init_virtual(&f->clock, EPOCH_MS);
    rng_seed(&f->rng, 7);
    f->loop = loop_new(&f->clock, NULL, &f->rng);
    f->routes = routes_new();
    f->hooks = routes_new();
    f->client = http_client_new_direct(f->loop, f->hooks);
    open_sim(f, token);
    sim_mount(f->sim, f->routes);
}

static inline void fixture_close(struct fixture *f)
{
    sim_free(f->sim);
    http_client_free(f->client);
    routes_free(f->hooks);
    routes_free(f->routes);
    for (size_t i = 0; i < f->answers_count; i++) {
        struct answer *a = f->answers[i];
        assert_null(a->open);
        json_decref(a->json);
        buf_free(&a->body);
        free(a->content_type);
        free(a->retry_after);
        free(a->content_range);
        free(a);
    }
    assert_int_equal(loop_free(f->loop), 0);
}

/* A request with a header Range, unless that is NULL. */
static inline struct answer *
request_range(struct fixture *f, const char *method, const char *target,
              const char *content_type, const char *body, size_t len,
              const char *range)
{
    struct carried *c = MEM_NEW(struct carried);
    assert_true(f->answers_count < ANSWERS_MAX);
    struct answer *a = MEM_NEW(struct answer);
    f->answers[f->answers_count++] = a;
    exchange_init(&c->x, &test_carrier, method, target);
    c->x.peer_is_loopback = true;
    c->answer = a;
    c->content_type = content_type;
    c->range = range;
    c->stream_room = SIZE_MAX / 2;
    a->open = c;
    bool streamed = routes_streamed(f->routes, &c->x);
    if (content_type != NULL)
        buf_append(streamed ? &c->sent : &c->x.body, body, len);
    routes_run(f->routes, &c->x);
    if (streamed && a->open != NULL && c->x.taker != NULL)
        feed(c);
    return a;
}

/* Sends a request; the answer may come later. content_type NULL: no body. */
static inline struct answer *request(struct fixture *f, const char *method,
                                     const char *target,
                                     const char *content_type, const char *body,
                                     size_t len)
{
    return request_range(f, method, target, content_type, body, len, NULL);
}

/* Everything that happens within so many milliseconds. */
static inline void pass(struct fixture *f, uint64_t ms)
{
    uint64_t until = clock_ns(&f->clock) + ms * UINT64_C(1000000);
    while (loop_step(f->loop, until)) {
    }
}

/* The peer of an open exchange goes away. */
static inline void hang_up(struct answer *a)
{
    struct exchange *x = &a->open->x;
    assert_non_null(x->gone);
    x->gone(x, x->gone_arg);
    let_go(x);
}

static inline struct answer *post(struct fixture *f, const char *target,
                                  const char *json)
{
    return request(f, "POST", target, "application/json", json, strlen(json));
}

static inline struct answer *get(struct fixture *f, const char *target)
{
    return request(f, "GET", target, NULL, NULL, 0);
}

/* An API call of bot 1, which is answered at once. */
static inline struct answer *api(struct fixture *f, const char *method,
                                 const char *json)
{
    char target[128];
    snprintf(target, sizeof(target), "/bot1:A/%s", method);
    return post(f, target, json);
}

static inline void fails(const struct answer *a, int code,
                         const char *description)
{
    assert_int_equal(a->status, code);
    assert_true(json_is_false(json_object_get(a->json, "ok")));
    assert_int_equal(json_integer_value(json_object_get(a->json, "error_code")),
                     code);
    assert_string_equal(
        json_string_value(json_object_get(a->json, "description")),
        description);
}

/* The result of a call that has succeeded. */
static inline json_t *result(const struct answer *a)
{
    if (a->status != 200)
        fprintf(stderr, "%d %s\n", a->status,
                a->body.data != NULL ? a->body.data : "");
    assert_int_equal(a->status, 200);
    assert_true(json_is_true(json_object_get(a->json, "ok")));
    return json_object_get(a->json, "result");
}

/* A control request that must succeed. */
static inline json_t *fine(const struct answer *a)
{
    if (a->status != 200)
        fprintf(stderr, "%d %s\n", a->status,
                a->body.data != NULL ? a->body.data : "");
    assert_int_equal(a->status, 200);
    return a->json;
}

/* A control request that must fail; the text must hold `part`. */
static inline void refused(const struct answer *a, int status, const char *part)
{
    assert_int_equal(a->status, status);
    const char *text = json_string_value(json_object_get(a->json, "error"));
    assert_non_null(text);
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* A value by a path "a.0.b"; fails if there is none. */
static inline json_t *at(json_t *value, const char *path)
{
    char key[64];
    while (*path != '\0') {
        size_t len = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)len, path);
        value = json_is_array(value)
                    ? json_array_get(value, strtoul(key, NULL, 10))
                    : json_object_get(value, key);
        if (value == NULL)
            fail_msg("no %s", path);
        path += len + (path[len] == '.');
    }
    return value;
}

static inline json_int_t int_at(json_t *value, const char *path)
{
    json_t *found = at(value, path);
    assert_true(json_is_integer(found));
    return json_integer_value(found);
}

static inline const char *text_at(json_t *value, const char *path)
{
    json_t *found = at(value, path);
    assert_true(json_is_string(found));
    return json_string_value(found);
}

static inline void same_json(json_t *value, const char *expected)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(text, expected);
    free(text);
}

#define FIXTURE_ANN "{\"first_name\":\"Ann\",\"id\":1001,\"username\":\"ann\"}"

#define LIMITS_OFF "{\"per_second\":0,\"per_chat\":0,\"per_group_minute\":0}"

static inline int fixture_setup(void **state)
{
    *state = MEM_NEW(struct fixture);
    fixture_open(*state, NULL);
    fine(post(*state, "/sim/limits", LIMITS_OFF));
    fine(post(*state, "/sim/users", FIXTURE_ANN));
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

#define SIM_TEST(function)                                                     \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

#endif
