#include "sim/methods.h"

#include "sim/access.h"
#include "sim/posting.h"

#include <string.h>

#define IDS_MAX 100
#define REVOKE_S (2 * 86400)

/* What a copy does not take over from its source. */
static const char *const own_fields[] = {"message_id",
                                         "from",
                                         "sender_chat",
                                         "chat",
                                         "date",
                                         "edit_date",
                                         "reply_to_message",
                                         "reply_markup",
                                         "forward_origin",
                                         "media_group_id",
                                         "message_thread_id",
                                         "is_topic_message",
                                         "has_protected_content"};

static struct room *source_room(struct call *c)
{
    const char *text = params_text(&c->params, "from_chat_id");
    const struct chat *named =
        *text == '@' ? world_chat_named(&c->sim->world, text + 1) : NULL;
    int64_t id = named != NULL ? named->id : strtoll(text, NULL, 10);
    struct room *room = bot_room(c->bot, &c->sim->world, id);
    if (room == NULL)
        call_fail(c, BOTAPI_CHAT_NOT_FOUND);
    return room != NULL && access_read(c, room) ? room : NULL;
}

static json_t *origin(const json_t *source)
{
    json_t *origin = json_object();
    json_t *date = json_object_get(source, "date");
    json_t *chat = json_object_get(source, "sender_chat");
    sim_set(origin, "type", json_string(chat != NULL ? "channel" : "user"));
    json_object_set(origin, "date", date);
    if (chat != NULL) {
        json_object_set(origin, "chat", chat);
        json_object_set(origin, "message_id",
                        json_object_get(source, "message_id"));
    } else {
        json_object_set(origin, "sender_user", json_object_get(source, "from"));
    }
    return origin;
}

static void take_over(json_t *message, const json_t *source)
{
    json_t *content = json_deep_copy(source);
    for (size_t i = 0; i < sizeof(own_fields) / sizeof(own_fields[0]); i++)
        json_object_del(content, own_fields[i]);
    json_object_update(message, content);
    json_decref(content);
}

void methods_forward(json_t *message, json_t *source)
{
    json_t *known = json_object_get(source, "forward_origin");
    json_t *from = known != NULL ? json_incref(known) : origin(source);
    take_over(message, source);
    sim_set(message, "forward_origin", from);
}

/* A new message with the content of another; NULL: refused. */
static json_t *repeat(struct call *c, const struct message *source,
                      bool forward)
{
    json_t *keyboard = NULL;
    struct posted caption = {0};
    bool own_caption = !forward && params_find(&c->params, "caption") != NULL;
    if (!access_send_copy(c, source->json) ||
        (own_caption && !posting_read(c, "caption", &caption)))
        return NULL;
    json_t *content = json_incref(source->json);
    json_t *message = posting_draft(c, &keyboard);
    if (message != NULL) {
        if (forward)
            methods_forward(message, content);
        else
            take_over(message, content);
        if (own_caption)
            posting_put(message, "caption", &caption);
        posting_add(c->sim, c->bot, c->room, message, keyboard);
    }
    posting_forget(&caption);
    json_decref(content);
    return message;
}

static bool is_protected(const struct message *m)
{
    return json_is_true(json_object_get(m->json, "has_protected_content"));
}

static json_t *repeat_one(struct call *c, bool forward,
                          enum botapi_error absent)
{
    struct room *from = source_room(c);
    if (from == NULL)
        return NULL;
    int64_t id = params_int(&c->params, "message_id", 0, 0, INT32_MAX);
    const struct message *source = room_find(from, id);
    if (source == NULL)
        return call_fail(c, absent);
    if (is_protected(source))
        return call_fail(c, BOTAPI_PROTECTED);
    return repeat(c, source, forward);
}

static json_t *just_id(const json_t *message)
{
    json_t *id = json_object();
    json_object_set(id, "message_id", json_object_get(message, "message_id"));
    return id;
}

