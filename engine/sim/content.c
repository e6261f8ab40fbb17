#include "sim/content.h"

#include "base/mem.h"
#include "net/routes.h"
#include "sim/spool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MADE_IN_MEMORY (1024 * 1024)
#define CUT_MAX 65536

static const char PATTERN[] = "0123456789abcdefghijklmnopqrstuvwxyz\n";

static struct content *content_new(void)
{
    struct content *c = MEM_NEW(struct content);
    c->refs = 1;
    c->slot = -1;
    return c;
}

struct content *content_in_memory(const char *data, size_t len)
{
    struct content *c = content_new();
    buf_append(&c->data, data, len);
    c->size = len;
    return c;
}

static void put_pattern(struct buf *b, size_t len)
{
    size_t each = sizeof(PATTERN) - 1;
    while (b->len < len)
        buf_append(b, PATTERN, len - b->len < each ? len - b->len : each);
}

struct content *content_spooled(struct spool *spool)
{
    int slot = spool_take(spool);
    if (slot < 0)
        return NULL;
    struct content *c = content_new();
    c->spool = spool;
    c->slot = slot;
    return c;
}

struct content *content_ref(struct content *c)
{
    c->refs++;
    return c;
}

void content_unref(struct content *c)
{
    if (c == NULL || --c->refs > 0)
        return;
    if (c->spool != NULL)
        spool_give(c->spool, c->slot);
    buf_free(&c->data);
    free(c);
}

struct made {
    struct spool_write write;
    struct content *content;
};

static void made_written(struct spool_write *w)
{
    struct made *made = LIST_ENTRY(w, struct made, write);
    content_unref(made->content);
    buf_free(&w->data);
    free(made);
}

/* What cannot be written reads as zeros, which is as good. */
static void write_head(struct content *c)
{
    struct made *made = MEM_NEW(struct made);
    made->content = content_ref(c);
    made->write.slot = c->slot;
    made->write.done = made_written;
    buf_append(&made->write.data, c->data.data, c->data.len);
    spool_write(c->spool, &made->write);
}

struct content *content_made(struct spool *spool, uint64_t size,
                             const void *head, size_t head_len)
{
    bool large = size > MADE_IN_MEMORY;
    struct content *c = large ? content_spooled(spool) : content_new();
    if (c == NULL)
        return NULL;
    c->size = size;
    if (head_len <= size)
        buf_append(&c->data, head, head_len);
    put_pattern(&c->data, large ? CONTENT_HEAD : (size_t)size);
    if (!large)
        return c;
    if (spool_extend(spool, c->slot, size)) {
        write_head(c);
        return c;
    }
    content_unref(c);
    return NULL;
}

const char *content_head(const struct content *c, size_t *len)
{
    *len = c->data.len;
    return c->data.len > 0 ? c->data.data : "";
}

/* The first bytes of a part of the file. A fault is rare enough to read on
 * the loop. */
static void read_part(const struct content *c, uint64_t from, size_t len,
                      char *out)
{
    int fd = c->spool != NULL ? spool_open(c->spool) : -1;
    memset(out, 0, len); /* beyond its end nothing is read */
    if (c->spool == NULL && len > 0)
        memcpy(out, c->data.data + from, len);
    else if (c->spool != NULL &&
             pread(fd, out, len, (off_t)(spool_offset(c->slot) + from)) < 0)
        memset(out, 0, len);
    if (fd >= 0)
        close(fd);
}

void content_reply(const struct content *c, struct exchange *x, int status,
                   const char *type, uint64_t from, uint64_t len, bool cut)
{
    if (cut) {
        char part[CUT_MAX];
        size_t half = len / 2 < CUT_MAX ? (size_t)len / 2 : CUT_MAX;
        read_part(c, from, half, part);
        exchange_reply_cut(x, status, type, part, half, len);
        return;
    }
    if (c->spool == NULL) {
        exchange_reply(x, status, type, len > 0 ? c->data.data + from : "",
                       (size_t)len);
        return;
    }
    int fd = spool_open(c->spool);
    if (fd < 0)
        exchange_drop(x);
    else
        exchange_reply_file(x, status, type, fd, spool_offset(c->slot) + from,
                            len);
}
