#include "sim/control.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SEND_BYTES_MAX (16 * 1024 * 1024)

static const char *const kind_texts[] = {
    "an integer within +-9007199254740992",
    "a number that is not negative",
    "a text that is not empty",
    "true or false",
    "an object",
    "an array of integers",
    "true, an object or an array of objects",
};

void control_reply_text(struct exchange *x, const char *json, size_t len)
{
    exchange_reply(x, 200, "application/json", json, len);
}

void control_reply(struct control *c, json_t *value)
{
    struct text *text = sim_text(value);
    control_reply_text(c->x, text->data, text->len);
    text_unref(text);
}

static bool whole(const json_t *v)
{
    json_int_t i = json_integer_value(v);
    return json_is_integer(v) && i <= SIM_INT_MAX && i >= -SIM_INT_MAX;
}

static bool all(const json_t *list, bool (*fits)(const json_t *v))
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!fits(json_array_get(list, i)))
            return false;
    return json_is_array(list);
}

static bool is_object(const json_t *v)
{
    return json_is_object(v);
}

static bool fits(const struct control_field *f, const json_t *v)
{
    switch (f->kind) {
    case FIELD_INTEGER:
        return whole(v);
    case FIELD_NUMBER:
        return json_is_number(v) && json_number_value(v) >= 0;
    case FIELD_STRING:
        return json_string_length(v) > 0;
    case FIELD_BOOLEAN:
        return json_is_boolean(v);
    case FIELD_OBJECT:
        return json_is_object(v);
    case FIELD_IDS:
        return all(v, whole);
    case FIELD_MEDIA:
        return json_is_true(v) || json_is_object(v) || all(v, is_object);
    }
    return false;
}

static const struct control_field *find(const struct control_field *fields,
                                        const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

static void fail_unknown(struct exchange *x, const char *name,
                         const struct control_field *fields)
{
    struct buf names = {0};
    for (; fields->name != NULL; fields++)
        buf_printf(&names, "%s, ", fields->name);
    buf_puts(&names, "bot");
    exchange_fail(x, 400, "%.64s: no such field; allowed: %s", name,
                  names.data);
    buf_free(&names);
}

static bool check_body(struct exchange *x, json_t *body,
                       const struct control_field *fields)
{
    static const struct control_field bot = {"bot", FIELD_INTEGER, false};
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        const struct control_field *f = find(fields, name);
        if (f == NULL && strcmp(name, "bot") == 0)
            f = &bot;
        if (f == NULL) {
            fail_unknown(x, name, fields);
            return false;
        }
        if (!fits(f, value)) {
            exchange_fail(x, 400, "%s: must be %s", name, kind_texts[f->kind]);
            return false;
        }
    }
    for (; fields->name != NULL; fields++) {
        if (fields->required && json_object_get(body, fields->name) == NULL) {
            exchange_fail(x, 400, "%s: is required, %s", fields->name,
                          kind_texts[fields->kind]);
            return false;
        }
    }
    return true;
}

static json_t *read_body(struct exchange *x, const char *text, size_t len)
{
    json_error_t e;
    json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
    if (json_is_object(body))
        return body;
    exchange_fail(x, 400, "the body must be a JSON object%s%s",
                  body == NULL ? ": " : "", body == NULL ? e.text : "");
    json_decref(body);
    return NULL;
}

static bool choose_bot(struct control *c)
{
    json_t *id = json_object_get(c->body, "bot");
    struct world *w = &c->sim->world;
    c->bot = id == NULL ? world_current_bot(w, c->sim)
                        : world_bot(w, json_integer_value(id));
    if (c->bot == NULL && c->sim->token == NULL && json_integer_value(id) > 0)
        c->bot = world_make_bot(w, c->sim, json_integer_value(id));
    if (c->bot == NULL)
        exchange_fail(c->x, 404, "bot: there is no bot %lld",
                      (long long)json_integer_value(id));
    return c->bot != NULL;
}

const struct user *control_user(struct control *c, const char *key)
{
    int64_t id = sim_int(c->body, key);
    const struct user *user = world_user(&c->sim->world, id);
    if (user == NULL)
        exchange_fail(c->x, 404,
                      "%s: there is no user %lld; POST /sim/users makes one",
                      key, (long long)id);
    return user;
}

struct room *control_room(struct control *c, int64_t chat_id)
{
    struct room *room = bot_room(c->bot, &c->sim->world, chat_id);
    if (room == NULL)
        exchange_fail(c->x, 404,
                      "chat: there is no chat %lld; POST /sim/chats makes one",
                      (long long)chat_id);
    return room;
}

struct room *control_room_of(struct control *c, const struct user *user)
{
    json_t *chat = json_object_get(c->body, "chat");
    int64_t id = chat != NULL ? json_integer_value(chat) : user->id;
    struct room *room = control_room(c, id);
    if (room == NULL || chat_has_member(room->chat, user->id))
        return room;
    exchange_fail(c->x, 400, "from: user %lld is no member of chat %lld",
                  (long long)user->id, (long long)id);
    return NULL;
}

