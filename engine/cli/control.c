/*
 * moonlet reload and moonlet status: they ask the live engine of a DATA_DIR
 * over its Unix socket.
 */
#include "cli/commands.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/settings.h"
#include "net/http_local.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_LIMIT_MS 10000
#define RELOAD_LIMIT_MS 120000
#define ANSWER_MAX (1024u * 1024)

static const char reload_help[] =
    "moonlet reload [--config FILE] [DIR]\n\n"
    "Makes the running bot load its scripts anew, and waits for the end of\n"
    "it. If they do not load, the old ones go on: exit code 1, file:line.\n"
    "If no bot runs, but a moonlet play of it, that one does so.\n\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

static const char status_help[] =
    "moonlet status [--config FILE] [DIR]\n\n"
    "Tells how the running bot is, else how a moonlet play is that runs.\n"
    "Exit code 1 if neither is running.\n\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

/* What to ask, and the answer. */
struct question {
    const char *method;
    const char *target;
    uint64_t limit_ms;
    struct settings settings;
    bool is_play; /* the answer is of the engine of `moonlet play` */
    int status;
    struct buf body;
    struct jslice answer;
};

static int no_answer(const struct question *q, const struct err *e)
{
    const char *folder = q->settings.config.data_dir;
    if (e->code != ERR_NOT_SENT)
        return command_fail(EXIT_FAILED, "the engine of DATA_DIR %s: %s",
                            folder, e->message);
    if (e->detail == ENAMETOOLONG)
        return command_fail(EXIT_FAILED,
                            "%s/moonlet.sock is too long a path for a "
                            "socket: choose a DATA_DIR with a shorter one",
                            folder);
    return command_fail(EXIT_FAILED,
                        "no engine is running on DATA_DIR %s "
                        "(moonlet.sock: %s)",
                        folder, e->message);
}

/* Asks the engine of a folder. The status of its answer, or as
 * http_local_request. */
static int ask_engine(struct question *q, const char *folder, struct err *e)
{
    char *path = mem_printf("%s/moonlet.sock", folder);
    const struct http_local request = {
        .socket = path,
        .method = q->method,
        .target = q->target,
        .timeout_ms = q->limit_ms,
        .response_max = ANSWER_MAX,
    };
    int status = http_local_request(&request, &q->body, e);
    free(path);
    return status;
}

/* No engine lives in the data folder; that of `moonlet play` may. If not, all
 * stays as it was. */
static void ask_play(struct question *q, struct err *e)
{
    struct err error;
    char *folder = mem_printf("%s/play", q->settings.config.data_dir);
    int status = ask_engine(q, folder, &error);
    free(folder);
    if (status < 0 && error.code == ERR_NOT_SENT)
        return;
    settings_use_play_folder(&q->settings);
    q->is_play = true;
    q->status = status;
    *e = error;
}

/* -1: there is an answer; else the exit code. */
static int ask(struct question *q)
{
    struct err e;
    q->status = ask_engine(q, q->settings.config.data_dir, &e);
    if (q->status < 0 && e.code == ERR_NOT_SENT)
        ask_play(q, &e);
    if (q->status < 0)
        return no_answer(q, &e);
    buf_puts(&q->body, "");
    q->answer = js_check(q->body.data, q->body.len);
    if (js_type(q->answer) == JS_OBJECT)
        return -1;
    return command_fail(EXIT_FAILED, "the engine gave an answer of no sense");
}

/* Parses the command line, asks, and shows the answer. */
static int run(int argc, char **argv, const char *help, struct question *q,
               int (*show)(const struct question *q))
{
    const char *config = NULL, *dir = NULL;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL},
        {0},
    };
    int code = command_parse(argc, argv, options, &dir, help);
    if (code >= 0)
        return code;
    if (settings_load(&q->settings, SETTINGS_LOCAL, config, dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    code = ask(q);
    if (code < 0)
        code = show(q);
    buf_free(&q->body);
    settings_free(&q->settings);
    return code;
}

static int64_t number(struct jslice object, const char *path)
{
    int64_t n = 0;
    js_int(js_path(object, path), &n);
    return n;
}

/* The text on one line; owned. */
static char *text(struct jslice object, const char *path)
{
    struct buf b = {0};
    js_text(js_path(object, path), &b);
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] == '\n')
            b.data[i] = ' ';
    return buf_steal(&b);
}

