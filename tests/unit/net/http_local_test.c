#include "net/http_local.h"

#include "net/http_server.h"
#include "net/routes.h"

#include "fixture.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/un.h>

#define RESPONSE_MAX 1000

/* A server at a Unix socket, and one request to it from another thread. */
struct world {
    struct fixture f;
    struct routes *routes;
    struct http_server *server;
    char dir[64];
    char path[128];
    struct http_local request;
    struct buf body;
    struct err e;
    int result;
    atomic_bool done;
};

static void echo(struct exchange *x, void *arg)
{
    size_t len;
    struct buf out = {0};
    (void)arg;
    exchange_body(x, &len);
    buf_printf(&out, "%s %s?%s %zu %s", exchange_method(x), exchange_path(x),
               exchange_query(x), len,
               exchange_peer_is_loopback(x) ? "near" : "far");
    exchange_reply(x, 200, "text/plain", out.data, out.len);
    buf_free(&out);
}

static void big(struct exchange *x, void *arg)
{
    static const char body[RESPONSE_MAX + 1];
    (void)arg;
    exchange_reply(x, 200, "text/plain", body, sizeof body);
}

static void on_gone(struct exchange *x, void *arg)
{
    (void)x;
    (void)arg;
}

static void silence(struct exchange *x, void *arg)
{
    exchange_on_gone(x, on_gone, arg);
}

static void drop(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_drop(x);
}

static int serve(struct world *w)
{
    const struct http_server_options o = {
        .path = w->path,
        .connections_max = 4,
        .body_max = 1000,
        .idle_ms = 20000,
    };
    w->server = http_server_new(w->f.loop, w->routes, &o, &w->e);
    return w->server ? 0 : w->e.code;
}

static int setup(void **state)
{
    struct world *w = MEM_NEW(struct world);
    fixture_open(&w->f);
    w->routes = routes_new();
    routes_add(w->routes, NULL, "/echo", echo, NULL);
    routes_add(w->routes, NULL, "/big", big, NULL);
    routes_add(w->routes, NULL, "/silence", silence, NULL);
    routes_add(w->routes, NULL, "/drop", drop, NULL);
    snprintf(w->dir, sizeof w->dir, "/tmp/moonlet-local-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/a.sock", w->dir);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->server)
        http_server_free(w->server);
    fixture_close(&w->f);
    routes_free(w->routes);
    buf_free(&w->body);
    unlink(w->path);
    rmdir(w->dir);
    free(w);
    return 0;
}

static void *request_main(void *arg)
{
    struct world *w = arg;
    w->result = http_local_request(&w->request, &w->body, &w->e);
    w->done = true;
    return NULL;
}

static int ask(struct world *w, const char *method, const char *target,
               uint64_t timeout_ms)
{
    pthread_t thread;
    w->request = (struct http_local){
        .socket = w->path,
        .method = method,
        .target = target,
        .timeout_ms = timeout_ms,
        .response_max = RESPONSE_MAX,
    };
    w->done = false;
    buf_clear(&w->body);
    assert_int_equal(pthread_create(&thread, NULL, request_main, w), 0);
    WAIT_UNTIL(&w->f, w->done);
    pthread_join(thread, NULL);
    return w->result;
}

static void a_request_is_answered(void **state)
{
    struct world *w = *state;
    assert_int_equal(serve(w), 0);
    assert_int_equal(http_server_port(w->server), 0);
    assert_int_equal(ask(w, "GET", "/echo?a=1", 20000), 200);
    assert_string_equal(w->body.data, "GET /echo?a=1 0 near");
    assert_int_equal(ask(w, "POST", "/echo", 20000), 200);
    assert_string_equal(w->body.data, "POST /echo? 0 near");
    assert_int_equal(ask(w, "GET", "/absent", 20000), 404);
}

static void what_is_wrong_is_told(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, "GET", "/echo", 20000), ERR_NOT_SENT);
    assert_int_equal(w->e.detail, ENOENT);
    assert_int_equal(serve(w), 0);
    assert_int_equal(ask(w, "GET", "/big", 20000), ERR_UNKNOWN);
    assert_int_equal(ask(w, "GET", "/drop", 20000), ERR_UNKNOWN);
    assert_int_equal(ask(w, "GET", "/silence", 50), ERR_TIMEOUT);
}

static void the_socket_is_the_owners_and_goes_with_the_server(void **state)
{
    struct world *w = *state;
    struct stat st;
    mode_t old = umask(0);
    assert_int_equal(serve(w), 0);
    umask(old);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    http_server_free(w->server);
    w->server = NULL;
    assert_int_equal(access(w->path, F_OK), -1);
}

/* As a process that was killed leaves it. */
static void leave_stale_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(a.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct world *w = *state;
    leave_stale_socket(w->path);
    assert_int_equal(ask(w, "GET", "/echo", 20000), ERR_NOT_SENT);
    assert_int_equal(w->e.detail, ECONNREFUSED);
    assert_int_equal(serve(w), 0);
    assert_int_equal(ask(w, "GET", "/echo", 20000), 200);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    struct world *w = *state;
    FILE *f = fopen(w->path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(serve(w), ERR_IO);
    assert_int_equal(w->e.detail, EADDRINUSE);
    assert_non_null(strstr(w->e.message, w->path));
    assert_int_equal(access(w->path, F_OK), 0);
}

static void a_path_that_is_too_long_is_an_error_at_both_ends(void **state)
{
    struct world *w = *state;
    memset(w->path, 'x', 108);
    w->path[108] = '\0';
    assert_int_equal(serve(w), ERR_CONFIG);
    assert_non_null(strstr(w->e.message, "108 bytes"));
    assert_non_null(strstr(w->e.message, "107"));
    assert_int_equal(ask(w, "GET", "/echo", 20000), ERR_NOT_SENT);
    assert_int_equal(w->e.detail, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_socket_is_the_owners_and_goes_with_the_server, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_path_that_is_too_long_is_an_error_at_both_ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
