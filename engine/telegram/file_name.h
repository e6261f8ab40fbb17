#ifndef MOONLET_TELEGRAM_FILE_NAME_H
#define MOONLET_TELEGRAM_FILE_NAME_H

/*
 * Names for files that come from the network: there they are data, not
 * paths. Pure.
 */

#include "base/buf.h"

#define FILE_NAME_SHOWN_MAX 255 /* bytes */

/* Appends a name made of file_unique_id and the extension of the first of
 * the three that has one (any may be NULL): "AgADBAAD.pdf". Holds letters,
 * digits, "-", "_" and at most one "." only. */
void file_name_safe(struct buf *out, const char *unique_id,
                    const char *file_path, const char *name, const char *mime);

/* Appends the name as a person may see it: what is behind its last slash,
 * without control characters and what is no UTF-8. Nothing, if nothing is
 * left. */
void file_name_shown(struct buf *out, const char *name);

/* Appends a path as the end of a URL; false if it holds "..". */
bool file_name_url(struct buf *out, const char *path);

#endif
