/* Chats and the people in them, as a bot asks for them and changes them. */
#include "sim/methods.h"

#include "sim/access.h"
#include "sim/answer.h"
#include "sim/call.h"
#include "sim/control.h"
#include "sim/posting.h"

#include <string.h>

#define UNTIL_MIN 30              /* seconds */
#define UNTIL_MAX (366 * 86400.0) /* seconds */

json_t *method_get_chat(struct call *c)
{
    return answer_build(c, "ChatFullInfo", c->room->chat->json);
}

static int64_t user_id(const struct call *c)
{
    return params_int(&c->params, "user_id", 0, 0, INT64_MAX);
}

static const char *rank_name(enum chat_rank rank, bool inside)
{
    switch (rank) {
    case RANK_NONE:
    case RANK_ASKING:
        return inside ? "member" : "left";
    case RANK_ADMIN:
        return "administrator";
    case RANK_KICKED:
        return "kicked";
    case RANK_RESTRICTED:
        return "restricted";
    }
    return "left";
}

static json_t *member_view(struct call *c, const struct user *user)
{
    const struct ranked *ranked =
        chat_ranked(c->room->chat, user->id, sim_now(c->sim));
    enum chat_rank rank = ranked != NULL ? ranked->rank : RANK_NONE;
    bool inside = chat_has_member(c->room->chat, user->id);
    json_t *given = json_object();
    json_object_set(given, "user", user->json);
    sim_set(given, "status", json_string(rank_name(rank, inside)));
    sim_set(given, "is_member", json_boolean(inside));
    if (rank == RANK_ADMIN)
        access_put_rights(given);
    if (ranked != NULL)
        sim_set(given, "until_date", json_integer(ranked->until));
    if (ranked != NULL && ranked->permissions != NULL)
        json_object_update(given, ranked->permissions);
    json_t *member = answer_build(c, "ChatMember", given);
    json_decref(given);
    return member;
}

json_t *method_get_chat_member(struct call *c)
{
    int64_t id = user_id(c);
    if (id == c->bot->id)
        return access_member(c->bot, c->room);
    const struct user *user = world_user(&c->sim->world, id);
    if (user == NULL)
        return call_fail(c, BOTAPI_USER_NOT_FOUND);
    return member_view(c, user);
}

json_t *method_get_chat_member_count(struct call *c)
{
    const struct chat *chat = c->room->chat;
    bool is_private = chat->kind == CHAT_PRIVATE;
    size_t people = is_private ? 1 : chat->members_count;
    bool bot_too = c->room->presence == PRESENCE_INSIDE;
    return json_integer((json_int_t)people + bot_too);
}

json_t *method_get_chat_administrators(struct call *c)
{
    const struct world *w = &c->sim->world;
    const struct chat *chat = c->room->chat;
    if (chat->kind == CHAT_PRIVATE)
        return call_fail(c, BOTAPI_NO_ADMINS);
    json_t *list = json_array();
    for (size_t i = 0; i < chat->members_count; i++) {
        const struct user *user = world_user(w, chat->members[i]);
        if (user != NULL &&
            chat_rank(chat, user->id, sim_now(c->sim)) == RANK_ADMIN)
            json_array_append_new(list, member_view(c, user));
    }
    return list;
}

json_t *method_leave_chat(struct call *c)
{
    struct room *room = c->room;
    if (room->chat->kind == CHAT_PRIVATE)
        return call_refuse(c, 400, "Bad Request: chat not found");
    json_t *old = access_member(c->bot, room);
    if (room->presence != PRESENCE_INSIDE) {
        json_decref(old);
        return json_true();
    }
    room->presence = PRESENCE_LEFT;
    access_tell(c->sim, c->bot, room, json_incref(c->bot->user), old);
    return json_true();
}

/* Whether the bot may change what that person may. */
static bool may_restrict(struct call *c)
{
    if (!right_has(c->room, RIGHT_RESTRICT))
        call_fail(c, BOTAPI_CANNOT_RESTRICT);
    else if (chat_rank(c->room->chat, user_id(c), sim_now(c->sim)) ==
             RANK_ADMIN)
        call_fail(c, BOTAPI_IS_ADMIN);
    return c->error == NULL;
}

/* Less than half a minute and more than a year are for ever. */
static int64_t until(const struct call *c)
{
    int64_t date = params_int(&c->params, "until_date", 0, 0, INT32_MAX);
    double left = (double)date - sim_now(c->sim);
    return left >= UNTIL_MIN && left <= UNTIL_MAX ? date : 0;
}

json_t *method_ban_member(struct call *c)
{
    if (!may_restrict(c))
        return NULL;
    chat_remove_member(c->room->chat, user_id(c));
    chat_set_ranked(c->room->chat, (struct ranked){.user = user_id(c),
                                                   .rank = RANK_KICKED,
                                                   .until = until(c)});
    return json_true();
}

json_t *method_unban_member(struct call *c)
{
    if (!may_restrict(c))
        return NULL;
    if (!params_bool(&c->params, "only_if_banned"))
        chat_remove_member(c->room->chat, user_id(c));
    chat_set_rank(c->room->chat, user_id(c), RANK_NONE);
    return json_true();
}

/* The one who asks to be let in; NULL: refused. */
static const struct user *asking(struct call *c)
{
    const struct user *user = world_user(&c->sim->world, user_id(c));
    if (user == NULL)
        call_fail(c, BOTAPI_USER_NOT_FOUND);
    else if (chat_has_member(c->room->chat, user->id))
        call_refuse(c, 400, "Bad Request: USER_ALREADY_PARTICIPANT");
    else if (chat_rank(c->room->chat, user->id, sim_now(c->sim)) != RANK_ASKING)
        call_refuse(c, 400, "Bad Request: HIDE_REQUESTER_MISSING");
    return c->error == NULL ? user : NULL;
}

