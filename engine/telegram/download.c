#include "telegram/download.h"

#include "base/log.h"
#include "base/mem.h"
#include "telegram/download_answer.h"
#include "telegram/file_name.h"
#include "telegram/transfers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BLOCK ((size_t)64 * 1024)
#define MIB ((int64_t)1 << 20)

static void fetch(struct download *d);

static void let_go(struct download *d)
{
    timer_stop(&d->wait);
    file_reader_close(d->copied);
    file_writer_close(d->writer);
    d->copied = NULL;
    d->writer = d->body.writer = NULL;
    free(d->block);
    d->block = NULL;
    if (d->has_place)
        semaphore_release(&d->transfers->places);
    d->has_place = false;
}

static void finish(struct download *d, const struct err *e)
{
    struct err copy = *e;
    if (d->writer)
        d->received = file_writer_size(d->writer);
    let_go(d);
    d->done(d, &copy);
}

static void on_written(void *arg)
{
    static const struct err none;
    struct download *d = arg;
    const struct err *e = file_writer_error(d->writer);
    finish(d, e ? e : &none);
}

/* What is known of the size: does anyone forbid it? */
static int check_size(const struct download *d, int64_t size, struct err *e)
{
    if (d->transfers->is_telegram && size > DOWNLOAD_TELEGRAM_MB * MIB)
        return err_set(e, ERR_LIMIT, 0,
                       "the file has %.1f MB; a download by api.telegram.org "
                       "takes %d MB at most",
                       (double)size / MIB, DOWNLOAD_TELEGRAM_MB);
    return download_check_max(d, size, e);
}

/* --- over http */

static void retry_later(struct download *d, const struct err *why)
{
    int64_t ms = retry_next(&d->tries, loop_rng(d->transfers->loop), why);
    struct err e = *why;
    if (ms < 0) {
        err_set(&e, ERR_NOT_SENT, why->detail,
                "the download did not succeed in %u tries: %s",
                d->tries.max + 1, why->message);
        finish(d, &e);
        return;
    }
    LOG_AT(loop_log(d->transfers->loop), LOG_WARN, "download.repeat",
           LOG_I("bytes", file_writer_size(d->writer)), LOG_I("wait_ms", ms),
           LOG_S("reason", why->message));
    timer_start(&d->wait, (uint64_t)ms);
}

static void on_wait_over(struct timer *t)
{
    fetch(LIST_ENTRY(t, struct download, wait));
}

static void ask_for_link(struct download *d);

static void on_answer(struct http_call *call, const struct err *transport)
{
    struct download *d = LIST_ENTRY(call, struct download, http);
    struct err e = *transport;
    limiter_end(api_limiter(d->transfers->api), &d->ask);
    if (file_writer_error(d->writer)) {
        finish(d, file_writer_error(d->writer));
        return;
    }
    switch (download_judge(d, &e)) {
    case DOWNLOAD_WHOLE:
        file_writer_finish(d->writer, on_written, d);
        break;
    case DOWNLOAD_AGAIN:
        retry_later(d, &e);
        break;
    case DOWNLOAD_EXPIRED:
        d->asked_again = true;
        ask_for_link(d);
        break;
    case DOWNLOAD_FAILED:
        finish(d, &e);
        break;
    }
}

static void on_writer_wake(void *arg)
{
    struct download *d = arg;
    http_resume(d->transfers->client, &d->http);
}

static void open_writer(struct download *d, void (*wake)(void *arg))
{
    if (!d->writer)
        d->writer = file_writer_new(d->transfers->files, d->path);
    file_writer_on_wake(d->writer, wake, d);
    d->body.writer = d->writer;
    d->body.taken = 0;
}

