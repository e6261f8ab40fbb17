/*
 * moonlet test: specs of bots in a world of their own.
 */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bindings/coverage.h"
#include "bindings/test.h"
#include "cli/settings.h"
#include "cli/specs.h"
#include "cli/world.h"
#include "loop/loop.h"
#include "loop/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S 60
#define QUIET_MS 50 /* editors write in several steps */

static const char test_help[] =
    "moonlet test [OPTION]... [PATH]...\n\n"
    "Runs the specs (*_spec.lua) below PATH, without it those of the bot and\n"
    "of tests/bot: each case with a simulated Telegram, a fresh bot and a\n"
    "clock that jumps over every wait. No token, no network. The last line is\n"
    "\"N passed, N failed\"; exit code 1 if one failed or there was none.\n\n"
    "  --bot DIR       the bot to test (default: the nearest main.lua "
    "upwards)\n"
    "  --config FILE   settings from this file instead of the bot's "
    "config.lua\n"
    "  --filter TEXT   only cases whose name holds the text\n"
    "  --seed N        another order of what has none (default 1)\n"
    "  --timeout N     seconds of real time that a case may take (default "
    "60)\n"
    "  --webhook       updates come by webhook instead of polling\n"
    "  --junit FILE    a report for machines\n"
    "  --log FILE      what the engines log\n"
    "  --watch         again whenever a file changes\n";

struct test_command {
    const char *bot, *config, *filter, *seed, *timeout, *webhook, *junit, *log;
    const char *watch;
    const char **paths; /* ends with NULL */
};

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder of the bot that specs have which are below none. */
static char *default_bot(const struct test_command *c, struct err *e)
{
    static const struct config_fixed none[] = {{NULL, NULL}};
    struct settings s;
    if (settings_load_fixed(&s, c->config, NULL, none, e) != 0)
        return NULL;
    char *dir = mem_strdup(s.config.scripts_dir);
    settings_free(&s);
    return dir;
}

static int find_specs(const struct test_command *c, const char *bot,
                      struct specs *specs, struct err *e)
{
    for (const char **path = c->paths; *path; path++)
        if (specs_add(specs, *path, e) != 0)
            return e->code;
    if (c->paths[0])
        return 0;
    const char *dirs[] = {c->bot ? c->bot : bot, "tests/bot"};
    for (size_t i = 0; i < 2; i++)
        if (is_folder(dirs[i]) && specs_add(specs, dirs[i], e) != 0)
            return e->code;
    return 0;
}

