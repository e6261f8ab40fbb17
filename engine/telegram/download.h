#ifndef MOONLET_TELEGRAM_DOWNLOAD_H
#define MOONLET_TELEGRAM_DOWNLOAD_H

/*
 * A file of Telegram's, streamed to disk: getFile, then its link. A transfer
 * that breaks off is gone on with where the server allows it, a link that has
 * expired is asked for once more. What is not whole leaves nothing behind,
 * and no text of an error holds the link, which holds the token. Loop thread
 * only.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/retry.h"
#include "loop/loop.h"
#include "loop/semaphore.h"
#include "loop/timer.h"
#include "net/http_client.h"
#include "telegram/api.h"
#include "telegram/file_body.h"

#define DOWNLOAD_TELEGRAM_MB 20 /* api.telegram.org gives no more */

struct file_reader;
struct transfers;

/* Embedded by its owner, zeroed but for what the caller sets. */
struct download {
    /* Set by the caller, borrowed until done or cancel. */
    struct transfers *transfers;
    const char *file_id;
    const char *folder; /* where to, below DATA_DIR/files; "": there */
    const char *as;     /* its name there; NULL: made of file_unique_id */
    const char *name;   /* what Telegram calls it, NULL: nothing; not to be
                           trusted */
    const char *mime;   /* the same */
    int64_t size;       /* the same; 0: not known */
    int64_t max_size;   /* bytes; 0: any */
    enum limiter_class class; /* of getFile */
    uint64_t timeout_ms;      /* of getFile, which may take long; the owner ends
                                 the whole */
    /* e->code 0: path and received are there. ERR_NOT_SENT (kind "http"): no
     * connection, wrong answers, a wrong length; `detail` is the status, if
     * there is one. ERR_LIMIT: too large, too many wait. ERR_IO: the disk.
     * Else what getFile's call ended with. */
    void (*done)(struct download *d, const struct err *e);
    /* --- */
    char *path;       /* below DATA_DIR/files */
    int64_t received; /* bytes */
    struct semaphore_waiter place;
    bool has_place;
    struct deferred later;
    struct api_call get_file;
    struct buf params;
    struct buf file_path; /* getFile's, the link's end */
    char *url;
    int64_t expected;       /* size by getFile; 0: not told */
    int64_t coming;         /* bytes that this answer announces; -1: none */
    bool asked_again;       /* for an expired link */
    struct retry tries;     /* after it broke off */
    struct limiter_ask ask; /* of each GET */
    struct http_call http;
    struct http_sink sink;
    struct http_header range;
    char range_text[40];
    struct file_body body;
    struct file_writer *writer;
    struct timer wait;
    struct file_reader *copied; /* a local server's own file */
    char *block;                /* what was read of it and is not written */
    size_t block_len, block_at;
    struct err error; /* what the sink has found */
};

void download_start(struct download *d);
void download_cancel(struct download *d); /* done is not called afterwards */
void download_free(struct download *d);

/* Bytes received, and in all (0: not known). */
int64_t download_progress(const struct download *d, int64_t *total);

#endif
