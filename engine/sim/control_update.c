#include "sim/control.h"

#include "base/buf.h"
#include "sim/posting.h"

#include <string.h>

#define KIND_MAX 64

/* Also one that no Bot API has yet: what the bot makes of it can be tried. */
static bool is_kind(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
    return len >= 1 && len <= KIND_MAX && name[len] == '\0';
}

/* The one update kind of the body; NULL: an answer was sent. */
static const char *find_kind(struct control *c)
{
    const char *kind = NULL;
    const char *name;
    json_t *value;
    json_object_foreach(c->body, name, value)
    {
        if (strcmp(name, "update_id") == 0 || strcmp(name, "bot") == 0)
            continue;
        if (!is_kind(name) || kind != NULL) {
            exchange_fail(c->x, 400,
                          kind == NULL ? "%.64s: is no update kind: these are "
                                         "of 1 to 64 letters a-z and _"
                                       : "%.64s: one update has one kind",
                          name);
            return NULL;
        }
        if (!json_is_object(value)) {
            exchange_fail(c->x, 400, "%s: must be an object", name);
            return NULL;
        }
        kind = name;
    }
    if (kind == NULL)
        exchange_fail(c->x, 400,
                      "message: is required, or another update "
                      "kind");
    return kind;
}

/* Who appears in an update can be written to: people and chats that nobody
 * has made become known by it. */
static void learn(struct sim *sim, json_t *payload)
{
    struct world *w = &sim->world;
    json_t *from = json_object_get(payload, "from");
    json_t *chat = json_object_get(payload, "chat");
    int64_t user_id = sim_int(from, "id");
    int64_t chat_id = sim_int(chat, "id");
    const char *type = json_string_value(json_object_get(chat, "type"));
    enum chat_kind kind;
    const struct user *made = NULL;
    const struct chat *group = NULL;
    if (user_id > 0 && world_chat(w, user_id) == NULL &&
        !json_is_true(json_object_get(from, "is_bot")))
        made = world_add_user(w, json_incref(from), true);
    if (made != NULL)
        control_tell_user(sim, made);
    if (chat_id < 0 && world_chat(w, chat_id) == NULL && type != NULL &&
        chat_kind_parse(type, &kind))
        group =
            world_add_chat(w, json_incref(chat), kind, &user_id, user_id > 0);
    if (group != NULL)
        control_tell_chat(sim, group);
}

/* A message that is newer than all in its chat is shown there too. */
static void keep_message(struct control *c, json_t *message)
{
    int64_t chat_id = sim_int(json_object_get(message, "chat"), "id");
    struct room *room = bot_room(c->bot, &c->sim->world, chat_id);
    int64_t id = sim_int(message, "message_id");
    if (room == NULL || id <= 0)
        return;
    struct message *last = room_last(room);
    if (last == NULL || id > last->id)
        posting_add(c->sim, c->bot, room, json_incref(message), NULL);
}

static void learn_all(struct control *c, const char *kind, json_t *payload)
{
    json_t *message = json_object_get(payload, "message");
    const char *id = json_string_value(json_object_get(payload, "id"));
    learn(c->sim, payload);
    if (json_is_object(message))
        learn(c->sim, message);
    if (strcmp(kind, "message") == 0 || strcmp(kind, "channel_post") == 0)
        keep_message(c, payload);
    if (strcmp(kind, "callback_query") == 0 && id != NULL &&
        world_callback(&c->sim->world, id) == NULL)
        world_add_callback(&c->sim->world, id,
                           sim_int(json_object_get(payload, "from"), "id"),
                           sim_int(json_object_get(message, "chat"), "id"),
                           sim_int(message, "message_id"),
                           json_string_value(json_object_get(payload, "data")),
                           sim_now(c->sim));
}

static void reply_row(const struct queue *q, const struct queued *row,
                      void *arg)
{
    buf_clear(arg);
    queue_row_json(q, row, arg);
}

void control_update(struct control *c)
{
    struct buf row = {0};
    const char *kind = find_kind(c);
    if (kind == NULL)
        return;
    json_t *payload = json_object_get(c->body, kind);
    learn_all(c, kind, payload);
    int64_t chat = sim_int(json_object_get(payload, "chat"), "id");
    int64_t n =
        queue_push(&c->bot->queue, kind, json_incref(payload), chat, true);
    if (n == 0) {
        exchange_fail(c->x, 400,
                      "the update is larger than 512 KiB or the "
                      "queue is full");
        return;
    }
    queue_rows(&c->bot->queue, n - 1, reply_row, &row);
    control_reply_text(c->x, row.data, row.len);
    buf_free(&row);
}
