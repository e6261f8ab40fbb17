#include "sim/access.h"

#include "sim/call.h"

#include <string.h>
#include <strings.h>

/* What a method wants of the chat that it names. Members: reading who they
 * are, which ends with a basic group. */
enum want { WANT_READ, WANT_MEMBERS, WANT_EDIT, WANT_WRITE };

static enum want want_of(const struct botapi_method *m)
{
    static const struct {
        const char *method;
        enum want want;
    } rows[] = {
        {"getChat", WANT_READ},
        {"getChatAdministrators", WANT_MEMBERS},
        {"getChatGifts", WANT_READ},
        {"getChatMember", WANT_MEMBERS},
        {"getChatMemberCount", WANT_MEMBERS},
        {"getGameHighScores", WANT_READ},
        {"leaveChat", WANT_READ},
        {"removeChatVerification", WANT_READ},
        {"setGameScore", WANT_EDIT},
        {"setMessageReaction", WANT_READ},
        {"stopMessageLiveLocation", WANT_EDIT},
        {"stopPoll", WANT_EDIT},
        {"verifyChat", WANT_READ},
    };
    if (strncmp(m->name, "editMessage", 11) == 0)
        return WANT_EDIT;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(m->name, rows[i].method) == 0)
            return rows[i].want;
    return WANT_WRITE;
}

static bool check_group(struct call *c, const struct room *room, enum want want)
{
    const struct chat *chat = room->chat;
    bool over = chat->deleted || chat->migrated_to != 0;
    if (over && (want == WANT_WRITE || want == WANT_MEMBERS)) {
        c->migrate_to = chat->migrated_to;
        call_fail(c, chat->deleted ? BOTAPI_GROUP_DELETED : BOTAPI_MIGRATED);
    } else if (!over && want != WANT_READ &&
               room->presence == PRESENCE_KICKED) {
        call_fail(c, BOTAPI_KICKED_GROUP);
    } else if (!over && want != WANT_READ && room->presence == PRESENCE_LEFT) {
        call_fail(c, BOTAPI_LEFT_GROUP);
    }
    return c->error == NULL;
}

/* What is public can be read from outside. */
static bool check_supergroup(struct call *c, const struct room *room,
                             enum want want)
{
    bool group = room->chat->kind == CHAT_SUPERGROUP;
    bool public = json_object_get(room->chat->json, "username") != NULL;
    bool outside = room->presence == PRESENCE_LEFT;
    if (room->presence == PRESENCE_KICKED)
        call_fail(c, group ? BOTAPI_KICKED_SUPERGROUP : BOTAPI_KICKED_CHANNEL);
    else if (outside && (!public || want == WANT_EDIT || want == WANT_WRITE))
        call_fail(c, group ? BOTAPI_LEFT_SUPERGROUP : BOTAPI_LEFT_CHANNEL);
    return c->error == NULL;
}

