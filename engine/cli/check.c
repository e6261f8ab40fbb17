/*
 * moonlet check: would `run` start, and what is wrong with the scripts?
 */
#include "cli/commands.h"

#include "base/buf.h"
#include "cli/connect.h"
#include "cli/scripts_trial.h"
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char check_help[] =
    "moonlet check [--strict] [--connect] [--config FILE] [DIR]\n\n"
    "Reads the configuration, loads the scripts; no handler and no\n"
    "bot.on_start runs. Then reads all Lua files below the scripts' folder\n"
    "and prints what is wrong in them, one file:line:column each: names and\n"
    "parameters of the Bot API, modules and their functions, methods of ctx,\n"
    "globals, texts of languages, data of buttons, state machines. Exit\n"
    "code 1 if there is an error. Needs no BOT_TOKEN.\n\n"
    "  --strict        warnings are errors\n"
    "  --connect       ask Telegram whose the configured BOT_TOKEN is\n"
    "  --config FILE   settings from this file instead of DIR/config.lua\n";

struct tally {
    unsigned errors;
    unsigned warnings;
};

/* Each line has a letter before it that says how bad it is. */
static void print_findings(const char *text, struct tally *t)
{
    while (*text) {
        int len = (int)strcspn(text, "\n");
        if (*text == 'E')
            t->errors++;
        else
            t->warnings++;
        printf("%.*s\n", len - 1, text + 1);
        text += len + (text[len] == '\n');
    }
    fflush(stdout); /* before what goes to stderr */
}

static int check_scripts(const struct settings *s, struct tally *t,
                         struct err *e)
{
    struct scripts_trial trial;
    int code = scripts_trial_open(&trial, s, e);
    if (code == 0 && !generation_has(trial.generation, VM_ON_DESCRIBE)) {
        print_findings("Wmain.lua:1:1: warning: no script requires "
                       "moonlet.bot, so the bot handles nothing, and nothing "
                       "else is checked\n",
                       t);
    } else if (code == 0) {
        char *text = scripts_trial_ask(&trial, "{\"what\":\"check\"}", e);
        if (text)
            print_findings(text, t);
        free(text);
    }
    scripts_trial_close(&trial);
    return e->code;
}

static const char *plural(unsigned n)
{
    return n == 1 ? "" : "s";
}

static int summary(const struct settings *s, const struct tally *t, bool strict)
{
    const char *dir = s->config.scripts_dir;
    if (t->errors || (strict && t->warnings))
        return command_fail(EXIT_FAILED, "%u error%s, %u warning%s (%s)",
                            t->errors, plural(t->errors), t->warnings,
                            plural(t->warnings), dir);
    printf("configuration and scripts are fine (%s)", dir);
    if (t->warnings)
        printf(", %u warning%s", t->warnings, plural(t->warnings));
    putchar('\n');
    return 0;
}

static int check(const struct settings *s, bool strict, bool connect)
{
    struct tally tally = {0};
    struct err e = {0};
    int code = settings_check_run(s, &e);
    if (code == 0)
        code = check_scripts(s, &tally, &e);
    if (code != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    code = summary(s, &tally, strict);
    if (connect && connect_check(s, &e) != 0)
        code = command_fail(EXIT_FAILED, "%s", e.message);
    return code;
}

int command_check(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL, *strict = NULL, *connect = NULL;
    struct settings settings;
    struct err e;
    const struct command_option options[] = {
        {"--config", &config, true, NULL},
        {"--strict", &strict, false, NULL},
        {"--connect", &connect, false, NULL},
        {0},
    };
    int code = command_parse(argc, argv, options, &dir, check_help);
    if (code >= 0)
        return code;
    if (settings_load(&settings, SETTINGS_ALL, config, dir, &e) != 0)
        return command_fail(EXIT_FAILED, "%s", e.message);
    code = check(&settings, strict != NULL, connect != NULL);
    settings_free(&settings);
    return code;
}