static void get(struct download *d)
{
    open_writer(d, on_writer_wake);
    int64_t from = file_writer_size(d->writer);
    snprintf(d->range_text, sizeof(d->range_text), "bytes=%" PRId64 "-", from);
    d->range = (struct http_header){"Range", d->range_text};
    d->error.code = ERR_OK;
    d->coming = -1;
    download_sink_init(d);
    http_call_free(&d->http);
    d->http = (struct http_call){
        .method = "GET",
        .url = d->url,
        .sink = &d->sink,
        .headers = &d->range,
        .headers_count = from > 0,
        .stall_ms = d->transfers->stall_ms,
        .keep_head = true,
        .done = on_answer,
    };
    http_start(d->transfers->client, &d->http);
}

static void on_turn(struct limiter_ask *ask, const struct err *e)
{
    struct download *d = LIST_ENTRY(ask, struct download, ask);
    if (e)
        finish(d, e);
    else
        get(d);
}

/* A connection of the client's, among those of the calls. */
static void fetch(struct download *d)
{
    struct err e;
    d->ask = (struct limiter_ask){
        .chat = "",
        .method = "file",
        .class = d->class,
        .transfer = true,
        .turn = on_turn,
    };
    switch (limiter_ask(api_limiter(d->transfers->api), &d->ask, &e)) {
    case LIMITER_GO:
        get(d);
        break;
    case LIMITER_WAIT:
        break;
    case LIMITER_REFUSED:
        finish(d, &e);
        break;
    }
}

static void fetch_link(struct download *d)
{
    struct buf url = {0};
    struct err e;
    const char *path = d->file_path.data;
    buf_puts(&url, d->transfers->file_url);
    if (!file_name_url(&url, path + (*path == '/'))) {
        buf_free(&url);
        err_set(&e, ERR_NOT_SENT, 0,
                "getFile gave a file_path that holds \"..\"");
        finish(d, &e);
        return;
    }
    free(d->url);
    d->url = buf_steal(&url);
    fetch(d);
}

/* --- from the disk of a Bot API server on this machine */

/* Its path holds the token: it is not named. */
static void fail_copy(struct download *d)
{
    struct err e;
    const struct err *why = file_reader_error(d->copied);
    err_errno(&e, why->detail, "the Bot API server's own file");
    finish(d, &e);
}

/* Moves on what was read. False: the writer has to catch up, or is broken. */
static bool write_block(struct download *d)
{
    ssize_t n = file_writer_take(d->writer, d->block + d->block_at,
                                 d->block_len - d->block_at);
    if (n < 0) {
        finish(d, file_writer_error(d->writer));
        return false;
    }
    d->block_at += (size_t)n;
    return d->block_at == d->block_len;
}

static void copy(void *arg)
{
    struct download *d = arg;
    while (d->block_at == d->block_len || write_block(d)) {
        ssize_t n = file_reader_read(d->copied, d->block, COPY_BLOCK);
        if (n == FILE_STREAM_WAIT)
            return;
        if (n == FILE_STREAM_BROKEN) {
            fail_copy(d);
            return;
        }
        if (n == 0) {
            file_writer_finish(d->writer, on_written, d);
            return;
        }
        d->block_len = (size_t)n;
        d->block_at = 0;
    }
}

/* Without that file here the server is another machine's. */
static void on_copied_open(void *arg)
{
    struct download *d = arg;
    struct err e;
    if (file_reader_error(d->copied)) {
        file_reader_close(d->copied);
        d->copied = NULL;
        fetch_link(d);
        return;
    }
    d->expected = file_reader_facts(d->copied).size;
    if (check_size(d, d->expected, &e) != 0) {
        finish(d, &e);
        return;
    }
    d->block = mem_alloc(COPY_BLOCK);
    open_writer(d, copy);
    file_reader_on_wake(d->copied, copy, d);
    copy(d);
}

/* --- getFile */

