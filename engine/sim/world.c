#include "sim/world.h"

#include "base/mem.h"
#include "sim/core.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"private", "group", "supergroup",
                                         "channel"};

const char *chat_kind_name(enum chat_kind kind)
{
    return kind_names[kind];
}

bool chat_kind_parse(const char *name, enum chat_kind *out)
{
    for (int i = CHAT_PRIVATE; i <= CHAT_CHANNEL; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *out = (enum chat_kind)i;
            return true;
        }
    }
    return false;
}

static void *by_id(const struct map *m, int64_t id)
{
    return map_get(m, &id, sizeof(id));
}

static void put_id(struct map *m, int64_t id, void *value)
{
    map_put(m, &id, sizeof(id), value);
}

struct user *world_user(const struct world *w, int64_t id)
{
    return by_id(&w->users_by_id, id);
}

struct chat *world_chat(const struct world *w, int64_t id)
{
    return by_id(&w->chats_by_id, id);
}

static size_t lower(const char *name, char out[64])
{
    size_t len = 0;
    for (; len < 63 && name[len] != '\0'; len++)
        out[len] = (char)tolower((unsigned char)name[len]);
    return len;
}

struct chat *world_chat_named(const struct world *w, const char *username)
{
    char key[64];
    return map_get(&w->chats_by_name, key, lower(username, key));
}

static struct chat *make_chat(struct world *w, json_t *json,
                              enum chat_kind kind)
{
    struct chat *chat = MEM_NEW(struct chat);
    chat->id = sim_int(json, "id");
    chat->kind = kind;
    chat->json = json;
    put_id(&w->chats_by_id, chat->id, chat);
    return chat;
}

static json_t *private_chat_json(const json_t *user)
{
    static const char *const kept[] = {"first_name", "last_name", "username"};
    json_t *chat = json_object();
    sim_set(chat, "id", json_integer(sim_int(user, "id")));
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        json_t *value = json_object_get(user, kept[i]);
        if (value != NULL)
            json_object_set(chat, kept[i], value);
    }
    sim_set(chat, "type", json_string("private"));
    return chat;
}

struct user *world_add_user(struct world *w, json_t *json, bool started)
{
    if (w->users_count >= WORLD_USERS_MAX) {
        json_decref(json);
        return NULL;
    }
    struct user *user = MEM_NEW(struct user);
    user->id = sim_int(json, "id");
    user->started = started;
    user->json = json;
    w->users = mem_grow(w->users, w->users_count + 1, sizeof(*w->users));
    w->users[w->users_count++] = user;
    put_id(&w->users_by_id, user->id, user);
    make_chat(w, private_chat_json(json), CHAT_PRIVATE);
    return user;
}

int64_t world_free_user_id(const struct world *w)
{
    int64_t id = 1001 + (int64_t)w->users_count;
    while (world_user(w, id) != NULL)
        id++;
    return id;
}

struct chat *world_add_chat(struct world *w, json_t *json, enum chat_kind kind,
                            const int64_t *members, size_t count)
{
    if (w->chats_count >= WORLD_CHATS_MAX) {
        json_decref(json);
        return NULL;
    }
    struct chat *chat = make_chat(w, json, kind);
    chat->members = mem_zero(count + 1, sizeof(*members));
    chat->members_count = count;
    if (count > 0)
        memcpy(chat->members, members, count * sizeof(*members));
    w->chats = mem_grow(w->chats, w->chats_count + 1, sizeof(*w->chats));
    w->chats[w->chats_count++] = chat;
    char key[64];
    const char *name = json_string_value(json_object_get(json, "username"));
    if (name != NULL && kind != CHAT_GROUP)
        map_put(&w->chats_by_name, key, lower(name, key), chat);
    return chat;
}

int64_t world_free_chat_id(const struct world *w, enum chat_kind kind)
{
    int64_t id = kind == CHAT_GROUP ? -4001 : -1001000000001;
    id -= (int64_t)w->chats_count;
    while (world_chat(w, id) != NULL)
        id--;
    return id;
}

bool chat_has_member(const struct chat *chat, int64_t user)
{
    if (chat->kind == CHAT_PRIVATE)
        return chat->id == user;
    for (size_t i = 0; i < chat->members_count; i++)
        if (chat->members[i] == user)
            return true;
    return false;
}

