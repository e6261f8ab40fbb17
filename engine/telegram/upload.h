#ifndef MOONLET_TELEGRAM_UPLOAD_H
#define MOONLET_TELEGRAM_UPLOAD_H

/*
 * An API call that carries files. It waits for a place, opens the files,
 * refuses what the server would not take, and streams the rest; what is
 * known by its file_id is not sent again. Loop thread only.
 */

#include "base/err.h"
#include "loop/loop.h"
#include "loop/semaphore.h"
#include "telegram/api.h"
#include "telegram/chat_action.h"

#define UPLOAD_FILES_MAX 50 /* of one request (SERVER.md 1) */

struct file_reader;
struct multipart;
struct transfers;

/* One file; all borrowed. In the parameters the text "attach://fileN" stands
 * in its place, N its number from 0. Another text may say the same: a person's
 * may say anything. */
struct upload_file {
    const char *path; /* below DATA_DIR/files; NULL: `data` */
    const char *data;
    size_t len;
    const char *name; /* as people see it */
    const char *kind; /* the result's field that has its file_id ("photo");
                         NULL: it is not remembered */
    size_t at;        /* in the parameters: where its text begins */
    int item;         /* which Message of an array; -1: the result is one */
    /* --- */
    struct upload *upload;
    struct file_reader *reader;
    char *file_id; /* known: this is sent */
    char *part;    /* its parameter, if it stands at the top */
};

/* Embedded by its owner. */
struct upload {
    /* Set by the caller, borrowed until done or cancel; of `call` what method,
     * params, upload and done do not say. */
    struct transfers *transfers;
    const char *method;
    const char *params; /* a JSON object */
    size_t params_len;
    struct upload_file *files;
    size_t count;
    bool quiet; /* without chat action */
    struct api_call call;
    /* As of api_call: call.result is good until upload_free. Besides: ERR_IO
     * (a file cannot be read, or changes meanwhile) and ERR_LIMIT (too
     * large, or too many transfers wait). */
    void (*done)(struct upload *u, const struct err *e);
    /* --- */
    struct semaphore_waiter place;
    bool has_place;
    size_t opening; /* files that are not open yet */
    struct multipart *body;
    struct buf filled; /* params with the known file_ids */
    bool reuses, again;
    int64_t sent, total; /* when it has ended */
    struct chat_action action;
    struct deferred later;
    struct err error;
};

void upload_start(struct upload *u);
void upload_cancel(struct upload *u); /* done is not called afterwards */
void upload_free(struct upload *u);

/* Bytes of files sent, and in all; 0 of 0 before it has begun. */
int64_t upload_progress(const struct upload *u, int64_t *total);

#endif
