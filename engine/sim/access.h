#ifndef MOONLET_SIM_ACCESS_H
#define MOONLET_SIM_ACCESS_H

/*
 * Whether a bot may do something in a chat: is it there, is the chat, may
 * the other side be written to, and has the bot the right. What it may not
 * is answered as the real server does.
 */

#include "sim/world.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

/* For the chat of the call. False: refused. */
bool access_check(struct call *c);
/* For another chat, which is only read. False: refused. */
bool access_read(struct call *c, const struct room *room);

/* Rights that a bot has unless somebody takes them: a bit of room.denied
 * each. */
enum right {
    RIGHT_MESSAGES,
    RIGHT_AUDIOS,
    RIGHT_DOCUMENTS,
    RIGHT_PHOTOS,
    RIGHT_VIDEOS,
    RIGHT_VIDEO_NOTES,
    RIGHT_VOICE_NOTES,
    RIGHT_POLLS,
    RIGHT_OTHER,
    RIGHT_TOPICS,
    RIGHT_PIN,
    RIGHT_DELETE,
    RIGHT_RESTRICT,
    RIGHTS_COUNT,
};

const char *right_name(enum right right); /* as in the Bot API */
bool right_has(const struct room *room, enum right right);

/* The right to send what `key`, a field of Message, stands for. False:
 * refused. */
bool access_send(struct call *c, const char *key);
/* The name of that right, for people: a member of ChatPermissions. */
const char *access_permission(const char *key);
/* The same for all that a message holds. */
bool access_send_copy(struct call *c, const json_t *message);

/* The fields of ChatMemberAdministrator that every one has: all rights. */
void access_put_rights(json_t *member);
/* The bot as a member of the room (ChatMember). New. */
json_t *access_member(const struct bot *bot, const struct room *room);
/* Tells the bot that it is another kind of member now. `from` is a User;
 * both are taken over. */
void access_tell(struct sim *sim, struct bot *bot, const struct room *room,
                 json_t *from, json_t *old_member);

#endif
