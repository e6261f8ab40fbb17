#include "sim/throttle.h"

#include "sim/call.h"

static size_t messages_of(const struct call *c)
{
    const char *list = botapi_message_list(c->method);
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
    if (!botapi_is_message(c->method))
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
