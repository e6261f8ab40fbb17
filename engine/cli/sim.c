/*
 * moonlet sim: the simulator alone.
 */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/routes.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIM_PORT 8081
#define SIM_BODY_MAX (64u * 1024 * 1024)
#define SIM_POSTS_MAX 400 /* to webhooks, at once */

static const char sim_help[] =
    "moonlet sim [--port N] [--token T] [--virtual-clock]\n\n"
    "A Telegram Bot API server on 127.0.0.1 for development and tests, with a\n"
    "control API under /sim and a page at /. Updates are fetched by "
    "getUpdates\n"
    "or posted to the address that setWebhook names, http:// too.\n\n"
    "  --port N          port to listen on (default 8081; 0: any free one)\n"
    "  --token T         the only token accepted (default: any well-formed "
    "one)\n"
    "  --virtual-clock   time stands still, and waiting calls wait, until\n"
    "                    POST /sim/clock {\"advance\": SECONDS} moves it on\n";

struct sim_command {
    int port;
    const char *token;
    bool virtual_clock;
};

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    loop_stop(handle->data);
}

static void run_until_signal(struct loop *loop)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    uv_signal_t signals[2];
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop_uv(loop), &signals[i]);
        signals[i].data = loop;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    loop_run(loop);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    loop_turn(loop);
}

static int serve(struct loop *loop, const struct sim_command *o)
{
    struct err e;
    struct routes *routes = routes_new();
    const struct http_client_options client = {.connections_max =
                                                   SIM_POSTS_MAX};
    const struct sim_options sim_options = {
        .token = o->token,
        .client = http_client_new_curl(loop, &client),
        .client_is_far = o->virtual_clock,
        .may_advance = o->virtual_clock,
    };
    const struct http_server_options options = {
        .host = "127.0.0.1",
        .port = o->port,
        .connections_max = 1200,
        .body_max = SIM_BODY_MAX,
        .idle_ms = 500000, /* as the real server, SERVER.md section 1 */
    };
    struct sim *sim = sim_new(loop, &sim_options);
    sim_demo_world(sim);
    sim_mount(sim, routes);
    sim_mount_page(sim, routes, "/");
    struct http_server *server = http_server_new(loop, routes, &options, &e);
    if (server) {
        printf("Simulated Bot API: http://127.0.0.1:%d\n",
               http_server_port(server));
        fflush(stdout);
        run_until_signal(loop);
        http_server_free(server);
    }
    sim_free(sim);
    http_client_free(sim_options.client);
    loop_free(loop);
    routes_free(routes);
    return server ? 0 : command_fail(EXIT_FAILED, "%s", e.message);
}

static int read_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    return *end || port < 0 || port > 65535 ? -1 : (int)port;
}

/* As the simulator reads it in a request's path. */
static bool is_token(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && *text != '0' && text[digits] == ':' &&
           text[digits + 1] != '\0' && !strpbrk(text, "/? ");
}

/* A virtual clock begins now and stands still. */
static int run(const struct sim_command *o)
{
    struct clock clock;
    struct rng rng;
    clock_init_real(&clock);
    int64_t now_ms = clock_unix_ms(&clock);
    rng_seed(&rng, (uint64_t)now_ms ^ ((uint64_t)getpid() << 32));
    if (o->virtual_clock)
        clock_init_virtual(&clock, now_ms);
    struct log *log = log_new(STDERR_FILENO, LOG_INFO, LOG_TEXT, &clock);
    struct loop *loop = loop_new(&clock, log, &rng);
    loop_jump(loop, 0);
    int code = serve(loop, o);
    log_free(log);
    return code;
}

int command_sim(int argc, char **argv)
{
    struct sim_command o = {0};
    const char *port_text = NULL, *is_virtual = NULL;
    const struct command_option options[] = {
        {"--port", &port_text, true, NULL},
        {"--token", &o.token, true, NULL},
        {"--virtual-clock", &is_virtual, false, NULL},
        {0},
    };
    int code = command_parse(argc, argv, options, NULL, sim_help);
    if (code >= 0)
        return code;
    o.port = port_text ? read_port(port_text) : SIM_PORT;
    if (o.port < 0)
        return command_fail(EXIT_USAGE,
                            "sim: --port must be 0..65535, got "
                            "\"%s\"",
                            port_text);
    if (o.token && !is_token(o.token))
        return command_fail(EXIT_USAGE, "sim: --token must be like 123:ABC "
                                        "(digits, colon, rest)");
    o.virtual_clock = is_virtual != NULL;
    return run(&o);
}