void chat_add_member(struct chat *chat, int64_t user)
{
    if (chat_has_member(chat, user))
        return;
    size_t count = chat->members_count + 1;
    chat->members = mem_grow(chat->members, count, sizeof(*chat->members));
    chat->members[chat->members_count++] = user;
}

void chat_remove_member(struct chat *chat, int64_t user)
{
    size_t kept = 0;
    for (size_t i = 0; i < chat->members_count; i++)
        if (chat->members[i] != user)
            chat->members[kept++] = chat->members[i];
    chat->members_count = kept;
}

const struct ranked *chat_ranked(const struct chat *chat, int64_t user,
                                 double now)
{
    for (size_t i = 0; i < chat->ranked_count; i++) {
        const struct ranked *one = &chat->ranked[i];
        if (one->user == user)
            return one->until == 0 || now < (double)one->until ? one : NULL;
    }
    return NULL;
}

enum chat_rank chat_rank(const struct chat *chat, int64_t user, double now)
{
    const struct ranked *one = chat_ranked(chat, user, now);
    return one != NULL ? one->rank : RANK_NONE;
}

void chat_set_ranked(struct chat *chat, struct ranked ranked)
{
    size_t i = 0;
    while (i < chat->ranked_count && chat->ranked[i].user != ranked.user)
        i++;
    if (i < chat->ranked_count) {
        json_decref(chat->ranked[i].permissions);
    } else if (ranked.rank == RANK_NONE || i >= WORLD_CHAT_RANKS_MAX) {
        json_decref(ranked.permissions);
        return;
    } else {
        chat->ranked = mem_grow(chat->ranked, i + 1, sizeof(*chat->ranked));
        chat->ranked_count++;
    }
    chat->ranked[i] =
        ranked.rank == RANK_NONE ? chat->ranked[--chat->ranked_count] : ranked;
}

void chat_set_rank(struct chat *chat, int64_t user, enum chat_rank rank)
{
    chat_set_ranked(chat, (struct ranked){.user = user, .rank = rank});
}

static void free_ranked(struct chat *chat)
{
    for (size_t i = 0; i < chat->ranked_count; i++)
        json_decref(chat->ranked[i].permissions);
    free(chat->ranked);
}

static void identify(struct bot *bot, int64_t id)
{
    char name[40];
    snprintf(name, sizeof(name), id == 1 ? "demo_bot" : "bot%lld",
             (long long)id);
    bot->id = id;
    json_decref(bot->user);
    bot->user = json_object();
    sim_set(bot->user, "id", json_integer(id));
    sim_set(bot->user, "is_bot", json_true());
    sim_set(bot->user, "first_name", json_string(id == 1 ? "Demo bot" : name));
    sim_set(bot->user, "username", json_string(name));
}

static struct bot *make_bot(struct world *w, struct sim *sim, int64_t id)
{
    if (w->bots_count >= WORLD_BOTS_MAX)
        return NULL;
    struct bot *bot = MEM_NEW(struct bot);
    identify(bot, id);
    queue_init(&bot->queue, sim, bot);
    long_poll_init(&bot->poll, sim, bot);
    w->bots = mem_grow(w->bots, w->bots_count + 1, sizeof(*w->bots));
    w->bots[w->bots_count++] = bot;
    bot->number = (int64_t)w->bots_count;
    return bot;
}

struct bot *world_make_bot(struct world *w, struct sim *sim, int64_t id)
{
    struct bot *bot = make_bot(w, sim, id);
    if (bot != NULL)
        bot->claimed = true;
    return bot;
}

struct bot *world_bot(const struct world *w, int64_t id)
{
    for (size_t i = 0; i < w->bots_count; i++)
        if (w->bots[i]->id == id)
            return w->bots[i];
    return NULL;
}

struct bot *world_claim_bot(struct world *w, struct sim *sim, int64_t id)
{
    struct bot *bot = w->current;
    if (bot != NULL && bot->id == id && bot->claimed)
        return bot;
    bot = world_bot(w, id);
    if (bot == NULL && w->bots_count == 1 && !w->bots[0]->claimed) {
        bot = w->bots[0];
        identify(bot, id);
    }
    if (bot == NULL)
        bot = make_bot(w, sim, id);
    if (bot == NULL)
        return NULL;
    bot->claimed = true;
    w->current = bot;
    return bot;
}

