#include "cli/settings.h"

#include "base/mem.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static char *join(const char *dir, const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static bool has_main(const char *dir)
{
    char *path = join(dir, "main.lua");
    bool found = is_file(path);
    free(path);
    return found;
}

/* The config file to read, owned; NULL: there is none, which is no error. */
static char *find_config(const char *config_path, const char *dir)
{
    if (config_path)
        return mem_strdup(config_path);
    if (dir) {
        char *path = join(dir, "config.lua");
        if (is_file(path))
            return path;
        free(path);
    }
    return is_file("config.lua") ? mem_strdup("config.lua") : NULL;
}

/* The absolute folder of the file, or of the project, or the current one. */
static char *find_root(const char *file, const char *dir)
{
    char *parent = file ? mem_strdup(file) : NULL;
    const char *start = parent ? dirname(parent) : ".";
    if (!parent && dir && !has_main(dir))
        start = dir;
    char *root = realpath(start, NULL);
    free(parent);
    return root ? root : mem_strdup("/");
}

static void warn(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "moonlet: %s\n", line);
}

static int check_dir(const char *dir, struct err *e)
{
    struct stat st;
    if (stat(dir, &st) != 0)
        return err_errno(e, errno, "%s", dir);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_CONFIG, 0, "%s is not a folder", dir);
    return 0;
}

/* The bot of `moonlet play` is nobody's, and it has no servers. */
static const struct config_fixed play[] = {{"BOT_TOKEN", "1:PLAY"},
                                           {"BOT_API_URL", "http://simulator"},
                                           {"HOT_RELOAD", "true"},
                                           {"HTTPS_PROXY", ""},
                                           {"NO_PROXY", ""},
                                           {"WEBHOOK_URL", ""},
                                           {"WEBHOOK_SECRET", ""},
                                           {"DATABASE_URL", ""},
                                           {"POSTGRES_HOST", ""},
                                           {"POSTGRES_PORT", ""},
                                           {"POSTGRES_USER", ""},
                                           {"POSTGRES_PASSWORD", ""},
                                           {"POSTGRES_DB", ""},
                                           {"POSTGRES_POOL_SIZE", ""},
                                           {"POSTGRES_MAX_OVERFLOW", ""},
                                           {"POSTGRES_POOL_RECYCLE", ""},
                                           {"POSTGRES_POOL_TIMEOUT", ""},
                                           {"POSTGRES_POOL_PRE_PING", ""},
                                           {"REDIS_URL", ""},
                                           {"REDIS_HOST", ""},
                                           {"REDIS_PORT", ""},
                                           {"REDIS_DB", ""},
                                           {"REDIS_PASSWORD", ""},
                                           {"RQ_REDIS_URL", ""},
                                           {"STATE_STORE", ""},
                                           {NULL, NULL}};

/* Where the values come from besides config.lua. */
struct origin {
    const struct config_fixed *fixed;
    bool alone; /* nothing else counts */
};

static int load(struct settings *s, const struct origin *origin,
                const char *file, const char *env_file, const char *root,
                struct err *e)
{
    extern char **environ;
    static char *const nothing[] = {NULL};
    const char *slash = file ? strrchr(file, '/') : NULL;
    struct config_sources sources = {
        .file = slash ? slash + 1 : file,
        .env_file = env_file,
        .others = (const char *const *)s->file.asked,
        .environ = origin->alone ? nothing : environ,
        .root = root,
        .fixed = origin->fixed,
    };
    struct config_entry *entries = mem_zero(s->file.count + 1, sizeof *entries);
    for (size_t i = 0; i < s->file.count; i++)
        entries[i] = (struct config_entry){
            s->file.rows[i].key, s->file.rows[i].value, s->file.rows[i].line};
    sources.entries = entries;
    sources.entry_count = s->file.count;
    int rc = config_load(&s->config, &sources, warn, NULL, e);
    free(entries);
    return rc;
}

/* Whether the folder in which the command runs, or that of its config, is the
 * bot's: nothing names another. */
static bool is_at_home(const struct settings *s, const char *root)
{
    const char *origin = config_origin(&s->config, "SCRIPTS_DIR");
    return strcmp(origin, "default") == 0 && !has_main(s->config.scripts_dir) &&
           has_main(root);
}

