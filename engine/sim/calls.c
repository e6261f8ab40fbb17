#include "sim/calls.h"

#include "base/buf.h"
#include "base/json.h"
#include "sim/call.h"
#include "sim/core.h"

#include <string.h>

void calls_init(struct calls *c)
{
    memset(c, 0, sizeof(*c));
    c->first = c->next = 1;
}

static void forget_oldest(struct calls *c)
{
    struct text **slot = &c->ring[c->first++ % CALLS_MAX];
    c->bytes -= (*slot)->len;
    text_unref(*slot);
    *slot = NULL;
}

void calls_free(struct calls *c)
{
    while (c->first < c->next)
        forget_oldest(c);
}

static void put_string(struct buf *b, const char *text)
{
    json_t *value = json_string(text);
    sim_dump(value, b);
    json_decref(value);
}

static bool is_get_updates(const struct call *call)
{
    return call->method != NULL &&
           strcmp(call->method->name, "getUpdates") == 0;
}

static void put_outcome(const struct call *call, struct buf *b)
{
    if (call->fault.mode != FAULT_NONE) {
        buf_puts(b, ",\"fault\":");
        put_string(b, fault_mode_name(call->fault.mode));
    }
    if (call->error != NULL) {
        buf_puts(b, ",\"error\":");
        put_string(b, call->error);
    } else if (is_get_updates(call) && call->shown.len > 0) {
        buf_puts(b, ",\"result\":");
        buf_append(b, call->shown.data, call->shown.len);
    } else if (call->result.len > 0) {
        buf_puts(b, ",\"result\":");
        buf_append(b, call->result.data, call->result.len);
    }
}

static void put_row(const struct call *call, int64_t n, int64_t repeated,
                    struct buf *b)
{
    buf_printf(b, "{\"n\":%lld,\"at\":%.3f,\"bot\":", (long long)n, call->at);
    if (call->bot != NULL)
        buf_int(b, call->bot->id);
    else
        buf_puts(b, "null");
    buf_puts(b, ",\"method\":");
    put_string(b,
               call->method != NULL ? call->method->name : call->method_name);
    buf_puts(b, ",\"params\":");
    params_to_json(&call->params, call->method, b);
    buf_printf(b, ",\"status\":%d,\"chat_id\":", call->status);
    if (call->chat_id != 0)
        buf_int(b, call->chat_id);
    else
        buf_puts(b, "null");
    put_outcome(call, b);
    if (call->is_reply)
        buf_puts(b, ",\"reply\":true");
    if (repeated > 0)
        buf_printf(b, ",\"repeated\":%lld", (long long)repeated);
    buf_putc(b, '}');
}

static void store(struct calls *c, int64_t n, struct text *row)
{
    c->ring[n % CALLS_MAX] = row;
    c->bytes += row->len;
}

/* One more empty getUpdates behind another: its row takes this one in. */
static void fold(struct calls *c, const struct call *call)
{
    struct buf b = {0};
    struct text **last = &c->ring[(c->next - 1) % CALLS_MAX];
    put_row(call, c->next - 1, ++c->repeated, &b);
    c->bytes -= (*last)->len;
    text_unref(*last);
    store(c, c->next - 1, text_new(b.data, b.len));
    buf_free(&b);
}

void calls_record(struct sim *sim, const struct call *call)
{
    struct calls *c = &sim->calls;
    bool empty =
        is_get_updates(call) && call->status == 200 && call->result.len == 2;
    if (empty && c->last_empty) {
        fold(c, call);
        return;
    }
    struct buf b = {0};
    put_row(call, c->next, 0, &b);
    struct text *row = text_new(b.data, b.len);
    buf_free(&b);
    while (c->next - c->first >= CALLS_MAX ||
           (c->bytes > CALLS_BYTES_MAX && c->first < c->next))
        forget_oldest(c);
    store(c, c->next++, row);
    c->last_empty = empty;
    c->repeated = 0;
    events_emit(&sim->events, "call", text_ref(row));
}

static bool is_of(const struct text *row, int64_t bot)
{
    int64_t id;
    const struct jslice json = {row->data, row->len};
    return bot == 0 || (js_int(js_get(json, "bot"), &id) && id == bot);
}

void calls_list(const struct calls *c, int64_t since, int64_t bot,
                struct buf *out)
{
    const size_t begin = out->len + 1;
    int64_t n = since < c->first  ? c->first
                : since < c->next ? since + 1
                                  : c->next;
    buf_putc(out, '[');
    for (; n < c->next; n++) {
        const struct text *row = c->ring[n % CALLS_MAX];
        if (!is_of(row, bot))
            continue;
        if (out->len > begin)
            buf_putc(out, ',');
        buf_append(out, row->data, row->len);
    }
    buf_putc(out, ']');
}
