/*
 * moonlet reload and moonlet status: they ask the live engine of a DATA_DIR
 * over its Unix socket.
 */
#include "cli/commands.h"

#include "base/json.h"
#include "cli/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STATUS_LIMIT_MS 10000
#define RELOAD_LIMIT_MS 120000

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
    code = question_ask(q);
    if (code < 0)
        code = show(q);
    question_clear(q);
    return code;
}

static int show_failure(const struct question *q)
{
    char *script = question_text(q->answer, "error.script");
    char *message = question_text(q->answer, "error.message");
    int64_t line = question_number(q->answer, "error.line");
    int64_t generation = question_number(q->answer, "generation");

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

static int show_reload(const struct question *q)
{
    if (q->status == 200) {
        printf("generation %" PRId64 " loaded in %" PRId64 " ms%s\n",
               question_number(q->answer, "generation"),
               question_number(q->answer, "ms"),
               q->is_play ? " by moonlet play" : "");
        return 0;
    }
    if (js_type(js_get(q->answer, "error")) == JS_OBJECT)
        return show_failure(q);
    return question_refused(q);
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
        char *state = question_text(value, "state");
        printf("%-11.*s %s\n", (int)name.len, name.at, state);
        free(state);
    }
}

static int64_t sum_counts(struct jslice rows)
{
    size_t cursor = 0;
    int64_t sum = 0;
    struct jslice row;
    while (js_each(rows, &cursor, NULL, &row))
        sum += question_number(row, "count");
    return sum;
}

static void print_limiter(struct jslice limiter)
{
    struct jslice waiting = js_get(limiter, "waiting");
    double rate = 0;
    if (!limiter.at)
        return; /* an engine of an older version */
    js_double(js_get(limiter, "bulk_rate"), &rate);
    printf("calls       %" PRId64 " under way; waiting: %" PRId64
           " replies, %" PRId64 " jobs, %" PRId64 " broadcasts\n",
           question_number(limiter, "in_flight"),
           question_number(waiting, "reply"), question_number(waiting, "job"),
           question_number(waiting, "broadcast"));
    printf("limits      %" PRId64 " chats blocked; jobs and broadcasts %g a "
           "second; %" PRId64 " repeats, %" PRId64 " unknown outcomes\n",
           question_number(limiter, "blocked"), rate,
           sum_counts(js_get(limiter, "repeats")),
           sum_counts(js_get(limiter, "unknown")));
}

static int show_status(const struct question *q)
{
    struct jslice a = q->answer;
    double uptime = 0;
    if (q->status != 200)
        return question_refused(q);
    char *version = question_text(a, "version"),
         *role = question_text(a, "role");
    char *file = question_text(a, "file");
    js_double(js_get(a, "uptime"), &uptime);
    printf("moonlet %s%s, process %" PRId64 ", %s, up ",
           q->is_play ? "play " : "", version, question_number(a, "pid"), role);
    print_uptime((int64_t)uptime);
    printf("\ngeneration  %" PRId64
           " of %s; older ones that still run: %" PRId64 "\n",
           question_number(a, "generation"), file,
           question_number(a, "old_generations"));
    printf("updates     %" PRId64 " in the inbox, %" PRId64 " running\n",
           question_number(a, "inbox_depth"),
           question_number(a, "running_handlers"));
    printf("errors      %" PRId64 " kinds\n",
           question_number(a, "error_groups"));
    printf("dead        %" PRId64 " letters\n", question_number(a, "dead"));
    print_limiter(js_get(a, "limiter"));
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
