#include "sim/posting.h"

#include "sim/topics.h"

#include <string.h>

#define BUTTON_DATA_MAX 64
#define MARKUP_BYTES_MAX 10240
#define INLINE_BUTTONS_MAX 100
#define INLINE_ROW_MAX 8
#define REPLY_BUTTONS_MAX 300
#define REPLY_ROW_MAX 12

void posting_sign(json_t *message, const struct room *room, json_t *user)
{
    if (room->chat->kind == CHAT_CHANNEL)
        json_object_set(message, "sender_chat", room->chat->json);
    else
        json_object_set(message, "from", user);
}

void posting_quote(json_t *message, const struct message *quoted)
{
    json_t *copy = json_copy(quoted->json);
    json_object_del(copy, "reply_to_message");
    sim_set(message, "reply_to_message", copy);
}

void posting_tell(struct sim *sim, const struct room *room,
                  const struct message *m, const char *mark)
{
    json_t *event = json_object();
    json_t *view = message_view(m);
    if (mark != NULL) {
        sim_set(view, mark, json_true());
        sim_set(event, mark, json_true());
    }
    sim_set(event, "chat_id", json_integer(room->chat->id));
    sim_set(event, "message", view);
    events_emit(&sim->events, "message", sim_text(event));
}

void posting_tell_marks(struct sim *sim, const struct room *room,
                        const struct message *m)
{
    json_t *event = json_object();
    sim_set(event, "chat_id", json_integer(room->chat->id));
    sim_set(event, "message", message_view(m));
    events_emit(&sim->events, "marks", sim_text(event));
}

struct message *posting_add(struct sim *sim, struct bot *bot, struct room *room,
                            json_t *message, json_t *keyboard)
{
    struct message *m = room_add(&sim->world, bot, room, message, keyboard);
    posting_tell(sim, room, m, NULL);
    return m;
}

/* 0, or the error of a row's button. */
static bool check_button(struct call *c, const json_t *button)
{
    const json_t *data = json_object_get(button, "callback_data");
    size_t len = json_string_length(data);
    if (!json_is_string(json_object_get(button, "text")))
        return call_fail(c, BOTAPI_BAD_KEYBOARD) != NULL;
    if (data != NULL && (len == 0 || len > BUTTON_DATA_MAX))
        return call_fail(c, BOTAPI_BUTTON_DATA_INVALID) != NULL;
    if (json_object_size(button) < 2)
        return call_fail(c, BOTAPI_TEXT_BUTTONS) != NULL;
    return true;
}

static bool check_inline(struct call *c, const json_t *rows)
{
    size_t i, k;
    json_t *row, *button;
    if (!json_is_array(rows))
        return call_fail(c, BOTAPI_BAD_KEYBOARD) != NULL;
    json_array_foreach(rows, i, row)
    {
        if (!json_is_array(row))
            return call_fail(c, BOTAPI_BAD_KEYBOARD) != NULL;
        json_array_foreach(row, k, button)
        {
            if (!check_button(c, button))
                return false;
        }
    }
    return true;
}

/* Whether so many buttons may be shown, in a row and in all. */
static bool check_count(struct call *c, const json_t *rows, size_t in_row,
                        size_t in_all)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        size_t row = json_array_size(json_array_get(rows, i));
        count += row;
        if (row > in_row || count > in_all)
            return call_fail(c, BOTAPI_MARKUP_TOO_LONG) != NULL;
    }
    return true;
}

bool posting_markup(struct call *c, json_t **markup, json_t **keyboard)
{
    *markup = *keyboard = NULL;
    const struct param *sent = params_find(&c->params, "reply_markup");
    if (sent == NULL || sent->len == 0)
        return true;
    if (sent->len > MARKUP_BYTES_MAX) {
        call_fail(c, BOTAPI_MARKUP_TOO_LONG);
        return false;
    }
    json_t *given = call_json(c, "reply_markup");
    const json_t *rows = json_object_get(given, "inline_keyboard");
    bool fine = false;
    if (given == NULL)
        call_fail(c, BOTAPI_BAD_KEYBOARD);
    else if (!json_is_object(given))
        call_fail(c, BOTAPI_OBJECT_EXPECTED);
    else
        fine = rows != NULL ? check_inline(c, rows) &&
                                  check_count(c, rows, INLINE_ROW_MAX,
                                              INLINE_BUTTONS_MAX)
                            : check_count(c, json_object_get(given, "keyboard"),
                                          REPLY_ROW_MAX, REPLY_BUTTONS_MAX);
    if (fine && rows != NULL && json_array_size(rows) > 0)
        *markup = json_incref(given);
    else if (fine && rows == NULL && json_object_size(given) > 0)
        *keyboard = json_incref(given);
    json_decref(given);
    return fine;
}

/* The message that is to be quoted; false: refused. */
static bool find_quoted(struct call *c, struct message **quoted)
{
    json_t *reply = call_json(c, "reply_parameters");
    int64_t id = sim_int(reply, "message_id");
    bool lax =
        json_is_true(json_object_get(reply, "allow_sending_without_reply"));
    json_decref(reply);
    if (id == 0)
        id = params_int(&c->params, "reply_to_message_id", 0, 0, INT32_MAX);
    *quoted = id != 0 ? room_find(c->room, id) : NULL;
    if (id == 0 || *quoted != NULL || lax)
        return true;
    call_fail(c, BOTAPI_REPLY_NOT_FOUND);
    return false;
}

json_t *posting_draft(struct call *c, json_t **keyboard)
{
    struct message *quoted = NULL;
    json_t *markup = NULL;
    if (!posting_markup(c, &markup, keyboard))
        return NULL;
    if (!topics_check(c) || !find_quoted(c, &quoted)) {
        json_decref(markup);
        json_decref(*keyboard);
        return NULL;
    }
    json_t *message = room_draft(c->bot, c->room, (int64_t)sim_now(c->sim));
    posting_sign(message, c->room, c->bot->user);
    if (quoted != NULL)
        posting_quote(message, quoted);
    if (markup != NULL)
        sim_set(message, "reply_markup", markup);
    topics_mark(c, message);
    if (params_bool(&c->params, "protect_content"))
        sim_set(message, "has_protected_content", json_true());
    return message;
}
