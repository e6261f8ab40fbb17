/* What people do in a chat besides writing: they enter and leave, ask to be
 * let in, change what they have written, react, and open topics. */
#include "sim/control.h"

#include "sim/posting.h"
#include "sim/topics.h"

#include <stdio.h>
#include <string.h>

/* Telegram's own name for an administrator who does not show who it is. */
json_t *control_anonymous(void)
{
    return json_pack("{s:i, s:b, s:s, s:s}", "id", 1087968824, "is_bot", 1,
                     "first_name", "Group", "username", "GroupAnonymousBot");
}

#define TEXT_MAX 4096

/* A group or channel; NULL: an answer was sent. */
static struct room *group_of(struct control *c)
{
    struct room *room = control_room(c, sim_int(c->body, "chat"));
    if (room == NULL || room->chat->kind != CHAT_PRIVATE)
        return room;
    exchange_fail(c->x, 400,
                  "chat: must be a group, supergroup or channel; %lld is a "
                  "private chat",
                  (long long)room->chat->id);
    return NULL;
}

static json_t *member(const struct user *user, const char *status)
{
    return json_pack("{s:O, s:s}", "user", user->json, "status", status);
}

/* A bot hears of it if it has asked for chat_member. `from` is a User. */
static void tell_member(struct sim *sim, struct bot *bot,
                        const struct room *room, json_t *from,
                        const struct user *user, bool inside)
{
    json_t *change = json_object();
    json_object_set(change, "chat", room->chat->json);
    json_object_set(change, "from", from);
    sim_set(change, "date", json_integer((int64_t)sim_now(sim)));
    sim_set(change, "old_chat_member",
            member(user, inside ? "left" : "member"));
    sim_set(change, "new_chat_member",
            member(user, inside ? "member" : "left"));
    queue_push(&bot->queue, "chat_member", change, room->chat->id, false);
}

/* The service message of a group; a channel has none (NULL). */
static json_t *tell_group(struct sim *sim, struct bot *bot, struct room *room,
                          json_t *from, const char *key, json_t *value)
{
    if (room->chat->kind == CHAT_CHANNEL) {
        json_decref(value);
        return NULL;
    }
    json_t *message = room_draft(bot, room, (int64_t)sim_now(sim));
    posting_sign(message, room, from);
    sim_set(message, key, value);
    posting_add(sim, bot, room, message, NULL);
    queue_push(&bot->queue, "message", json_incref(message), room->chat->id,
               false);
    return message;
}

static void reply_message(struct control *c, json_t *message)
{
    control_reply(c, message != NULL ? json_incref(message) : json_object());
}

json_t *control_enter(struct sim *sim, struct bot *bot, struct room *room,
                      json_t *from, const struct user *user)
{
    chat_add_member(room->chat, user->id);
    if (chat_rank(room->chat, user->id, sim_now(sim)) == RANK_ASKING)
        chat_set_rank(room->chat, user->id, RANK_NONE);
    control_tell_chat(sim, room->chat);
    tell_member(sim, bot, room, from, user, true);
    return tell_group(sim, bot, room, from, "new_chat_members",
                      json_pack("[O]", user->json));
}

const struct control_field control_join_fields[] = {
    {"chat", FIELD_INTEGER, true},
    {"user", FIELD_INTEGER, true},
    {"from", FIELD_INTEGER, false},
    {NULL, FIELD_STRING, false}};

/* Who may come in; NULL: an answer was sent. */
static const struct user *newcomer(struct control *c, const struct room *room)
{
    const struct user *user = room != NULL ? control_user(c, "user") : NULL;
    if (user == NULL || !control_speaks(c, user, room))
        return NULL;
    bool kicked =
        chat_rank(room->chat, user->id, sim_now(c->sim)) == RANK_KICKED;
    if (kicked || chat_has_member(room->chat, user->id)) {
        exchange_fail(c->x, 400, "user: %lld %s chat %lld", (long long)user->id,
                      kicked ? "was banned from" : "is in",
                      (long long)room->chat->id);
        return NULL;
    }
    return user;
}

