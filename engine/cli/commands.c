#include "cli/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int command_fail(int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("moonlet: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

static const struct command_option *
find_option(const struct command_option *options, const char *arg)
{
    size_t len = strcspn(arg, "=");
    for (; options->name; options++)
        if (strlen(options->name) == len &&
            strncmp(options->name, arg, len) == 0)
            return options;
    return NULL;
}

/* Takes "--name=value", "--name value" or "--name" at argv[*i]. */
static int take_option(const struct command_option *options, char **argv,
                       int *i)
{
    const char *arg = argv[*i];
    const struct command_option *option = find_option(options, arg);
    const char *equals = strchr(arg, '=');

    if (!option)
        return command_fail(EXIT_USAGE,
                            "%s: unknown option %s (see "
                            "moonlet %s --help)",
                            argv[0], arg, argv[0]);
    if (option->not_built)
        return command_fail(EXIT_FAILED, "not built yet: %s",
                            option->not_built);
    if (!option->takes_value && equals)
        return command_fail(EXIT_USAGE, "%s: %s takes no value", argv[0],
                            option->name);
    if (!option->takes_value) {
        *option->value = "";
        return -1;
    }
    *option->value = equals ? equals + 1 : argv[++*i];
    if (!*option->value || !**option->value)
        return command_fail(EXIT_USAGE, "%s: %s needs a value", argv[0],
                            option->name);
    return -1;
}

int command_parse(int argc, char **argv, const struct command_option *options,
                  const char **dir, const char *help)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (argv[i][0] == '-') {
            int code = take_option(options, argv, &i);
            if (code >= 0)
                return code;
        } else if (!dir || *dir) {
            return command_fail(EXIT_USAGE, "%s: unexpected argument %s",
                                argv[0], argv[i]);
        } else {
            *dir = argv[i];
        }
    }
    return -1;
}