/* Whoever blocked the bot gets no messages and sees no edits. */
static bool reaches_people(const struct botapi_method *m)
{
    static const char *const verbs[] = {"send", "edit", "copy", "forward",
                                        "stop"};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strncmp(m->name, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

static bool check_private(struct call *c, const struct room *room,
                          enum want want)
{
    const struct user *user = world_user(&c->sim->world, room->chat->id);
    bool reaches = want != WANT_READ && reaches_people(c->method);
    if (user != NULL && user->deleted && want != WANT_READ)
        call_fail(c, BOTAPI_DEACTIVATED);
    else if (reaches && room->blocked)
        call_fail(c, BOTAPI_BLOCKED);
    else if (reaches && !room->started)
        call_fail(c, BOTAPI_NOT_STARTED);
    return c->error == NULL;
}

static bool check_room(struct call *c, const struct room *room, enum want want)
{
    switch (room->chat->kind) {
    case CHAT_PRIVATE:
        return check_private(c, room, want);
    case CHAT_GROUP:
        return check_group(c, room, want);
    case CHAT_SUPERGROUP:
    case CHAT_CHANNEL:
        return check_supergroup(c, room, want);
    }
    return true;
}

bool access_check(struct call *c)
{
    if (!params_given(&c->params, "chat_id"))
        return true;
    enum want want = want_of(c->method);
    if (c->room != NULL)
        return check_room(c, c->room, want);
    bool is_bot = c->chat_id > 0 && reaches_people(c->method) &&
                  world_bot(&c->sim->world, c->chat_id) != NULL;
    call_fail(c, is_bot ? BOTAPI_TO_BOT : BOTAPI_CHAT_NOT_FOUND);
    return false;
}

bool access_read(struct call *c, const struct room *room)
{
    return check_room(c, room, WANT_READ);
}

static const char *const names[RIGHTS_COUNT] = {
    [RIGHT_MESSAGES] = "can_send_messages",
    [RIGHT_AUDIOS] = "can_send_audios",
    [RIGHT_DOCUMENTS] = "can_send_documents",
    [RIGHT_PHOTOS] = "can_send_photos",
    [RIGHT_VIDEOS] = "can_send_videos",
    [RIGHT_VIDEO_NOTES] = "can_send_video_notes",
    [RIGHT_VOICE_NOTES] = "can_send_voice_notes",
    [RIGHT_POLLS] = "can_send_polls",
    [RIGHT_OTHER] = "can_send_other_messages",
    [RIGHT_TOPICS] = "can_manage_topics",
    [RIGHT_PIN] = "can_pin_messages",
    [RIGHT_DELETE] = "can_delete_messages",
    [RIGHT_RESTRICT] = "can_restrict_members",
};

const char *right_name(enum right right)
{
    return names[right];
}

bool right_has(const struct room *room, enum right right)
{
    return ((room->denied >> right) & 1) == 0;
}

/* By the field of Message that is filled; others need RIGHT_MESSAGES. */
static const struct {
    const char *key;
    enum right right;
    const char *what;
} contents[] = {
    {"animation", RIGHT_OTHER, "animations"},
    {"audio", RIGHT_AUDIOS, "music"},
    {"checklist", RIGHT_POLLS, "checklists"},
    {"contact", RIGHT_MESSAGES, "contacts"},
    {"dice", RIGHT_OTHER, "dice"},
    {"document", RIGHT_DOCUMENTS, "documents"},
    {"game", RIGHT_OTHER, "games"},
    {"invoice", RIGHT_MESSAGES, "invoice messages"},
    {"location", RIGHT_MESSAGES, "locations"},
    {"photo", RIGHT_PHOTOS, "photos"},
    {"poll", RIGHT_POLLS, "polls"},
    {"sticker", RIGHT_OTHER, "stickers"},
    {"text", RIGHT_MESSAGES, "text messages"},
    {"venue", RIGHT_MESSAGES, "venues"},
    {"video", RIGHT_VIDEOS, "videos"},
    {"video_note", RIGHT_VIDEO_NOTES, "video notes"},
    {"voice", RIGHT_VOICE_NOTES, "voice notes"},
};

static bool refuse_content(struct call *c, const char *what)
{
    if (c->room->chat->kind != CHAT_PRIVATE)
        call_refuse(c, 400,
                    "Bad Request: not enough rights to send %s to the chat",
                    what);
    else
        call_refuse(
            c, 400, "Bad Request: user restricted receiving of %s messages",
            strcmp(what, "voice notes") == 0 ? "voice note" : "video note");
    return false;
}

bool access_send(struct call *c, const char *key)
{
    if (c->room->denied == 0)
        return true;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
        if (strcmp(contents[i].key, key) == 0)
            return right_has(c->room, contents[i].right) ||
                   refuse_content(c, contents[i].what);
    return right_has(c->room, RIGHT_MESSAGES) ||
           refuse_content(c, "text messages");
}

const char *access_permission(const char *key)
{
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
        if (strcmp(contents[i].key, key) == 0)
            return names[contents[i].right];
    return names[RIGHT_MESSAGES];
}

bool access_send_copy(struct call *c, const json_t *message)
{
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
        if (json_object_get(message, contents[i].key) != NULL &&
            !access_send(c, contents[i].key))
            return false;
    return true;
}

/* The rights of a restricted member; those that nobody can take here are
 * true. */
static void put_permissions(json_t *member, const struct room *room)
{
    const struct botapi_type *t = botapi_type("ChatPermissions");
    sim_set(member, "is_member", json_true());
    for (size_t i = 0; i < t->fields_count; i++)
        sim_set(member, t->fields[i].name, json_true());
    for (int i = 0; i < RIGHTS_COUNT; i++)
        if (botapi_type_field(t, names[i]) != NULL)
            sim_set(member, names[i],
                    json_boolean(right_has(room, (enum right)i)));
    sim_set(member, "until_date", json_integer(0));
}

/* Which rights an administrator was given is not kept: all of them. */
void access_put_rights(json_t *member)
{
    const struct botapi_type *t = botapi_type("ChatMemberAdministrator");
    for (size_t i = 0; i < t->fields_count; i++)
        if (t->fields[i].required && strncmp(t->fields[i].name, "can_", 4) == 0)
            sim_set(member, t->fields[i].name, json_true());
}

/* An administrator whose rights are those that nobody has taken. */
static void put_admin(json_t *member, const struct room *room)
{
    sim_set(member, "status", json_string("administrator"));
    sim_set(member, "is_anonymous", json_false());
    access_put_rights(member);
    sim_set(member, "can_be_edited", json_false());
    for (int i = 0; i < RIGHTS_COUNT; i++)
        if (!right_has(room, (enum right)i) &&
            json_object_get(member, names[i]) != NULL)
            sim_set(member, names[i], json_false());
}

json_t *access_member(const struct bot *bot, const struct room *room)
{
    bool kicked = room->blocked || room->presence == PRESENCE_KICKED;
    bool restricted =
        !kicked && room->denied != 0 && room->chat->kind != CHAT_PRIVATE;
    json_t *member = json_object();
    json_object_set(member, "user", bot->user);
    if (room->is_admin && !kicked && room->presence == PRESENCE_INSIDE) {
        put_admin(member, room);
        return member;
    }
    if (room->presence == PRESENCE_LEFT)
        sim_set(member, "status", json_string("left"));
    else
        sim_set(member, "status",
                json_string(kicked       ? "kicked"
                            : restricted ? "restricted"
                                         : "member"));
    if (kicked)
        sim_set(member, "until_date", json_integer(0));
    else if (restricted && room->presence == PRESENCE_INSIDE)
        put_permissions(member, room);
    return member;
}

void access_tell(struct sim *sim, struct bot *bot, const struct room *room,
                 json_t *from, json_t *old_member)
{
    json_t *change = json_object();
    json_object_set(change, "chat", room->chat->json);
    sim_set(change, "from", from);
    sim_set(change, "date", json_integer((int64_t)sim_now(sim)));
    sim_set(change, "old_chat_member", old_member);
    sim_set(change, "new_chat_member", access_member(bot, room));
    queue_push(&bot->queue, "my_chat_member", change, room->chat->id, false);
}
