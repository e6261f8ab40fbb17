#ifndef MOONLET_SIM_WORLD_H
#define MOONLET_SIM_WORLD_H

/*
 * The people, the chats and what each bot sees in them. Users and chats are
 * shared by all bots; messages are not: a room is one chat as one bot knows
 * it. Everything is owned by the world and lives as long as it.
 *
 * A message's JSON is never changed in place, so that updates and quotes may
 * share it: an edit replaces it by a changed copy.
 */

#include "base/map.h"
#include "sim/delivery.h"
#include "sim/limits.h"
#include "sim/long_poll.h"
#include "sim/queue.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_USERS_MAX 10000
#define WORLD_CHATS_MAX 10000
#define WORLD_BOTS_MAX 1000
#define WORLD_ROOM_MESSAGES_MAX 5000
#define WORLD_CHAT_RANKS_MAX 10000
#define WORLD_ROOM_TOPICS_MAX 1000
#define WORLD_MESSAGES_MAX 500000
#define WORLD_CALLBACKS_MAX 10000

enum chat_kind { CHAT_PRIVATE, CHAT_GROUP, CHAT_SUPERGROUP, CHAT_CHANNEL };

struct user {
    int64_t id;
    bool started; /* bots may write first */
    bool deleted; /* the account */
    json_t *json; /* User */
};

/* What a person is besides a member or not. */
enum chat_rank {
    RANK_NONE,
    RANK_ADMIN,
    RANK_KICKED,
    RANK_RESTRICTED,
    RANK_ASKING, /* to be let in */
};

struct ranked {
    int64_t user;
    enum chat_rank rank;
    json_t *permissions; /* ChatPermissions of RANK_RESTRICTED; else NULL */
    int64_t until;       /* Unix seconds, then the rank is none; 0: for ever */
};

struct chat {
    int64_t id;
    enum chat_kind kind;
    json_t *json; /* Chat */
    int64_t *members;
    size_t members_count;
    bool deleted;        /* a group that is no more */
    int64_t migrated_to; /* the supergroup that it is now; 0: none */
    struct ranked *ranked;
    size_t ranked_count;
};

struct topic {
    int64_t id;
    bool closed;
};

struct message {
    int64_t id;
    json_t *json;      /* Message as the Bot API shows it */
    json_t *keyboard;  /* reply keyboard sent with it; NULL: none */
    json_t *reactions; /* of the bot: Array of ReactionType; NULL: none */
    json_t *liked;     /* by people: user id -> Array of ReactionType */
    json_t *votes;     /* in its poll: user id -> indexes; NULL: none yet */
};

enum presence { PRESENCE_INSIDE, PRESENCE_LEFT, PRESENCE_KICKED };

struct room {
    struct chat *chat;
    struct message *list; /* ascending ids, from `first` on */
    size_t first;
    size_t count;
    size_t cap;
    int64_t last_id; /* supergroups and channels count for themselves */
    bool blocked;    /* by the user */
    bool started;
    enum presence presence; /* of the bot; a group or channel */
    uint32_t denied;        /* rights that it lacks, as in access.h */
    bool is_admin;          /* the bot, there */
    struct limit_chat limits;
    struct topic *topics;
    size_t topics_count;
};

struct bot {
    int64_t id;
    int64_t number; /* from 1, for ever */
    bool claimed;   /* somebody named its id; else it takes the first one */
    json_t *user;   /* User */
    struct map rooms;
    int64_t last_id;       /* message ids of private chats and groups */
    struct map commands;   /* scope and language -> {scope, language_code,
                              commands} */
    bool awake;            /* called, and not closed since */
    uint64_t out_until_ms; /* logged out, by the loop's clock */
    struct limit_bot limits;
    struct hook hook;
    struct queue queue;
    struct long_poll poll;
};

struct callback {
    char id[64];
    int64_t from;
    int64_t chat_id;
    int64_t message_id;
    double at; /* Unix seconds */
    json_t *data;
    bool answered;
};

