/*
 * moonlet graph: the state machines of a bot, as text or as a picture.
 */
#include "cli/commands.h"

#include "cli/scripts_trial.h"
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>

static const char graph_help[] =
    "moonlet graph [--svg] [--config FILE] [DIR]\n\n"
    "Prints the state machines that the bot in DIR declares by bot.fsm, as\n"
    "Mermaid text, which many viewers of Markdown draw. No handler runs.\n\n"
    "  --svg           print an SVG picture instead\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

static int print_graph(const struct settings *s, bool svg, struct err *e)
{
    struct scripts_trial trial;
    char *text = NULL;
    if (scripts_trial_open(&trial, s, e) == 0)
        text = scripts_trial_ask(&trial,
                                 svg ? "{\"what\":\"graph\",\"svg\":true}"
                                     : "{\"what\":\"graph\"}",
                                 e);
    scripts_trial_close(&trial);
    if (text && !*text)
        err_set(e, ERR_MISUSE, 0, "%s declares no machine (bot.fsm)",
                s->config.scripts_dir);
    if (e->code == ERR_OK)
        fputs(text, stdout);
    free(text);
    return e->code;
}

int command_graph(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL, *svg = NULL;
    struct settings settings;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL}, {"--svg", &svg, false, NULL}, {0}};
    int code = command_parse(argc, argv, options, &dir, graph_help);
    if (code >= 0)
        return code;
    if (settings_load(&settings, SETTINGS_ALL, config, dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    code = print_graph(&settings, svg != NULL, &e);
    settings_free(&settings);
    return code == 0 ? 0 : command_fail(EXIT_FAILED, "%s", e.message);
}
