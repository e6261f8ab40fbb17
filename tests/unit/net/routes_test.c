#include "net/routes.h"

#include "base/buf.h"
#include "net/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An exchange that keeps its answer. */
struct recorded {
    struct exchange x;
    int status;
    struct buf body;
    const char *handler;
    char wildcards[64];
};

static void record_reply(struct exchange *x, int status,
                         const char *content_type, const char *body, size_t len)
{
    struct recorded *r = (struct recorded *)x;
    assert_string_equal(content_type, "application/json");
    r->status = status;
    buf_append(&r->body, body, len);
}

static const struct exchange_carrier recorder = {.reply = record_reply};

/* The arg of each route is the name that it leaves. */
static void leave_name(struct exchange *x, void *arg)
{
    struct recorded *r = (struct recorded *)x;
    r->handler = arg;
    for (unsigned i = 0; i < EXCHANGE_WILDCARDS; i++) {
        strcat(r->wildcards, exchange_wildcard(x, i));
        strcat(r->wildcards, "|");
    }
}

static void run(struct routes *routes, struct recorded *r, const char *method,
                const char *target)
{
    memset(r, 0, sizeof(*r));
    exchange_init(&r->x, &recorder, method, target);
    routes_run(routes, &r->x);
}

static void done(struct recorded *r)
{
    exchange_clear(&r->x);
    buf_free(&r->body);
}

static void assert_runs(struct routes *routes, const char *method,
                        const char *target, const char *handler,
                        const char *wildcards)
{
    struct recorded r;
    run(routes, &r, method, target);
    if (!r.handler)
        fail_msg("%s %s: no handler", method, target);
    assert_string_equal(r.handler, handler);
    assert_string_equal(r.wildcards, wildcards);
    done(&r);
}

static void assert_fails(struct routes *routes, const char *method,
                         const char *target, int status, const char *body)
{
    struct recorded r;
    run(routes, &r, method, target);
    assert_null(r.handler);
    assert_int_equal(r.status, status);
    assert_string_equal(r.body.data, body);
    done(&r);
}

static void exact_segments_win(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, "GET", "/**", leave_name, "rest");
    routes_add(r, "GET", "/*/b", leave_name, "star-b");
    routes_add(r, "GET", "/a/*", leave_name, "a-star");
    routes_add(r, "GET", "/a/**", leave_name, "a-rest");
    routes_add(r, "GET", "/a/b", leave_name, "a-b");
    routes_add(r, "GET", "/", leave_name, "root");
    assert_runs(r, "GET", "/a/b", "a-b", "||||");
    assert_runs(r, "GET", "/a/c", "a-star", "c||||");
    assert_runs(r, "GET", "/x/b", "star-b", "x||||");
    assert_runs(r, "GET", "/a/c/d", "a-rest", "c/d||||");
    assert_runs(r, "GET", "/x/c/d", "rest", "x/c/d||||");
    assert_runs(r, "GET", "/", "root", "||||");
    assert_runs(r, "GET", "/a", "rest", "a||||");
    routes_free(r);
}

static void another_method_falls_to_a_wildcard(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, "GET", "/a/b", leave_name, "get");
    routes_add(r, "POST", "/a/*", leave_name, "post");
    routes_add(r, NULL, "/any", leave_name, "any");
    routes_add(r, "PUT", "/any", leave_name, "put");
    assert_runs(r, "POST", "/a/b", "post", "b||||");
    assert_runs(r, "GET", "/a/b", "get", "||||");
    assert_runs(r, "PATCH", "/any", "any", "||||");
    assert_runs(r, "PUT", "/any", "put", "||||");
    routes_free(r);
}

static void wildcards_are_whole_segments(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, NULL, "/*/x/*", leave_name, "two");
    routes_add(r, NULL, "/f/*/**", leave_name, "file");
    assert_runs(r, "GET", "/1/x/2", "two", "1|2|||");
    assert_runs(r, "GET", "/f/bot1:A/a/b.txt", "file", "bot1:A|a/b.txt|||");
    assert_runs(r, "GET", "/f/t/", "file", "t||||");
    assert_fails(r, "GET", "/f/t", 404, "{\"error\":\"nothing here\"}");
    assert_fails(r, "GET", "/1/x", 404, "{\"error\":\"nothing here\"}");
    assert_fails(r, "GET", "/1/x/2/3", 404, "{\"error\":\"nothing here\"}");
    routes_free(r);
}

static void a_segment_may_begin_with_a_text(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, NULL, "/*/x", leave_name, "any");
    routes_add(r, NULL, "/bot*/x", leave_name, "bot");
    routes_add(r, NULL, "/f/bot*/**", leave_name, "file");
    routes_add(r, "GET", "/botany/x", leave_name, "botany");
    assert_runs(r, "GET", "/bot1:A/x", "bot", "bot1:A||||");
    assert_runs(r, "GET", "/bot/x", "bot", "bot||||");
    assert_runs(r, "GET", "/botany/x", "botany", "||||");
    assert_runs(r, "PUT", "/botany/x", "bot", "botany||||");
    assert_runs(r, "GET", "/bo/x", "any", "bo||||");
    assert_runs(r, "GET", "/Bot/x", "any", "Bot||||");
    assert_runs(r, "GET", "/f/bot1:A/b/c", "file", "bot1:A|b/c|||");
    assert_fails(r, "GET", "/f/b/c", 404, "{\"error\":\"nothing here\"}");
    assert_fails(r, "GET", "/bot1:A", 404, "{\"error\":\"nothing here\"}");
    routes_free(r);
}

