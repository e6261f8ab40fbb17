/*
 * moonlet run and moonlet play.
 */
#include "cli/commands.h"

#include "base/log.h"
#include "cli/engine.h"
#include "cli/restart.h"
#include "cli/settings.h"

#include <stdio.h>
#include <sys/resource.h>

#define FILES_MAX 4096

static const char run_help[] =
    "moonlet run [--config FILE] [--standby] [--drop-pending] [DIR]\n\n"
    "Runs the bot in DIR (a folder with main.lua, or a project with\n"
    "config.lua) against Telegram until SIGTERM or SIGINT. BOT_TOKEN must\n"
    "be set.\n\n"
    "  --config FILE    settings from this file instead of DIR/config.lua\n"
    "  --standby        if another engine has DATA_DIR, wait for its end and\n"
    "                   take over\n"
    "  --drop-pending   throw away what waits at Telegram, and say how much\n";

static const char play_help[] =
    "moonlet play [--config FILE] [DIR]\n\n"
    "Runs the bot in DIR with a simulated Telegram and a chat in the\n"
    "browser, and loads changed scripts on save. No token, no network.\n\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

static void apply_core_limit(const struct config *c)
{
    const struct rlimit none = {0, 0};
    if (!c->core_dumps)
        setrlimit(RLIMIT_CORE, &none);
}

/* 1,200 clients and 256 connections to Telegram; many systems start a
 * program with room for 1,024 files. */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= FILES_MAX)
        return;
    files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int run_engine(struct settings *settings, struct engine_start start)
{
    struct err e;
    char host[80];

    snprintf(host, sizeof host, "%s", settings->config.http_host);
    apply_core_limit(&settings->config);
    raise_file_limit();
    start.deaths = restart_arm(settings->config.log_format == LOG_JSON);
    /* What came since the first start is not what was to be dropped. */
    start.drop_pending = start.drop_pending && start.deaths == 0;
    struct engine *engine = engine_new(settings, &start, &e);
    if (!engine && e.code == ERR_OK)
        return 0;
    if (!engine)
        return command_fail(EXIT_FAILED, "%s", e.message);
    if (start.with_sim) {
        printf("Chat with your bot: http://%s:%d/play\n", host,
               engine_http_port(engine));
        fflush(stdout);
    }
    int code = engine_run(engine);
    engine_free(engine);
    return code;
}

int command_run(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL, *standby = NULL, *drop = NULL;
    const char *unused = NULL;
    struct settings settings;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL},
        {"--standby", &standby, false, NULL},
        {"--drop-pending", &drop, false, NULL},
        {"--migrate", &unused, false, "--migrate"},
        {0},
    };
    int code = command_parse(argc, argv, options, &dir, run_help);
    if (code >= 0)
        return code;
    if (settings_load(&settings, SETTINGS_ALL, config, dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    if (settings_check_run(&settings, &e) != 0) {
        settings_free(&settings);
        return command_fail(EXIT_FAILED, "%s", e.message);
    }
    if (!*settings.config.bot_token) {
        settings_free(&settings);
        return command_fail(EXIT_FAILED,
                            "BOT_TOKEN is not set: get one from BotFather, "
                            "or try the bot without one: moonlet play");
    }
    return run_engine(&settings,
                      (struct engine_start){.standby = standby != NULL,
                                            .drop_pending = drop != NULL});
}

int command_play(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL;
    struct settings settings;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL},
        {0},
    };
    int code = command_parse(argc, argv, options, &dir, play_help);
    if (code >= 0)
        return code;
    if (settings_load(&settings, SETTINGS_LOCAL, config, dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    settings_use_play_folder(&settings);
    if (settings_check_run(&settings, &e) != 0) {
        settings_free(&settings);
        return command_fail(EXIT_FAILED, "%s", e.message);
    }
    return run_engine(&settings, (struct engine_start){.with_sim = true});
}
