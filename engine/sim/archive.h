#ifndef MOONLET_SIM_ARCHIVE_H
#define MOONLET_SIM_ARCHIVE_H

/*
 * The files that bots and people have sent. A file is for ever the same; its
 * id says for which bot, the unique id and the bytes are those of all bots.
 * Beyond the bounds the oldest bytes go first (name and size stay), and in
 * the end the oldest files themselves.
 */

#include "base/list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_MAX 20000
#define ARCHIVE_CONTENTS_MAX 1000
#define ARCHIVE_MEMORY_MAX (64u * 1024 * 1024)
#define ARCHIVE_DISK_MAX (UINT64_C(4) * 1024 * 1024 * 1024)
#define ARCHIVE_UPLOAD_MAX (INT64_C(4000) * 1024 * 1024)
#define ARCHIVE_UPLOAD_DEFAULT (INT64_C(2000) * 1024 * 1024)
#define ARCHIVE_LINK_MS (3600 * 1000)
#define ARCHIVE_NAME_MAX 64
#define ARCHIVE_EXTENSION_MAX 16

struct content;
struct sim;
struct spool;

struct file_kind {
    const char *key;    /* of Message and of send methods */
    const char *folder; /* of file_path */
    const char *prefix; /* of ids */
    const char *unique;
    const char *title;     /* as errors name it */
    const char *extension; /* where the name has none */
};

/* NULL: messages of that key hold no file. */
const struct file_kind *archive_kind(const char *key);

struct file_link {
    int64_t bot;       /* its number */
    uint64_t until_ms; /* by the loop's clock */
};

struct file {
    int64_t n;
    const struct file_kind *kind;
    char *name; /* NULL: none */
    int64_t size;
    int64_t width; /* 0: no picture */
    int64_t height;
    int64_t first; /* of the sizes of one photo, itself else */
    int64_t last;
    struct content *content; /* NULL: the bytes are forgotten */
    struct list link;        /* while it has them, by age */
    struct file_link *links; /* by which bots download it */
    size_t links_count;
};

struct archive {
    struct sim *sim;
    struct spool *spool;
    struct file *ring[ARCHIVE_MAX]; /* file n at n % ARCHIVE_MAX */
    int64_t next;                   /* n of the next file, from 1 */
    uint32_t salt; /* so that ids of another simulator are not taken for ours */
    struct list kept;
    size_t kept_count;
    uint64_t memory;
    uint64_t disk;
    int64_t upload_max;   /* bytes */
    int64_t download_max; /* 0: any */
};

void archive_init(struct archive *f, struct sim *sim);
void archive_free(struct archive *f);

/* What is known of a file that is to be added. */
struct file_facts {
    const struct file_kind *kind;
    const char *name;        /* NULL or "": none */
    struct content *content; /* borrowed */
    int64_t width;           /* 0: as the bytes say */
    int64_t height;
};

/* Adds it, a photo with its smaller sizes; returns the first of these. */
struct file *archive_add(struct archive *f, const struct file_facts *facts);

/* `bot` is the number of a bot: its id may still change.
 *
 * The file of that id if the bot may use it; NULL and *ours: the id is one of
 * this simulator's or looks so, but names nothing of this bot's. */
struct file *archive_find(struct archive *f, const char *file_id, int64_t bot,
                          bool *ours);
/* The same for any bot. */
struct file *archive_any(struct archive *f, const char *file_id);
struct file *archive_number(const struct archive *f,
                            int64_t n); /* NULL: none */

/* The members that a message shows of a file: file_id, file_name, ... */
void archive_describe(const struct archive *f, const struct file *file,
                      int64_t bot, json_t *out);
/* Opens the link for an hour; its path. New. */
char *archive_link(struct archive *f, struct file *file, int64_t bot);
/* The file of a path whose link is open; NULL: there is none. */
struct file *archive_linked(struct archive *f, const char *path, int64_t bot);

/* The MIME type that a name or the bytes say. */
const char *archive_type(const struct file *file);
/* Whether its bytes are those of a picture that a browser may show. */
bool archive_is_picture(const struct file *file);
/* As the server keeps the name of an upload: without folders, cut. New. */
char *archive_clean_name(const char *name);

#endif
