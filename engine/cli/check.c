/*
 * moonlet check: would `run` start?
 */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/log.h"
#include "bindings/bindings.h"
#include "cli/library.h"
#include "cli/settings.h"
#include "vm/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char check_help[] =
    "moonlet check [--config FILE] [DIR]\n\n"
    "Reads the configuration and loads the scripts; no handler and no\n"
    "bot.on_start runs. Exit code 1 with file:line if something is wrong.\n"
    "Needs no BOT_TOKEN.\n\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

static int load_scripts(const struct settings *s, struct err *e)
{
    struct clock clock;
    struct script_error why;
    struct services services = {.app_json = s->file.app_json};
    struct vm_source *library = library_sources();

    clock_init_real(&clock);
    struct vm_host host = {
        .log = log_new(STDERR_FILENO, LOG_WARN, LOG_TEXT, &clock),
        .clock = &clock,
        .memory_limit = (size_t)s->config.lua_memory_limit,
        .modules = bindings_modules,
        .library = library,
        .scripts_dir = s->config.scripts_dir,
        .services = &services,
    };
    err_set(e, ERR_OK, 0, "%s", "");
    struct generation *g = generation_load(&host, 1, &why);
    if (g) {
        generation_close(g);
    } else {
        library_describe(&why, host.scripts_dir, e);
        script_error_clear(&why);
    }
    log_free(host.log);
    free(library);
    return e->code;
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