static int show_failure(const struct question *q)
{
    char *script = text(q->answer, "error.script");
    char *message = text(q->answer, "error.message");
    int64_t line = number(q->answer, "error.line");
    int64_t generation = number(q->answer, "generation");

    if (line > 0)
        command_fail(EXIT_FAILED,
                     "%s:%" PRId64 ": %s; generation %" PRId64 " goes on",
                     script, line, message, generation);
    else
        command_fail(EXIT_FAILED, "%s; generation %" PRId64 " goes on", message,
                     generation);
    free(script);
    free(message);
    return EXIT_FAILED;
}

/* {"error": text}: the engine refuses to say more. */
static int show_refusal(const struct question *q)
{
    char *why = text(q->answer, "error");
    int code = command_fail(EXIT_FAILED, "%s", why);
    free(why);
    return code;
}

static int show_reload(const struct question *q)
{
    if (q->status == 200) {
        printf("generation %" PRId64 " loaded in %" PRId64 " ms%s\n",
               number(q->answer, "generation"), number(q->answer, "ms"),
               q->is_play ? " by moonlet play" : "");
        return 0;
    }
    if (js_type(js_get(q->answer, "error")) == JS_OBJECT)
        return show_failure(q);
    return show_refusal(q);
}

static void print_uptime(int64_t seconds)
{
    int64_t days = seconds / 86400, hours = seconds / 3600 % 24;
    int64_t minutes = seconds / 60 % 60;
    if (days > 0)
        printf("%" PRId64 "d %" PRId64 "h", days, hours);
    else if (hours > 0)
        printf("%" PRId64 "h %" PRId64 "m", hours, minutes);
    else if (minutes > 0)
        printf("%" PRId64 "m %" PRId64 "s", minutes, seconds % 60);
    else
        printf("%" PRId64 "s", seconds);
}

static void print_components(struct jslice components)
{
    size_t cursor = 0;
    struct jslice name, value;
    while (js_each(components, &cursor, &name, &value)) {
        char *state = text(value, "state");
        printf("%-11.*s %s\n", (int)name.len, name.at, state);
        free(state);
    }
}

static int show_status(const struct question *q)
{
    struct jslice a = q->answer;
    double uptime = 0;
    if (q->status != 200)
        return show_refusal(q);
    char *version = text(a, "version"), *role = text(a, "role");
    char *file = text(a, "file");
    js_double(js_get(a, "uptime"), &uptime);
    printf("moonlet %s%s, process %" PRId64 ", %s, up ",
           q->is_play ? "play " : "", version, number(a, "pid"), role);
    print_uptime((int64_t)uptime);
    printf("\ngeneration  %" PRId64
           " of %s; older ones that still run: %" PRId64 "\n",
           number(a, "generation"), file, number(a, "old_generations"));
    printf("updates     %" PRId64 " in the inbox, %" PRId64 " running\n",
           number(a, "inbox_depth"), number(a, "running_handlers"));
    printf("errors      %" PRId64 " kinds\n", number(a, "error_groups"));
    print_components(js_get(a, "components"));
    free(version);
    free(role);
    free(file);
    return 0;
}

int command_reload(int argc, char **argv)
{
    struct question q = {
        .method = "POST",
        .target = "/api/reload",
        .limit_ms = RELOAD_LIMIT_MS,
    };
    return run(argc, argv, reload_help, &q, show_reload);
}

int command_status(int argc, char **argv)
{
    struct question q = {
        .method = "GET",
        .target = "/api/status",
        .limit_ms = STATUS_LIMIT_MS,
    };
    return run(argc, argv, status_help, &q, show_status);
}
