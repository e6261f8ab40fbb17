#include "telegram/download_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "bytes 100-199/200": true if the body begins at `from` and the file has
 * `total` bytes (0: any), whose number is put into *total then. */
static bool continues(const struct http_response *r, int64_t from,
                      int64_t *total)
{
    static const char name[] = "\nContent-Range:";
    const char *at = r->head.data ? strcasestr(r->head.data, name + 1) : NULL;
    int64_t first, last, size;
    if (!at || (at != r->head.data && at[-1] != '\n'))
        return false;
    if (sscanf(at + sizeof(name) - 2, " bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64,
               &first, &last, &size) != 3)
        return false;
    if (first != from || size <= from || last != size - 1 ||
        (*total > 0 && size != *total))
        return false;
    *total = size;
    return true;
}

static bool is_page(const struct download *d, const struct http_response *r)
{
    const char *dot = strrchr(d->path, '.');
    if (dot && (strcmp(dot, ".html") == 0 || strcmp(dot, ".htm") == 0))
        return false;
    return strncasecmp(r->content_type, "text/html", 9) == 0;
}

/* The length of the whole file by this answer; -1: it does not say. */
static int64_t announced(struct download *d, const struct http_response *r)
{
    int64_t from = file_writer_size(d->writer);
    int64_t total = d->expected;
    if (r->status == 200) {
        if (from > 0)
            file_writer_restart(d->writer);
        return r->length;
    }
    if (from > 0 && continues(r, from, &total))
        return total;
    file_writer_restart(d->writer); /* begins anew with the next try */
    err_set(&d->error, ERR_UNKNOWN, r->status,
            "the server went on at another place than it was asked for");
    return -1;
}

int download_check_max(const struct download *d, int64_t size, struct err *e)
{
    if (d->max_size <= 0 || size <= d->max_size)
        return 0;
    return err_set(e, ERR_LIMIT, 0,
                   "the file has %" PRId64 " bytes, max_size is %" PRId64, size,
                   d->max_size);
}

static bool check_length(struct download *d)
{
    if (d->expected > 0 && d->coming >= 0 && d->coming != d->expected)
        err_set(&d->error, ERR_NOT_SENT, 0,
                "the server sends %" PRId64
                " bytes of a file that has %" PRId64,
                d->coming, d->expected);
    else
        download_check_max(d, d->coming, &d->error);
    return d->error.code == ERR_OK;
}

static bool sink_begin(struct http_sink *sink, const struct http_response *r)
{
    struct download *d = LIST_ENTRY(sink, struct download, sink);
    if (r->status != 200 && r->status != 206)
        return false;
    if (is_page(d, r)) {
        err_set(&d->error, ERR_NOT_SENT, r->status,
                "the server answered with a page (HTML) in place of the file");
        return false;
    }
    d->coming = announced(d, r);
    return d->error.code == ERR_OK && check_length(d);
}

/* Bytes that the file may have. */
static int64_t most(const struct download *d)
{
    if (d->expected > 0)
        return d->expected;
    if (d->coming >= 0)
        return d->coming;
    return d->max_size > 0 ? d->max_size : INT64_MAX;
}

static void refuse_more(struct download *d)
{
    if (d->expected <= 0 && d->coming < 0)
        err_set(&d->error, ERR_LIMIT, 0,
                "the file has more than the %" PRId64 " bytes of max_size",
                most(d));
    else
        err_set(&d->error, ERR_NOT_SENT, 0,
                "the server sends more than the %" PRId64 " bytes of the file",
                most(d));
}

static int sink_write(struct http_sink *sink, const char *data, size_t len)
{
    struct download *d = LIST_ENTRY(sink, struct download, sink);
    int64_t before = file_writer_size(d->writer) - (int64_t)d->body.taken;
    if (before + (int64_t)len > most(d)) {
        refuse_more(d);
        return HTTP_BROKEN;
    }
    return file_body_write(&d->body, data, len);
}

void download_sink_init(struct download *d)
{
    d->sink = (struct http_sink){.begin = sink_begin, .write = sink_write};
}

static bool is_whole(const struct download *d)
{
    int64_t size = file_writer_size(d->writer);
    return (d->expected <= 0 || size == d->expected) &&
           (d->coming < 0 || size == d->coming);
}

static enum download_verdict judge_status(struct download *d, struct err *e)
{
    int status = d->http.response.status;
    err_set(e, ERR_NOT_SENT, status,
            "the server answered HTTP %d in place "
            "of the file",
            status);
    switch (status) {
    case 401:
    case 403:
    case 404:
    case 410:
        return d->asked_again ? DOWNLOAD_FAILED : DOWNLOAD_EXPIRED;
    case 416: /* it was asked for what is behind its end */
        file_writer_restart(d->writer);
        return DOWNLOAD_AGAIN;
    case 408:
    case 429:
        e->retry_after = d->http.response.retry_after;
        return DOWNLOAD_AGAIN;
    default:
        return status >= 500 ? DOWNLOAD_AGAIN : DOWNLOAD_FAILED;
    }
}

enum download_verdict download_judge(struct download *d, struct err *e)
{
    int status = d->http.response.status;
    if (d->error.code != ERR_OK) {
        *e = d->error;
        return e->code == ERR_UNKNOWN ? DOWNLOAD_AGAIN : DOWNLOAD_FAILED;
    }
    if (e->code == ERR_NOT_SENT || e->code == ERR_UNKNOWN)
        return DOWNLOAD_AGAIN;
    if (e->code != ERR_OK)
        return DOWNLOAD_FAILED;
    if (status != 200 && status != 206)
        return judge_status(d, e);
    if (is_whole(d))
        return DOWNLOAD_WHOLE;
    err_set(e, ERR_UNKNOWN, 0,
            "the server ended after %" PRId64 " of %" PRId64 " bytes",
            file_writer_size(d->writer), most(d));
    return DOWNLOAD_AGAIN;
}