json_t *method_forward_message(struct call *c)
{
    return json_incref(repeat_one(c, true, BOTAPI_FORWARD_NOT_FOUND));
}

json_t *method_copy_message(struct call *c)
{
    json_t *message = repeat_one(c, false, BOTAPI_COPY_NOT_FOUND);
    return message != NULL ? just_id(message) : NULL;
}

/* message_ids, checked. NULL: refused. */
static json_t *id_list(struct call *c)
{
    json_t *ids = call_json(c, "message_ids");
    if (!json_is_array(ids))
        call_refuse(c, 400,
                    "Bad Request: expected an Array of message identifiers");
    else if (json_array_size(ids) == 0)
        call_fail(c, BOTAPI_NO_MESSAGE_IDS);
    else if (json_array_size(ids) > IDS_MAX)
        call_fail(c, BOTAPI_TOO_MANY_IDS);
    else
        return ids;
    json_decref(ids);
    return NULL;
}

/* Messages that do not exist or are protected are skipped, as the server
 * does. */
static json_t *repeat_many(struct call *c, bool forward)
{
    struct room *from = source_room(c);
    if (from == NULL)
        return NULL;
    json_t *ids = id_list(c);
    json_t *made = ids != NULL ? json_array() : NULL;
    size_t i;
    json_t *id;
    json_array_foreach(ids, i, id)
    {
        const struct message *source = room_find(from, json_integer_value(id));
        bool fine = source != NULL && !is_protected(source);
        json_t *message = fine ? repeat(c, source, forward) : NULL;
        if (message != NULL)
            json_array_append_new(made, just_id(message));
    }
    json_decref(ids);
    return made;
}

json_t *method_forward_messages(struct call *c)
{
    return repeat_many(c, true);
}

json_t *method_copy_messages(struct call *c)
{
    return repeat_many(c, false);
}

static bool own(const struct call *c, const struct message *m)
{
    return sim_int(json_object_get(m->json, "from"), "id") == c->bot->id;
}

/* Within two days in private chats and basic groups; others' messages of a
 * group only with the right to. */
static bool deletable(struct call *c, const struct message *m)
{
    enum chat_kind kind = c->room->chat->kind;
    bool old = (int64_t)sim_now(c->sim) - sim_int(m->json, "date") > REVOKE_S;
    if (kind != CHAT_PRIVATE && !own(c, m) && !right_has(c->room, RIGHT_DELETE))
        call_fail(c, BOTAPI_CANNOT_DELETE);
    else if (old && (kind == CHAT_PRIVATE || kind == CHAT_GROUP))
        call_fail(c, BOTAPI_CANNOT_REVOKE);
    return c->error == NULL;
}

static void delete_one(struct call *c, const struct message *m)
{
    posting_tell(c->sim, c->room, m, "deleted");
    room_delete(&c->sim->world, c->room, m->id);
}

json_t *method_delete_message(struct call *c)
{
    int64_t id = params_int(&c->params, "message_id", 0, 0, INT32_MAX);
    const struct message *m = room_find(c->room, id);
    if (m == NULL)
        return call_fail(c, BOTAPI_DELETE_NOT_FOUND);
    if (!deletable(c, m))
        return NULL;
    delete_one(c, m);
    return json_true();
}

/* All or nothing, but for those that do not exist. */
json_t *method_delete_messages(struct call *c)
{
    json_t *ids = id_list(c);
    size_t i;
    json_t *id;
    json_array_foreach(ids, i, id)
    {
        const struct message *m = room_find(c->room, json_integer_value(id));
        if (m != NULL && !deletable(c, m))
            break;
    }
    for (i = 0; c->error == NULL && i < json_array_size(ids); i++) {
        id = json_array_get(ids, i);
        const struct message *m = room_find(c->room, json_integer_value(id));
        if (m != NULL)
            delete_one(c, m);
    }
    json_decref(ids);
    return c->error == NULL ? json_true() : NULL;
}
