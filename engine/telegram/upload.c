#include "telegram/upload.h"

#include "base/mem.h"
#include "store/file_stream.h"
#include "telegram/file_ids.h"
#include "telegram/multipart.h"
#include "telegram/transfers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((int64_t)1 << 20)
#define PHOTO_MB 10 /* SERVER.md 7, as the next two */
#define TELEGRAM_MB 50
#define LOCAL_MB 2000

static void close_files(struct upload *u)
{
    for (size_t i = 0; i < u->count; i++) {
        struct upload_file *f = &u->files[i];
        file_reader_close(f->reader);
        free(f->file_id);
        free(f->part);
        f->reader = NULL;
        f->file_id = f->part = NULL;
    }
}

/* Everything but the answer. */
static void let_go(struct upload *u)
{
    chat_action_stop(&u->action);
    u->sent = upload_progress(u, &u->total);
    multipart_free(u->body);
    u->body = NULL;
    buf_free(&u->filled);
    close_files(u);
    if (u->has_place)
        semaphore_release(&u->transfers->places);
    u->has_place = false;
}

static int64_t size_of(const struct upload_file *f)
{
    return f->reader ? file_reader_facts(f->reader).size : (int64_t)f->len;
}

static void finish(struct upload *u, const struct err *e)
{
    struct err copy = *e;
    int64_t whole = 0;
    for (size_t i = 0; i < u->count; i++)
        whole += size_of(&u->files[i]);
    let_go(u);
    if (copy.code == ERR_OK)
        u->sent = u->total = whole;
    u->done(u, &copy);
}

static bool is_photo(const struct upload_file *f)
{
    return f->kind && strcmp(f->kind, "photo") == 0;
}

static int check_size(const struct upload *u, const struct upload_file *f,
                      struct err *e)
{
    bool telegram = u->transfers->is_telegram;
    int64_t mb = !telegram ? LOCAL_MB : is_photo(f) ? PHOTO_MB : TELEGRAM_MB;
    if (size_of(f) <= mb * MIB)
        return 0;
    return err_set(e, ERR_LIMIT, 0,
                   "%s has %.1f MB; %s takes a %s of at most %lld MB%s",
                   f->path ? f->path : f->name, (double)size_of(f) / MIB,
                   telegram ? "api.telegram.org" : "a Bot API server",
                   is_photo(f) ? "photo" : "file", (long long)mb,
                   telegram ? " (a server of your own: BOT_API_URL)" : "");
}

/* The file whose text is the first in that part of the parameters; NULL: there
 * is none. */
static struct upload_file *first_file(const struct upload *u, size_t from,
                                      size_t end)
{
    struct upload_file *first = NULL;
    for (size_t i = 0; i < u->count; i++) {
        struct upload_file *f = &u->files[i];
        if (f->at >= from && f->at < end && (!first || f->at < first->at))
            first = f;
    }
    return first;
}

/* Behind the text of the file. */
static size_t behind(const struct upload *u, const struct upload_file *f)
{
    const char *quote =
        memchr(u->params + f->at + 1, '"', u->params_len - f->at - 1);
    return (size_t)(quote + 1 - u->params);
}

/* That part of the parameters, with the file_ids that are known. */
static void fill(const struct upload *u, size_t from, size_t end,
                 struct buf *out)
{
    const struct upload_file *f;
    for (; (f = first_file(u, from, end)) != NULL; from = behind(u, f)) {
        size_t stop = f->file_id ? f->at : behind(u, f);
        buf_append(out, u->params + from, stop - from);
        if (f->file_id)
            js_put_string(out, f->file_id, strlen(f->file_id));
    }
    buf_append(out, u->params + from, end - from);
}

static struct file_sent sent_of(const struct upload_file *f)
{
    return (struct file_sent){
        .path = f->path,
        .facts = file_reader_facts(f->reader),
        .kind = f->kind,
        .name = f->name,
    };
}