static void choose_path(struct download *d, struct jslice file)
{
    struct buf path = {0}, id = {0};
    if (*d->folder)
        buf_printf(&path, "%s/", d->folder);
    js_text(js_get(file, "file_unique_id"), &id);
    if (d->as)
        buf_puts(&path, d->as);
    else
        file_name_safe(&path, id.data ? id.data : "", d->file_path.data,
                       d->name, d->mime);
    free(d->path);
    d->path = buf_steal(&path);
    buf_free(&id);
}

static int read_file(struct download *d, struct jslice file, struct err *e)
{
    buf_clear(&d->file_path);
    if (!js_text(js_get(file, "file_path"), &d->file_path) ||
        d->file_path.len == 0)
        return err_set(e, ERR_NOT_SENT, 0,
                       "getFile gave no file_path: the server cannot hand "
                       "out this file");
    js_int(js_get(file, "file_size"), &d->expected);
    if (check_size(d, d->expected, e) != 0)
        return e->code;
    if (!d->path)
        choose_path(d, file);
    return 0;
}

static void on_file(struct api_call *call, const struct err *answer)
{
    struct download *d = LIST_ENTRY(call, struct download, get_file);
    struct err e = *answer;
    if (e.code == ERR_OK)
        read_file(d, call->result, &e);
    api_call_free(&d->get_file);
    if (e.code != ERR_OK) {
        finish(d, &e);
    } else if (!d->asked_again &&
               transfers_may_copy(d->transfers, d->file_path.data)) {
        d->copied = file_reader_open(d->transfers->files, d->file_path.data,
                                     true, on_copied_open, d);
    } else {
        fetch_link(d);
    }
}

static void ask_for_link(struct download *d)
{
    buf_clear(&d->params);
    buf_puts(&d->params, "{\"file_id\":");
    js_put_string(&d->params, d->file_id, strlen(d->file_id));
    buf_putc(&d->params, '}');
    d->get_file = (struct api_call){
        .method = "getFile",
        .params = d->params.data,
        .params_len = d->params.len,
        .timeout_ms = d->timeout_ms,
        .class = d->class,
        .done = on_file,
    };
    api_start(d->transfers->api, &d->get_file);
}

/* --- life */

static void begin(struct download *d)
{
    d->has_place = true;
    ask_for_link(d);
}

static void on_granted(struct semaphore_waiter *w)
{
    begin(LIST_ENTRY(w, struct download, place));
}

static void on_refused(struct deferred *later)
{
    struct download *d = LIST_ENTRY(later, struct download, later);
    finish(d, &d->error);
}

void download_start(struct download *d)
{
    struct transfers *t = d->transfers;
    d->place.granted = on_granted;
    d->tries = (struct retry){
        .max = t->max_retries, .base = t->backoff_base, .always = true};
    deferred_init(&d->later, on_refused);
    timer_init(&d->wait, t->loop, on_wait_over);
    if (check_size(d, d->size, &d->error) != 0) {
        loop_defer(t->loop, &d->later);
        return;
    }
    switch (transfers_take(t, &d->place, &d->error)) {
    case SEMAPHORE_TAKEN:
        begin(d);
        break;
    case SEMAPHORE_WAITS:
        break;
    case SEMAPHORE_FULL:
        loop_defer(t->loop, &d->later);
        break;
    }
}

void download_cancel(struct download *d)
{
    loop_undefer(&d->later);
    if (!d->has_place && d->error.code == ERR_OK)
        semaphore_leave(&d->transfers->places, &d->place);
    api_cancel(&d->get_file);
    http_cancel(d->transfers->client, &d->http);
    limiter_end(api_limiter(d->transfers->api), &d->ask);
    let_go(d);
}

void download_free(struct download *d)
{
    api_call_free(&d->get_file);
    http_call_free(&d->http);
    buf_free(&d->params);
    buf_free(&d->file_path);
    free(d->path);
    free(d->url);
}

int64_t download_progress(const struct download *d, int64_t *total)
{
    *total = d->expected > 0 ? d->expected : d->coming > 0 ? d->coming : 0;
    return d->writer ? file_writer_size(d->writer) : d->received;
}
