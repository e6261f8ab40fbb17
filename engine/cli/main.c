/*
 * The command line: one row a command.
 */
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int command_version(int argc, char **argv)
{
    static const struct command_option none[] = {{0}};
    int code = command_parse(argc, argv, none, NULL,
                             "moonlet version\n\nPrints the version.\n");
    if (code >= 0)
        return code;
    puts("moonlet " MOONLET_VERSION);
    return 0;
}

static int command_help(int argc, char **argv);

static const struct {
    const char *name;
    int (*run)(int argc, char **argv); /* NULL: not built yet */
    const char *summary;
} commands[] = {
    {"run", command_run, "[DIR]    run the bot in DIR against Telegram"},
    {"play", command_play, "[DIR]   talk to the bot in the browser: no token, "
                           "no network"},
    {"sim", command_sim, "         a Telegram Bot API server for development"},
    {"check", command_check, "[DIR]  check configuration and scripts"},
    {"version", command_version, "     print the version"},
    {"help", command_help, "        print this"},
    {"worker", NULL, NULL},
    {"migrate", NULL, NULL},
    {"broadcast", NULL, NULL},
    {"dead", NULL, NULL},
    {"jobs", NULL, NULL},
    {"status", NULL, NULL},
    {"test", NULL, NULL},
    {"new", NULL, NULL},
    {"graph", NULL, NULL},
    {"types", NULL, NULL},
    {"reload", NULL, NULL},
    {"backup", NULL, NULL},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *out)
{
    fputs("moonlet " MOONLET_VERSION ": Telegram bots in Lua\n\n"
          "usage: moonlet COMMAND [options]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].run)
            fprintf(out, "  %s %s\n", commands[i].name, commands[i].summary);
    fputs("\nEvery command explains itself with --help.\n", out);
}

static int command_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    print_help(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (!commands[i].run)
            return command_fail(EXIT_FAILED, "not built yet: %s", name);
        return commands[i].run(argc - 1, argv + 1);
    }
    return command_fail(EXIT_USAGE, "unknown command \"%s\" (see moonlet "
                        "help)", name);
}