struct world {
    struct map users_by_id;
    struct user **users; /* in order of creation */
    size_t users_count;
    struct map chats_by_id;
    struct map chats_by_name;
    struct chat **chats; /* no private ones */
    size_t chats_count;
    struct bot **bots;
    size_t bots_count;
    struct bot *current;        /* seen last */
    struct callback *callbacks; /* ring */
    int64_t callbacks_made;
    struct map callbacks_by_id;
    size_t messages; /* in all rooms */
};

void world_free(struct world *w);

struct user *world_user(const struct world *w, int64_t id);
/* Takes over json (a User with id). NULL if the world is full. */
struct user *world_add_user(struct world *w, json_t *json, bool started);
int64_t world_free_user_id(const struct world *w);

struct chat *world_chat(const struct world *w, int64_t id);
struct chat *world_chat_named(const struct world *w, const char *username);
/* Takes over json (a Chat with id); copies members. NULL: full. */
struct chat *world_add_chat(struct world *w, json_t *json, enum chat_kind kind,
                            const int64_t *members, size_t count);
int64_t world_free_chat_id(const struct world *w, enum chat_kind kind);
bool chat_has_member(const struct chat *chat, int64_t user);
void chat_add_member(struct chat *chat, int64_t user);
void chat_remove_member(struct chat *chat, int64_t user);

/* The rank that the person has at that time. */
enum chat_rank chat_rank(const struct chat *chat, int64_t user, double now);
/* NULL: no rank. */
const struct ranked *chat_ranked(const struct chat *chat, int64_t user,
                                 double now);
/* Nothing happens if WORLD_CHAT_RANKS_MAX people have a rank already. */
void chat_set_rank(struct chat *chat, int64_t user, enum chat_rank rank);
/* The same with the other fields; takes over the permissions. */
void chat_set_ranked(struct chat *chat, struct ranked ranked);
const char *chat_kind_name(enum chat_kind kind);
bool chat_kind_parse(const char *name, enum chat_kind *out);

/* Finds or makes the bot of that id. NULL: full. A bot that was made before
 * any token was seen becomes the first that comes. */
struct bot *world_claim_bot(struct world *w, struct sim *sim, int64_t id);
struct bot *world_make_bot(struct world *w, struct sim *sim, int64_t id);
struct bot *world_bot(const struct world *w, int64_t id);
/* The bot that control calls mean by default; made if there is none. */
struct bot *world_current_bot(struct world *w, struct sim *sim);

struct room *bot_room(struct bot *bot, const struct world *w, int64_t chat_id);
/* The same, unless the bot has had nothing to do with the chat yet. */
struct room *bot_known_room(const struct bot *bot, int64_t chat_id);

/* A Message with id, chat and date set, not stored yet. */
json_t *room_draft(struct bot *bot, struct room *room, int64_t date);
/* Stores it; takes over json and keyboard. Forgets the oldest beyond the
 * bounds. The result is good until the room changes. */
struct message *room_add(struct world *w, struct bot *bot, struct room *room,
                         json_t *json, json_t *keyboard);
struct message *room_find(const struct room *room, int64_t id);
struct message *room_last(const struct room *room); /* NULL: empty */
void room_delete(struct world *w, struct room *room, int64_t id);
/* Replaces a message by a changed copy, which is taken over. */
void message_replace(struct message *m, json_t *json);
/* What people see: the message with its keyboard, `buttons`, `reactions` and
 * `votes`. New. */
json_t *message_view(const struct message *m);
/* Gives up what it holds. */
void message_clear(struct message *m);

struct callback *world_add_callback(struct world *w, const char *id,
                                    int64_t from, int64_t chat_id,
                                    int64_t message_id, const char *data,
                                    double at);
struct callback *world_callback(const struct world *w, const char *id);
json_t *callback_view(const struct callback *c); /* new */

#endif
