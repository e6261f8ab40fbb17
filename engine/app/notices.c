#include "app/notices.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "vm/generation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_text(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, ",\"%s\":", key);
    js_put_string(b, text, strlen(text));
}

static void put_int(struct buf *b, const char *key, int64_t value)
{
    buf_printf(b, ",\"%s\":%" PRId64, key, value);
}

static void put_error(struct buf *b, const struct script_error *e)
{
    put_text(b, "error_kind", e->kind);
    put_text(b, "message", e->message);
    put_text(b, "script", e->script);
    put_int(b, "line", e->line);
    put_text(b, "traceback", e->traceback);
}

static void tell(const struct notices *n, struct buf *b)
{
    buf_putc(b, '}');
    if (n->listener)
        n->listener(n->arg, b->data);
    buf_free(b);
}

void notices_reloaded(const struct notices *n, uint64_t generation,
                      int64_t took_ms)
{
    struct buf b = {0};
    LOG_AT(n->log, LOG_INFO, "scripts.loaded",
           LOG_I("generation", (int64_t)generation), LOG_I("ms", took_ms));
    buf_puts(&b, "{\"kind\":\"reload\"");
    put_int(&b, "generation", (int64_t)generation);
    put_int(&b, "ms", took_ms);
    tell(n, &b);
}

void notices_reload_failed(const struct notices *n,
                           const struct script_error *e, uint64_t generation)
{
    struct buf b = {0};
    LOG_AT(n->log, LOG_ERROR, "scripts.not_loaded", LOG_S("script", e->script),
           LOG_I("line", e->line), LOG_S("message", e->message),
           LOG_I("still_running", (int64_t)generation));
    buf_puts(&b, "{\"kind\":\"reload_failed\"");
    put_int(&b, "generation", (int64_t)generation);
    put_error(&b, e);
    tell(n, &b);
}

void notices_captured(const struct notices *n, const struct script_error *e,
                      int64_t update_id, const char *lane)
{
    struct buf b = {0};
    buf_puts(&b, "{\"kind\":\"error\"");
    put_error(&b, e);
    put_int(&b, "update_id", update_id);
    if (lane != NULL && strncmp(lane, "chat:", 5) == 0)
        put_int(&b, "chat_id", strtoll(lane + 5, NULL, 10));
    tell(n, &b);
}

void notices_error(const struct notices *n, const struct script_error *e,
                   int64_t update_id, const char *lane)
{
    LOG_AT(n->log, LOG_ERROR, "handler.error", LOG_S("script", e->script),
           LOG_I("line", e->line), LOG_S("kind", e->kind),
           LOG_S("message", e->message), LOG_I("update_id", update_id),
           LOG_S("lane", lane), LOG_S("traceback", e->traceback));
    notices_captured(n, e, update_id, lane);
}
