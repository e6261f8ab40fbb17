#ifndef MOONLET_SIM_ACCOUNT_H
#define MOONLET_SIM_ACCOUNT_H

/* The bot's own account: logOut and close, and what they do to later
 * calls. */

#include <jansson.h>
#include <stdbool.h>

struct call;

/* False: refused, because the bot has logged out, or asks to close what is
 * closed. Other calls open a closed bot again. */
bool account_check(struct call *c);

json_t *method_log_out(struct call *c);
json_t *method_close(struct call *c);

#endif