/* A thumbnail goes with what is sent anew alone. */
static bool may_reuse(const struct upload *u)
{
    for (size_t i = 0; i < u->count; i++)
        if (!u->files[i].kind)
            return false;
    return true;
}

static void look_up(struct upload *u)
{
    bool may = may_reuse(u) && !u->again;
    u->reuses = false;
    for (size_t i = 0; i < u->count; i++) {
        struct upload_file *f = &u->files[i];
        const char *id = NULL;
        free(f->file_id);
        if (may && f->path) {
            struct file_sent sent = sent_of(f);
            id = file_ids_get(u->transfers->ids, &sent);
        }
        f->file_id = id ? mem_strdup(id) : NULL;
        u->reuses = u->reuses || id;
    }
}

static bool all_known(const struct upload *u)
{
    for (size_t i = 0; i < u->count; i++)
        if (!u->files[i].file_id)
            return false;
    return true;
}

static void on_wake(void *arg)
{
    struct upload *u = arg;
    http_resume(u->transfers->client, &u->call.http);
}

/* A parameter that is a file and nothing else is a part of its own name, as
 * the server wants it of some. */
static void add_param(struct upload *u, struct jslice key, struct jslice value)
{
    size_t at = (size_t)(value.at - u->params);
    struct upload_file *f = first_file(u, at, at + 1);
    struct buf filled = {0};
    if (f && !f->file_id) {
        free(f->part);
        f->part = mem_dup(key.at, key.len);
        return;
    }
    fill(u, at, at + value.len, &filled);
    multipart_param(u->body, key.at, key.len,
                    (struct jslice){filled.data, filled.len});
    buf_free(&filled);
}

static void add_file(struct upload *u, size_t n)
{
    const struct upload_file *f = &u->files[n];
    char own[32];
    snprintf(own, sizeof(own), "file%zu", n);
    const char *part = f->part ? f->part : own;
    if (f->reader)
        multipart_file(u->body, part, f->name, f->reader);
    else
        multipart_bytes(u->body, part, f->name, f->data, f->len);
}

static struct api_upload *make_body(struct upload *u)
{
    struct jslice params = js_check(u->params, u->params_len);
    struct jslice key, value;
    size_t cursor = 0;
    multipart_free(u->body);
    u->body = multipart_new(loop_rng(u->transfers->loop));
    while (js_each(params, &cursor, &key, &value))
        add_param(u, key, value);
    for (size_t i = 0; i < u->count; i++)
        if (!u->files[i].file_id)
            add_file(u, i);
    return multipart_end(u->body, on_wake, u);
}

static bool is_refused_id(const struct err *e)
{
    return e->code == ERR_API && e->detail == 400 &&
           (strstr(e->message, "wrong file identifier") ||
            strstr(e->message, "wrong file_id") ||
            strstr(e->message, "wrong remote file"));
}

static struct jslice message_of(const struct upload *u, int item)
{
    struct jslice message = u->call.result;
    size_t cursor = 0;
    for (int i = 0; i <= item; i++)
        if (!js_each(u->call.result, &cursor, NULL, &message))
            return (struct jslice){0};
    return message;
}

/* A photo is a list of sizes, the largest last. */
static struct jslice object_of(struct jslice message, const char *kind)
{
    struct jslice object = js_get(message, kind);
    struct jslice last = object;
    size_t cursor = 0;
    if (js_type(object) == JS_ARRAY)
        while (js_each(object, &cursor, NULL, &last))
            ;
    return last;
}

static void remember(const struct upload *u, const struct upload_file *f)
{
    struct jslice object = object_of(message_of(u, f->item), f->kind);
    struct buf id = {0};
    struct file_sent sent = sent_of(f);
    if (js_text(js_get(object, "file_id"), &id))
        file_ids_put(u->transfers->ids, &sent, id.data, id.len);
    buf_free(&id);
}

