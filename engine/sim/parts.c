#include "sim/parts.h"

#include "base/mem.h"
#include "sim/archive.h"
#include "sim/content.h"
#include "sim/params.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void begin(void *arg, const char *name, const char *file_name)
{
    struct parts *s = arg;
    s->name = mem_strdup(name);
    s->file_name = file_name != NULL ? archive_clean_name(file_name) : NULL;
    s->size = 0;
}

/* Hands what has come on to be written. */
static void ask_to_write(struct parts *s)
{
    struct content *c = s->content;
    struct parts_write *w = MEM_NEW(struct parts_write);
    if (c->data.len < CONTENT_HEAD) {
        size_t more = CONTENT_HEAD - c->data.len;
        buf_append(&c->data, s->data.data,
                   s->data.len < more ? s->data.len : more);
    }
    w->content = content_ref(c);
    w->write.slot = c->slot;
    w->write.offset = c->written;
    w->write.data = s->data;
    c->written += s->data.len;
    c->size = c->written;
    s->data = (struct buf){0};
    list_init(&w->link);
    list_push(&s->writes, &w->link);
}

static void take_file(struct parts *s, const char *data, size_t len)
{
    struct params *p = s->params;
    s->size += len;
    if (s->size > ARCHIVE_UPLOAD_MAX)
        s->status = 413;
    else if (s->archive != NULL && s->size > (uint64_t)s->archive->upload_max)
        p->too_large = true;
    if (s->status != 0 || p->too_large || p->disk_error != 0)
        return;
    buf_append(&s->data, data, len);
    if (s->archive == NULL || s->data.len < PARTS_PIECE)
        return;
    if (s->content == NULL)
        s->content = content_spooled(s->archive->spool);
    if (s->content != NULL)
        ask_to_write(s);
    else
        p->disk_error = errno;
}

static void take(void *arg, const char *data, size_t len)
{
    struct parts *s = arg;
    if (s->file_name != NULL) {
        take_file(s, data, len);
        return;
    }
    s->values += len;
    if (s->values > PARAMS_BYTES_MAX)
        s->status = 413;
    else
        buf_append(&s->data, data, len);
}

static void drop_part(struct parts *s)
{
    content_unref(s->content);
    free(s->name);
    free(s->file_name);
    s->content = NULL;
    s->name = s->file_name = NULL;
    buf_clear(&s->data);
}

static void end(void *arg)
{
    struct parts *s = arg;
    const char *data = s->data.len > 0 ? s->data.data : "";
    if (s->file_name == NULL) {
        params_add(s->params, s->name, strlen(s->name), data, s->data.len,
                   false);
        drop_part(s);
        return;
    }
    if (s->content == NULL)
        s->content = content_in_memory(data, s->data.len);
    else if (s->data.len > 0)
        ask_to_write(s);
    params_add_file(s->params, s->name, s->file_name, s->content);
    s->content = NULL;
    drop_part(s);
}

bool parts_init(struct parts *s, struct params *p, struct archive *archive,
                const char *content_type)
{
    static const struct unpack_events events = {begin, take, end};
    *s = (struct parts){.params = p, .archive = archive};
    list_init(&s->writes);
    return unpack_init(&s->unpack, content_type, &events, s);
}

int parts_feed(struct parts *s, const char *data, size_t len)
{
    int status = unpack_feed(&s->unpack, data, len);
    return s->status != 0 ? s->status : status;
}

int parts_end(const struct parts *s)
{
    return unpack_complete(&s->unpack) ? 0 : 400;
}

struct parts_write *parts_next_write(struct parts *s)
{
    struct list *link = list_shift(&s->writes);
    return link != NULL ? LIST_ENTRY(link, struct parts_write, link) : NULL;
}

void parts_written(struct parts_write *w)
{
    content_unref(w->content);
    buf_free(&w->write.data);
    free(w);
}

void parts_free(struct parts *s)
{
    struct parts_write *w;
    while ((w = parts_next_write(s)) != NULL)
        parts_written(w);
    drop_part(s);
    buf_free(&s->data);
    unpack_free(&s->unpack);
}

int parts_parse(struct params *p, const char *content_type, const char *body,
                size_t len)
{
    struct parts s;
    int status = parts_init(&s, p, NULL, content_type) ? 0 : 400;
    if (status == 0)
        status = parts_feed(&s, body, len);
    if (status == 0)
        status = parts_end(&s);
    parts_free(&s);
    return status;
}
