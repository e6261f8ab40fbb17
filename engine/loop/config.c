#include "loop/config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "loop/config_schema.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MIN 4

/* What config_load hands to its helpers. */
struct loader {
    struct config *c;
    const struct config_sources *sources;
    struct config_warn warn;
};

static struct config_found *found_of(const struct config *c)
{
    const struct config_private *p = c->private;

    return p->found;
}

static void forget(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static bool is_text(const struct setting *row)
{
    return row->type == SETTING_TEXT || row->type == SETTING_PATH;
}

static char **text_field(struct config *c, const struct setting *row)
{
    return (char **)(void *)((char *)c + row->offset);
}

void config__reset(struct config *c, const struct setting *row)
{
    if (is_text(row)) {
        free(*text_field(c, row));
        *text_field(c, row) = mem_strdup(row->fallback);
    } else if (row->fallback[0] != '\0') {
        config__parse(c, row, row->fallback);
    }
}

static char *small_letters(const char *name)
{
    char *copy = mem_strdup(name);

    for (char *p = copy; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

int config__fail(const struct config *c, size_t row, struct err *e,
                 const char *fmt, ...)
{
    const struct config_found *f = &found_of(c)[row];
    const char *name = config__settings[row].name;
    char *key = f->in_lua ? small_letters(name) : mem_strdup(name);
    char text[sizeof(e->message)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(e, ERR_CONFIG, 0, "%s: %s %s",
            f->origin != NULL ? f->origin : "default", key, text);
    free(key);
    return ERR_CONFIG;
}

/* Somebody may have pasted the token into the wrong place. */
static bool may_show(const struct config *c, size_t row, const char *text)
{
    if (config__is_secret(&config__settings[row]))
        return false;
    for (size_t i = 0; i < config__setting_count; i++) {
        const char *secret = found_of(c)[i].text;

        if (config__is_secret(&config__settings[i]) && secret != NULL &&
            strlen(secret) >= SECRET_MIN && strstr(text, secret) != NULL)
            return false;
    }
    return true;
}

static int fail_value(const struct config *c, size_t row, const char *found,
                      struct err *e)
{
    struct buf text = {0};

    config__put_allowed(&text, &config__settings[row]);
    if (may_show(c, row, found))
        config__put_found(&text, found);
    else
        buf_puts(&text, "; the value found is not shown");
    config__fail(c, row, e, "must be %s", text.data);
    buf_free(&text);
    return ERR_CONFIG;
}

/* "unknown setting "http_prot"; did you mean "http_port"?" */
static char *unknown_setting(const char *name, bool in_lua)
{
    const char *nearest = config_nearest(name);

    if (nearest == NULL)
        return mem_printf("unknown setting \"%.60s\"", name);
    char *meant = in_lua ? small_letters(nearest) : mem_strdup(nearest);
    char *text = mem_printf("unknown setting \"%.60s\"; did you mean \"%s\"?",
                            name, meant);

    free(meant);
    return text;
}

/* The sources are taken weakest first, so that a later one replaces what an
 * earlier one said. An empty value is unset: the weaker one stays. */
static void take(struct config *c, int row, const char *value, char *origin,
                 bool in_lua)
{
    struct config_found *f = &found_of(c)[row];

    if (*value == '\0') {
        free(origin);
        return;
    }
    forget(f->text);
    free(f->origin);
    f->text = mem_strdup(value);
    f->origin = origin;
    f->in_lua = in_lua;
}

/* Row of a name written in the letters of its source; -1: none. */
static int find_in_case(const char *name, size_t len, int (*other)(int))
{
    for (size_t i = 0; i < len; i++)
        if (other((unsigned char)name[i]))
            return -1;
    return config__find(name, len);
}

static char *place(const char *file, int line)
{
    return line > 0 ? mem_printf("%s:%d", file, line) : mem_strdup(file);
}

static int take_file(struct loader *l, struct err *e)
{
    const struct config_sources *s = l->sources;

    for (size_t i = 0; i < s->entry_count; i++) {
        const struct config_entry *entry = &s->entries[i];
        char *origin = place(s->file, entry->line);
        int row = find_in_case(entry->key, strlen(entry->key), isupper);

        if (row < 0) {
            char *text = unknown_setting(entry->key, true);
            err_set(e, ERR_CONFIG, 0, "%s: %s", origin, text);
            free(text);
            free(origin);
            return ERR_CONFIG;
        }
        take(l->c, row, entry->value, origin, true);
    }
    return 0;
}

static bool is_other(const struct config_sources *s, const char *name)
{
    for (const char *const *row = s->others; row != NULL && *row != NULL; row++)
        if (strcmp(*row, name) == 0)
            return true;
    return false;
}

static void take_env_line(void *arg, const char *name, const char *value,
                          int line)
{
    struct loader *l = arg;
    int row = find_in_case(name, strlen(name), islower);

    if (row >= 0) {
        take(l->c, row, value, place(".env", line), false);
        return;
    }
    if (is_other(l->sources, name))
        return;
    char *unknown = unknown_setting(name, false);
    char *text = mem_printf(".env:%d: %s", line, unknown);

    l->warn.line(l->warn.arg, text);
    free(text);
    free(unknown);
}

static void take_environment(struct config *c, char *const *rows)
{
    for (; rows != NULL && *rows != NULL; rows++) {
        size_t len = strcspn(*rows, "=");
        int row = find_in_case(*rows, len, islower);

        if (row >= 0 && (*rows)[len] == '=')
            take(c, row, *rows + len + 1, mem_strdup("environment"), false);
    }
}

static const struct config_fixed *find_fixed(const struct config_sources *s,
                                             size_t row)
{
    const struct config_fixed *fixed = s->fixed;

    for (; fixed != NULL && fixed->name != NULL; fixed++)
        if (strcmp(fixed->name, config__settings[row].name) == 0)
            return fixed;
    return NULL;
}

static int parse_all(struct config *c, const struct config_sources *s,
                     struct err *e)
{
    for (size_t i = 0; i < config__setting_count; i++) {
        const struct setting *row = &config__settings[i];
        const struct config_fixed *fixed = find_fixed(s, i);
        const char *text = fixed != NULL ? fixed->value : found_of(c)[i].text;

        config__reset(c, row);
        if (text != NULL && *text != '\0' && !config__parse(c, row, text))
            return fail_value(c, i, text, e);
    }
    return 0;
}

static char *absolute(const char *root, const char *path)
{
    if (*path == '/')
        return mem_strdup(path);
    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    if (*path == '\0' || strcmp(path, ".") == 0)
        return mem_strdup(root);
    return mem_printf("%s%s%s", root, root[strlen(root) - 1] == '/' ? "" : "/",
                      path);
}

static void make_absolute(struct config *c)
{
    static const char sqlite[] = "sqlite:";
    const size_t skip = sizeof(sqlite) - 1;

    for (size_t i = 0; i < config__setting_count; i++) {
        char **field = text_field(c, &config__settings[i]);
        if (config__settings[i].type == SETTING_PATH && **field != '\0') {
            char *path = absolute(c->root, *field);
            free(*field);
            *field = path;
        }
    }
    if (strncmp(c->database_url, sqlite, skip) == 0) {
        char *path = absolute(c->root, c->database_url + skip);
        free(c->database_url);
        c->database_url = mem_printf("%s%s", sqlite, path);
        free(path);
    }
}

static void drop_trailing_slash(char *url)
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
}

/* Once parsed, the texts are only copies of secrets. */
static void forget_texts(struct config *c)
{
    for (size_t i = 0; i < config__setting_count; i++) {
        forget(found_of(c)[i].text);
        found_of(c)[i].text = NULL;
    }
}

static void no_warning(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

/* What a fixed setting was said to be counts until here: an error about
 * another one must not show a token that stands in its place too. */
static void forget_fixed(struct config *c, const struct config_sources *s)
{
    for (size_t i = 0; i < config__setting_count; i++) {
        struct config_found *f = &found_of(c)[i];

        if (find_fixed(s, i) != NULL) {
            free(f->origin);
            f->origin = NULL;
        }
    }
}

static int load(struct loader *l, struct err *e)
{
    struct config *c = l->c;
    int rc = take_file(l, e);

    if (rc == 0 && l->sources->env_file != NULL)
        rc = config__read_env(l->sources->env_file, take_env_line, l, e);
    if (rc != 0)
        return rc;
    take_environment(c, l->sources->environ);
    if ((rc = parse_all(c, l->sources, e)) != 0)
        return rc;
    forget_fixed(c, l->sources);
    drop_trailing_slash(c->bot_api_url);
    make_absolute(c);
    if ((rc = config__check_rules(c, e)) == 0)
        config__urls_win(c, &l->warn);
    return rc;
}

int config_load(struct config *c, const struct config_sources *s,
                void (*warn)(void *arg, const char *line), void *arg,
                struct err *e)
{
    struct config_private *p = MEM_NEW(struct config_private);
    struct loader l = {c, s, {warn != NULL ? warn : no_warning, arg}};

    p->found = mem_zero(config__setting_count, sizeof(*p->found));
    *c = (struct config){.root = mem_strdup(s->root), .private = p};
    int rc = load(&l, e);

    forget_texts(c);
    if (rc != 0)
        config_free(c);
    return rc;
}

void config_free(struct config *c)
{
    struct config_private *p = c->private;

    for (size_t i = 0; i < config__setting_count; i++) {
        if (is_text(&config__settings[i]))
            forget(*text_field(c, &config__settings[i]));
        if (p != NULL) {
            forget(p->found[i].text);
            free(p->found[i].origin);
        }
    }
    free(c->admin_ids);
    free(c->root);
    if (p != NULL)
        free(p->found);
    free(p);
    *c = (struct config){0};
}

const char *config_origin(const struct config *c, const char *name)
{
    int row = config__find(name, strlen(name));

    if (row < 0)
        return NULL;
    const char *origin = found_of(c)[row].origin;

    return origin != NULL ? origin : "default";
}
