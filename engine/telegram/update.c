#include "telegram/update.h"

#include "base/botapi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum lane_rule {
    LANE_CHAT,     /* by the chat of the event */
    LANE_BUTTON,   /* by the chat of the button's message, else the user */
    LANE_USER,     /* by the user, apart from the user's private chat */
    LANE_POLL,     /* by the poll's id */
    LANE_BUSINESS, /* by connection and chat */
};

static const struct {
    const char *kind;
    enum lane_rule rule;
} rules[] = {
    {"callback_query", LANE_BUTTON},
    {"inline_query", LANE_USER},
    {"chosen_inline_result", LANE_USER},
    {"shipping_query", LANE_USER},
    {"pre_checkout_query", LANE_USER},
    {"poll_answer", LANE_USER},
    {"poll", LANE_POLL},
    {"business_message", LANE_BUSINESS},
    {"edited_business_message", LANE_BUSINESS},
    {"deleted_business_messages", LANE_BUSINESS},
};

static enum lane_rule rule_of(const char *kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].kind, kind) == 0)
            return rules[i].rule;
    return LANE_CHAT;
}

/* Writes PREFIX:ID if the path leads to an integer. */
static bool lane_by_id(struct update_head *h, const char *prefix,
                       struct jslice event, const char *path)
{
    int64_t id;
    if (!js_int(js_path(event, path), &id))
        return false;
    snprintf(h->lane, sizeof h->lane, "%s:%" PRId64, prefix, id);
    return true;
}

static bool lane_by_user(struct update_head *h, struct jslice event)
{
    return lane_by_id(h, "user", event, "from.id") ||
           lane_by_id(h, "user", event, "user.id");
}

static bool lane_by_poll(struct update_head *h, struct jslice event)
{
    struct jslice id = js_get(event, "id");
    if (js_type(id) != JS_STRING || id.len > 66)
        return false;
    snprintf(h->lane, sizeof h->lane, "poll:%.*s", (int)id.len - 2, id.at + 1);
    return true;
}

static bool lane_by_business(struct update_head *h, struct jslice event)
{
    struct jslice connection = js_get(event, "business_connection_id");
    int64_t chat;
    if (js_type(connection) != JS_STRING || connection.len > 62 ||
        !js_int(js_path(event, "chat.id"), &chat))
        return false;
    snprintf(h->lane, sizeof h->lane, "business:%.*s:%" PRId64,
             (int)connection.len - 2, connection.at + 1, chat);
    return true;
}

static bool lane_by_rule(struct update_head *h, struct jslice event)
{
    switch (rule_of(h->kind)) {
    case LANE_CHAT:
        return lane_by_id(h, "chat", event, "chat.id");
    case LANE_BUTTON:
        return lane_by_id(h, "chat", event, "message.chat.id");
    case LANE_USER:
        return lane_by_user(h, event);
    case LANE_POLL:
        return lane_by_poll(h, event);
    case LANE_BUSINESS:
        return lane_by_business(h, event);
    }
    return false;
}

/* The first object of a known kind, else the first one: a server that is
 * newer than this program may have put another field beside it. */
static bool find_event(struct update_head *h, struct jslice update,
                       struct jslice *event)
{
    size_t cursor = 0;
    struct jslice key, value;
    bool known = false;

    while (!known && js_each(update, &cursor, &key, &value)) {
        char name[sizeof h->kind];
        if (js_type(value) != JS_OBJECT || key.len >= sizeof name)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)key.len, key.at);
        known = botapi_kind(name) >= 0;
        if (!known && h->kind[0])
            continue;
        memcpy(h->kind, name, sizeof name);
        *event = value;
    }
    return h->kind[0] != '\0';
}

int update_head_read(struct update_head *h, struct jslice update)
{
    struct jslice event = {0};

    h->kind[0] = h->lane[0] = '\0';
    if (!js_int(js_get(update, "update_id"), &h->update_id) ||
        !find_event(h, update, &event))
        return -1;
    if (!lane_by_rule(h, event) && !lane_by_user(h, event))
        snprintf(h->lane, sizeof h->lane, "kind:%s", h->kind);
    return 0;
}

void update_head_by_user(struct update_head *h, struct jslice update)
{
    lane_by_user(h, js_get(update, h->kind));
}

void update_head_alone(struct update_head *h)
{
    snprintf(h->lane, sizeof h->lane, "update:%" PRId64, h->update_id);
}
