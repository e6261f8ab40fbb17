#ifndef MOONLET_TELEGRAM_FILE_BODY_H
#define MOONLET_TELEGRAM_FILE_BODY_H

/*
 * A file as the body of an answer: what an http_sink does with a file_writer.
 * It is the owner's to call http_resume when the writer wakes it.
 */

#include "net/http_client.h"
#include "store/file_stream.h"

struct file_body {
    struct file_writer *writer; /* borrowed */
    size_t taken; /* of bytes that the transport will bring again */
};

/* The writer takes parts, a sink all or nothing. Returns what
 * http_sink.write does. For a new call `taken` is 0 again. */
int file_body_write(struct file_body *b, const char *data, size_t len);

#endif
