/*
 * moonlet check: would `run` start?
 */
#include "cli/commands.h"

#include "cli/scripts_trial.h"
#include "cli/settings.h"

#include <stdio.h>

static const char check_help[] =
    "moonlet check [--config FILE] [DIR]\n\n"
    "Reads the configuration and loads the scripts; no handler and no\n"
    "bot.on_start runs. Exit code 1 with file:line if something is wrong.\n"
    "Needs no BOT_TOKEN.\n\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

static int load_scripts(const struct settings *s, struct err *e)
{
    struct scripts_trial trial;
    int code = scripts_trial_open(&trial, s, e);
    scripts_trial_close(&trial);
    return code;
}

int command_check(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL, *unused = NULL;
    struct settings settings;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL},
        {"--connect", &unused, false, "--connect"},
        {0},
    };
    int code = command_parse(argc, argv, options, &dir, check_help);
    if (code >= 0)
        return code;
    if (settings_load(&settings, SETTINGS_ALL, config, dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    if (settings_check_run(&settings, &e) == 0)
        load_scripts(&settings, &e);
    if (e.code == ERR_OK)
        printf("configuration and scripts are fine (%s)\n",
               settings.config.scripts_dir);
    settings_free(&settings);
    return e.code == ERR_OK ? 0 : command_fail(EXIT_FAILED, "%s", e.message);
}
