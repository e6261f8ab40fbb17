#include "telegram/file_ids.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

struct entry {
    struct list link; /* the last is the one used last */
    struct buf key;
    char *file_id;
};

struct file_ids {
    struct map map;
    struct list used;
};

struct file_ids *file_ids_new(void)
{
    struct file_ids *ids = MEM_NEW(struct file_ids);
    list_init(&ids->used);
    return ids;
}

static void drop(struct file_ids *ids, struct entry *e)
{
    map_remove(&ids->map, e->key.data, e->key.len);
    list_remove(&e->link);
    buf_free(&e->key);
    free(e->file_id);
    free(e);
}

void file_ids_free(struct file_ids *ids)
{
    while (!list_empty(&ids->used))
        drop(ids, LIST_ENTRY(ids->used.next, struct entry, link));
    map_free(&ids->map);
    free(ids);
}

static struct buf key_of(const struct file_sent *sent)
{
    struct buf key = {0};
    buf_printf(&key, "%s %" PRId64 " %" PRId64 " %s", sent->kind,
               sent->facts.size, sent->facts.mtime_ns, sent->path);
    buf_putc(&key, '\0');
    buf_puts(&key, sent->name);
    return key;
}

static struct entry *find(struct file_ids *ids, const struct buf *key)
{
    return map_get(&ids->map, key->data, key->len);
}

const char *file_ids_get(struct file_ids *ids, const struct file_sent *sent)
{
    struct buf key = key_of(sent);
    struct entry *e = find(ids, &key);
    buf_free(&key);
    if (!e)
        return NULL;
    list_remove(&e->link);
    list_push(&ids->used, &e->link);
    return e->file_id;
}

void file_ids_forget(struct file_ids *ids, const struct file_sent *sent)
{
    struct buf key = key_of(sent);
    struct entry *e = find(ids, &key);
    buf_free(&key);
    if (e)
        drop(ids, e);
}

void file_ids_put(struct file_ids *ids, const struct file_sent *sent,
                  const char *file_id, size_t len)
{
    file_ids_forget(ids, sent);
    if (ids->map.count >= FILE_IDS_MAX)
        drop(ids, LIST_ENTRY(ids->used.next, struct entry, link));
    struct entry *e = MEM_NEW(struct entry);
    e->key = key_of(sent);
    e->file_id = mem_dup(file_id, len);
    list_push(&ids->used, &e->link);
    map_put(&ids->map, e->key.data, e->key.len, e);
}
