#include "sim/throttle.h"

#include "sim/call.h"

#include <string.h>

/* What makes or changes a message, by the documented result; edits count as
 * sends, drafts and actions do not. */
static bool counts(const struct botapi_method *m)
{
    static const char *const results[] = {"Message",   "Array of Message",
                                          "MessageId", "Array of MessageId",
                                          "Poll",      "ForumTopic"};
    if (botapi_param(m, "chat_id") == NULL)
        return false;
    if (strncmp(m->name, "editEphemeral", 13) == 0)
        return true;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (botapi_has_type(m->returns, results[i]))
            return true;
    return false;
}

/* Each message of an album is one, and so is each of many copies. */
static size_t messages_of(const struct call *c)
{
    const char *list = strcmp(c->method->name, "sendMediaGroup") == 0 ? "media"
                       : botapi_element(c->method->returns) != NULL
                           ? "message_ids"
                           : NULL;
    if (list == NULL)
        return 1;
    json_t *each = call_json(c, list);
    size_t count = json_array_size(each);
    json_decref(each);
    return count > 0 ? count : 1;
}

static void its_turn(struct call *c)
{
    c->sim->limits.waiting--;
    if (c->room != NULL)
        c->room->limits.unsent -= c->unsent;
    c->unsent = 0;
    c->waiting = false;
    call_perform(c);
}

static void wait_its_turn(struct call *c, uint64_t ms, size_t count)
{
    c->unsent = count;
    c->sim->limits.waiting++;
    if (c->room != NULL)
        c->room->limits.unsent += count;
    call_wait(c, ms, its_turn);
}

static void refuse(struct call *c, const struct limit_answer *a)
{
    c->retry_after = a->retry_after;
    call_refuse(c, 429, "Too Many Requests: retry after %lld",
                (long long)a->retry_after);
    if (a->ms > 0)
        call_end_later(c, a->ms);
}

static bool is_group(const struct room *room)
{
    return room != NULL && (room->chat->kind == CHAT_GROUP ||
                            room->chat->kind == CHAT_SUPERGROUP);
}

bool throttle_pass(struct call *c)
{
    if (!counts(c->method))
        return true;
    const struct limit_ask ask = {
        .bot = &c->bot->limits,
        .chat = c->room != NULL ? &c->room->limits : NULL,
        .group = is_group(c->room),
        .paid = params_bool(&c->params, "allow_paid_broadcast"),
        .count = messages_of(c),
        .now_us = (int64_t)loop_now_ms(c->sim->loop) * 1000,
    };
    struct limit_answer a = limits_take(&c->sim->limits, &ask);
    switch (a.verdict) {
    case LIMIT_PASS:
        return true;
    case LIMIT_WAIT:
        wait_its_turn(c, a.ms, ask.count);
        return false;
    case LIMIT_REFUSE:
        refuse(c, &a);
        return false;
    }
    return true;
}
