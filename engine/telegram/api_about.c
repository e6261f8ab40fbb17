#include "telegram/api_about.h"

#include "base/botapi.h"
#include "base/buf.h"
#include "telegram/api.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_key(struct jslice key, const char *name)
{
    return key.len == strlen(name) && memcmp(key.at, name, key.len) == 0;
}

/* "-100123", -100123 and "@Name": one chat, one text. */
static void read_chat(struct api_call *call, struct jslice value)
{
    struct buf text = {0};
    int64_t id;
    if (js_int(value, &id)) {
        snprintf(call->chat, sizeof call->chat, "%" PRId64, id);
        return;
    }
    if (js_text(value, &text) && text.len > 0)
        snprintf(call->chat, sizeof call->chat, "%s", text.data);
    for (char *c = call->chat; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    buf_free(&text);
}

static unsigned count_of(struct jslice list)
{
    size_t cursor = 0;
    unsigned count = 0;
    struct jslice value;
    while (js_type(list) == JS_ARRAY && js_each(list, &cursor, NULL, &value))
        count++;
    return count > 0 ? count : 1;
}

/* A method that is newer than the tables is what its name says. */
static bool is_message(const struct botapi_method *m, const char *name)
{
    if (m)
        return botapi_is_message(m);
    return strncasecmp(name, "send", 4) == 0 ||
           strncasecmp(name, "edit", 4) == 0;
}

/* Whoever is answered has asked. */
static bool is_answer(const char *method)
{
    return strncasecmp(method, "answer", 6) == 0;
}

void api_about(struct api_call *call)
{
    const struct botapi_method *m = botapi_method(call->method);
    struct limiter_ask *ask = &call->ask;
    const struct jslice params = {call->params,
                                  call->params ? call->params_len : 0};
    const char *list = m ? botapi_message_list(m) : NULL;
    size_t cursor = 0;
    struct jslice key, value;

    call->chat[0] = '\0';
    ask->messages = is_message(m, call->method);
    if (is_answer(call->method))
        ask->class = LIMITER_REPLY;
    while (params.at && js_each(params, &cursor, &key, &value)) {
        if (is_key(key, "chat_id"))
            read_chat(call, value);
        else if (is_key(key, "allow_paid_broadcast"))
            ask->paid = js_bool(value, false);
        else if (ask->messages > 0 && list && is_key(key, list))
            ask->messages = count_of(value);
    }
}

char *api_about_move(const char *params, size_t len, int64_t chat)
{
    struct jslice old = js_get((struct jslice){params, len}, "chat_id");
    struct buf b = {0};
    if (!old.at)
        return NULL;
    buf_append(&b, params, (size_t)(old.at - params));
    buf_printf(&b, "%" PRId64, chat);
    const char *rest = old.at + old.len;
    buf_append(&b, rest, (size_t)(params + len - rest));
    return buf_steal(&b);
}
