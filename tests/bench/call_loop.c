/*
 * The engine's way of an API call without any Lua: api, limiter and
 * http_client on our loop, with the bodies of bench_curl.
 *
 *   bench_call URL TOKEN COUNT IN_FLIGHT
 */

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rng.h"
#include "cost.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "telegram/api.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_FLIGHT_MAX 256

struct bench {
    struct loop *loop;
    struct api *api;
    int64_t left, done, failed, wanted;
    struct slot {
        struct bench *bench;
        struct api_call call;
        char body[1024];
    } slots[IN_FLIGHT_MAX];
};

static const char text[] =
    "Could you please tell me when my order will be delivered? I have moved "
    "to another flat, and nobody will be there on Thursday. Thank you very "
    "much in advance, and have a nic";

static void on_done(struct api_call *call, const struct err *e);

static void start(struct slot *slot)
{
    struct bench *b = slot->bench;
    b->left--;
    int len = snprintf(slot->body, sizeof slot->body,
                       "{\"chat_id\":%" PRId64 ",\"text\":\"# %s\"}",
                       INT64_C(7123400000) + b->left % 1000, text);
    slot->call = (struct api_call){
        .method = "sendMessage",
        .params = slot->body,
        .params_len = (size_t)len,
        .done = on_done,
    };
    api_start(b->api, &slot->call);
}

static void on_done(struct api_call *call, const struct err *e)
{
    struct slot *slot = LIST_ENTRY(call, struct slot, call);
    struct bench *b = slot->bench;
    b->failed += e->code != ERR_OK;
    api_call_free(call);
    if (b->left > 0)
        start(slot);
    if (++b->done == b->wanted)
        loop_stop(b->loop);
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct clock clock;
    struct rng rng;
    int64_t count = argc == 5 ? atoll(argv[3]) : 0;
    int in_flight = argc == 5 ? atoi(argv[4]) : 0;
    if (count < in_flight || in_flight <= 0 || in_flight > IN_FLIGHT_MAX) {
        fprintf(stderr, "usage: bench_call URL TOKEN COUNT IN_FLIGHT\n");
        return 2;
    }
    clock_init_real(&clock);
    rng_seed(&rng, 1);
    struct log *log = log_new(STDERR_FILENO, LOG_WARN, LOG_TEXT, &clock);
    b.loop = loop_new(&clock, log, &rng);
    const struct http_client_options client = {.connections_max = 256,
                                               .user_agent = "bench"};
    struct http_client *http = http_client_new_curl(b.loop, &client);
    const struct api_options options = {.url = argv[1],
                                        .token = argv[2],
                                        .request_timeout_ms = 30000,
                                        .max_retries = 3,
                                        .backoff_base = 2};
    b.api = api_new(b.loop, http, &options);
    b.wanted = b.left = count;
    struct cost from = cost_now();
    for (int i = 0; i < in_flight; i++) {
        b.slots[i].bench = &b;
        start(&b.slots[i]);
    }
    loop_run(b.loop);
    cost_print(from, count);
    if (b.failed > 0)
        fprintf(stderr, "bench_call: %" PRId64 " calls failed\n", b.failed);
    api_free(b.api);
    http_client_free(http);
    loop_free(b.loop);
    log_free(log);
    return b.failed > 0;
}
