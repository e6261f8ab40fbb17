/*
 * The command line: one row a command.
 */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/restart.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command_option no_options[] = {{0}};

static int command_version(int argc, char **argv)
{
    int code = command_parse(argc, argv, no_options, NULL,
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
    {"run", command_run, "[DIR]   run the bot in DIR against Telegram"},
    {"play", command_play,
     "[DIR]   talk to the bot in the browser: no token, "
     "no network"},
    {"sim", command_sim, "        a Telegram Bot API server for development"},
    {"new", command_new, "DIR     make a bot to begin with"},
    {"check", command_check, "[DIR]   check configuration and scripts"},
    {"graph", command_graph, "[DIR]   draw the state machines of a bot"},
    {"test", command_test, "[PATH]… run the specs of a bot"},
    {"types", command_types,
     "        write annotations of the library for editors"},
    {"reload", command_reload,
     "[DIR]   load the scripts of the running bot "
     "anew"},
    {"status", command_status, "[DIR]   how the running bot is"},
    {"dead", command_dead,
     "        list, show, replay or drop updates that "
     "failed"},
    {"version", command_version, "        print the version"},
    {"help", command_help, "        print this"},
    {"worker", NULL, NULL},
    {"migrate", NULL, NULL},
    {"broadcast", NULL, NULL},
    {"jobs", NULL, NULL},
    {"backup", NULL, NULL},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *out)
{
    fputs("moonlet " MOONLET_VERSION ": Telegram bots in Lua\n\n"
          "usage: moonlet COMMAND [options]\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].run)
            fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\nEvery command explains itself with --help.\n", out);
}

/* Runs the command of that name; EXIT_USAGE if there is none. */
static int run_command(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (!commands[i].run)
            return command_fail(EXIT_FAILED, "not built yet: %s", name);
        return commands[i].run(argc, argv);
    }
    return command_fail(EXIT_USAGE,
                        "unknown command \"%s\" (see moonlet "
                        "help)",
                        name);
}

static int command_help(int argc, char **argv)
{
    const char *name = NULL;
    static char option[] = "--help";
    int code = command_parse(argc, argv, no_options, &name,
                             "moonlet help [COMMAND]\n\n"
                             "Lists the commands, or explains one.\n");
    if (code >= 0)
        return code;
    if (name)
        return run_command(name, 2, (char *[]){argv[1], option, NULL});
    print_help(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    mem_init();
    restart_remember(argv);
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
    return run_command(name, argc - 1, argv + 1);
}
