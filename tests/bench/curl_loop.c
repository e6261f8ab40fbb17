/*
 * The bare loop that the echo bench is compared with: libcurl's multi handle
 * on libuv, a uv_poll for each socket, posting sendMessage bodies as the echo
 * bot does and looking at nothing in the answers.
 *
 *   bench_curl URL COUNT IN_FLIGHT
 */

#include "cost.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct loop {
    uv_loop_t uv;
    uv_timer_t timer;
    uv_idle_t turn; /* curl's timeout 0: on the next turn of the loop */
    CURLM *multi;
    struct curl_slist *headers;
    const char *url;
    int64_t left, done, failed;
};

struct transfer {
    struct loop *loop;
    char body[1024];
};

struct watched {
    uv_poll_t poll;
    struct loop *loop;
    curl_socket_t fd;
};

static const char text[] =
    "Could you please tell me when my order will be delivered? I have moved "
    "to another flat, and nobody will be there on Thursday. Thank you very "
    "much in advance, and have a nic";

static size_t ignore(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static void start(struct loop *l, CURL *easy, struct transfer *t)
{
    l->left--;
    snprintf(t->body, sizeof t->body,
             "{\"chat_id\":%" PRId64 ",\"text\":\"# %s\"}",
             INT64_C(7123400000) + l->left % 1000, text);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body);
    curl_multi_add_handle(l->multi, easy);
}

static void first_start(struct loop *l)
{
    struct transfer *t = calloc(1, sizeof *t);
    CURL *easy = curl_easy_init();
    if (!t || !easy)
        abort();
    t->loop = l;
    curl_easy_setopt(easy, CURLOPT_URL, l->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, l->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    start(l, easy, t);
}

static void collect(struct loop *l)
{
    CURLMsg *m;
    int queued;
    while ((m = curl_multi_info_read(l->multi, &queued))) {
        struct transfer *t;
        CURL *easy = m->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        l->failed += m->data.result != CURLE_OK || status != 200;
        l->done++;
        curl_multi_remove_handle(l->multi, easy);
        if (l->left > 0) {
            start(l, easy, t);
        } else {
            curl_easy_cleanup(easy);
            free(t);
        }
    }
}

static void run_timeouts(struct loop *l)
{
    int running;
    curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(l);
}

static void on_turn(uv_idle_t *turn)
{
    uv_idle_stop(turn);
    run_timeouts(turn->data);
}

static void on_timer(uv_timer_t *timer)
{
    run_timeouts(timer->data);
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct loop *l = arg;
    (void)multi;
    uv_timer_stop(&l->timer);
    if (ms == 0)
        uv_idle_start(&l->turn, on_turn);
    else if (ms > 0)
        uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    struct loop *l = w->loop;
    int flags = 0, running;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    flags |= status < 0 ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(l->multi, w->fd, flags, &running);
    collect(l);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                       void *known)
{
    struct loop *l = arg;
    struct watched *w = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            uv_close((uv_handle_t *)&w->poll, on_closed);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        if (!w || uv_poll_init(&l->uv, &w->poll, fd))
            abort();
        w->loop = l;
        w->fd = fd;
        w->poll.data = w;
        curl_multi_assign(l->multi, fd, w);
    }
    int events = 0;
    events |= what & CURL_POLL_IN ? UV_READABLE : 0;
    events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
    uv_poll_start(&w->poll, events, on_socket);
    return 0;
}

static void open_loop(struct loop *l)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) || uv_loop_init(&l->uv))
        abort();
    uv_timer_init(&l->uv, &l->timer);
    uv_idle_init(&l->uv, &l->turn);
    l->timer.data = l->turn.data = l;
    l->headers =
        curl_slist_append(l->headers, "Content-Type: application/json");
    l->headers = curl_slist_append(l->headers, "Expect:");
    l->multi = curl_multi_init();
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, 1024L);
}

static void close_loop(struct loop *l)
{
    curl_multi_cleanup(l->multi);
    curl_slist_free_all(l->headers);
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_close((uv_handle_t *)&l->turn, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    uv_loop_close(&l->uv);
    curl_global_cleanup();
}

int main(int argc, char **argv)
{
    struct loop l = {0};
    int64_t count = argc == 4 ? atoll(argv[2]) : 0;
    int in_flight = argc == 4 ? atoi(argv[3]) : 0;
    if (count < in_flight || in_flight <= 0) {
        fprintf(stderr, "usage: bench_curl URL COUNT IN_FLIGHT\n");
        return 2;
    }
    open_loop(&l);
    l.url = argv[1];
    l.left = count;
    struct cost from = cost_now();
    for (int i = 0; i < in_flight; i++)
        first_start(&l);
    while (l.done < count)
        uv_run(&l.uv, UV_RUN_ONCE);
    cost_print(from, count);
    close_loop(&l);
    if (l.failed > 0)
        fprintf(stderr, "bench_curl: %" PRId64 " calls failed\n", l.failed);
    return l.failed > 0;
}