/* Alone, or brought in by "from". */
void control_join(struct control *c)
{
    struct room *room = group_of(c);
    const struct user *user = newcomer(c, room);
    if (user == NULL)
        return;
    const struct user *from = json_object_get(c->body, "from") != NULL
                                  ? control_user(c, "from")
                                  : user;
    if (from == NULL)
        return;
    reply_message(c, control_enter(c->sim, c->bot, room, from->json, user));
}

const struct control_field control_leave_fields[] = {
    {"chat", FIELD_INTEGER, true},
    {"user", FIELD_INTEGER, true},
    {NULL, FIELD_STRING, false}};

void control_leave(struct control *c)
{
    struct room *room = group_of(c);
    const struct user *user = room != NULL ? control_user(c, "user") : NULL;
    if (user == NULL || !control_speaks(c, user, room))
        return;
    if (!chat_has_member(room->chat, user->id)) {
        exchange_fail(c->x, 400, "user: %lld is not in chat %lld",
                      (long long)user->id, (long long)room->chat->id);
        return;
    }
    chat_remove_member(room->chat, user->id);
    chat_set_rank(room->chat, user->id, RANK_NONE);
    control_tell_chat(c->sim, room->chat);
    tell_member(c->sim, c->bot, room, user->json, user, false);
    reply_message(c, tell_group(c->sim, c->bot, room, user->json,
                                "left_chat_member", json_incref(user->json)));
}

const struct control_field control_ask_fields[] = {
    {"chat", FIELD_INTEGER, true},
    {"user", FIELD_INTEGER, true},
    {"bio", FIELD_STRING, false},
    {"invite_link", FIELD_STRING, false},
    {NULL, FIELD_STRING, false}};

/* Asks to be let in. The bot may write to who asks, for a while; here for
 * ever. */
void control_ask(struct control *c)
{
    struct room *room = group_of(c);
    const struct user *user = newcomer(c, room);
    if (user == NULL)
        return;
    struct room *own = control_room(c, user->id);
    const char *link =
        json_string_value(json_object_get(c->body, "invite_link"));
    json_t *request = json_object();
    json_object_set(request, "chat", room->chat->json);
    json_object_set(request, "from", user->json);
    sim_set(request, "user_chat_id", json_integer(user->id));
    sim_set(request, "date", json_integer((int64_t)sim_now(c->sim)));
    if (json_object_get(c->body, "bio") != NULL)
        json_object_set(request, "bio", json_object_get(c->body, "bio"));
    if (link != NULL)
        sim_set(request, "invite_link",
                json_pack("{s:s, s:O, s:b, s:b, s:b}", "invite_link", link,
                          "creator", c->bot->user, "creates_join_request", 1,
                          "is_primary", 0, "is_revoked", 0));
    if (own != NULL)
        own->started = true;
    chat_set_rank(room->chat, user->id, RANK_ASKING);
    queue_push(&c->bot->queue, "chat_join_request", json_incref(request),
               room->chat->id, false);
    control_reply(c, request);
}

/* The message of "message_id" in the user's chat; NULL: an answer was sent. */
static struct message *message_of(struct control *c, const struct user *user,
                                  struct room **room)
{
    *room = user != NULL ? control_room_of(c, user) : NULL;
    if (*room == NULL || !control_speaks(c, user, *room))
        return NULL;
    int64_t id = sim_int(c->body, "message_id");
    struct message *m = room_find(*room, id);
    if (m == NULL)
        exchange_fail(c->x, 404, "message_id: chat %lld has no message %lld",
                      (long long)(*room)->chat->id, (long long)id);
    return m;
}

const struct control_field control_edit_fields[] = {
    {"from", FIELD_INTEGER, true},    {"message_id", FIELD_INTEGER, true},
    {"chat", FIELD_INTEGER, false},   {"text", FIELD_STRING, false},
    {"caption", FIELD_STRING, false}, {NULL, FIELD_STRING, false}};

/* The field of the body that takes the place of what the message has; NULL:
 * an answer was sent. */
