#ifndef MOONLET_TELEGRAM_POLLING_H
#define MOONLET_TELEGRAM_POLLING_H

/*
 * Long polling: getMe, removal of a webhook that is set, then getUpdates
 * for ever. The offset moves only after the inbox has committed; when the
 * inbox is full no call is made until it has drained. Network trouble and
 * errors back off and go on; a refused token ends it.
 */

struct intake_options;
struct polling;
struct update_head;

/* Copies the options. Owned by the caller. */
struct polling *polling_new(const struct intake_options *o);
/* The kinds to ask for, a JSON array as text; copied. A waiting getUpdates is
 * ended and made anew if they differ. */
void polling_set_kinds(struct polling *p, const char *kinds);
void polling_start(struct polling *p);
/* The inbox has room again. */
void polling_resume(struct polling *p);
/* Ends the call in flight and starts no other. */
void polling_stop(struct polling *p);
void polling_free(struct polling *p); /* after stop and the last put's done */

#endif
