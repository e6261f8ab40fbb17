#include "sim/topics.h"

#include "base/mem.h"
#include "sim/access.h"
#include "sim/answer.h"
#include "sim/posting.h"

#include <string.h>

static struct topic *find(const struct room *room, int64_t id)
{
    for (size_t i = 0; i < room->topics_count; i++)
        if (room->topics[i].id == id)
            return &room->topics[i];
    return NULL;
}

static int64_t thread_of(const struct call *c)
{
    return params_int(&c->params, "message_thread_id", 0, 0, INT32_MAX);
}

bool topics_check(struct call *c)
{
    int64_t id = thread_of(c);
    if (id == 0 || c->room->topics_count == 0)
        return true;
    const struct topic *topic = find(c->room, id);
    if (topic == NULL)
        call_fail(c, BOTAPI_THREAD_NOT_FOUND);
    else if (topic->closed && !right_has(c->room, RIGHT_TOPICS))
        call_fail(c, BOTAPI_TOPIC_CLOSED);
    return c->error == NULL;
}

void topics_mark(struct call *c, json_t *message)
{
    int64_t id = thread_of(c);
    if (id == 0 || c->room->topics_count == 0)
        return;
    sim_set(message, "message_thread_id", json_integer(id));
    sim_set(message, "is_topic_message", json_true());
}

/* The topic is named after the message that tells of it. */
static json_t *tell_created(struct sim *sim, struct bot *bot, struct room *room,
                            json_t *from, const json_t *topic)
{
    static const char *const kept[] = {"name", "icon_color",
                                       "icon_custom_emoji_id"};
    json_t *message = room_draft(bot, room, (int64_t)sim_now(sim));
    json_t *created = json_object();
    posting_sign(message, room, from);
    json_object_set(message, "message_thread_id",
                    json_object_get(topic, "message_thread_id"));
    sim_set(message, "is_topic_message", json_true());
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (json_object_get(topic, kept[i]) != NULL)
            json_object_set(created, kept[i], json_object_get(topic, kept[i]));
    sim_set(message, "forum_topic_created", created);
    posting_add(sim, bot, room, message, NULL);
    return message;
}

static int64_t next_id(const struct bot *bot, const struct room *room)
{
    bool own = room->chat->kind == CHAT_SUPERGROUP;
    return (own ? room->last_id : bot->last_id) + 1;
}

const char *topics_refused(const struct room *room)
{
    if (room->chat->kind == CHAT_GROUP || room->chat->kind == CHAT_CHANNEL)
        return "the chat is not a forum";
    return room->topics_count >= WORLD_ROOM_TOPICS_MAX ? "TOPICS_TOO_MUCH"
                                                       : NULL;
}

/* Messages share the Chat of their time. */
static void mark_forum(struct chat *chat)
{
    if (chat->kind != CHAT_SUPERGROUP ||
        json_is_true(json_object_get(chat->json, "is_forum")))
        return;
    json_t *forum = json_copy(chat->json);
    sim_set(forum, "is_forum", json_true());
    json_decref(chat->json);
    chat->json = forum;
}

json_t *topics_make(struct sim *sim, struct bot *bot, struct room *room,
                    json_t *from, json_t *topic)
{
    int64_t id = next_id(bot, room);
    sim_set(topic, "message_thread_id", json_integer(id));
    mark_forum(room->chat);
    room->topics =
        mem_grow(room->topics, room->topics_count + 1, sizeof(*room->topics));
    room->topics[room->topics_count++] = (struct topic){.id = id};
    return tell_created(sim, bot, room, from, topic);
}

json_t *method_create_topic(struct call *c)
{
    const char *why = topics_refused(c->room);
    if (why != NULL)
        return call_refuse(c, 400, "Bad Request: %s", why);
    json_t *given = answer_params(c);
    if (json_object_get(given, "icon_color") == NULL)
        sim_set(given, "icon_color", json_integer(7322096));
    topics_make(c->sim, c->bot, c->room, c->bot->user, given);
    json_t *topic = answer_build(c, "ForumTopic", given);
    json_decref(given);
    return topic;
}

/* The topic of the call; NULL: refused. */
static struct topic *wanted(struct call *c)
{
    struct topic *topic = find(c->room, thread_of(c));
    if (topic == NULL)
        call_refuse(c, 400, "Bad Request: TOPIC_ID_INVALID");
    return topic;
}

static json_t *set_closed(struct call *c, bool closed)
{
    struct topic *topic = wanted(c);
    if (topic == NULL)
        return NULL;
    if (topic->closed == closed)
        return call_refuse(c, 400, "Bad Request: TOPIC_NOT_MODIFIED");
    topic->closed = closed;
    return json_true();
}

json_t *method_close_topic(struct call *c)
{
    return set_closed(c, true);
}

json_t *method_reopen_topic(struct call *c)
{
    return set_closed(c, false);
}

json_t *method_delete_topic(struct call *c)
{
    struct topic *topic = wanted(c);
    if (topic == NULL)
        return NULL;
    struct topic *end = c->room->topics + c->room->topics_count--;
    memmove(topic, topic + 1, (size_t)(end - topic - 1) * sizeof(*topic));
    return json_true();
}