bool control_speaks(struct control *c, const struct user *user,
                    const struct room *room)
{
    long long id = room->chat->id;
    if (user->deleted)
        exchange_fail(c->x, 400, "from: user %lld has no account any more",
                      (long long)user->id);
    else if (room->blocked)
        exchange_fail(c->x, 400, "from: user %lld has blocked the bot",
                      (long long)user->id);
    else if (room->chat->deleted)
        exchange_fail(c->x, 400, "chat: the group %lld was deleted", id);
    else if (room->chat->migrated_to != 0)
        exchange_fail(c->x, 400, "chat: %lld was upgraded to %lld", id,
                      (long long)room->chat->migrated_to);
    else if (room->presence != PRESENCE_INSIDE)
        exchange_fail(c->x, 400,
                      "chat: the bot is not in chat %lld; POST /sim/kick with "
                      "\"kicked\": false brings it back",
                      id);
    else
        return true;
    return false;
}

static const struct control_field click_fields[] = {
    {"from", FIELD_INTEGER, true},        {"chat", FIELD_INTEGER, false},
    {"message_id", FIELD_INTEGER, false}, {"data", FIELD_STRING, false},
    {"text", FIELD_STRING, false},        {NULL, FIELD_STRING, false}};

static const struct control_field clock_fields[] = {
    {"advance", FIELD_NUMBER, true}, {NULL, FIELD_STRING, false}};

static const struct {
    const char *path;
    const struct control_field *fields; /* NULL: the handler checks */
    control_handler *handler;
} posts[] = {
    {"/sim/users", control_user_fields, control_make_user},
    {"/sim/chats", control_chat_fields, control_make_chat},
    {"/sim/send", control_send_fields, control_send},
    {"/sim/click", click_fields, control_click},
    {"/sim/vote", control_vote_fields, control_vote},
    {"/sim/block", control_block_fields, control_block},
    {"/sim/join", control_join_fields, control_join},
    {"/sim/leave", control_leave_fields, control_leave},
    {"/sim/ask", control_ask_fields, control_ask},
    {"/sim/edit", control_edit_fields, control_edit},
    {"/sim/react", control_react_fields, control_react},
    {"/sim/topic", control_topic_fields, control_topic},
    {"/sim/kick", control_kick_fields, control_kick},
    {"/sim/migrate", control_migrate_fields, control_migrate},
    {"/sim/deactivate", control_deactivate_fields, control_deactivate},
    {"/sim/rights", control_rights_fields, control_rights},
    {"/sim/limits", control_limits_fields, control_limits},
    {"/sim/update", NULL, control_update},
    {"/sim/faults", control_fault_fields, control_fault},
    {"/sim/clock", clock_fields, control_clock},
};

static void run_post(struct sim *sim, struct exchange *x, const char *text,
                     size_t len)
{
    struct control c = {.sim = sim, .x = x};
    size_t i = 0;
    while (strcmp(posts[i].path, exchange_path(x)) != 0)
        i++;
    c.body = read_body(x, text, len);
    if (c.body == NULL)
        return;
    if ((posts[i].fields == NULL || check_body(x, c.body, posts[i].fields)) &&
        choose_bot(&c))
        posts[i].handler(&c);
    json_decref(c.body);
}

static void receive_post(struct exchange *x, void *arg)
{
    size_t len = 0;
    const char *text = exchange_body(x, &len);
    run_post(arg, x, text, len);
}

/* A body that may hold a file: more than the server that carries the page
 * takes of others. */
struct large_post {
    struct list link; /* in sim->posts */
    struct exchange *x;
    struct sim *sim;
    struct buf text;
};

static void large_free(struct large_post *p)
{
    list_remove(&p->link);
    buf_free(&p->text);
    free(p);
}

static void large_gone(struct exchange *x, void *arg)
{
    (void)x;
    large_free(arg);
}

static size_t large_take(struct exchange *x, void *arg, const char *data,
                         size_t len)
{
    struct large_post *p = arg;
    if (p->text.len + len <= SEND_BYTES_MAX) {
        buf_append(&p->text, data, len);
        return len;
    }
    exchange_on_gone(x, NULL, NULL);
    exchange_fail(x, 413,
                  "the body has more than %d bytes; a large file is "
                  "given by its size",
                  SEND_BYTES_MAX);
    large_free(p);
    return len;
}

static void large_end(struct exchange *x, void *arg)
{
    struct large_post *p = arg;
    exchange_on_gone(x, NULL, NULL);
    run_post(p->sim, x, p->text.len > 0 ? p->text.data : "", p->text.len);
    large_free(p);
}

static void receive_large_post(struct exchange *x, void *arg)
{
    static const struct exchange_taker taker = {large_take, large_end};
    struct large_post *p = MEM_NEW(struct large_post);
    p->sim = arg;
    p->x = x;
    list_init(&p->link);
    list_push(&p->sim->posts, &p->link);
    exchange_on_gone(x, large_gone, p);
    exchange_receive(x, &taker, p);
}

void control_abort(struct sim *sim)
{
    struct list *link;
    while ((link = list_shift(&sim->posts)) != NULL) {
        struct large_post *p = LIST_ENTRY(link, struct large_post, link);
        struct exchange *x = p->x;
        exchange_on_gone(x, NULL, NULL);
        large_free(p);
        exchange_drop(x);
    }
}

void control_mount(struct sim *sim, struct routes *routes)
{
    for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
        if (posts[i].handler == control_send)
            routes_add_streamed(routes, "POST", posts[i].path,
                                receive_large_post, sim);
        else
            routes_add(routes, "POST", posts[i].path, receive_post, sim);
    }
    routes_add(routes, "GET", "/sim/limits", control_show_limits, sim);
    routes_add(routes, "GET", "/sim/users", control_list_users, sim);
    routes_add(routes, "GET", "/sim/chats", control_list_chats, sim);
    control_mount_lists(sim, routes);
}
