/* Polls as bots send and stop them. */
#include "sim/methods.h"

#include "sim/posting.h"

#include <string.h>

#define QUESTION_MAX 300
#define OPTIONS_MAX 12
#define OPTION_MAX 100
#define OPEN_MAX 2628000 /* seconds */

/* What a question or an option may have; others are passed over. */
static void keep_emoji(json_t *entities)
{
    for (size_t i = json_array_size(entities); i-- > 0;) {
        const char *type = json_string_value(
            json_object_get(json_array_get(entities, i), "type"));
        if (type == NULL || strcmp(type, "custom_emoji") != 0)
            json_array_remove(entities, i);
    }
}

/* Puts the text without the marks of its parse mode in the place of what was
 * given under the key, with its entities. False: refused. */
static bool parse(struct call *c, json_t *object, const char *key,
                  bool only_emoji)
{
    struct posted text;
    char marks[64];
    snprintf(marks, sizeof(marks), "%s_entities", key);
    if (!json_is_string(json_object_get(object, key)))
        return true;
    if (!posting_read_member(c, object, key, &text))
        return false;
    json_t *made = json_object();
    posting_put(made, "caption", &text);
    json_t *entities = json_object_get(made, "caption_entities");
    if (only_emoji)
        keep_emoji(entities);
    json_t *plain = json_object_get(made, "caption");
    sim_set(object, key, plain != NULL ? json_incref(plain) : json_string(""));
    if (json_array_size(entities) > 0)
        json_object_set(object, marks, entities);
    else
        json_object_del(object, marks);
    json_decref(made);
    return true;
}

/* The options as objects, parsed. */
static bool check_options(struct call *c, json_t *options)
{
    size_t count = json_array_size(options);
    if (count == 0)
        return call_refuse_request(c,
                                   "poll must have at least one answer option");
    if (count > OPTIONS_MAX)
        return call_refuse_request(c, "poll can't have more than 12 options");
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_array_get(options, i);
        if (json_is_string(one)) {
            json_array_set_new(options, i, json_pack("{s:O}", "text", one));
            one = json_array_get(options, i);
        }
        if (!parse(c, one, "text", true))
            return false;
        if (params_json_length(json_object_get(one, "text")) == 0)
            return call_refuse_request(c, "text must be non-empty");
        if (params_json_length(json_object_get(one, "text")) > OPTION_MAX)
            return call_refuse_request(
                c, "poll options length must not exceed 100");
    }
    return true;
}

/* The right answers; correct_option_id is their older name. */
static bool check_quiz(struct call *c, json_t *given)
{
    json_t *ids = json_object_get(given, "correct_option_ids");
    if (ids == NULL && params_given(&c->params, "correct_option_id")) {
        int64_t id = params_int(&c->params, "correct_option_id", -1, INT32_MIN,
                                INT32_MAX);
        ids = json_pack("[I]", (json_int_t)id);
        sim_set(given, "correct_option_ids", ids);
    }
    if (json_array_size(ids) == 0)
        return call_refuse_request(
            c, "correct quiz option list must be non-empty");
    for (size_t i = 1; i < json_array_size(ids); i++)
        if (json_integer_value(json_array_get(ids, i - 1)) >=
            json_integer_value(json_array_get(ids, i)))
            return call_refuse_request(
                c, "correct quiz option list must be increasing");
    return parse(c, given, "explanation", false);
}

/* When it ends by itself, if it does; a period goes before a date. */
static void set_end(struct call *c, json_t *given)
{
    int64_t now = (int64_t)sim_now(c->sim);
    int64_t period = params_int(&c->params, "open_period", 0, 0, OPEN_MAX);
    int64_t date = params_int(&c->params, "close_date", 0, 0, INT32_MAX);
    json_object_del(given, "open_period");
    json_object_del(given, "close_date");
    if (period == 0 && date > now)
        period = date - now;
    if (period == 0)
        return;
    sim_set(given, "open_period", json_integer(period));
    sim_set(given, "close_date", json_integer(now + period));
}

bool methods_poll_given(struct call *c, json_t *given)
{
    const char *type = params_text(&c->params, "type");
    bool quiz = strcmp(type, "quiz") == 0;
    if (!params_given(&c->params, "is_anonymous"))
        sim_set(given, "is_anonymous", json_true());
    if (!params_given(&c->params, "allows_revoting"))
        sim_set(given, "allows_revoting", json_boolean(!quiz));
    set_end(c, given);
    if (!parse(c, given, "question", true))
        return false;
    if (params_json_length(json_object_get(given, "question")) > QUESTION_MAX)
        return call_refuse_request(c,
                                   "poll question length must not exceed 300");
    if (!check_options(c, json_object_get(given, "options")) ||
        !parse(c, given, "description", false))
        return false;
    if (*type != '\0' && !quiz && strcmp(type, "regular") != 0)
        return call_refuse_request(c, "unsupported poll type specified");
    return !quiz || check_quiz(c, given);
}

/* Puts the closed poll into the message, which is taken over. */
static json_t *close_poll(struct sim *sim, const struct room *room,
                          struct message *m, json_t *message)
{
    json_t *poll = json_deep_copy(json_object_get(m->json, "poll"));
    sim_set(poll, "is_closed", json_true());
    sim_set(message, "poll", poll);
    message_replace(m, message);
    posting_tell_marks(sim, room, m);
    return poll;
}

bool methods_poll_over(struct sim *sim, const struct room *room,
                       struct message *m)
{
    const json_t *poll = json_object_get(m->json, "poll");
    int64_t end = sim_int(poll, "close_date");
    if (json_is_true(json_object_get(poll, "is_closed")))
        return true;
    if (end == 0 || sim_now(sim) < (double)end)
        return false;
    close_poll(sim, room, m, json_copy(m->json));
    return true;
}

/* NULL: refused. */
static struct message *poll_to_stop(struct call *c)
{
    int64_t id = params_int(&c->params, "message_id", 0, 0, INT32_MAX);
    struct message *m = c->room != NULL ? room_find(c->room, id) : NULL;
    const json_t *poll = m != NULL ? json_object_get(m->json, "poll") : NULL;
    if (c->room == NULL)
        call_fail(c, BOTAPI_CHAT_ID_EMPTY);
    else if (id == 0)
        call_fail(c, BOTAPI_NO_MESSAGE_ID);
    else if (m == NULL)
        call_refuse_request(c, "message with poll to stop not found");
    else if (poll == NULL)
        call_refuse_request(c, "message is not a poll");
    else if (c->room->chat->kind != CHAT_CHANNEL &&
             sim_int(json_object_get(m->json, "from"), "id") != c->bot->id)
        call_refuse_request(c, "poll can't be stopped");
    else if (methods_poll_over(c->sim, c->room, m))
        call_refuse_request(c, "poll has already been closed");
    return c->status == 0 ? m : NULL;
}

json_t *method_stop_poll(struct call *c)
{
    struct message *m = poll_to_stop(c);
    json_t *copy = m != NULL ? methods_edited(c, m) : NULL;
    if (copy == NULL)
        return NULL;
    json_t *poll = close_poll(c->sim, c->room, m, copy);
    queue_push(&c->bot->queue, "poll", json_incref(poll), c->chat_id, false);
    return json_incref(poll);
}
