/*
 * moonlet sim: the simulator alone.
 */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/http_server.h"
#include "net/routes.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIM_PORT 8081
#define SIM_BODY_MAX (64u * 1024 * 1024)

static const char sim_help[] =
    "moonlet sim [--port N] [--token T]\n\n"
    "A Telegram Bot API server on 127.0.0.1 for development and tests, with a\n"
    "control API under /sim and a page at /.\n\n"
    "  --port N    port to listen on (default 8081; 0: any free one)\n"
    "  --token T   the only token accepted (default: any well-formed one)\n";

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

static int serve(struct loop *loop, int port, const char *token)
{
    struct err e;
    struct routes *routes = routes_new();
    const struct sim_options sim_options = {.token = token};
    const struct http_server_options options = {
        .host = "127.0.0.1",
        .port = port,
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

int command_sim(int argc, char **argv)
{
    const char *port_text = NULL, *token = NULL, *unused = NULL;
    const struct command_option options[] = {
        {"--port", &port_text, true, NULL},
        {"--token", &token, true, NULL},
        {"--virtual-clock", &unused, false, "--virtual-clock"},
        {0},
    };
    int code = command_parse(argc, argv, options, NULL, sim_help);
    if (code >= 0)
        return code;
    int port = port_text ? read_port(port_text) : SIM_PORT;
    if (port < 0)
        return command_fail(EXIT_USAGE,
                            "sim: --port must be 0..65535, got "
                            "\"%s\"",
                            port_text);
    if (token && !is_token(token))
        return command_fail(EXIT_USAGE, "sim: --token must be like 123:ABC "
                                        "(digits, colon, rest)");
    struct clock clock;
    struct rng rng;
    clock_init_real(&clock);
    rng_seed(&rng,
             (uint64_t)clock_unix_ms(&clock) ^ ((uint64_t)getpid() << 32));
    struct log *log = log_new(STDERR_FILENO, LOG_INFO, LOG_TEXT, &clock);
    code = serve(loop_new(&clock, log, &rng), port, token);
    log_free(log);
    return code;
}
