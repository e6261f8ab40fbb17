#ifndef MOONLET_LOOP_CONFIG_H
#define MOONLET_LOOP_CONFIG_H

/*
 * Settings: one schema row each (name, type, bounds, default), read from
 * environment > .env > config.lua > default (DESIGN section 4). Parsing and
 * checking only; reading config.lua is vm/config_file's work, which hands
 * its entries over as config_entry rows.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;

enum config_state_store {
    STATE_STORE_DEFAULT,
    STATE_STORE_DATABASE,
    STATE_STORE_REDIS
};

/* Texts are owned by the config and never NULL: "" is unset. Durations are
 * milliseconds, sizes bytes. Where a URL is set, the settings that are its
 * parts (postgres_host, redis_port …) are as if unset. */
struct config {
    char *bot_token, *bot_api_url, *https_proxy, *no_proxy;
    char *ssl_cert_file; /* absolute */
    int64_t *admin_ids;
    size_t admin_count;
    char *scripts_dir, *data_dir; /* absolute */
    char *tz;
    int log_level;  /* enum log_level */
    int log_format; /* enum log_format */
    char *http_host;
    int http_port;
    char *console_token;
    char *webhook_url, *webhook_secret;
    char *database_url;
    char *postgres_host, *postgres_user, *postgres_password, *postgres_db;
    int postgres_port, postgres_pool_size, postgres_max_overflow;
    int64_t postgres_pool_recycle_ms, postgres_pool_timeout_ms;
    bool postgres_pool_pre_ping;
    char *redis_url, *redis_host, *redis_password;
    int redis_port, redis_db;
    int state_store; /* enum config_state_store */
    char *rq_redis_url, *rq_queue_name;
    int workers;
    int64_t request_timeout_ms, file_download_timeout_ms;
    int64_t transfer_stall_timeout_ms, db_timeout_ms;
    int max_retries;
    double retry_backoff_base;
    int broadcast_batch_size;
    double broadcast_rate;
    int64_t broadcast_delay_ms;
    bool broadcast_paid;
    bool hot_reload;
    int64_t handler_cpu_limit_ms, handler_timeout_ms;
    int64_t lua_memory_limit;
    int inbox_limit;
    int64_t shutdown_timeout_ms;
    bool sandbox, core_dumps;

    char *root;    /* folder that relative paths start at; absolute */
    void *private; /* where each value came from */
};

/* One `key = value` of config.lua, converted to text by its reader. */
struct config_entry {
    const char *key;   /* lower case */
    const char *value; /* numbers and booleans as Lua prints them; a list of
                          numbers joined by commas */
    int line;          /* 0: not known */
};

/* A setting whose value is given, whatever the sources say of it. */
struct config_fixed {
    const char *name;  /* "BOT_TOKEN" */
    const char *value; /* "": unset */
};

/* Everything that settings are read from; all borrowed during config_load. */
struct config_sources {
    const char *file; /* config.lua as it is named in errors; NULL: none */
    const struct config_entry *entries;
    size_t entry_count;
    const char *env_file;      /* path of .env; NULL or missing: none */
    const char *const *others; /* names of .env that are no settings and not
                                  unknown; up to NULL; NULL: none */
    char *const *environ;      /* "NAME=value" rows, NULL at the end */
    const char *root;          /* absolute folder for relative paths */
    const struct config_fixed *fixed; /* up to a NULL name; NULL: none */
};

/* Fills *c; warnings (unknown names in .env, a URL that differs from its
 * parts) are called back as one line each. 0, or ERR_CONFIG with a message
 * like `config.lua:12: redis_port must be 1..65535, got "abc"`. */
int config_load(struct config *c, const struct config_sources *s,
                void (*warn)(void *arg, const char *line), void *arg,
                struct err *e);
void config_free(struct config *c);

/* What the file .env says of a name, owned; NULL: nothing, or it cannot be
 * read, which config_load tells. */
char *config_env_value(const char *env_file, const char *name);

/* Where the value of NAME ("HTTP_PORT") came from: "default",
 * "config.lua:12", ".env:3" or "environment"; NULL: no such setting.
 * Borrowed from the config. */
const char *config_origin(const struct config *c, const char *name);

/* Calls hide for every text that no log may show: tokens, passwords, and the
 * passwords within URLs (as written and decoded). */
void config_secrets(const struct config *c,
                    void (*hide)(void *arg, const char *secret), void *arg);

/* 30, "500ms", "30s", "5m", "2h", "7d" to ms; false if it is none. Numbers
 * are seconds and may have a fraction. */
bool config_duration(const char *text, int64_t *ms);

/* The setting nearest to a mistyped name, for "did you mean"; NULL if none
 * is near. Names compare without case. */
const char *config_nearest(const char *name);

#endif