static int open_log(const struct test_command *c, struct err *e)
{
    int fd =
        open(c->log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        err_errno(e, errno, "--log %s", c->log);
    return fd;
}

static bool run_found(const struct test_command *c, struct worlds *worlds,
                      struct coverage *coverage, const struct specs *specs,
                      const char *bot)
{
    static char *const nothing[] = {NULL};
    const struct test_composer composer = worlds_composer(worlds);
    const struct test_run_options o = {
        .composer = &composer,
        .coverage = coverage,
        .seed = c->seed ? strtoull(c->seed, NULL, 10) : 1,
        .timeout_s = c->timeout ? strtoull(c->timeout, NULL, 10) : TIMEOUT_S,
        .filter = c->filter,
        .junit = c->junit,
        .config = c->config,
        .bot = c->bot,
        .default_bot = bot,
        .webhook = c->webhook != NULL,
        .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
        .files = specs->count > 0 ? specs->files : nothing,
    };
    return test_run(&o);
}

/* The exit code. */
static int run_once(const struct test_command *c)
{
    struct err e;
    struct specs specs = {0};
    char *bot = default_bot(c, &e);
    if (!bot)
        return command_fail(EXIT_FAILED, "%s", e.message);
    int log_fd = c->log ? open_log(c, &e) : -1;
    struct coverage *coverage = coverage_new();
    struct worlds *worlds = NULL;
    bool passed = false;
    if ((!c->log || log_fd >= 0) && find_specs(c, bot, &specs, &e) == 0)
        worlds = worlds_new(c->config, log_fd, coverage, &e);
    if (worlds) {
        passed = run_found(c, worlds, coverage, &specs, bot);
        worlds_free(worlds);
    } else {
        command_fail(EXIT_FAILED, "%s", e.message);
    }
    coverage_free(coverage);
    specs_free(&specs);
    if (log_fd >= 0)
        close(log_fd);
    free(bot);
    fflush(stdout);
    return passed ? 0 : EXIT_FAILED;
}

/* --- --watch */

static void on_change(void *arg)
{
    loop_stop(arg);
}

/* Until something below one of the folders has changed. */
static int wait_for_change(const struct test_command *c, const char *bot,
                           struct err *e)
{
    const char *dirs[] = {c->bot ? c->bot : bot, c->paths[0], "tests/bot"};
    struct watch *watches[3] = {NULL};
    struct clock clock;
    struct rng rng;
    int code = 0;
    clock_init_real(&clock);
    rng_seed(&rng, 1);
    struct log *log = log_new(STDERR_FILENO, LOG_WARN, LOG_TEXT, &clock);
    struct loop *loop = loop_new(&clock, log, &rng);
    for (size_t i = 0; i < 3 && code == 0; i++) {
        if (!dirs[i] || !is_folder(dirs[i]))
            continue;
        watches[i] =
            watch_new(loop, dirs[i], NULL, QUIET_MS, on_change, loop, e);
        code = watches[i] ? 0 : e->code;
    }
    if (code == 0)
        loop_run(loop);
    for (size_t i = 0; i < 3; i++)
        if (watches[i])
            watch_free(watches[i]);
    loop_free(loop);
    log_free(log);
    return code;
}

/* Each round in a process of its own: what a bot may do to it stays there. */
static int run_in_child(const struct test_command *c)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        _exit(run_once(c));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return command_fail(EXIT_FAILED, "fork: %s", strerror(errno));
    return -1;
}

static int run_for_ever(const struct test_command *c)
{
    struct err e;
    char *bot = default_bot(c, &e);
    int code = bot ? -1 : command_fail(EXIT_FAILED, "%s", e.message);
    while (code < 0) {
        code = run_in_child(c);
        if (code < 0 && wait_for_change(c, bot, &e) != 0)
            code = command_fail(EXIT_FAILED, "%s", e.message);
    }
    free(bot);
    return code;
}

/* -1: go on. */
static int check_number(const char *name, const char *text, size_t digits)
{
    size_t len = text ? strlen(text) : 1;
    if (!text ||
        (len > 0 && len <= digits && strspn(text, "0123456789") == len))
        return -1;
    return command_fail(EXIT_USAGE,
                        "test: %s must be a number of at most %zu digits, got "
                        "\"%s\"",
                        name, digits, text);
}

/* The zone of the machine must not change a history. */
static void use_utc(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

int command_test(int argc, char **argv)
{
    struct test_command c = {0};
    const struct command_option options[] = {
        {"--bot", &c.bot, true, NULL},
        {"--config", &c.config, true, NULL},
        {"--filter", &c.filter, true, NULL},
        {"--seed", &c.seed, true, NULL},
        {"--timeout", &c.timeout, true, NULL},
        {"--webhook", &c.webhook, false, NULL},
        {"--junit", &c.junit, true, NULL},
        {"--log", &c.log, true, NULL},
        {"--watch", &c.watch, false, NULL},
        {0},
    };
    c.paths = mem_zero((size_t)argc + 1, sizeof *c.paths);
    int code = command_parse_words(argc, argv, options, c.paths, test_help);
    if (code < 0)
        code = check_number("--seed", c.seed, 15);
    if (code < 0)
        code = check_number("--timeout", c.timeout, 6);
    if (code < 0) {
        use_utc();
        code = c.watch ? run_for_ever(&c) : run_once(&c);
    }
    free(c.paths);
    return code;
}