static void odd_segments_stay_what_they_are(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, NULL, "/a/*", leave_name, "one");
    routes_add(r, NULL, "/a/b/**", leave_name, "rest");
    assert_runs(r, "GET", "/a/..", "one", "..||||");
    assert_runs(r, "GET", "/a/b/../../etc", "rest", "../../etc||||");
    assert_runs(r, "GET", "/a/b//c", "rest", "/c||||");
    assert_fails(r, "GET", "//a/b", 404, "{\"error\":\"nothing here\"}");
    assert_fails(r, "GET", "a/b", 404, "{\"error\":\"nothing here\"}");
    assert_fails(r, "OPTIONS", "*", 404, "{\"error\":\"nothing here\"}");
    routes_free(r);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, NULL, "/a b/*", leave_name, "one");
    assert_runs(r, "GET", "/a%20b/%D0%B0+c", "one", "\xD0\xB0+c||||");
    assert_runs(r, "GET", "/a%20b/%zz%4", "one", "%zz%4||||");
    assert_runs(r, "GET", "/a%20b/x%00y", "one", "x%00y||||");
    routes_free(r);
}

static void head_is_answered_like_get(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, "GET", "/a", leave_name, "get");
    routes_add(r, "GET", "/b", leave_name, "get");
    routes_add(r, "HEAD", "/b", leave_name, "head");
    assert_runs(r, "HEAD", "/a", "get", "||||");
    assert_runs(r, "HEAD", "/b", "head", "||||");
    assert_fails(r, "head", "/a", 405,
                 "{\"error\":\"method head is not allowed here\"}");
    routes_free(r);
}

static void wrong_method_names_the_right_ones(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    struct recorded x;
    routes_add(r, "GET", "/a", leave_name, "get");
    routes_add(r, "POST", "/a", leave_name, "post");
    run(r, &x, "DELETE", "/a");
    assert_int_equal(x.status, 405);
    assert_string_equal(x.x.headers->name, "Allow");
    assert_string_equal(x.x.headers->value, "POST, GET");
    done(&x);
    routes_free(r);
}

static bool refuse_secret(struct exchange *x, void *arg)
{
    (void)arg;
    if (strcmp(exchange_path(x), "/secret") != 0)
        return true;
    exchange_fail(x, 401, "a \"token\" is needed");
    return false;
}

static void guard_runs_before_the_handlers(void **state)
{
    (void)state;
    struct routes *r = routes_new();
    routes_add(r, NULL, "/**", leave_name, "rest");
    routes_guard(r, refuse_secret, NULL);
    assert_fails(r, "GET", "/secret", 401,
                 "{\"error\":\"a \\\"token\\\" is needed\"}");
    assert_runs(r, "GET", "/open", "rest", "open||||");
    routes_free(r);
}

static void assert_query(const char *target, const char *name,
                         const char *value)
{
    struct exchange x = {0};
    struct buf out = {0};
    exchange_init(&x, &recorder, "GET", target);
    assert_int_equal(exchange_query_get(&x, name, &out), value != NULL);
    if (value)
        assert_string_equal(out.len ? out.data : "", value);
    buf_free(&out);
    exchange_clear(&x);
}

static void query_parameters_are_found(void **state)
{
    (void)state;
    assert_query("/p?a=1&b=2", "b", "2");
    assert_query("/p?a=1&a=2", "a", "1");
    assert_query("/p?a=x+y%26%3D", "a", "x y&=");
    assert_query("/p?a%20b=1", "a b", "1");
    assert_query("/p?ab=1", "a", NULL);
    assert_query("/p?flag&x=", "flag", "");
    assert_query("/p?flag&x=", "x", "");
    assert_query("/p", "x", NULL);
    assert_query("/p?x=1#x=2", "x", "1");
    assert_query("/p?&&=&x=1", "x", "1");
}

static void targets_may_be_absolute(void **state)
{
    (void)state;
    static const struct {
        const char *target, *path, *query;
    } rows[] = {
        {"http://host:80/a%2Fb?c=%20#d", "/a%2Fb", "c=%20"},
        {"http://host", "/", ""},
        {"http://host?x", "/", "x"},
        {"/a?b?c", "/a", "b?c"},
        {"/redirect?to=http://x/y", "/redirect", "to=http://x/y"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct exchange x = {0};
        exchange_init(&x, &recorder, "GET", rows[i].target);
        assert_string_equal(exchange_path(&x), rows[i].path);
        assert_string_equal(exchange_query(&x), rows[i].query);
        assert_string_equal(exchange_body(&x, NULL), "");
        exchange_clear(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_segments_win),
        cmocka_unit_test(another_method_falls_to_a_wildcard),
        cmocka_unit_test(wildcards_are_whole_segments),
        cmocka_unit_test(a_segment_may_begin_with_a_text),
        cmocka_unit_test(odd_segments_stay_what_they_are),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(head_is_answered_like_get),
        cmocka_unit_test(wrong_method_names_the_right_ones),
        cmocka_unit_test(guard_runs_before_the_handlers),
        cmocka_unit_test(query_parameters_are_found),
        cmocka_unit_test(targets_may_be_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
