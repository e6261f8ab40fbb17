#ifndef MOONLET_BINDINGS_HTTP_BODY_H
#define MOONLET_BINDINGS_HTTP_BODY_H

/*
 * Files below DATA_DIR/files as the bodies of one HTTP call: the body of its
 * request comes from one, that of its answer goes into another, which is
 * there only when it is whole. An answer without success does not get into
 * the file; its beginning stays in memory. Embedded by the call's owner.
 */

#include "net/http_client.h"
#include "telegram/file_body.h"

struct files;

#define HTTP_OTHER_MAX 65536

struct http_body {
    /* Set by the owner, borrowed until http_body_close. */
    struct http_client *client;
    struct http_call *call;
    struct files *files;
    const char *from; /* file_problem says NULL; NULL: none */
    const char *to;   /* the same */
    int64_t max;      /* bytes of `to` */
    /* Is called back as http_body_open and http_body_finish say. */
    void (*ready)(struct http_body *b, const struct err *e);
    /* --- */
    struct http_sink sink;
    struct http_source source;
    struct file_reader *reader;
    struct file_writer *writer;
    struct file_body taken;
    struct buf other; /* what came without success */
    bool success;     /* the answer's status */
    bool too_long;
};

/* Before http_start: sets source and sink of the call. True: it can start.
 * False: `ready` follows, with the reason why not in e->code. */
bool http_body_open(struct http_body *b);
/* The call has ended without an error. True: so has everything. False: the
 * file is being finished, `ready` follows. */
bool http_body_finish(struct http_body *b);
/* The call has ended with *e: says it better if it was because of a file. */
void http_body_explain(const struct http_body *b, struct err *e);
/* Bytes in the file `to`; -1: there is none of this call. */
int64_t http_body_size(const struct http_body *b);
/* At any time, after the call was cancelled or has ended, and again; of a file
 * that was not finished nothing is left. */
void http_body_close(struct http_body *b);

#endif
