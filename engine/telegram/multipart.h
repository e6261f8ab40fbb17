#ifndef MOONLET_TELEGRAM_MULTIPART_H
#define MOONLET_TELEGRAM_MULTIPART_H

/*
 * The body of an API call that carries files (multipart/form-data), made
 * while it is sent: parameters first, then files, each either bytes or a
 * reader that is open. Its length is known beforehand. A file is never whole
 * in memory. Loop thread only.
 */

#include "base/json.h"
#include "store/file_stream.h"
#include "telegram/api.h"

struct multipart;
struct rng;

/* The boundary is drawn from the rng. Owned by the caller. */
struct multipart *multipart_new(struct rng *rng);
void multipart_free(struct multipart *m); /* NULL is allowed */

/* A parameter: the text of a JSON string, and the JSON text of anything
 * else. What the name must not hold in a header becomes "_", here and below:
 * quotes, backslashes, control characters, bytes that are no UTF-8. */
void multipart_param(struct multipart *m, const char *name, size_t name_len,
                     struct jslice value);
/* Borrows data or reader (the other is NULL). */
void multipart_bytes(struct multipart *m, const char *part,
                     const char *file_name, const char *data, size_t len);
void multipart_file(struct multipart *m, const char *part,
                    const char *file_name, struct file_reader *reader);

/* Nothing can be added any more. Borrowed from m; rewinding it begins at the
 * first byte again. `wake` (from the loop) says that a source which had to
 * wait can go on. */
struct api_upload *multipart_end(struct multipart *m, void (*wake)(void *arg),
                                 void *arg);

/* Bytes of files given out since the last rewind, and in all. */
int64_t multipart_sent(const struct multipart *m);
int64_t multipart_total(const struct multipart *m);
/* Why the source is broken; NULL: it is not. */
const struct err *multipart_error(const struct multipart *m);

/* Appends the name as it may stand between quotes in a header. */
void multipart_put_name(struct buf *out, const char *name, size_t len);

#endif
