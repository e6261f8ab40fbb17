#ifndef MOONLET_CLI_SETTINGS_H
#define MOONLET_CLI_SETTINGS_H

/*
 * Finds and reads the configuration of a command (DESIGN sections 3 and 4):
 * config.lua, .env beside it, the environment, and the DIR argument.
 */

#include "base/err.h"
#include "loop/config.h"
#include "vm/config_file.h"

struct settings {
    struct config config;
    struct config_file file; /* its `app` table is kept */
};

/* config_path: --config, or NULL. dir: the DIR argument, or NULL. Warnings go
 * to stderr. 0, or ERR_CONFIG. */
int settings_load(struct settings *s, const char *config_path,
                  const char *dir, struct err *e);
void settings_free(struct settings *s);

/* What `moonlet run` needs besides: a token, nothing that is not built. */
int settings_check_run(const struct settings *s, struct err *e);

/* Makes the settings those of `moonlet play`: its own token and data folder,
 * no servers. */
void settings_use_play(struct settings *s);

#endif
