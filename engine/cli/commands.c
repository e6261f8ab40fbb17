#include "cli/commands.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

int command_parse_words(int argc, char **argv,
                        const struct command_option *options,
                        const char **words, const char *help)
{
    size_t n = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (argv[i][0] != '-') {
            words[n++] = argv[i];
            continue;
        }
        int code = take_option(options, argv, &i);
        if (code >= 0)
            return code;
    }
    words[n] = NULL;
    return -1;
}

int command_parse(int argc, char **argv, const struct command_option *options,
                  const char **dir, const char *help)
{
    const char **words = mem_zero((size_t)argc + 1, sizeof *words);
    int code = command_parse_words(argc, argv, options, words, help);
    size_t taken = dir && !*dir ? 1 : 0;
    if (code < 0 && words[0] && taken)
        *dir = words[0];
    if (code < 0 && words[0] && (!taken || words[1]))
        code = command_fail(EXIT_USAGE, "%s: unexpected argument %s", argv[0],
                            words[taken]);
    free(words);
    return code;
}
