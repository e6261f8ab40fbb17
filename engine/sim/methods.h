#ifndef MOONLET_SIM_METHODS_H
#define MOONLET_SIM_METHODS_H

/*
 * The methods that the simulator models; the others are answered from the
 * types alone. A handler finds its required parameters present and the room
 * of chat_id in place.
 */

#include <jansson.h>
#include <stdbool.h>

struct call;
struct message;
struct room;
struct sim;

/* The result (new), or NULL: refused, waiting, or already in c->result. */
json_t *methods_run(struct call *c);

/* methods_send.c */
json_t *method_send_message(struct call *c);
json_t *method_send_content(struct call *c); /* sendPhoto, sendPoll, ... */
json_t *method_send_media_group(struct call *c);
/* Marks a message of a picture or video as hidden, or its caption as above
 * it, if that was given. */
void methods_mark_media(json_t *message, const char *key, const json_t *given);

/* methods_answer.c */
json_t *method_answer_callback(struct call *c);
json_t *method_answer_inline(struct call *c);
json_t *method_chat_action(struct call *c);
json_t *method_get_file(struct call *c);

/* methods_chat.c */
json_t *method_get_chat(struct call *c);
json_t *method_get_chat_administrators(struct call *c);
json_t *method_get_chat_member(struct call *c);
json_t *method_get_chat_member_count(struct call *c);
json_t *method_leave_chat(struct call *c);
json_t *method_ban_member(struct call *c);
json_t *method_unban_member(struct call *c);
json_t *method_restrict_member(struct call *c);
json_t *method_promote_member(struct call *c);
json_t *method_approve_request(struct call *c);
json_t *method_decline_request(struct call *c);
json_t *method_sticker_set(struct call *c); /* set and delete */
json_t *method_pin(struct call *c);
json_t *method_unpin(struct call *c);
json_t *method_react(struct call *c);

/* methods_links.c */
json_t *method_export_link(struct call *c);
/* https://t.me/, `before` and some letters; a new reference. */
json_t *methods_link(const struct call *c, const char *before);
json_t *method_invite_link(struct call *c);

/* methods_poll.c */
json_t *method_stop_poll(struct call *c);
/* Readies what was given for a poll: its texts parsed, what was left out as
 * the server has it. False: refused. */
bool methods_poll_given(struct call *c, json_t *given);
/* Whether the poll of the message is closed; closes it if its time is up. The
 * bot is not told: the real server does not promise it. */
bool methods_poll_over(struct sim *sim, const struct room *room,
                       struct message *m);

/* methods_invoice.c */
json_t *method_create_invoice_link(struct call *c);
/* Checks what was given for an invoice and adds up its prices. False:
 * refused. */
bool methods_invoice_given(struct call *c, json_t *given);

/* methods_webhook.c */
json_t *method_set_webhook(struct call *c);
json_t *method_delete_webhook(struct call *c);
json_t *method_get_webhook_info(struct call *c);

/* methods_copy.c */
json_t *method_forward_message(struct call *c);
json_t *method_forward_messages(struct call *c);
json_t *method_copy_message(struct call *c);
json_t *method_copy_messages(struct call *c);
json_t *method_delete_message(struct call *c);
json_t *method_delete_messages(struct call *c);

/* methods_edit.c */
json_t *method_edit_text(struct call *c);
json_t *method_edit_caption(struct call *c);
json_t *method_edit_markup(struct call *c);
json_t *method_edit_content(struct call *c); /* media, location, checklist */

/* A copy of the message with the call's inline keyboard. NULL: refused. */
json_t *methods_edited(struct call *c, const struct message *m);

/* Gives a new message the content of another one and says whose it was. */
void methods_forward(json_t *message, json_t *source);

#endif