static const char *edited_field(struct control *c, const struct user *user,
                                const struct message *m)
{
    const char *key = json_object_get(m->json, "text") ? "text" : "caption";
    const json_t *author = json_object_get(m->json, "from");
    const char *text = json_string_value(json_object_get(c->body, key));
    if (author != NULL && sim_int(author, "id") != user->id)
        exchange_fail(c->x, 400, "message_id: another one has written it");
    else if (text == NULL)
        exchange_fail(c->x, 400, "%s: is required, the message has one", key);
    else if (params_utf8_length(text, strlen(text)) > TEXT_MAX)
        exchange_fail(c->x, 400, "%s: has more than %d characters", key,
                      TEXT_MAX);
    else
        return key;
    return NULL;
}

void control_edit(struct control *c)
{
    struct room *room = NULL;
    const struct user *user = control_user(c, "from");
    struct message *m = message_of(c, user, &room);
    const char *key = m != NULL ? edited_field(c, user, m) : NULL;
    if (key == NULL)
        return;
    json_t *copy = json_copy(m->json);
    json_object_del(copy, "entities");
    json_object_del(copy, "caption_entities");
    posting_set_text(copy, key,
                     json_string_value(json_object_get(c->body, key)));
    sim_set(copy, "edit_date", json_integer((int64_t)sim_now(c->sim)));
    message_replace(m, copy);
    posting_tell(c->sim, room, m, "edited");
    queue_push(&c->bot->queue,
               room->chat->kind == CHAT_CHANNEL ? "edited_channel_post"
                                                : "edited_message",
               json_incref(copy), room->chat->id, false);
    control_reply(c, json_incref(copy));
}

const struct control_field control_react_fields[] = {
    {"from", FIELD_INTEGER, true},
    {"message_id", FIELD_INTEGER, true},
    {"chat", FIELD_INTEGER, false},
    {"emoji", FIELD_STRING, false},
    {NULL, FIELD_STRING, false}};

/* Without "emoji" the reaction is taken back. */
void control_react(struct control *c)
{
    struct room *room = NULL;
    char who[24];
    const struct user *user = control_user(c, "from");
    struct message *m = message_of(c, user, &room);
    if (m == NULL)
        return;
    const json_t *emoji = json_object_get(c->body, "emoji");
    json_t *reaction = json_object();
    json_t *reactions = json_array();
    snprintf(who, sizeof(who), "%lld", (long long)user->id);
    if (emoji != NULL)
        json_array_append_new(reactions,
                              json_pack("{s:s, s:s}", "type", "emoji", "emoji",
                                        json_string_value(emoji)));
    json_t *old = json_object_get(m->liked, who);
    json_object_set(reaction, "chat", room->chat->json);
    sim_set(reaction, "message_id", json_integer(m->id));
    json_object_set(reaction, "user", user->json);
    sim_set(reaction, "date", json_integer((int64_t)sim_now(c->sim)));
    sim_set(reaction, "old_reaction",
            old != NULL ? json_incref(old) : json_array());
    json_object_set(reaction, "new_reaction", reactions);
    if (m->liked == NULL)
        m->liked = json_object();
    sim_set(m->liked, who, reactions);
    queue_push(&c->bot->queue, "message_reaction", json_incref(reaction),
               room->chat->id, false);
    control_reply(c, reaction);
}

const struct control_field control_topic_fields[] = {
    {"from", FIELD_INTEGER, true},
    {"chat", FIELD_INTEGER, true},
    {"name", FIELD_STRING, true},
    {NULL, FIELD_STRING, false}};

void control_topic(struct control *c)
{
    const struct user *user = control_user(c, "from");
    struct room *room = user != NULL ? control_room_of(c, user) : NULL;
    if (room == NULL || !control_speaks(c, user, room))
        return;
    const char *why = topics_refused(room);
    if (why != NULL) {
        exchange_fail(c->x, 400, "chat: %s", why);
        return;
    }
    json_t *given =
        json_pack("{s:O, s:i}", "name", json_object_get(c->body, "name"),
                  "icon_color", 7322096);
    json_t *message = topics_make(c->sim, c->bot, room, user->json, given);
    queue_push(&c->bot->queue, "message", json_incref(message), room->chat->id,
               false);
    json_decref(given);
    control_reply(c, json_incref(message));
}