static void remember_all(const struct upload *u)
{
    for (size_t i = 0; may_reuse(u) && i < u->count; i++)
        if (u->files[i].path && !u->files[i].file_id)
            remember(u, &u->files[i]);
}

static void forget_all(const struct upload *u)
{
    for (size_t i = 0; i < u->count; i++) {
        if (!u->files[i].file_id)
            continue;
        struct file_sent sent = sent_of(&u->files[i]);
        file_ids_forget(u->transfers->ids, &sent);
    }
}

static void send_call(struct upload *u);

static void on_done(struct api_call *call, const struct err *e)
{
    struct upload *u = LIST_ENTRY(call, struct upload, call);
    const struct err *own = u->body ? multipart_error(u->body) : NULL;
    if (u->reuses && is_refused_id(e)) {
        forget_all(u);
        u->again = true;
        api_call_free(&u->call);
        send_call(u);
        return;
    }
    if (e->code == ERR_OK)
        remember_all(u);
    finish(u, e->code == ERR_IO && own ? own : e);
}

static void send_call(struct upload *u)
{
    look_up(u);
    buf_clear(&u->filled);
    fill(u, 0, u->params_len, &u->filled);
    u->call.method = u->method;
    u->call.params = u->filled.data;
    u->call.params_len = u->filled.len;
    u->call.upload = all_known(u) ? NULL : make_body(u);
    u->call.done = on_done;
    api_start(u->transfers->api, &u->call);
}

/* All are open, or have failed to. */
static void begin(struct upload *u)
{
    struct err e;
    for (size_t i = 0; i < u->count; i++) {
        struct upload_file *f = &u->files[i];
        if (f->reader && file_reader_error(f->reader)) {
            finish(u, file_reader_error(f->reader));
            return;
        }
        if (check_size(u, f, &e) != 0) {
            finish(u, &e);
            return;
        }
    }
    if (!u->quiet)
        chat_action_start(&u->action, u->transfers->loop, u->transfers->api,
                          u->method, js_check(u->params, u->params_len));
    send_call(u);
}

static void on_opened(void *arg)
{
    struct upload *u = arg;
    if (--u->opening == 0)
        begin(u);
}

static void on_turn(struct deferred *d)
{
    struct upload *u = LIST_ENTRY(d, struct upload, later);
    if (u->error.code != ERR_OK)
        finish(u, &u->error);
    else
        begin(u); /* there is nothing to open */
}

static void open_files(struct upload *u)
{
    u->has_place = true;
    for (size_t i = 0; i < u->count; i++) {
        struct upload_file *f = &u->files[i];
        if (!f->path)
            continue;
        u->opening++;
        f->reader =
            file_reader_open(u->transfers->files, f->path, false, on_opened, u);
    }
    if (u->opening == 0)
        loop_defer(u->transfers->loop, &u->later);
}

static void on_granted(struct semaphore_waiter *w)
{
    open_files(LIST_ENTRY(w, struct upload, place));
}

void upload_start(struct upload *u)
{
    u->place.granted = on_granted;
    deferred_init(&u->later, on_turn);
    switch (transfers_take(u->transfers, &u->place, &u->error)) {
    case SEMAPHORE_TAKEN:
        open_files(u);
        break;
    case SEMAPHORE_WAITS:
        break;
    case SEMAPHORE_FULL:
        loop_defer(u->transfers->loop, &u->later);
        break;
    }
}

void upload_cancel(struct upload *u)
{
    loop_undefer(&u->later);
    if (!u->has_place && u->error.code == ERR_OK)
        semaphore_leave(&u->transfers->places, &u->place);
    api_cancel(&u->call);
    let_go(u);
}

void upload_free(struct upload *u)
{
    api_call_free(&u->call);
}

int64_t upload_progress(const struct upload *u, int64_t *total)
{
    *total = u->body ? multipart_total(u->body) : u->total;
    return u->body ? multipart_sent(u->body) : u->sent;
}
