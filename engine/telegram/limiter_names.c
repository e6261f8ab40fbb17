#include "telegram/limiter_internal.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX 24

/* A @name that an answer has shown to be a chat's. */
struct limiter_name {
    struct list link; /* in limiter.named, the last used at the end */
    char *name;
    char id[ID_MAX];
};

const char *limiter__id_of(struct limiter *l, const char *chat)
{
    struct limiter_name *n =
        *chat == '@' ? map_get(&l->names, chat, strlen(chat)) : NULL;
    if (!n)
        return chat;
    list_remove(&n->link);
    list_push(&l->named, &n->link);
    return n->id;
}

static void free_name(struct limiter_name *n)
{
    list_remove(&n->link);
    free(n->name);
    free(n);
}

static struct limiter_name *add_name(struct limiter *l, const char *name)
{
    struct limiter_name *n = MEM_NEW(struct limiter_name);
    list_init(&n->link);
    n->name = mem_strdup(name);
    map_put(&l->names, name, strlen(name), n);
    if (l->names.count <= LIMITER_NAMES_MAX)
        return n;
    struct limiter_name *oldest =
        LIST_ENTRY(l->named.next, struct limiter_name, link);
    map_remove(&l->names, oldest->name, strlen(oldest->name));
    free_name(oldest);
    return n;
}

/* False: that was known. */
static bool note_name(struct limiter *l, const char *name, const char *id)
{
    struct limiter_name *n = map_get(&l->names, name, strlen(name));
    if (n && strcmp(n->id, id) == 0)
        return false;
    if (!n)
        n = add_name(l, name);
    list_remove(&n->link);
    list_push(&l->named, &n->link);
    snprintf(n->id, sizeof n->id, "%s", id);
    return true;
}

void limiter__names_free(struct limiter *l)
{
    struct list *link;
    while ((link = list_shift(&l->named)))
        free_name(LIST_ENTRY(link, struct limiter_name, link));
    map_free(&l->names);
}

/* --- chats with two keys */

/* What is known of `from` holds for the chat of that id. NULL: it shares a
 * place with others. */
static struct limiter_chat *merge(struct limiter *l, struct limiter_chat *from,
                                  const char *id)
{
    const struct limiter_ask named = {.chat = id, .method = ""};
    struct limiter_chat *to = limiter__chat(l, &named);
    if (to == l->crowd || to == from)
        return NULL;
    pace_merge(&to->pace, &from->pace);
    to->put_off = true;
    timer_start(&to->timer, 0);
    return to;
}

/* Where it was noted may have been merged meanwhile. */
static void take_back(struct limiter_ask *a, struct limiter_chat *to)
{
    if (!pace_take_back(&limiter__home(a)->pace, &a->mark) && to)
        pace_take_back(&to->pace, &a->mark);
}

void limiter_migrate(struct limiter *l, struct limiter_ask *a, const char *from,
                     const char *to)
{
    struct limiter_chat *old = map_get(&l->by_key, from, strlen(from));
    if (strcmp(from, to) == 0)
        return;
    if (a->state == LIMITER_ACTIVE)
        take_back(a, map_get(&l->by_key, to, strlen(to)));
    if (!old)
        return;
    merge(l, old, to);
    timer_start(&old->timer, 0);
}

static void move_asks(struct limiter *l, struct limiter_chat *from,
                      struct limiter_chat *to)
{
    struct limiter_ask *a;
    for (int class = 0; class < LIMITER_CLASSES; class ++) {
        while ((a = limiter__first(&from->queue[class]))) {
            limiter__leave_queue(l, a);
            from->in_use--;
            a->at = to;
            to->in_use++;
            limiter__enter_queue(l, a);
        }
    }
}

void limiter_named(struct limiter *l, const char *name, int64_t id)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, id);
    if (!note_name(l, name, text))
        return;
    struct limiter_chat *from = map_get(&l->by_key, name, strlen(name));
    struct limiter_chat *to = from && !from->same ? merge(l, from, text) : NULL;
    if (!to)
        return;
    from->same = to;
    to->in_use++; /* for as long as `from` is there */
    from->pace = (struct pace){0};
    if (l->told_id == from->id)
        l->told_id = to->id;
    move_asks(l, from, to);
}
