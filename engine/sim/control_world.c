#include "sim/control.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>

static json_t *chat_view(const struct chat *chat)
{
    json_t *view = json_copy(chat->json);
    json_t *members = json_array();
    for (size_t i = 0; i < chat->members_count; i++)
        json_array_append_new(members, json_integer(chat->members[i]));
    sim_set(view, "members", members);
    return view;
}

void control_tell_user(struct sim *sim, const struct user *user)
{
    json_t *event = json_pack("{s:O}", "user", user->json);
    events_emit(&sim->events, "user", sim_text(event));
}

void control_tell_chat(struct sim *sim, const struct chat *chat)
{
    json_t *event = json_object();
    sim_set(event, "chat", chat_view(chat));
    events_emit(&sim->events, "chat", sim_text(event));
}

void control_reply_chat(struct control *c, const struct chat *chat)
{
    control_reply(c, chat_view(chat));
}

void control_fail_chats(struct control *c)
{
    exchange_fail(c->x, 400,
                  "there are %d chats already, the most that are kept",
                  WORLD_CHATS_MAX);
}

static void take_member(json_t *to, const json_t *body, const char *key)
{
    json_t *value = json_object_get(body, key);
    if (value != NULL)
        json_object_set(to, key, value);
}

const struct control_field control_user_fields[] = {
    {"first_name", FIELD_STRING, true},
    {"id", FIELD_INTEGER, false},
    {"last_name", FIELD_STRING, false},
    {"username", FIELD_STRING, false},
    {"language_code", FIELD_STRING, false},
    {"started", FIELD_BOOLEAN, false},
    {NULL, FIELD_STRING, false}};

void control_make_user(struct control *c)
{
    struct world *w = &c->sim->world;
    json_t *started = json_object_get(c->body, "started");
    int64_t id = json_object_get(c->body, "id") != NULL ? sim_int(c->body, "id")
                                                        : world_free_user_id(w);
    if (id <= 0 || world_chat(w, id) != NULL) {
        exchange_fail(c->x, 400,
                      id <= 0 ? "id: must be positive, not %lld"
                              : "id: %lld is taken already",
                      (long long)id);
        return;
    }
    json_t *user = json_object();
    sim_set(user, "id", json_integer(id));
    sim_set(user, "is_bot", json_false());
    take_member(user, c->body, "first_name");
    take_member(user, c->body, "last_name");
    take_member(user, c->body, "username");
    take_member(user, c->body, "language_code");
    struct user *made = world_add_user(w, user, !json_is_false(started));
    if (made == NULL) {
        exchange_fail(c->x, 400,
                      "there are %d users already, the most that "
                      "are kept",
                      WORLD_USERS_MAX);
        return;
    }
    control_tell_user(c->sim, made);
    control_reply(c, json_incref(made->json));
}

const struct control_field control_chat_fields[] = {
    {"type", FIELD_STRING, true}, {"title", FIELD_STRING, true},
    {"members", FIELD_IDS, true}, {"admins", FIELD_IDS, false},
    {"id", FIELD_INTEGER, false}, {"username", FIELD_STRING, false},
    {NULL, FIELD_STRING, false}};

static bool is_user(const struct world *w, int64_t id)
{
    return world_user(w, id) != NULL;
}

/* Bots are in every chat, whether "members" names them or not. */
static bool may_be_member(const struct world *w, int64_t id)
{
    return is_user(w, id) || world_bot(w, id) != NULL;
}

/* Are there all of a field? If not, an answer was sent. */
static bool all_exist(struct control *c, const char *field,
                      bool (*exist)(const struct world *w, int64_t id))
{
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(c->body, field), i, id)
    {
        if (exist(&c->sim->world, json_integer_value(id)))
            continue;
        exchange_fail(c->x, 404, "%s: there is no user %lld", field,
                      (long long)json_integer_value(id));
        return false;
    }
    return true;
}

/* The members of "members"; the caller frees them. */
static int64_t *read_members(const struct control *c, size_t *count)
{
    const json_t *list = json_object_get(c->body, "members");
    size_t i;
    json_t *id;
    int64_t *ids = mem_zero(json_array_size(list) + 1, sizeof(*ids));
    json_array_foreach(list, i, id)
    {
        if (is_user(&c->sim->world, json_integer_value(id)))
            ids[(*count)++] = json_integer_value(id);
    }
    return ids;
}

static bool read_chat_type(struct control *c, enum chat_kind *kind)
{
    const char *type = json_string_value(json_object_get(c->body, "type"));
    if (chat_kind_parse(type, kind) && *kind != CHAT_PRIVATE)
        return true;
    exchange_fail(c->x, 400,
                  "type: must be group, supergroup or channel (a "
                  "private chat comes with its user)");
    return false;
}

/* Administrators are members too, whether "members" names them or not. */
static void take_admins(const struct control *c, struct chat *chat)
{
    size_t i;
    json_t *id;
    json_array_foreach(json_object_get(c->body, "admins"), i, id)
    {
        chat_add_member(chat, json_integer_value(id));
        chat_set_rank(chat, json_integer_value(id), RANK_ADMIN);
    }
}

static void store_chat(struct control *c, enum chat_kind kind, int64_t id,
                       const int64_t *members, size_t count)
{
    json_t *json = json_object();
    sim_set(json, "id", json_integer(id));
    take_member(json, c->body, "title");
    take_member(json, c->body, "username");
    sim_set(json, "type", json_string(chat_kind_name(kind)));
    struct chat *chat =
        world_add_chat(&c->sim->world, json, kind, members, count);
    if (chat == NULL) {
        control_fail_chats(c);
        return;
    }
    take_admins(c, chat);
    control_tell_chat(c->sim, chat);
    control_reply_chat(c, chat);
}

void control_make_chat(struct control *c)
{
    struct world *w = &c->sim->world;
    enum chat_kind kind;
    size_t count = 0;
    if (!read_chat_type(c, &kind))
        return;
    int64_t id = json_object_get(c->body, "id") != NULL
                     ? sim_int(c->body, "id")
                     : world_free_chat_id(w, kind);
    if (id >= 0 || world_chat(w, id) != NULL) {
        exchange_fail(c->x, 400,
                      id >= 0 ? "id: must be negative, not %lld"
                              : "id: %lld is taken already",
                      (long long)id);
        return;
    }
    if (!all_exist(c, "members", may_be_member) ||
        !all_exist(c, "admins", is_user))
        return;
    int64_t *members = read_members(c, &count);
    store_chat(c, kind, id, members, count);
    free(members);
}

void control_list_users(struct exchange *x, void *arg)
{
    const struct sim *sim = arg;
    struct buf b = {0};
    buf_putc(&b, '[');
    for (size_t i = 0; i < sim->world.users_count; i++) {
        buf_puts(&b, i > 0 ? "," : "");
        sim_dump(sim->world.users[i]->json, &b);
    }
    buf_putc(&b, ']');
    control_reply_text(x, b.data, b.len);
    buf_free(&b);
}

void control_list_chats(struct exchange *x, void *arg)
{
    const struct sim *sim = arg;
    struct buf b = {0};
    buf_putc(&b, '[');
    for (size_t i = 0; i < sim->world.chats_count; i++) {
        json_t *view = chat_view(sim->world.chats[i]);
        buf_puts(&b, i > 0 ? "," : "");
        sim_dump(view, &b);
        json_decref(view);
    }
    buf_putc(&b, ']');
    control_reply_text(x, b.data, b.len);
    buf_free(&b);
}
