/* What people do to a bot's place in a chat, and to themselves. */
#include "sim/control.h"

#include "base/mem.h"
#include "sim/access.h"
#include "sim/posting.h"

#include <string.h>

/* Who does it: the one named "from", or the first member. NULL: an answer
 * was sent. */
static json_t *actor(struct control *c, const struct chat *chat)
{
    const struct world *w = &c->sim->world;
    if (json_object_get(c->body, "from") != NULL) {
        const struct user *user = control_user(c, "from");
        return user != NULL ? json_incref(user->json) : NULL;
    }
    const struct user *first =
        chat->members_count > 0 ? world_user(w, chat->members[0]) : NULL;
    return first != NULL ? json_incref(first->json) : control_anonymous();
}

/* The group or channel of "chat". NULL: an answer was sent. */
static struct room *group_of(struct control *c)
{
    struct room *room = control_room(c, sim_int(c->body, "chat"));
    if (room != NULL && room->chat->kind == CHAT_PRIVATE) {
        exchange_fail(c->x, 400,
                      "chat: must be a group, supergroup or channel; %lld is "
                      "a private chat",
                      (long long)room->chat->id);
        return NULL;
    }
    return room;
}

const struct control_field control_block_fields[] = {
    {"user", FIELD_INTEGER, true},
    {"blocked", FIELD_BOOLEAN, true},
    {NULL, FIELD_STRING, false}};

void control_block(struct control *c)
{
    const struct user *user = control_user(c, "user");
    struct room *room = user != NULL ? control_room(c, user->id) : NULL;
    bool blocked = json_is_true(json_object_get(c->body, "blocked"));
    if (room == NULL)
        return;
    if (room->blocked != blocked) {
        json_t *old = access_member(c->bot, room);
        room->blocked = blocked;
        room->started = room->started || !blocked;
        access_tell(c->sim, c->bot, room, json_incref(user->json), old);
    }
    control_reply(c, json_pack("{s:I, s:b}", "user", (json_int_t)user->id,
                               "blocked", blocked));
}

const struct control_field control_kick_fields[] = {
    {"chat", FIELD_INTEGER, true},
    {"kicked", FIELD_BOOLEAN, false},
    {"deleted", FIELD_BOOLEAN, false},
    {"from", FIELD_INTEGER, false},
    {NULL, FIELD_STRING, false}};

static json_t *kick_view(const struct room *room)
{
    return json_pack("{s:I, s:b, s:b}", "chat", (json_int_t)room->chat->id,
                     "kicked", room->presence == PRESENCE_KICKED, "deleted",
                     room->chat->deleted);
}

static void move(struct control *c, struct room *room, enum presence presence,
                 json_t *from)
{
    json_t *old = access_member(c->bot, room);
    if (room->presence == presence) {
        json_decref(old);
        json_decref(from);
        return;
    }
    room->presence = presence;
    access_tell(c->sim, c->bot, room, from, old);
}

static void delete_group(struct control *c, struct room *room)
{
    if (room->chat->kind == CHAT_GROUP) {
        room->chat->deleted = true;
        control_reply(c, kick_view(room));
    } else {
        exchange_fail(c->x, 400,
                      "deleted: only a chat of type group ends like that");
    }
}

void control_kick(struct control *c)
{
    bool back = json_is_false(json_object_get(c->body, "kicked"));
    struct room *room = group_of(c);
    if (room == NULL)
        return;
    if (json_is_true(json_object_get(c->body, "deleted"))) {
        delete_group(c, room);
        return;
    }
    json_t *from = actor(c, room->chat);
    if (from == NULL)
        return;
    move(c, room, back ? PRESENCE_INSIDE : PRESENCE_KICKED, from);
    control_reply(c, kick_view(room));
}

const struct control_field control_migrate_fields[] = {
    {"chat", FIELD_INTEGER, true},
    {"from", FIELD_INTEGER, false},
    {NULL, FIELD_STRING, false}};

/* The supergroup that takes a group's place. NULL: there are too many. */
static struct chat *successor(struct world *w, const struct chat *group)
{
    json_t *json = json_copy(group->json);
    int64_t id = world_free_chat_id(w, CHAT_SUPERGROUP);
    sim_set(json, "id", json_integer(id));
    sim_set(json, "type", json_string("supergroup"));
    return world_add_chat(w, json, CHAT_SUPERGROUP, group->members,
                          group->members_count);
}

static void tell_moved(struct control *c, struct bot *bot, int64_t where,
                       json_t *from, const char *key, int64_t other)
{
    struct room *room = bot_room(bot, &c->sim->world, where);
    json_t *message = room_draft(bot, room, (int64_t)sim_now(c->sim));
    posting_sign(message, room, from);
    sim_set(message, key, json_integer(other));
    posting_add(c->sim, bot, room, message, NULL);
    queue_push(&bot->queue, "message", json_incref(message), where, false);
}

