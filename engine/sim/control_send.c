#include "sim/control.h"

#include "sim/access.h"
#include "sim/answer.h"
#include "sim/archive.h"
#include "sim/call.h"
#include "sim/media.h"
#include "sim/methods.h"
#include "sim/posting.h"

#include <string.h>

#define TEXT_MAX 4096
#define SECONDS_MAX 86400

const struct control_field control_send_fields[] = {
    {"from", FIELD_INTEGER, true},
    {"chat", FIELD_INTEGER, false},
    {"text", FIELD_STRING, false},
    {"caption", FIELD_STRING, false},
    {"reply_to", FIELD_INTEGER, false},
    {"document", FIELD_MEDIA, false},
    {"photo", FIELD_MEDIA, false},
    {"video", FIELD_MEDIA, false},
    {"audio", FIELD_MEDIA, false},
    {"voice", FIELD_MEDIA, false},
    {"animation", FIELD_MEDIA, false},
    {"video_note", FIELD_MEDIA, false},
    {"sticker", FIELD_MEDIA, false},
    {"contact", FIELD_MEDIA, false},
    {"location", FIELD_MEDIA, false},
    {"venue", FIELD_MEDIA, false},
    {"dice", FIELD_MEDIA, false},
    {"poll", FIELD_MEDIA, false},
    {"users_shared", FIELD_MEDIA, false},
    {"chat_shared", FIELD_MEDIA, false},
    {"web_app_data", FIELD_MEDIA, false},
    {"story", FIELD_MEDIA, false},
    {"forward", FIELD_OBJECT, false},
    {"media_group_id", FIELD_STRING, false},
    {"message_thread_id", FIELD_INTEGER, false},
    {"anonymous", FIELD_BOOLEAN, false}, /* as the group, by an admin */
    {NULL, FIELD_STRING, false}};

/* The one content of the body; NULL: an answer was sent. */
static const char *content_key(struct control *c)
{
    const char *found =
        json_object_get(c->body, "text") != NULL ? "text" : NULL;
    for (const struct control_field *f = control_send_fields; f->name != NULL;
         f++) {
        if ((f->kind != FIELD_MEDIA && f->kind != FIELD_OBJECT) ||
            json_object_get(c->body, f->name) == NULL)
            continue;
        if (found != NULL) {
            exchange_fail(c->x, 400, "%s: the message has %s already", f->name,
                          found);
            return NULL;
        }
        found = f->name;
    }
    if (found == NULL)
        exchange_fail(c->x, 400,
                      "text: is required, or document, photo, contact, ...");
    return found;
}

/* "name" and "size" are what people call file_name and file_size. */
static json_t *plain_names(json_t *given)
{
    json_t *named = json_copy(given);
    json_t *name = json_object_get(named, "name");
    json_t *size = json_object_get(named, "size");
    if (name != NULL)
        json_object_set(named, "file_name", name);
    if (size != NULL)
        json_object_set(named, "file_size", size);
    return named;
}

/* NULL: an answer was sent. */
static json_t *make_content(struct control *c, struct room *room,
                            const char *key)
{
    struct call made_by = {.sim = c->sim, .bot = c->bot, .room = room};
    const struct botapi_field *f =
        botapi_type_field(botapi_type("Message"), key);
    json_t *given = json_object_get(c->body, key);
    json_t *named = json_is_object(given) ? plain_names(given)
                    : archive_kind(key) == NULL || json_is_array(given)
                        ? json_incref(given)
                        : json_object();
    const char *why = json_is_object(named)
                          ? media_make(c->sim, c->bot->number, key, named)
                          : NULL;
    json_t *own = json_object_get(named, key);
    json_t *content = NULL;
    if (why != NULL)
        exchange_fail(c->x, 400, "%s: %s", key, why);
    else
        content =
            answer_build(&made_by, f->types, json_is_array(own) ? own : named);
    json_decref(named);
    return content;
}

/* False: an answer was sent. */
static bool quote(struct control *c, struct room *room, json_t *message)
{
    json_t *id = json_object_get(c->body, "reply_to");
    if (id == NULL)
        return true;
    struct message *quoted = room_find(room, json_integer_value(id));
    if (quoted == NULL) {
        exchange_fail(c->x, 404, "reply_to: chat %lld has no message %lld",
                      (long long)room->chat->id,
                      (long long)json_integer_value(id));
        return false;
    }
    posting_quote(message, quoted);
    return true;
}

