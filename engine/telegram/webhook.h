#ifndef MOONLET_TELEGRAM_WEBHOOK_H
#define MOONLET_TELEGRAM_WEBHOOK_H

/*
 * Updates by webhook: getMe, setWebhook, then what Telegram posts to the path
 * of WEBHOOK_URL. A post is answered 200 only when the inbox has committed
 * its update, or had it before; 503 with Retry-After when it cannot be
 * stored, so that Telegram comes again. The webhook stays set when the
 * engine ends: Telegram keeps what comes meanwhile.
 */

#include <stdbool.h>

struct intake_options;
struct routes;
struct webhook;

#define WEBHOOK_PATH "/webhook" /* if the address has none */

/* Copies everything. Owned by the caller. */
struct webhook *webhook_new(const struct intake_options *o, const char *url,
                            const char *secret);
/* Serves the path; before others that might claim it. */
void webhook_mount(struct webhook *w, struct routes *routes);
/* Where Telegram posts to by this address, "/" for one without a path; owned
 * by the caller. */
char *webhook_path(const char *url);

/* The kinds to ask for, a JSON array as text; copied. The webhook is set anew
 * if they differ. */
void webhook_set_kinds(struct webhook *w, const char *kinds);
void webhook_start(struct webhook *w);
/* Ends the call in flight; posts get 503 from now on. */
void webhook_stop(struct webhook *w);
void webhook_free(struct webhook *w); /* after stop; open posts are dropped */

#endif
