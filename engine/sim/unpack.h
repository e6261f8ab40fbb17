#ifndef MOONLET_SIM_UNPACK_H
#define MOONLET_SIM_UNPACK_H

/*
 * multipart/form-data in pieces of any size: tells of each part as it comes
 * and keeps nothing of a part's content. Knows no calls and no files.
 */

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define UNPACK_BOUNDARY_MAX 70
#define UNPACK_HEAD_MAX 65536
#define UNPACK_FILES_MAX 50

struct unpack_events {
    /* A part begins; file_name NULL: an ordinary value. Borrowed. */
    void (*begin)(void *arg, const char *name, const char *file_name);
    void (*data)(void *arg, const char *data, size_t len);
    void (*end)(void *arg);
};

enum unpack_state {
    UNPACK_PREAMBLE, /* before the first mark */
    UNPACK_MARK,     /* what stands behind a mark up to its line's end */
    UNPACK_HEAD,
    UNPACK_BODY,
    UNPACK_DONE,
};

struct unpack {
    const struct unpack_events *events;
    void *arg;
    enum unpack_state state;
    char mark[UNPACK_BOUNDARY_MAX + 4]; /* what stands before each part */
    size_t mark_len;
    size_t matched; /* bytes of the mark that came last */
    size_t phantom; /* of these, such as were never in the content */
    struct buf line;
    int files;
};

/* Owned by the caller until unpack_free. False: the type names no usable
 * boundary. */
bool unpack_init(struct unpack *m, const char *content_type,
                 const struct unpack_events *events, void *arg);
/* 0, or the HTTP status that ends the request: 400, or 413 for too many
 * files. */
int unpack_feed(struct unpack *m, const char *data, size_t len);
/* Whether the last mark was there. */
bool unpack_complete(const struct unpack *m);
void unpack_free(struct unpack *m);

#endif