/* Every bot that is in the group hears of it in both chats. */
static void tell_all(struct control *c, const struct chat *group, json_t *from)
{
    const struct world *w = &c->sim->world;
    for (size_t i = 0; i < w->bots_count; i++) {
        struct bot *bot = w->bots[i];
        const struct room *room = bot_known_room(bot, group->id);
        if (room == NULL || room->presence != PRESENCE_INSIDE)
            continue;
        tell_moved(c, bot, group->id, from, "migrate_to_chat_id",
                   group->migrated_to);
        tell_moved(c, bot, group->migrated_to, from, "migrate_from_chat_id",
                   group->id);
    }
}

void control_migrate(struct control *c)
{
    struct room *room = group_of(c);
    if (room == NULL)
        return;
    if (room->chat->kind != CHAT_GROUP || room->chat->migrated_to != 0) {
        exchange_fail(c->x, 400,
                      room->chat->kind != CHAT_GROUP
                          ? "chat: only a chat of type group can be upgraded"
                          : "chat: was upgraded already");
        return;
    }
    json_t *from = actor(c, room->chat);
    const struct chat *next =
        from != NULL ? successor(&c->sim->world, room->chat) : NULL;
    if (next != NULL) {
        room->chat->migrated_to = next->id;
        control_tell_chat(c->sim, next);
        tell_all(c, room->chat, from);
        control_reply_chat(c, next);
    } else if (from != NULL) {
        control_fail_chats(c);
    }
    json_decref(from);
}

const struct control_field control_deactivate_fields[] = {
    {"user", FIELD_INTEGER, true}, {NULL, FIELD_STRING, false}};

void control_deactivate(struct control *c)
{
    struct user *user = world_user(&c->sim->world, sim_int(c->body, "user"));
    if (user == NULL) {
        control_user(c, "user");
        return;
    }
    user->deleted = true;
    control_reply(c, json_pack("{s:I, s:b}", "user", (json_int_t)user->id,
                               "deactivated", 1));
}

/* "chat", and rights by their names in the Bot API. */
static bool read_rights(struct control *c, uint32_t *denied, bool is_private)
{
    const char *name;
    json_t *value;
    json_object_foreach(c->body, name, value)
    {
        int right = 0;
        if (strcmp(name, "chat") == 0 || strcmp(name, "bot") == 0 ||
            (strcmp(name, "administrator") == 0 && !is_private))
            continue;
        while (right < RIGHTS_COUNT &&
               strcmp(right_name((enum right)right), name) != 0)
            right++;
        if (is_private && right != RIGHT_VOICE_NOTES &&
            right != RIGHT_VIDEO_NOTES) {
            exchange_fail(c->x, 400,
                          "%.64s: a private chat knows only "
                          "can_send_voice_notes and can_send_video_notes",
                          name);
            return false;
        }
        if (json_is_true(value))
            *denied &= ~(UINT32_C(1) << right);
        else
            *denied |= UINT32_C(1) << right;
    }
    return true;
}

/* As names the table of fields of /sim/rights. */
const struct control_field control_rights_fields[] = {
    {"chat", FIELD_INTEGER, true},
    {"can_send_messages", FIELD_BOOLEAN, false},
    {"can_send_audios", FIELD_BOOLEAN, false},
    {"can_send_documents", FIELD_BOOLEAN, false},
    {"can_send_photos", FIELD_BOOLEAN, false},
    {"can_send_videos", FIELD_BOOLEAN, false},
    {"can_send_video_notes", FIELD_BOOLEAN, false},
    {"can_send_voice_notes", FIELD_BOOLEAN, false},
    {"can_send_polls", FIELD_BOOLEAN, false},
    {"can_send_other_messages", FIELD_BOOLEAN, false},
    {"can_manage_topics", FIELD_BOOLEAN, false},
    {"can_pin_messages", FIELD_BOOLEAN, false},
    {"can_delete_messages", FIELD_BOOLEAN, false},
    {"can_restrict_members", FIELD_BOOLEAN, false},
    {"administrator", FIELD_BOOLEAN, false},
    {NULL, FIELD_STRING, false}};

static json_t *rights_view(const struct room *room)
{
    json_t *view = json_object();
    sim_set(view, "chat", json_integer(room->chat->id));
    sim_set(view, "administrator", json_boolean(room->is_admin));
    for (int i = 0; i < RIGHTS_COUNT; i++)
        sim_set(view, right_name((enum right)i),
                json_boolean(right_has(room, (enum right)i)));
    return view;
}

void control_rights(struct control *c)
{
    struct room *room = control_room(c, sim_int(c->body, "chat"));
    if (room == NULL)
        return;
    bool is_private = room->chat->kind == CHAT_PRIVATE;
    uint32_t denied = room->denied;
    if (!read_rights(c, &denied, is_private))
        return;
    json_t *old = access_member(c->bot, room);
    const json_t *admin = json_object_get(c->body, "administrator");
    bool is_admin = admin != NULL ? json_is_true(admin) : room->is_admin;
    bool tell = !is_private && room->presence == PRESENCE_INSIDE &&
                (denied != room->denied || is_admin != room->is_admin);
    room->denied = denied;
    room->is_admin = is_admin;
    if (tell)
        access_tell(c->sim, c->bot, room, actor(c, room->chat), old);
    else
        json_decref(old);
    control_reply(c, rights_view(room));
}
