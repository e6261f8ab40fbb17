#ifndef MOONLET_SIM_CONTENT_H
#define MOONLET_SIM_CONTENT_H

/*
 * The bytes of one file: small ones in memory, others in a slot of the
 * spool. Shared by reference; loop thread only.
 */

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTENT_HEAD 32768 /* of a spooled one, kept for looking into */

struct exchange;
struct spool;

struct content {
    unsigned refs;
    uint64_t size;
    struct buf data;     /* in memory; of a spooled one its beginning */
    struct spool *spool; /* NULL: in memory */
    int slot;
    uint64_t written; /* bytes on the disk */
    unsigned kept;    /* files that have it */
};

/* New, with one reference. */
struct content *content_in_memory(const char *data, size_t len);
/* So many bytes: `head`, then a repeating pattern; of large ones zeros behind
 * the first of it, which take no room. NULL as content_spooled. */
struct content *content_made(struct spool *spool, uint64_t size,
                             const void *head, size_t head_len);
/* An empty one in the spool; NULL: there is no room, errno says why. */
struct content *content_spooled(struct spool *spool);

struct content *content_ref(struct content *c);
void content_unref(struct content *c); /* NULL: nothing */

/* Its first bytes. */
const char *content_head(const struct content *c, size_t *len);
/* Answers with `len` bytes from `from` on. cut: only half of them come, and
 * then the connection ends. */
void content_reply(const struct content *c, struct exchange *x, int status,
                   const char *type, uint64_t from, uint64_t len, bool cut);

#endif
