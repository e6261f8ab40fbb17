#include "sim/receiving.h"

#include "base/mem.h"
#include "net/routes.h"
#include "sim/core.h"
#include "sim/params.h"
#include "sim/parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SLICE 65536

struct receiving {
    struct sim *sim;
    struct exchange *x; /* NULL: over; only a write is still waited for */
    struct params *params;
    void (*done)(void *arg, int status);
    void *arg;
    struct list link;
    char *type;
    bool in_parts;
    bool refused; /* an encoded body */
    bool stalled; /* the peer waits until a write has ended */
    bool begun;   /* a byte of the body has come */
    bool ended;   /* there is no more */
    struct buf body;
    struct parts parts;
    struct parts_write *writing; /* NULL: none */
};

static void receiving_free(struct receiving *u)
{
    list_remove(&u->link);
    if (u->in_parts)
        parts_free(&u->parts);
    buf_free(&u->body);
    free(u->type);
    free(u);
}

/* A write that is on the pool keeps what it needs, and frees the rest. */
static void finish(struct receiving *u, int status)
{
    void (*done)(void *arg, int status) = u->done;
    void *arg = u->arg;
    exchange_on_gone(u->x, NULL, NULL);
    u->x = NULL;
    list_remove(&u->link);
    if (u->writing == NULL)
        receiving_free(u);
    done(arg, status);
}

static void gone(struct exchange *x, void *arg)
{
    (void)x;
    finish(arg, RECEIVING_GONE);
}

static bool is_over(const struct receiving *u)
{
    return u->params->too_large || u->params->disk_error != 0;
}

/* All of the body is there, and on the disk. */
static void conclude(struct receiving *u)
{
    int status = 0;
    if (u->in_parts)
        status = is_over(u) || !u->begun ? 0 : parts_end(&u->parts);
    else if (u->body.len > 0)
        status =
            params_parse_body(u->params, u->type, u->body.data, u->body.len);
    finish(u, status != 0 ? status : params_check(u->params));
}

static bool write_next(struct receiving *u);

/* Nothing is being written: more may come, or it is the end. */
static void go_on(struct receiving *u)
{
    if (u->ended || is_over(u)) {
        conclude(u);
    } else if (u->stalled) {
        u->stalled = false;
        exchange_resume(u->x);
    }
}

static void wrote(struct spool_write *w)
{
    struct parts_write *part = (struct parts_write *)(void *)w;
    struct receiving *u = part->owner;
    if (w->error != 0 && u->x != NULL)
        u->params->disk_error = w->error;
    parts_written(part);
    u->writing = NULL;
    if (u->x == NULL)
        receiving_free(u);
    else if (!write_next(u))
        go_on(u);
}

/* False: there is nothing to write. */
static bool write_next(struct receiving *u)
{
    u->writing = parts_next_write(&u->parts);
    if (u->writing == NULL)
        return false;
    u->writing->owner = u;
    u->writing->write.done = wrote;
    spool_write(u->sim->archive.spool, &u->writing->write);
    return true;
}

/* A body that is whole in memory, or not wanted. Returns an HTTP status that
 * ends the request, or 0. */
static int collect(struct receiving *u, const char *data, size_t len)
{
    if (!params_is_read(u->type))
        return 0;
    if (u->body.len + len > PARAMS_BYTES_MAX)
        return 413;
    buf_append(&u->body, data, len);
    return 0;
}

static size_t take(struct exchange *x, void *arg, const char *data, size_t len)
{
    struct receiving *u = arg;
    size_t taken = 0;
    int status = u->refused ? 415 : 0;
    (void)x;
    u->begun = true;
    u->stalled = false;
    if (status == 0 && !u->in_parts) {
        status = collect(u, data, len);
        taken = len;
    }
    while (status == 0 && u->writing == NULL && taken < len) {
        size_t slice = len - taken < SLICE ? len - taken : SLICE;
        status = parts_feed(&u->parts, data + taken, slice);
        taken += slice;
        if (status == 0 && is_over(u)) {
            conclude(u);
            return len;
        }
        if (status == 0)
            write_next(u);
    }
    if (status != 0) {
        finish(u, status);
        return len;
    }
    u->stalled = taken < len;
    return taken;
}

static void end(struct exchange *x, void *arg)
{
    struct receiving *u = arg;
    (void)x;
    u->ended = true;
    if (u->writing == NULL)
        conclude(u);
}

static const struct exchange_taker taker = {take, end};

static bool is_encoded(const struct exchange *x)
{
    const char *how = exchange_header(x, "Content-Encoding");
    return how != NULL && *how != '\0' && strcasecmp(how, "none") != 0 &&
           strcasecmp(how, "identity") != 0;
}

void receiving_start(struct sim *sim, struct exchange *x, struct params *p,
                     void (*done)(void *arg, int status), void *arg)
{
    struct receiving *u = MEM_NEW(struct receiving);
    const char *query = exchange_query(x);
    const char *type = exchange_header(x, "Content-Type");
    u->sim = sim;
    u->x = x;
    u->params = p;
    u->done = done;
    u->arg = arg;
    u->type = type != NULL ? mem_strdup(type) : NULL;
    u->refused = is_encoded(x);
    list_init(&u->link);
    list_push(&sim->receiving, &u->link);
    params_parse_pairs(p, query, strlen(query));
    exchange_on_gone(x, gone, u);
    u->in_parts = params_is_multipart(type);
    bool fine = !u->in_parts || parts_init(&u->parts, p, &sim->archive, type);
    if (fine)
        exchange_receive(x, &taker, u);
    else
        finish(u, 400);
}

void receivings_abort(struct sim *sim)
{
    struct list *link;
    while ((link = list_shift(&sim->receiving)) != NULL) {
        struct receiving *u = LIST_ENTRY(link, struct receiving, link);
        struct exchange *x = u->x;
        finish(u, RECEIVING_GONE);
        exchange_drop(x);
    }
}
