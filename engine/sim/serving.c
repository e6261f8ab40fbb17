#include "sim/serving.h"

#include "sim/archive.h"
#include "sim/call.h"
#include "sim/content.h"
#include "sim/core.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct range {
    bool given;
    bool empty; /* nothing of the file is in it */
    uint64_t from;
    uint64_t len;
};

/* A number at *at; false: there is none. */
static bool number(const char **at, uint64_t *out)
{
    char *end = NULL;
    if (!isdigit((unsigned char)**at))
        return false;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

/* One range; several, or what is none, are passed over. */
static struct range read_range(const char *header, uint64_t size)
{
    struct range whole = {.len = size};
    struct range r = {.given = true};
    uint64_t to = 0;
    if (header == NULL || strncmp(header, "bytes=", 6) != 0)
        return whole;
    header += 6;
    bool from = number(&header, &r.from);
    if (*header++ != '-')
        return whole;
    bool until = number(&header, &to);
    if (*header != '\0' || (!from && !until) || (from && until && to < r.from))
        return whole;
    if (!from) {
        r.from = to < size ? size - to : 0;
        r.empty = to == 0 || size == 0;
        to = size;
    } else {
        r.empty = r.from >= size;
    }
    if (!r.empty)
        r.len = (until && to < size ? to + 1 : size) - r.from;
    return r;
}

/* Whoever opens the address in a browser gets no page of this server. */
static void add_headers(struct exchange *x, const struct file *file)
{
    exchange_add_header(x, "Accept-Ranges", "bytes");
    exchange_add_header(x, "X-Content-Type-Options", "nosniff");
    exchange_add_header(x, "Content-Security-Policy",
                        "default-src 'none'; sandbox");
    exchange_add_header(x, "Content-Disposition",
                        archive_is_picture(file) ? "inline" : "attachment");
}

static void add_range(struct exchange *x, const struct range *r, uint64_t size)
{
    struct buf text = {0};
    if (r->empty)
        buf_printf(&text, "bytes */%llu", (unsigned long long)size);
    else
        buf_printf(&text, "bytes %llu-%llu/%llu", (unsigned long long)r->from,
                   (unsigned long long)(r->from + r->len - 1),
                   (unsigned long long)size);
    exchange_add_header(x, "Content-Range", text.data);
    buf_free(&text);
}

/* Notes in the call what is to be answered. */
static void prepare(struct call *c, const struct file *file)
{
    const char *header = exchange_header(c->x, "Range");
    struct range r = read_range(header, file->content->size);
    if (header != NULL)
        params_add(&c->params, "range", 5, header, strlen(header), false);
    if (r.given)
        add_range(c->x, &r, file->content->size);
    if (r.empty) {
        call_refuse(c, 416, "Requested Range Not Satisfiable");
        return;
    }
    add_headers(c->x, file);
    c->content = content_ref(file->content);
    c->content_type = archive_type(file);
    c->from = r.from;
    c->len = r.len;
    c->is_part = r.given;
    c->status = r.given ? 206 : 200;
    buf_printf(&c->result, "{\"size\":%llu}", (unsigned long long)r.len);
}

/* Behind the token: in the test environment "test/" comes first. */
static const char *path_of(const struct exchange *x)
{
    const char *path = exchange_wildcard(x, 1);
    return strncmp(path, "test/", 5) == 0 ? path + 5 : path;
}

void serving_receive(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    const char *path = path_of(x);
    struct call *c = call_begin(sim, x, SERVING_METHOD,
                                exchange_wildcard(x, 0) + strlen("bot"));
    if (params_utf8_length(path, strlen(path)) >= 0)
        params_add(&c->params, "path", 4, path, strlen(path), false);
    if (c->error == NULL && call_pass_fault(c, SERVING_METHOD)) {
        const struct file *file =
            archive_linked(&sim->archive, path, c->bot->number);
        if (file == NULL || file->content == NULL)
            call_fail(c, BOTAPI_NOT_FOUND);
        else
            prepare(c, file);
    }
    call_end(c);
}

void serving_show(struct exchange *x, void *arg)
{
    struct sim *sim = arg;
    const char *id = exchange_wildcard(x, 0);
    const struct file *file = archive_any(&sim->archive, id);
    if (file == NULL || file->content == NULL) {
        exchange_fail(x, 404,
                      "there is no file %.80s, or its bytes have been "
                      "forgotten",
                      id);
        return;
    }
    uint64_t size = file->content->size;
    struct range r = read_range(exchange_header(x, "Range"), size);
    if (r.given)
        add_range(x, &r, size);
    if (r.empty) {
        exchange_fail(x, 416, "the file has %llu bytes",
                      (unsigned long long)size);
        return;
    }
    add_headers(x, file);
    content_reply(file->content, x, r.given ? 206 : 200, archive_type(file),
                  r.from, r.len, false);
}