static bool text_fits(struct control *c, const char *text)
{
    if (params_utf8_length(text, strlen(text)) <= TEXT_MAX)
        return true;
    exchange_fail(c->x, 400, "text: has more than %d characters", TEXT_MAX);
    return false;
}

/* What the user sees of another chat need not be checked: a forward that the
 * test asks for is one. False: an answer was sent. */
static bool forward(struct control *c, json_t *message, json_t *wanted)
{
    int64_t id = sim_int(wanted, "message_id");
    struct room *from = control_room(c, sim_int(wanted, "chat"));
    const struct message *source = from != NULL ? room_find(from, id) : NULL;
    if (source != NULL)
        methods_forward(message, source->json);
    else if (from != NULL)
        exchange_fail(c->x, 404, "forward: chat %lld has no message %lld",
                      (long long)from->chat->id, (long long)id);
    return source != NULL;
}

static bool fill(struct control *c, struct room *room, json_t *message,
                 const char *key)
{
    const char *text = json_string_value(json_object_get(c->body, "text"));
    const char *caption =
        json_string_value(json_object_get(c->body, "caption"));
    if (strcmp(key, "forward") == 0)
        return forward(c, message, json_object_get(c->body, key));
    if (text != NULL) {
        if (!text_fits(c, text))
            return false;
        posting_set_text(message, "text", text);
    } else {
        json_t *content = make_content(c, room, key);
        if (content == NULL)
            return false;
        sim_set(message, key, content);
    }
    if (caption != NULL)
        posting_set_text(message, "caption", caption);
    return quote(c, room, message);
}

/* What the message belongs to: an album, a topic. */
static void mark(const struct control *c, json_t *message)
{
    json_t *album = json_object_get(c->body, "media_group_id");
    json_t *topic = json_object_get(c->body, "message_thread_id");
    if (album != NULL)
        sim_set(message, "media_group_id", json_incref(album));
    if (topic == NULL)
        return;
    sim_set(message, "message_thread_id", json_incref(topic));
    sim_set(message, "is_topic_message", json_true());
}

/* False: an answer was sent. */
static bool sign(struct control *c, const struct user *user,
                 const struct room *room, json_t *message)
{
    bool hidden = json_is_true(json_object_get(c->body, "anonymous"));
    if (hidden &&
        chat_rank(room->chat, user->id, sim_now(c->sim)) != RANK_ADMIN) {
        exchange_fail(c->x, 400,
                      "anonymous: user %lld is no admin of chat %lld",
                      (long long)user->id, (long long)room->chat->id);
        return false;
    }
    json_t *author = hidden ? control_anonymous() : json_incref(user->json);
    posting_sign(message, room, author);
    if (hidden)
        json_object_set(message, "sender_chat", room->chat->json);
    json_decref(author);
    return true;
}

/* Whether no bot has taken from the person what it needs to send that. False:
 * an answer was sent. */
static bool may_send(struct control *c, const struct user *user,
                     const struct room *room, const char *key)
{
    const struct ranked *ranked =
        chat_ranked(room->chat, user->id, sim_now(c->sim));
    const char *right = access_permission(key);
    if (ranked == NULL ||
        !json_is_false(json_object_get(ranked->permissions, right)))
        return true;
    exchange_fail(c->x, 400,
                  "from: user %lld is restricted in chat %lld: no %s, until "
                  "%lld (0: for ever)",
                  (long long)user->id, (long long)room->chat->id, right,
                  (long long)ranked->until);
    return false;
}

void control_send(struct control *c)
{
    const struct user *user = control_user(c, "from");
    struct room *room = user != NULL ? control_room_of(c, user) : NULL;
    const char *key = room != NULL ? content_key(c) : NULL;
    if (key == NULL)
        return;
    if (!control_speaks(c, user, room) || !may_send(c, user, room, key))
        return;
    json_t *message = room_draft(c->bot, room, (int64_t)sim_now(c->sim));
    mark(c, message);
    if (!sign(c, user, room, message) || !fill(c, room, message, key)) {
        json_decref(message);
        return;
    }
    room->started = true;
    posting_add(c->sim, c->bot, room, message, NULL);
    queue_push(&c->bot->queue,
               room->chat->kind == CHAT_CHANNEL ? "channel_post" : "message",
               json_incref(message), room->chat->id, false);
    control_reply(c, json_incref(message));
}
