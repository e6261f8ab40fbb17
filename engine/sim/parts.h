#ifndef MOONLET_SIM_PARTS_H
#define MOONLET_SIM_PARTS_H

/*
 * The parts of a multipart body as parameters: values in memory, files in
 * memory while they are small, else by pieces into the spool. Starts no
 * write itself: whoever feeds it takes the writes that it asks for, one
 * after another, and feeds on when they have ended.
 */

#include "base/list.h"
#include "sim/spool.h"
#include "sim/unpack.h"

#include <stdint.h>

/* A file of this size begins to be written, and so much at a time. */
#define PARTS_PIECE (256 * 1024)

struct content;
struct archive;
struct params;

struct parts_write {
    struct spool_write write; /* first member */
    struct content *content;
    struct list link;
    void *owner; /* who waits for it */
};

struct parts {
    struct unpack unpack;
    struct params *params;
    struct archive *archive; /* NULL: all of it stays in memory */
    char *name;              /* of the part that is being read */
    char *file_name;
    struct buf data;         /* of it, not written yet */
    struct content *content; /* in the spool; NULL: not (yet) */
    uint64_t size;
    size_t values; /* bytes */
    int status;
    struct list writes;
};

/* False: the type names no usable boundary. Free it in any case. */
bool parts_init(struct parts *s, struct params *p, struct archive *archive,
                const char *content_type);
/* 0, or the HTTP status that ends the request. Stop when params->too_large
 * or disk_error is set. */
int parts_feed(struct parts *s, const char *data, size_t len);
/* 0, or 400: the end was not there. */
int parts_end(const struct parts *s);
/* The next write; to be freed by parts_written. NULL: there is none. */
struct parts_write *parts_next_write(struct parts *s);
void parts_written(struct parts_write *w);
void parts_free(struct parts *s);

/* A body that is whole; returns as parts_feed. */
int parts_parse(struct params *p, const char *content_type, const char *body,
                size_t len);

#endif