json_t *method_approve_request(struct call *c)
{
    const struct user *user = asking(c);
    if (user == NULL)
        return NULL;
    control_enter(c->sim, c->bot, c->room, user->json, user);
    return json_true();
}

json_t *method_decline_request(struct call *c)
{
    const struct user *user = asking(c);
    if (user == NULL)
        return NULL;
    chat_set_rank(c->room->chat, user->id, RANK_NONE);
    return json_true();
}

static bool only_in_supergroups(struct call *c)
{
    if (c->room->chat->kind == CHAT_GROUP ||
        c->room->chat->kind == CHAT_CHANNEL)
        call_fail(c, BOTAPI_ONLY_SUPERGROUPS);
    return c->error == NULL;
}

static void allow(json_t *permissions, const char *name)
{
    sim_set(permissions, name, json_true());
}

/* What the given permissions allow besides, unless each stands for itself. */
static void imply(json_t *permissions)
{
    static const char *const files[] = {
        "can_send_audios", "can_send_documents",   "can_send_photos",
        "can_send_videos", "can_send_video_notes", "can_send_voice_notes"};
    bool more =
        json_is_true(json_object_get(permissions, "can_send_other_messages")) ||
        json_is_true(json_object_get(permissions, "can_add_web_page_previews"));
    for (size_t i = 0; more && i < sizeof(files) / sizeof(files[0]); i++)
        allow(permissions, files[i]);
    if (more || json_is_true(json_object_get(permissions, "can_send_polls")))
        allow(permissions, "can_send_messages");
}

/* All members of ChatPermissions; what was left out is forbidden, or as the
 * one that it came out of. New. */
static json_t *read_permissions(const json_t *given, bool independent)
{
    static const char *const as[][2] = {
        {"can_manage_topics", "can_pin_messages"},
        {"can_edit_tag", "can_pin_messages"},
        {"can_react_to_messages", "can_send_messages"}};
    const struct botapi_type *t = botapi_type("ChatPermissions");
    json_t *all = json_object();
    for (size_t i = 0; i < t->fields_count; i++)
        sim_set(all, t->fields[i].name,
                json_boolean(
                    json_is_true(json_object_get(given, t->fields[i].name))));
    for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++)
        if (json_object_get(given, as[i][0]) == NULL)
            json_object_set(all, as[i][0], json_object_get(all, as[i][1]));
    if (!independent)
        imply(all);
    return all;
}

static bool allows_all(json_t *permissions)
{
    const char *name;
    json_t *value;
    json_object_foreach(permissions, name, value)
    {
        if (!json_is_true(value))
            return false;
    }
    return true;
}

json_t *method_restrict_member(struct call *c)
{
    if (!only_in_supergroups(c) || !may_restrict(c))
        return NULL;
    json_t *given = call_json(c, "permissions");
    if (!json_is_object(given)) {
        json_decref(given);
        return call_refuse(c, 400,
                           "Bad Request: object expected as permissions");
    }
    bool independent =
        params_bool(&c->params, "use_independent_chat_permissions");
    json_t *permissions = read_permissions(given, independent);
    json_decref(given);
    bool all = allows_all(permissions);
    if (all)
        json_decref(permissions);
    chat_set_ranked(c->room->chat,
                    (struct ranked){.user = user_id(c),
                                    .rank = all ? RANK_NONE : RANK_RESTRICTED,
                                    .permissions = all ? NULL : permissions,
                                    .until = until(c)});
    return json_true();
}

/* Without any right it takes the rank away. */
json_t *method_promote_member(struct call *c)
{
    bool any = false;
    for (size_t i = 0; i < c->method->params_count; i++) {
        const char *name = c->method->params[i].name;
        any = any ||
              (strncmp(name, "can_", 4) == 0 && params_bool(&c->params, name));
    }
    chat_set_rank(c->room->chat, user_id(c), any ? RANK_ADMIN : RANK_NONE);
    return json_true();
}

json_t *method_sticker_set(struct call *c)
{
    return only_in_supergroups(c) ? json_true() : NULL;
}

static bool may_pin(struct call *c)
{
    if (!right_has(c->room, RIGHT_PIN))
        call_refuse(c, 400,
                    "Bad Request: not enough rights to manage pinned messages "
                    "in the chat");
    return c->error == NULL;
}

static struct message *message_of(struct call *c)
{
    int64_t id = params_int(&c->params, "message_id", 0, 0, INT32_MAX);
    return room_find(c->room, id);
}

/* A method that needs a message of the chat and changes nothing that people
 * see. */
static json_t *about_message(struct call *c, enum botapi_error absent)
{
    return message_of(c) != NULL ? json_true() : call_fail(c, absent);
}

json_t *method_pin(struct call *c)
{
    return may_pin(c) ? about_message(c, BOTAPI_PIN_NOT_FOUND) : NULL;
}

json_t *method_unpin(struct call *c)
{
    if (!may_pin(c))
        return NULL;
    if (!params_given(&c->params, "message_id"))
        return json_true();
    return about_message(c, BOTAPI_UNPIN_NOT_FOUND);
}

json_t *method_react(struct call *c)
{
    struct message *m = message_of(c);
    json_t *wanted = call_json(c, "reaction");
    if (m != NULL) {
        json_decref(m->reactions);
        m->reactions = json_array_size(wanted) > 0 ? json_incref(wanted) : NULL;
        posting_tell_marks(c->sim, c->room, m);
    }
    json_decref(wanted);
    return m != NULL ? json_true() : call_fail(c, BOTAPI_REACT_NOT_FOUND);
}