/* The folder of the scripts, which a DIR with a main.lua is before all that
 * SCRIPTS_DIR says. */
static void choose_scripts(struct settings *s, const char *dir,
                           const char *root)
{
    char *chosen = NULL;
    if (dir && has_main(dir))
        chosen = realpath(dir, NULL);
    else if (!dir && is_at_home(s, root))
        chosen = mem_strdup(root);
    if (!chosen)
        return;
    free(s->config.scripts_dir);
    s->config.scripts_dir = chosen;
}

static int find_and_load(struct settings *s, const struct origin *origin,
                         const char *config_path, const char *dir,
                         struct err *e)
{
    memset(s, 0, sizeof *s);
    if (dir && check_dir(dir, e) != 0)
        return e->code;
    char *file = find_config(config_path, dir);
    char *root = find_root(file, dir);
    char *env_file = origin->alone ? NULL : join(root, ".env");
    int rc = file ? config_file_read(&s->file, file, env_file, e) : 0;
    if (rc == 0)
        rc = load(s, origin, file, env_file, root, e);
    if (rc == 0)
        choose_scripts(s, dir, root);
    else
        config_file_free(&s->file);
    free(env_file);
    free(root);
    free(file);
    return rc;
}

int settings_load(struct settings *s, enum settings_scope scope,
                  const char *config_path, const char *dir, struct err *e)
{
    const struct origin origin = {
        .fixed = scope == SETTINGS_LOCAL ? play : NULL,
    };
    return find_and_load(s, &origin, config_path, dir, e);
}

static bool is_among(const struct config_fixed *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return true;
    return false;
}

int settings_load_fixed(struct settings *s, const char *config_path,
                        const char *dir, const struct config_fixed *fixed,
                        struct err *e)
{
    size_t n = 0, count = sizeof play / sizeof *play;
    while (fixed[n].name)
        n++;
    struct config_fixed *rows = mem_zero(n + count, sizeof *rows);
    memcpy(rows, fixed, n * sizeof *rows);
    for (const struct config_fixed *row = play; row->name; row++)
        if (!is_among(fixed, row->name))
            rows[n++] = *row;
    const struct origin origin = {.fixed = rows, .alone = true};
    int rc = find_and_load(s, &origin, config_path, dir, e);
    free(rows);
    return rc;
}

void settings_free(struct settings *s)
{
    config_free(&s->config);
    config_file_free(&s->file);
}

void settings_use_play_folder(struct settings *s)
{
    char *folder = join(s->config.data_dir, "play");
    free(s->config.data_dir);
    s->config.data_dir = folder;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

struct http_client_options settings_client(const struct settings *s,
                                           size_t connections)
{
    return (struct http_client_options){
        .connections_max = connections,
        .proxy = or_null(s->config.https_proxy),
        .no_proxy = or_null(s->config.no_proxy),
        .ca_file = or_null(s->config.ssl_cert_file),
        .user_agent = "moonlet/" MOONLET_VERSION,
    };
}

static int refuse(struct err *e, const struct config *c, const char *name)
{
    return err_set(e, ERR_CONFIG, 0, "%s: not built yet: %s",
                   config_origin(c, name), name);
}

static bool is_postgres(const char *url)
{
    return strncmp(url, "postgres", 8) == 0;
}

int settings_check_run(const struct settings *s, struct err *e)
{
    const struct config *c = &s->config;
    const struct {
        const char *name;
        bool on;
    } absent[] = {
        {"CONSOLE_TOKEN", *c->console_token},
        {"DATABASE_URL", is_postgres(c->database_url)},
        {"POSTGRES_HOST", *c->postgres_host},
        {"REDIS_URL", *c->redis_url},
        {"REDIS_HOST", *c->redis_host},
        {"RQ_REDIS_URL", *c->rq_redis_url},
        {"STATE_STORE", c->state_store == STATE_STORE_REDIS},
        {"SANDBOX", !c->sandbox},
    };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (absent[i].on)
            return refuse(e, c, absent[i].name);
    return 0;
}
