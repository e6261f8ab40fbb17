#include "sim/control.h"

#include "base/buf.h"
#include "base/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const json_t *keyboard_of(const struct message *m)
{
    return json_object_get(json_object_get(m->json, "reply_markup"),
                           "inline_keyboard");
}

/* The message of "message_id", or the last one with buttons. */
static struct message *clicked(struct control *c, struct room *room)
{
    json_t *id = json_object_get(c->body, "message_id");
    if (id != NULL) {
        struct message *m = room_find(room, json_integer_value(id));
        if (m == NULL || keyboard_of(m) == NULL)
            exchange_fail(c->x, 404,
                          "message_id: chat %lld has no message %lld with "
                          "buttons",
                          (long long)room->chat->id,
                          (long long)json_integer_value(id));
        return m != NULL && keyboard_of(m) != NULL ? m : NULL;
    }
    for (size_t i = room->count; i > 0; i--) {
        struct message *m = &room->list[room->first + i - 1];
        if (keyboard_of(m) != NULL)
            return m;
    }
    exchange_fail(c->x, 404, "chat: no message in chat %lld has buttons",
                  (long long)room->chat->id);
    return NULL;
}

static bool is(const json_t *button, const char *key, const json_t *wanted)
{
    const char *has = json_string_value(json_object_get(button, key));
    const char *want = json_string_value(wanted);
    return has != NULL && want != NULL && strcmp(has, want) == 0;
}

/* The button with that data or text; the texts of all go to `names`. */
static const json_t *find_button(struct control *c, const struct message *m,
                                 struct buf *names)
{
    json_t *data = json_object_get(c->body, "data");
    json_t *text = json_object_get(c->body, "text");
    size_t i, k;
    json_t *row, *button;
    json_array_foreach(keyboard_of(m), i, row)
    {
        json_array_foreach(row, k, button)
        {
            if (is(button, "callback_data", data) ||
                (data == NULL && is(button, "text", text)))
                return button;
            const char *name =
                json_string_value(json_object_get(button, "text"));
            buf_printf(names, "%s%.40s", names->len > 0 ? ", " : "", name);
        }
    }
    return NULL;
}

static void press(struct control *c, const struct user *user,
                  const struct message *m, const struct room *room,
                  const char *data)
{
    char id[24];
    char instance[24];
    struct rng *rng = loop_rng(c->sim->loop);
    snprintf(id, sizeof(id), "%llu", (unsigned long long)(rng_next(rng) >> 2));
    snprintf(instance, sizeof(instance), "%" PRIu64,
             (uint64_t)room->chat->id * 7919);
    struct callback *cb =
        world_add_callback(&c->sim->world, id, user->id, room->chat->id, m->id,
                           data, sim_now(c->sim));
    json_t *query = json_object();
    sim_set(query, "id", json_string(id));
    json_object_set(query, "from", user->json);
    json_object_set(query, "message", m->json);
    sim_set(query, "chat_instance", json_string(instance));
    sim_set(query, "data", json_string(data));
    events_emit(&c->sim->events, "callback", sim_text(callback_view(cb)));
    queue_push(&c->bot->queue, "callback_query", query, room->chat->id, false);
    control_reply(c, callback_view(cb));
}

void control_click(struct control *c)
{
    struct buf names = {0};
    if (json_object_get(c->body, "data") == NULL &&
        json_object_get(c->body, "text") == NULL) {
        exchange_fail(c->x, 400, "data: is required, or text");
        return;
    }
    const struct user *user = control_user(c, "from");
    struct room *room = user != NULL ? control_room_of(c, user) : NULL;
    bool reaches = room != NULL && control_speaks(c, user, room);
    struct message *m = reaches ? clicked(c, room) : NULL;
    if (m == NULL)
        return;
    const json_t *button = find_button(c, m, &names);
    const char *data =
        json_string_value(json_object_get(button, "callback_data"));
    if (button == NULL)
        exchange_fail(c->x, 404, "message %lld has no such button; it has: %s",
                      (long long)m->id, names.len > 0 ? names.data : "none");
    else if (data == NULL)
        exchange_fail(c->x, 400, "that button has no callback_data");
    else
        press(c, user, m, room, data);
    buf_free(&names);
}
