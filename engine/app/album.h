#ifndef MOONLET_APP_ALBUM_H
#define MOONLET_APP_ALBUM_H

/*
 * The messages of one media group of a lane while they are being collected.
 * Nothing marks the last one, so that an album is complete when no further
 * part has come for ALBUM_QUIET_MS, or at ALBUM_PARTS_MAX parts. Its parts
 * stay in the inbox until its handler has ended, each as an entry of its own.
 * A part that comes later begins an album of its own.
 */

#include "base/buf.h"
#include "loop/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALBUM_PARTS_MAX 10
#define ALBUM_QUIET_MS 1000
#define ALBUM_KEY_MAX 64

struct inbox_entry;
struct loop;

struct album {
    struct inbox_entry *parts[ALBUM_PARTS_MAX]; /* in order of arrival */
    size_t count;
    uint64_t last_ms; /* when the newest part was seen, by the loop's clock */
    struct timer quiet;
    void (*complete)(void *arg);
    void *arg;
    struct buf json;
    char key[ALBUM_KEY_MAX];
};

/* What parts of one album have in common; false: the entry is no new message
 * of a media group. */
bool album_key(const struct inbox_entry *entry, char key[ALBUM_KEY_MAX]);

/* `complete` comes from the loop, once album_watch has been called, and again
 * after each further album_watch. Owned by the caller. */
struct album *album_new(struct loop *loop, const char *key,
                        void (*complete)(void *arg), void *arg);
/* Takes an entry that belongs to the album, if it is not full. seen_ms: when
 * it came to this process. */
bool album_take(struct album *a, struct inbox_entry *entry, uint64_t seen_ms);
/* Waits for the end of the quiet, which may be over already. */
void album_watch(struct album *a);
void album_stop(struct album *a); /* `complete` does not come any more */

/* Its updates as a JSON list; good until album_free. */
const struct buf *album_json(struct album *a);
bool album_redelivered(const struct album *a); /* one of its parts is */

/* The parts are finished, released or someone else's by then. */
void album_free(struct album *a);

#endif
