/* The reader of .env: NAME=value lines with `export`, comments, quotes. */

#include "loop/config_schema.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENV_MAX_BYTES (1 << 20)
#define BLANK " \t\r"

static int read_text(const char *path, struct buf *text, struct err *e)
{
    FILE *f = fopen(path, "re");

    if (f == NULL && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (f == NULL)
        return err_set(e, ERR_CONFIG, errno, ".env: %s", strerror(errno));
    size_t len =
        fread(buf_reserve(text, ENV_MAX_BYTES + 1), 1, ENV_MAX_BYTES + 1, f);
    int failed = ferror(f) ? errno : 0;

    fclose(f);
    text->len = len;
    buf_append(text, "", 0);
    if (failed != 0)
        return err_set(e, ERR_CONFIG, failed, ".env: %s", strerror(failed));
    if (len > ENV_MAX_BYTES)
        return err_set(e, ERR_CONFIG, 0, ".env: larger than 1 MiB");
    if (memchr(text->data, '\0', len) != NULL)
        return err_set(e, ERR_CONFIG, 0, ".env: not a text file");
    return 0;
}

/* Moves a double-quoted text to its own front without its escapes; returns
 * the place behind the closing quote, or NULL. A backslash before any other
 * character stays, since paths of some systems are full of them. */
static char *unquote_double(char *p)
{
    static const char names[] = "nrt\"\\$`";
    static const char values[] = "\n\r\t\"\\$`";
    char *to = p - 1;

    for (; *p != '"' && *p != '\0'; p++) {
        const char *name =
            *p == '\\' && p[1] != '\0' ? strchr(names, p[1]) : NULL;

        *to++ = name != NULL ? values[name - names] : *p;
        p += name != NULL;
    }
    if (*p == '\0')
        return NULL;
    *to = '\0';
    return p + 1;
}

static char *unquote_single(char *p)
{
    char *end = strchr(p, '\'');

    if (end == NULL)
        return NULL;
    memmove(p - 1, p, (size_t)(end - p));
    end[-1] = '\0';
    return end + 1;
}

/* A # begins a comment at the start and behind a blank. */
static void end_bare(char *value)
{
    size_t len = 0;

    while (value[len] != '\0' &&
           (value[len] != '#' ||
            (len > 0 && strchr(BLANK, value[len - 1]) == NULL)))
        len++;
    while (len > 0 && strchr(BLANK, value[len - 1]) != NULL)
        len--;
    value[len] = '\0';
}

/* Turns the text behind `=` into the value, in place. NULL, or what is
 * wrong with it; the value itself may be a secret. */
static const char *take_value(char *value)
{
    char *behind;

    if (*value == '"')
        behind = unquote_double(value + 1);
    else if (*value == '\'')
        behind = unquote_single(value + 1);
    else {
        end_bare(value);
        return NULL;
    }
    if (behind == NULL)
        return "the closing quote is missing";
    behind += strspn(behind, BLANK);
    return *behind == '\0' || *behind == '#' ? NULL
                                             : "text follows the closing quote";
}

static bool is_name(const char *name, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz_";
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz_0123456789.-";

    return len > 0 && strchr(letters, *name) != NULL &&
           strspn(name, all) == len;
}

/* Splits a line in place. NULL, or what is wrong; *name is NULL if the line
 * is empty or a comment. */
static const char *split_line(char *text, char **name, char **value)
{
    *name = NULL;
    text += strspn(text, BLANK);
    if (*text == '\0' || *text == '#')
        return NULL;
    if (strncmp(text, "export", 6) == 0 && strchr(BLANK, text[6]) != NULL &&
        text[6] != '\0')
        text += 6 + strspn(text + 6, BLANK);
    char *equals = strchr(text, '=');

    if (equals == NULL)
        return "expected NAME=value";
    *equals = '\0';
    size_t len = strcspn(text, BLANK);

    text[len] = '\0';
    if (text + len < equals &&
        text[len + 1 + strspn(text + len + 1, BLANK)] != '\0')
        return "expected NAME=value";
    if (!is_name(text, len))
        return "expected NAME=value";
    *name = text;
    *value = equals + 1 + strspn(equals + 1, BLANK);
    return take_value(*value);
}

int config__read_env(const char *path,
                     void (*put)(void *arg, const char *name, const char *value,
                                 int line),
                     void *arg, struct err *e)
{
    struct buf text = {0};
    int rc = read_text(path, &text, e);
    char *rest = text.data;
    char *row;

    if (rest != NULL && strncmp(rest, "\xEF\xBB\xBF", 3) == 0)
        rest += 3;
    for (int line = 1; rc == 0 && (row = strsep(&rest, "\n")); line++) {
        char *name, *value;
        const char *wrong = split_line(row, &name, &value);

        if (wrong != NULL)
            rc = err_set(e, ERR_CONFIG, 0, ".env:%d: %s", line, wrong);
        else if (name != NULL)
            put(arg, name, value, line);
    }
    if (text.data != NULL)
        explicit_bzero(text.data, text.cap);
    buf_free(&text);
    return rc;
}

struct wanted {
    const char *name;
    char *value;
};

static void take_wanted(void *arg, const char *name, const char *value,
                        int line)
{
    struct wanted *w = arg;
    (void)line;
    if (strcmp(name, w->name) != 0)
        return;
    free(w->value); /* the last one counts, as for settings */
    w->value = mem_strdup(value);
}

char *config_env_value(const char *env_file, const char *name)
{
    struct wanted w = {.name = name};
    struct err e;
    config__read_env(env_file, take_wanted, &w, &e);
    return w.value;
}
