#ifndef MOONLET_CLI_COMMANDS_H
#define MOONLET_CLI_COMMANDS_H

/*
 * The commands of DESIGN section 3: each takes its own argc and argv (argv[0]
 * is the command) and returns the exit code.
 */

#include <stdbool.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

int command_run(int argc, char **argv);
int command_play(int argc, char **argv);
int command_sim(int argc, char **argv);
int command_check(int argc, char **argv);
int command_graph(int argc, char **argv);
int command_new(int argc, char **argv);
int command_types(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_status(int argc, char **argv);
int command_dead(int argc, char **argv);
int command_test(int argc, char **argv);

/* "moonlet: MESSAGE" on stderr; returns the code. */
int command_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One long option and where its argument goes; a flag's target is set to
 * "". */
struct command_option {
    const char *name; /* "--port"; NULL ends the list */
    const char **value;
    bool takes_value;
    const char *not_built; /* accepted later: "--standby"; NULL: built */
};

/* Reads options and at most one positional argument into *dir (dir NULL: none
 * is taken). Prints help or what is wrong. Returns -1 to go on, else the exit
 * code. */
int command_parse(int argc, char **argv, const struct command_option *options,
                  const char **dir, const char *help);
/* The same with any number of arguments, which go to words (room for argc + 1;
 * ends with NULL). */
int command_parse_words(int argc, char **argv,
                        const struct command_option *options,
                        const char **words, const char *help);

#endif
