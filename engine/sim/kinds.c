#include "sim/kinds.h"

#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static const struct kind_row {
    const char *name;
    int64_t lifetime;
    const char *member; /* whose id is the queue's; NULL: the payload's own */
    const char *key;    /* of the id */
    int family;         /* queues of different families are different */
} rows[] = {
    {"message", DAY_S, "chat", "id", 0},
    {"edited_message", DAY_S, "chat", "id", 0},
    {"channel_post", DAY_S, "chat", "id", 0},
    {"edited_channel_post", DAY_S, "chat", "id", 0},
    {"inline_query", 30, "from", "id", 1},
    {"chosen_inline_result", 600, "from", "id", 2},
    {"callback_query", 150, "from", "id", 3},
    {"shipping_query", 150, "from", "id", 4},
    {"pre_checkout_query", 150, "from", "id", 4},
    {"my_chat_member", DAY_S, "chat", "id", 5},
    {"chat_member", DAY_S, "old_chat_member.user", "id", 6},
    {"chat_join_request", DAY_S, "from", "id", 6},
    {"chat_boost", DAY_S, "chat", "id", 7},
    {"removed_chat_boost", DAY_S, "chat", "id", 7},
    {"message_reaction", DAY_S, "chat", "id", 8},
    {"message_reaction_count", DAY_S, "chat", "id", 9},
    {"business_connection", DAY_S, "user", "id", 10},
    {"business_message", DAY_S, "chat", "id", 11},
    {"edited_business_message", DAY_S, "chat", "id", 11},
    {"deleted_business_messages", DAY_S, "chat", "id", 11},
    {"guest_message", DAY_S, "chat", "id", 12},
    {"purchased_paid_media", DAY_S, "from", "id", 12},
    {"managed_bot", DAY_S, "user", "id", 13},
    {"poll", DAY_S, NULL, "id", 0},
    {"poll_answer", DAY_S, NULL, "poll_id", 0},
    /* Newer than what is known of the server: guessed. */
    {"subscription", DAY_S, "user", "id", 14},
    {"stopped_message_generation", DAY_S, "chat", "id", 15},
};

static const struct kind_row *find(const char *kind)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, kind) == 0)
            return &rows[i];
    return NULL;
}

int64_t kind_lifetime(const char *kind)
{
    const struct kind_row *row = find(kind);
    return row != NULL ? row->lifetime : DAY_S;
}

/* "a.b" of an object. */
static const json_t *walk(const json_t *at, const char *path)
{
    char key[32];
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)len, path);
        at = json_object_get(at, key);
        path += len + (path[len] == '.');
    }
    return at;
}

/* The ids of polls are texts, here not only of digits. */
static int64_t number_of(const json_t *id)
{
    const char *text = json_string_value(id);
    char *end = NULL;
    if (text == NULL)
        return json_integer_value(id);
    int64_t number = strtoll(text, &end, 10);
    if (*end == '\0')
        return number;
    uint64_t hash = 14695981039346656037u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return (int64_t)(hash >> 1);
}

int64_t kind_lane(const char *kind, const json_t *payload)
{
    const struct kind_row *row = find(kind);
    if (row == NULL)
        return 0;
    const json_t *owner = walk(payload, row->member);
    int64_t id = number_of(json_object_get(owner, row->key));
    uint64_t family = (uint64_t)row->family << 33;
    return id != 0 ? (int64_t)((uint64_t)id + family) : 0;
}
