#include "app/album.h"

#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "store/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Edits of an album's messages are no part of it. */
static const char *const paths[] = {
    "message.media_group_id",
    "channel_post.media_group_id",
    "business_message.media_group_id",
    "guest_message.media_group_id",
};

bool album_key(const struct inbox_entry *entry, char key[ALBUM_KEY_MAX])
{
    const struct jslice update = {entry->body, entry->body_len};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct jslice id = js_path(update, paths[i]);
        if (js_type(id) != JS_STRING)
            continue;
        int n = snprintf(key, ALBUM_KEY_MAX, "%zu:%.*s", i, (int)id.len, id.at);
        return n > 0 && n < ALBUM_KEY_MAX;
    }
    return false;
}

static void on_quiet(struct timer *t)
{
    struct album *a = LIST_ENTRY(t, struct album, quiet);
    a->complete(a->arg);
}

struct album *album_new(struct loop *loop, const char *key,
                        void (*complete)(void *arg), void *arg)
{
    struct album *a = MEM_NEW(struct album);
    snprintf(a->key, sizeof a->key, "%s", key);
    a->complete = complete;
    a->arg = arg;
    timer_init(&a->quiet, loop, on_quiet);
    return a;
}

/* Entries may be read back from the file behind newer ones. */
static void insert(struct album *a, struct inbox_entry *entry)
{
    size_t at = a->count++;
    for (; at > 0 && a->parts[at - 1]->seq > entry->seq; at--)
        a->parts[at] = a->parts[at - 1];
    a->parts[at] = entry;
}

bool album_take(struct album *a, struct inbox_entry *entry, uint64_t seen_ms)
{
    char key[ALBUM_KEY_MAX];
    if (a->count == ALBUM_PARTS_MAX || !album_key(entry, key) ||
        strcmp(key, a->key) != 0)
        return false;
    insert(a, entry);
    if (seen_ms > a->last_ms)
        a->last_ms = seen_ms;
    return true;
}

void album_watch(struct album *a)
{
    uint64_t now = loop_now_ms(a->quiet.loop);
    uint64_t until = a->last_ms + ALBUM_QUIET_MS;
    bool over = a->count == ALBUM_PARTS_MAX || until <= now;
    timer_start(&a->quiet, over ? 0 : until - now);
}

void album_stop(struct album *a)
{
    timer_stop(&a->quiet);
}

const struct buf *album_json(struct album *a)
{
    if (a->json.len > 0)
        return &a->json;
    for (size_t i = 0; i < a->count; i++) {
        buf_putc(&a->json, i == 0 ? '[' : ',');
        buf_append(&a->json, a->parts[i]->body, a->parts[i]->body_len);
    }
    buf_putc(&a->json, ']');
    return &a->json;
}

bool album_redelivered(const struct album *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->parts[i]->redelivered)
            return true;
    return false;
}

void album_free(struct album *a)
{
    timer_stop(&a->quiet);
    buf_free(&a->json);
    free(a);
}
