#ifndef MOONLET_CLI_SETTINGS_H
#define MOONLET_CLI_SETTINGS_H

/*
 * Finds and reads the configuration of a command (DESIGN sections 3 and 4):
 * config.lua, .env beside it, the environment, and the DIR argument.
 */

#include "base/err.h"
#include "loop/config.h"
#include "net/http_client.h"
#include "vm/config_file.h"

struct settings {
    struct config config;
    struct config_file file; /* its `app` table is kept */
};

enum settings_scope {
    SETTINGS_ALL,
    SETTINGS_LOCAL, /* the bot of `moonlet play` and no servers, whatever is
                       said of them */
};

/* The settings of `moonlet test`: as SETTINGS_LOCAL, but neither the
 * environment nor .env is read, and what `fixed` (up to a NULL name) says
 * goes before everything. */
int settings_load_fixed(struct settings *s, const char *config_path,
                        const char *dir, const struct config_fixed *fixed,
                        struct err *e);

/* config_path: --config, or NULL. dir: the DIR argument, or NULL. Warnings go
 * to stderr. 0, or ERR_CONFIG. */
int settings_load(struct settings *s, enum settings_scope scope,
                  const char *config_path, const char *dir, struct err *e);
void settings_free(struct settings *s);

/* Makes the data folder the one of `moonlet play`. */
void settings_use_play_folder(struct settings *s);

/* How to reach servers, over so many connections; borrows from s. */
struct http_client_options settings_client(const struct settings *s,
                                           size_t connections);

/* What `moonlet run` needs besides: a token, nothing that is not built. */
int settings_check_run(const struct settings *s, struct err *e);

#endif
