#ifndef MOONLET_TELEGRAM_FILE_IDS_H
#define MOONLET_TELEGRAM_FILE_IDS_H

/*
 * The file_ids of files that were uploaded, in memory: an unchanged file
 * (path, size, time of its last change) need not be sent again as the same
 * kind ("photo", "document") under the same name. The one that was used longest
 * ago is forgotten beyond FILE_IDS_MAX. Loop thread only.
 */

#include "store/file_stream.h"

#define FILE_IDS_MAX 1000

struct file_ids;

struct file_ids *file_ids_new(void);
void file_ids_free(struct file_ids *ids);

/* All borrowed. */
struct file_sent {
    const char *path;
    struct file_facts facts;
    const char *kind;
    const char *name;
};

/* NULL: not known. Good until the next call of any of these. */
const char *file_ids_get(struct file_ids *ids, const struct file_sent *sent);
/* Copies all; the text of file_id is `len` bytes. */
void file_ids_put(struct file_ids *ids, const struct file_sent *sent,
                  const char *file_id, size_t len);
void file_ids_forget(struct file_ids *ids, const struct file_sent *sent);

#endif
