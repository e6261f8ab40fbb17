#ifndef MOONLET_SIM_TOPICS_H
#define MOONLET_SIM_TOPICS_H

/* The topics of a forum: made, closed, reopened and deleted by methods, and
 * looked at by everything that is sent into one. */

#include <jansson.h>
#include <stdbool.h>

struct bot;
struct call;
struct room;
struct sim;

/* Why the chat takes no further topic; NULL: it does. */
const char *topics_refused(const struct room *room);
/* A new one, made by `from` (a User), with the name and icon of `topic`,
 * whose message_thread_id is set. The chat is a forum from then on. The
 * message that tells of it, borrowed. */
json_t *topics_make(struct sim *sim, struct bot *bot, struct room *room,
                    json_t *from, json_t *topic);

/* message_thread_id of a call. False: refused. A chat without topics knows
 * no threads, and the parameter means nothing there. */
bool topics_check(struct call *c);
/* Puts the message into its topic, after topics_check. */
void topics_mark(struct call *c, json_t *message);

json_t *method_create_topic(struct call *c);
json_t *method_close_topic(struct call *c);
json_t *method_reopen_topic(struct call *c);
json_t *method_delete_topic(struct call *c);

#endif
