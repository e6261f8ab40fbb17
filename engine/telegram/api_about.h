#ifndef MOONLET_TELEGRAM_API_ABOUT_H
#define MOONLET_TELEGRAM_API_ABOUT_H

/*
 * What the parameters of a call say to the limiter: which chat, how many
 * messages, paid or not.
 */

#include <stddef.h>
#include <stdint.h>

struct api_call;

/* Fills call->chat and call->ask. */
void api_about(struct api_call *call);

/* The parameters with another chat_id; owned. NULL: they have none. */
char *api_about_move(const char *params, size_t len, int64_t chat);

#endif
