#ifndef MOONLET_SIM_CONTROL_H
#define MOONLET_SIM_CONTROL_H

/*
 * The routes under /sim: JSON bodies that are checked against a table of
 * fields before a handler sees them, so that a typo is an error that names
 * the field and what is allowed.
 */

#include "net/routes.h"
#include "sim/core.h"

struct routes;

struct control_field {
    const char *name; /* NULL ends a table */
    enum {
        FIELD_INTEGER,
        FIELD_NUMBER, /* not negative */
        FIELD_STRING, /* not empty */
        FIELD_BOOLEAN,
        FIELD_OBJECT,
        FIELD_IDS,   /* array of integers */
        FIELD_MEDIA, /* true or an object or an array of objects */
    } kind;
    bool required;
};

struct control {
    struct sim *sim;
    struct exchange *x;
    struct bot *bot; /* chosen by "bot", or the current one */
    json_t *body;    /* an object that has been checked */
};

typedef void control_handler(struct control *c);

void control_mount(struct sim *sim, struct routes *routes);
/* Ends the bodies that still come, for sim_free. */
void control_abort(struct sim *sim);

/* Answers with a value that is taken over. */
void control_reply(struct control *c, json_t *value);
void control_reply_text(struct exchange *x, const char *json, size_t len);

/* The member, or NULL; an answer 404 was sent if the user, room or member
 * that it names does not exist. */
const struct user *control_user(struct control *c, const char *key);
struct room *control_room(struct control *c, int64_t chat_id);
/* The room of "chat", else the private one of `user`. Checks that the user
 * is in it. */
struct room *control_room_of(struct control *c, const struct user *user);

/* Whether what the user does there reaches the bot; false: an answer was
 * sent. */
bool control_speaks(struct control *c, const struct user *user,
                    const struct room *room);

void control_mount_lists(struct sim *sim, struct routes *routes);

void control_tell_user(struct sim *sim, const struct user *user);
void control_tell_chat(struct sim *sim, const struct chat *chat);

/* The user enters, let in by `from` (a User); every member hears of it. The
 * service message, borrowed; NULL in a channel. */
json_t *control_enter(struct sim *sim, struct bot *bot, struct room *room,
                      json_t *from, const struct user *user);
/* Who an administrator that does not show who it is seems to be. New. */
json_t *control_anonymous(void);

/* Answers with the chat and its members. */
void control_reply_chat(struct control *c, const struct chat *chat);
/* Answers that there are too many. */
void control_fail_chats(struct control *c);

route_handler control_show_limits;
route_handler control_list_users;
route_handler control_list_chats;
route_handler control_list_faults;
route_handler control_clear_faults;
route_handler control_clear_fault;
control_handler control_make_user;
control_handler control_make_chat;
control_handler control_fault;
control_handler control_send;
control_handler control_click;
control_handler control_vote;
control_handler control_block;
control_handler control_join;
control_handler control_leave;
control_handler control_ask;
control_handler control_edit;
control_handler control_react;
control_handler control_topic;
control_handler control_kick;
control_handler control_migrate;
control_handler control_deactivate;
control_handler control_rights;
control_handler control_limits;
control_handler control_update;
control_handler control_clock; /* advance.c */
extern const struct control_field control_user_fields[];
extern const struct control_field control_chat_fields[];
extern const struct control_field control_fault_fields[];
extern const struct control_field control_send_fields[];
extern const struct control_field control_vote_fields[];
extern const struct control_field control_block_fields[];
extern const struct control_field control_join_fields[];
extern const struct control_field control_leave_fields[];
extern const struct control_field control_ask_fields[];
extern const struct control_field control_edit_fields[];
extern const struct control_field control_react_fields[];
extern const struct control_field control_topic_fields[];
extern const struct control_field control_kick_fields[];
extern const struct control_field control_migrate_fields[];
extern const struct control_field control_deactivate_fields[];
extern const struct control_field control_rights_fields[];
extern const struct control_field control_limits_fields[];

#endif
