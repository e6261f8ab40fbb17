#include "sim/posting.h"

#include "sim/entities.h"
#include "sim/topics.h"

#include <stdlib.h>
#include <string.h>

#define BUTTON_DATA_MAX 64
#define COPY_TEXT_MAX 256
#define QUOTE_MAX 1024
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

static bool check_copied(const json_t *copied)
{
    const json_t *text = json_object_get(copied, "text");
    return copied == NULL || (json_string_length(text) > 0 &&
                              params_json_length(text) <= COPY_TEXT_MAX);
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
    if (!check_copied(json_object_get(button, "copy_text")))
        return call_refuse(c, 400, "Bad Request: BUTTON_COPY_TEXT_INVALID") !=
               NULL;
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

/* The place of the part in the text that is nearest to the given one, in
 * UTF-16 units; -1: it is not in there. */
static int64_t find_part(const char *text, const char *part, int64_t near)
{
    int64_t best = -1;
    for (const char *at = strstr(text, part); at != NULL;
         at = strstr(at + 1, part)) {
        int64_t place = (int64_t)entities_units(text, (size_t)(at - text));
        if (best < 0 || llabs(place - near) < llabs(best - near))
            best = place;
    }
    return best;
}

/* What of the quoted message is quoted (TextQuote); *quote stays NULL if
 * nothing was said of that. False: refused. */
static bool read_quote(struct call *c, const json_t *reply,
                       const struct message *quoted, json_t **quote)
{
    struct posted part;
    const char *text = json_string_value(json_object_get(quoted->json, "text"));
    if (text == NULL)
        text = json_string_value(json_object_get(quoted->json, "caption"));
    if (!posting_read_member(c, reply, "quote", &part))
        return false;
    int64_t place = -1;
    if (part.text.len > 0 && text != NULL &&
        params_utf8_length(part.text.data, part.text.len) <= QUOTE_MAX)
        place =
            find_part(text, part.text.data, sim_int(reply, "quote_position"));
    if (place >= 0) {
        *quote = json_pack("{s:s, s:I, s:b}", "text", part.text.data,
                           "position", (json_int_t)place, "is_manual", 1);
        if (json_array_size(part.entities) > 0)
            json_object_set(*quote, "entities", part.entities);
    } else if (part.text.len > 0) {
        call_refuse(c, 400, "Bad Request: QUOTE_TEXT_INVALID");
    }
    posting_forget(&part);
    return c->status == 0;
}

/* The message that is to be quoted, and the part of it; false: refused. */
static bool find_quoted(struct call *c, struct message **quoted, json_t **quote)
{
    json_t *reply = call_json(c, "reply_parameters");
    int64_t id = sim_int(reply, "message_id");
    bool lax =
        json_is_true(json_object_get(reply, "allow_sending_without_reply"));
    if (id == 0)
        id = params_int(&c->params, "reply_to_message_id", 0, 0, INT32_MAX);
    *quoted = id != 0 ? room_find(c->room, id) : NULL;
    bool fine = *quoted == NULL || read_quote(c, reply, *quoted, quote);
    json_decref(reply);
    if (!fine)
        return false;
    if (id == 0 || *quoted != NULL || lax)
        return true;
    call_fail(c, BOTAPI_REPLY_NOT_FOUND);
    return false;
}

json_t *posting_draft(struct call *c, json_t **keyboard)
{
    struct message *quoted = NULL;
    json_t *quote = NULL;
    json_t *markup = NULL;
    if (!posting_markup(c, &markup, keyboard))
        return NULL;
    if (!topics_check(c) || !find_quoted(c, &quoted, &quote)) {
        json_decref(markup);
        json_decref(*keyboard);
        return NULL;
    }
    json_t *message = room_draft(c->bot, c->room, (int64_t)sim_now(c->sim));
    posting_sign(message, c->room, c->bot->user);
    if (quoted != NULL)
        posting_quote(message, quoted);
    if (quote != NULL)
        sim_set(message, "quote", quote);
    if (markup != NULL)
        sim_set(message, "reply_markup", markup);
    topics_mark(c, message);
    if (params_bool(&c->params, "protect_content"))
        sim_set(message, "has_protected_content", json_true());
    return message;
}