struct bot *world_current_bot(struct world *w, struct sim *sim)
{
    if (w->current != NULL)
        return w->current;
    return w->bots_count > 0 ? w->bots[0] : make_bot(w, sim, 1);
}

struct room *bot_known_room(const struct bot *bot, int64_t chat_id)
{
    return by_id(&bot->rooms, chat_id);
}

struct room *bot_room(struct bot *bot, const struct world *w, int64_t chat_id)
{
    struct room *room = by_id(&bot->rooms, chat_id);
    if (room != NULL)
        return room;
    struct chat *chat = world_chat(w, chat_id);
    if (chat == NULL)
        return NULL;
    room = MEM_NEW(struct room);
    room->chat = chat;
    const struct user *user = world_user(w, chat_id);
    room->started = user == NULL || user->started;
    put_id(&bot->rooms, chat_id, room);
    return room;
}

struct callback *world_callback(const struct world *w, const char *id)
{
    return map_get(&w->callbacks_by_id, id, strlen(id));
}

struct callback *world_add_callback(struct world *w, const char *id,
                                    int64_t from, int64_t chat_id,
                                    int64_t message_id, const char *data,
                                    double at)
{
    if (w->callbacks == NULL)
        w->callbacks = mem_zero(WORLD_CALLBACKS_MAX, sizeof(*w->callbacks));
    struct callback *c =
        &w->callbacks[w->callbacks_made++ % WORLD_CALLBACKS_MAX];
    if (c->id[0] != '\0')
        map_remove(&w->callbacks_by_id, c->id, strlen(c->id));
    json_decref(c->data);
    *c = (struct callback){.from = from, .chat_id = chat_id};
    c->message_id = message_id;
    c->at = at;
    c->data = json_string(data);
    snprintf(c->id, sizeof(c->id), "%s", id);
    map_put(&w->callbacks_by_id, c->id, strlen(c->id), c);
    return c;
}

json_t *callback_view(const struct callback *c)
{
    json_t *view = json_object();
    sim_set(view, "id", json_string(c->id));
    sim_set(view, "from", json_integer(c->from));
    sim_set(view, "chat_id", json_integer(c->chat_id));
    sim_set(view, "message_id", json_integer(c->message_id));
    json_object_set(view, "data", c->data);
    sim_set(view, "answered", json_boolean(c->answered));
    return view;
}

static void free_room(struct room *room)
{
    limits_chat_free(&room->limits);
    free(room->topics);
    for (size_t i = 0; i < room->count; i++)
        message_clear(&room->list[room->first + i]);
    free(room->list);
    free(room);
}

static void free_bot(struct bot *bot)
{
    size_t at = 0;
    const struct map_slot *slot;
    hook_clear(&bot->hook);
    long_poll_free(&bot->poll);
    queue_free(&bot->queue);
    while ((slot = map_each(&bot->rooms, &at)) != NULL)
        free_room(slot->value);
    map_free(&bot->rooms);
    at = 0;
    while ((slot = map_each(&bot->commands, &at)) != NULL)
        json_decref(slot->value);
    map_free(&bot->commands);
    json_decref(bot->user);
    free(bot);
}

static void free_chats(struct world *w)
{
    size_t at = 0;
    const struct map_slot *slot;
    while ((slot = map_each(&w->chats_by_id, &at)) != NULL) {
        struct chat *chat = slot->value;
        json_decref(chat->json);
        free(chat->members);
        free_ranked(chat);
        free(chat);
    }
    map_free(&w->chats_by_id);
    map_free(&w->chats_by_name);
    free(w->chats);
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->bots_count; i++)
        free_bot(w->bots[i]);
    free(w->bots);
    for (size_t i = 0; i < w->users_count; i++) {
        json_decref(w->users[i]->json);
        free(w->users[i]);
    }
    free(w->users);
    map_free(&w->users_by_id);
    free_chats(w);
    for (size_t i = 0; w->callbacks != NULL && i < WORLD_CALLBACKS_MAX; i++)
        json_decref(w->callbacks[i].data);
    free(w->callbacks);
    map_free(&w->callbacks_by_id);
}
