#include "sim/world.h"

#include "base/mem.h"
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

static bool counts_itself(const struct room *room)
{
    return room->chat->kind == CHAT_SUPERGROUP ||
           room->chat->kind == CHAT_CHANNEL;
}

json_t *room_draft(struct bot *bot, struct room *room, int64_t date)
{
    int64_t *last = counts_itself(room) ? &room->last_id : &bot->last_id;
    json_t *json = json_object();
    sim_set(json, "message_id", json_integer(++*last));
    json_object_set(json, "chat", room->chat->json);
    sim_set(json, "date", json_integer(date));
    return json;
}

void message_clear(struct message *m)
{
    json_decref(m->json);
    json_decref(m->keyboard);
    json_decref(m->reactions);
    json_decref(m->liked);
    json_decref(m->votes);
}

static void forget_oldest(struct world *w, struct room *room)
{
    message_clear(&room->list[room->first++]);
    room->count--;
    w->messages--;
}

static void make_space(struct room *room)
{
    if (room->first + room->count < room->cap)
        return;
    if (room->first > room->count) {
        memmove(room->list, room->list + room->first,
                room->count * sizeof(*room->list));
        room->first = 0;
        return;
    }
    room->cap = room->cap == 0 ? 4 : room->cap * 2;
    room->list = mem_grow(room->list, room->cap, sizeof(*room->list));
}

struct message *room_add(struct world *w, struct bot *bot, struct room *room,
                         json_t *json, json_t *keyboard)
{
    int64_t *last = counts_itself(room) ? &room->last_id : &bot->last_id;
    int64_t id = sim_int(json, "message_id");
    if (id > *last)
        *last = id;
    if (room->count >= WORLD_ROOM_MESSAGES_MAX ||
        (w->messages >= WORLD_MESSAGES_MAX && room->count > 1))
        forget_oldest(w, room);
    make_space(room);
    struct message *m = &room->list[room->first + room->count++];
    *m = (struct message){.id = id, .json = json, .keyboard = keyboard};
    w->messages++;
    return m;
}

/* Index of the first message whose id is not below `id`. */
static size_t place(const struct room *room, int64_t id)
{
    size_t low = room->first;
    size_t high = room->first + room->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (room->list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct message *room_find(const struct room *room, int64_t id)
{
    size_t at = place(room, id);
    return at < room->first + room->count && room->list[at].id == id
               ? &room->list[at]
               : NULL;
}

struct message *room_last(const struct room *room)
{
    return room->count == 0 ? NULL : &room->list[room->first + room->count - 1];
}

void room_delete(struct world *w, struct room *room, int64_t id)
{
    struct message *m = room_find(room, id);
    if (m == NULL)
        return;
    message_clear(m);
    size_t behind = room->first + room->count - (size_t)(m - room->list) - 1;
    memmove(m, m + 1, behind * sizeof(*m));
    room->count--;
    w->messages--;
}

void message_replace(struct message *m, json_t *json)
{
    json_decref(m->json);
    m->json = json;
}

static json_t *button_view(const json_t *button)
{
    json_t *view = json_object();
    json_t *data = json_object_get(button, "callback_data");
    json_t *url = json_object_get(button, "url");
    json_object_set(view, "text", json_object_get(button, "text"));
    if (data != NULL)
        json_object_set(view, "data", data);
    else if (url != NULL)
        json_object_set(view, "url", url);
    return view;
}

static json_t *buttons_view(const json_t *keyboard)
{
    json_t *rows = json_array();
    size_t i, k;
    json_t *row, *button;
    json_array_foreach(keyboard, i, row)
    {
        json_t *buttons = json_array();
        json_array_foreach(row, k, button)
        {
            json_array_append_new(buttons, button_view(button));
        }
        json_array_append_new(rows, buttons);
    }
    return rows;
}

json_t *message_view(const struct message *m)
{
    json_t *view = json_copy(m->json);
    if (m->keyboard != NULL)
        json_object_set(view, "reply_markup", m->keyboard);
    const json_t *inline_keyboard = json_object_get(
        json_object_get(m->json, "reply_markup"), "inline_keyboard");
    if (inline_keyboard != NULL)
        sim_set(view, "buttons", buttons_view(inline_keyboard));
    if (m->reactions != NULL)
        json_object_set(view, "reactions", m->reactions);
    if (m->votes != NULL)
        sim_set(view, "votes", json_copy(m->votes));
    return view;
}
