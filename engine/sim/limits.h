#ifndef MOONLET_SIM_LIMITS_H
#define MOONLET_SIM_LIMITS_H

/*
 * How fast a bot may send: so many messages a second over all chats, in one
 * chat, and in a group within any 60 seconds. What comes too fast waits a
 * few seconds unseen (latent), or is refused for a time that grows when the
 * bot does not keep to it. Knows no calls and no timers: it is told the time
 * and says what becomes of a call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_RATE_MAX 1000000
#define LIMITS_GROUP_MAX 1000
#define LIMITS_CHAT_BURST 3
#define LIMITS_PAID_RATE 1000
#define LIMITS_LATENT_MS 8000
#define LIMITS_UNSENT_MAX 310
#define LIMITS_UNSENT_RETRY_S 60
#define LIMITS_UNSENT_DELAY_MS 3000
#define LIMITS_RETRY_MAX_S 43200

struct limit_rates {
    double per_second;        /* over all chats of a bot; 0: any */
    double per_chat;          /* a second; 0: any */
    int64_t per_group_minute; /* 0: any */
    bool latent;
};

struct limits {
    bool chosen; /* else the defaults, latent */
    struct limit_rates rates;
    unsigned epoch; /* state of an older one is void */
    int64_t waiting;
    int64_t refused;
};

/* One bucket, and the refusal that it is under. Times in us of the loop. */
struct limit_gate {
    unsigned epoch;
    int64_t full_us;  /* when the bucket will be full again */
    int64_t until_us; /* refused until then */
    int64_t wait_us;  /* the last one that was asked for */
    int64_t grown_us; /* when that grew */
};

struct limit_bot {
    struct limit_gate free;
    struct limit_gate paid;
};

/* Zeroed at first; free with limits_chat_free. */
struct limit_chat {
    struct limit_gate gate;
    int64_t *sent; /* a ring of the last per_group_minute messages */
    size_t cap;
    size_t at;
    int64_t last_us; /* of the last message, which may be to come */
    size_t unsent;   /* messages that wait */
};

void limits_chat_free(struct limit_chat *c);

const struct limit_rates *limits_rates(const struct limits *l);
/* Buckets are full again and nobody is refused. */
void limits_set(struct limits *l, const struct limit_rates *rates);

enum limit_verdict { LIMIT_PASS, LIMIT_WAIT, LIMIT_REFUSE };

struct limit_ask {
    struct limit_bot *bot;
    struct limit_chat *chat; /* NULL: an inline message */
    bool group;
    bool paid;      /* allow_paid_broadcast */
    size_t count;   /* messages */
    int64_t now_us; /* by the loop's clock */
};

struct limit_answer {
    enum limit_verdict verdict;
    uint64_t ms;         /* LIMIT_WAIT: until it is sent; LIMIT_REFUSE: until
                            that is said */
    int64_t retry_after; /* seconds */
};

/* Counts the messages unless they are refused. A caller that is told to wait
 * counts itself in `unsent` and `waiting` meanwhile. */
struct limit_answer limits_take(struct limits *l, const struct limit_ask *ask);

/* Seconds until the gate lets something pass again, counted from now; 0: it
 * refuses nothing. */
int64_t limits_blocked(const struct limits *l, const struct limit_gate *gate,
                       int64_t now_us);

#endif
