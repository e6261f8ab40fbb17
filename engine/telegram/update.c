#include "telegram/update.h"

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
                       struct json event, const char *path)
{
    int64_t id;
    if (!json_int(json_path(event, path), &id))
        return false;
    snprintf(h->lane, sizeof h->lane, "%s:%" PRId64, prefix, id);
    return true;
}

static bool lane_by_user(struct update_head *h, struct json event)
{
    return lane_by_id(h, "user", event, "from.id") ||
           lane_by_id(h, "user", event, "user.id");
}

static bool lane_by_poll(struct update_head *h, struct json event)
{
    struct json id = json_get(event, "id");
    if (json_type(id) != JSON_STRING || id.len > 66)
        return false;
    snprintf(h->lane, sizeof h->lane, "poll:%.*s", (int)id.len - 2,
             id.at + 1);
    return true;
}

static bool lane_by_business(struct update_head *h, struct json event)
{
    struct json connection = json_get(event, "business_connection_id");
    int64_t chat;
    if (json_type(connection) != JSON_STRING || connection.len > 62 ||
        !json_int(json_path(event, "chat.id"), &chat))
        return false;
    snprintf(h->lane, sizeof h->lane, "business:%.*s:%" PRId64,
             (int)connection.len - 2, connection.at + 1, chat);
    return true;
}

static bool lane_by_rule(struct update_head *h, struct json event)
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

int update_head_read(struct update_head *h, struct json update)
{
    size_t cursor = 0;
    struct json key, event;

    h->kind[0] = h->lane[0] = '\0';
    if (!json_int(json_get(update, "update_id"), &h->update_id))
        return -1;
    while (json_each(update, &cursor, &key, &event))
        if (json_type(event) == JSON_OBJECT && key.len < sizeof h->kind)
            break;
    if (json_type(event) != JSON_OBJECT || key.len >= sizeof h->kind)
        return -1;
    snprintf(h->kind, sizeof h->kind, "%.*s", (int)key.len, key.at);
    if (!lane_by_rule(h, event) && !lane_by_user(h, event))
        snprintf(h->lane, sizeof h->lane, "kind:%s", h->kind);
    return 0;
}
