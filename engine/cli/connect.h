#ifndef MOONLET_CLI_CONNECT_H
#define MOONLET_CLI_CONNECT_H

/*
 * Asks Telegram, at BOT_API_URL, whose the configured BOT_TOKEN is. Blocks on
 * a loop of its own; changes nothing there.
 */

#include "base/err.h"

struct settings;

/* 0: has printed the bot's name. Else *e, which never holds the token. */
int connect_check(const struct settings *s, struct err *e);

#endif
