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

static const char run_help[] =
    "moonlet run [--config FILE] [DIR]\n\n"
    "Runs the bot in DIR (a folder with main.lua, or a project with\n"
    "config.lua) against Telegram until SIGTERM or SIGINT. BOT_TOKEN must\n"
    "be set.\n\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

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

static int run_engine(struct settings *settings, bool play)
{
    struct err e;
    char host[80];

    snprintf(host, sizeof host, "%s", settings->config.http_host);
    apply_core_limit(&settings->config);
    int deaths = restart_arm(settings->config.log_format == LOG_JSON);
    struct engine *engine = engine_new(settings, play, deaths, &e);
    if (!engine)
        return command_fail(EXIT_FAILED, "%s", e.message);
    if (play) {
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
    const char *config = NULL, *dir = NULL, *unused = NULL;
    struct settings settings;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL},
        {"--standby", &unused, false, "--standby"},
        {"--drop-pending", &unused, false, "--drop-pending"},
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
    return run_engine(&settings, false);
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
    return run_engine(&settings, true);
}
