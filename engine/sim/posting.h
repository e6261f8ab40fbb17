#ifndef MOONLET_SIM_POSTING_H
#define MOONLET_SIM_POSTING_H

/*
 * Putting messages into chats, for bots and for people: what both need, from
 * the sender's fields to the event that the page sees.
 */

#include "sim/call.h"

/* Sets text or caption as people write them: with what is found in it. */
void posting_set_text(json_t *message, const char *key, const char *text);
/* Sets from (or sender_chat in a channel). user: a User. */
void posting_sign(json_t *message, const struct room *room, json_t *user);
/* Quotes a message; its own quote is left out. */
void posting_quote(json_t *message, const struct message *quoted);

/* Stores the message and tells the event stream; takes both over. */
struct message *posting_add(struct sim *sim, struct bot *bot, struct room *room,
                            json_t *message, json_t *keyboard);
/* Tells the event stream. mark: "edited", "deleted" or NULL. */
void posting_tell(struct sim *sim, const struct room *room,
                  const struct message *m, const char *mark);

/* The same as an event "marks": only reactions or votes are new, the message
 * is not. */
void posting_tell_marks(struct sim *sim, const struct room *room,
                        const struct message *m);

/* reply_markup of a call: *markup is an inline keyboard, *keyboard another
 * one (new references or NULL). False: refused. */
bool posting_markup(struct call *c, json_t **markup, json_t **keyboard);

/* A text or caption as a bot gave it, without the marks of its parse_mode. */
struct posted {
    struct buf text; /* no data: nothing was given */
    json_t *entities;
};

/* Reads text or caption (key) of the call with its parse_mode or entities,
 * or those of one media object (part). False: refused; nothing to free. */
bool posting_read(struct call *c, const char *key, struct posted *out);
bool posting_read_caption(struct call *c, const json_t *part,
                          struct posted *out);
/* The same of a member of any object, with its "_parse_mode" and "_entities";
 * of any length. */
bool posting_read_member(struct call *c, const json_t *object, const char *key,
                         struct posted *out);
/* Sets it in the message; an empty one is taken out. Frees it. */
void posting_put(json_t *message, const char *key, struct posted *text);
void posting_forget(struct posted *text);

/* A new message of the call's bot in its room, with quote and markup. NULL:
 * refused. */
json_t *posting_draft(struct call *c, json_t **keyboard);

#endif
