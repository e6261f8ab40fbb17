#include "sim/call.h"

#include "base/mem.h"
#include "net/routes.h"
#include "sim/access.h"
#include "sim/account.h"
#include "sim/content.h"
#include "sim/methods.h"
#include "sim/receiving.h"
#include "sim/sizes.h"
#include "sim/throttle.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOKEN_MAX 80
#define BOT_ID_MAX (INT64_C(1) << 54)

json_t *call_fail(struct call *c, enum botapi_error error)
{
    return call_refuse(c, botapi_errors[error].code, "%s",
                       botapi_errors[error].description);
}

json_t *call_refuse(struct call *c, int code, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    free(c->error);
    c->error = mem_strdup(text);
    c->status = code;
    return NULL;
}

bool call_refuse_request(struct call *c, const char *text)
{
    call_refuse(c, 400, "Bad Request: %s", text);
    return false;
}

json_t *call_json(const struct call *c, const char *name)
{
    const struct param *one = params_find(&c->params, name);
    if (one == NULL || one->len == 0)
        return NULL;
    return json_loadb(one->value, one->len, JSON_DECODE_ANY, NULL);
}

static void call_free(struct call *c)
{
    timer_stop(&c->timer);
    list_remove(&c->link);
    params_free(&c->params);
    content_unref(c->content);
    buf_free(&c->result);
    buf_free(&c->shown);
    free(c->method_name);
    free(c->error);
    free(c);
}

static void put_error(const struct call *c, struct buf *b)
{
    json_t *text = json_string(c->error);
    buf_printf(b,
               "{\"ok\":false,\"error_code\":%d,\"description\":", c->status);
    sim_dump(text, b);
    json_decref(text);
    if (c->retry_after > 0)
        buf_printf(b, ",\"parameters\":{\"retry_after\":%lld}",
                   (long long)c->retry_after);
    if (c->migrate_to != 0)
        buf_printf(b, ",\"parameters\":{\"migrate_to_chat_id\":%lld}",
                   (long long)c->migrate_to);
    buf_putc(b, '}');
}

static void put_result(const struct call *c, struct buf *b)
{
    buf_puts(b, "{\"ok\":true,\"result\":");
    buf_append(b, c->result.data, c->result.len);
    if (c->note != NULL)
        buf_printf(b, ",\"description\":\"%s\"", c->note);
    buf_putc(b, '}');
}

static void send_html(struct exchange *x)
{
    static const char page[] =
        "<html><head><title>502 Bad Gateway</title></head>\n"
        "<body><h1>502 Bad Gateway</h1></body></html>\n";
    exchange_reply(x, 502, "text/html", page, sizeof(page) - 1);
}

static void send_json(struct call *c)
{
    struct buf b = {0};
    char seconds[24];
    if (c->error != NULL)
        put_error(c, &b);
    else
        put_result(c, &b);
    snprintf(seconds, sizeof(seconds), "%lld", (long long)c->retry_after);
    if (c->retry_after > 0)
        exchange_add_header(c->x, "Retry-After", seconds);
    exchange_reply(c->x, c->status, "application/json", b.data, b.len);
    buf_free(&b);
}

static void send_answer(struct call *c)
{
    bool cut = c->fault.mode == FAULT_CUT_AFTER;
    if (c->x == NULL) {
        call_free(c);
        return;
    }
    exchange_on_gone(c->x, NULL, NULL);
    if (c->content != NULL && c->error == NULL)
        content_reply(c->content, c->x, c->is_part ? 206 : 200, c->content_type,
                      c->from, c->len, cut);
    else if (c->fault.mode == FAULT_CUT_BEFORE || cut)
        exchange_drop(c->x);
    else if (c->fault.mode == FAULT_502_HTML)
        send_html(c->x);
    else
        send_json(c);
    call_free(c);
}

static void fire(struct timer *t)
{
    struct call *c = LIST_ENTRY(t, struct call, timer);
    c->after(c);
}

/* What waits for its turn is sent all the same: the server has it. */
static void gone(struct exchange *x, void *arg)
{
    struct call *c = arg;
    (void)x;
    c->x = NULL;
    if (c->unsent > 0)
        return;
    if (c->bot != NULL)
        long_poll_forget(&c->bot->poll, c);
    c->status = 0;
    if (!c->answered)
        calls_record(c->sim, c);
    call_free(c);
}

void call_wait(struct call *c, uint64_t ms, void (*after)(struct call *c))
{
    c->waiting = true;
    c->after = after;
    list_remove(&c->link);
    list_push(&c->sim->open, &c->link);
    if (c->x != NULL)
        exchange_on_gone(c->x, gone, c);
    timer_start(&c->timer, ms);
}

void call_end(struct call *c)
{
    timer_stop(&c->timer);
    if (c->status == 0 && c->fault.mode != FAULT_CUT_BEFORE)
        c->status = 200;
    if (c->fault.mode == FAULT_CUT_AFTER || (c->x == NULL && !c->is_reply))
        c->status = 0;
    calls_record(c->sim, c);
    c->answered = true;
    if (c->fault.mode == FAULT_SLOW && c->x != NULL)
        call_wait(c, (uint64_t)(c->fault.seconds * 1000.0), send_answer);
    else
        send_answer(c);
}

void call_end_later(struct call *c, uint64_t ms)
{
    call_wait(c, ms, call_end);
}

void calls_abort(struct sim *sim)
{
    struct list *link;
    while ((link = list_shift(&sim->open))) {
        struct call *c = LIST_ENTRY(link, struct call, link);
        long_poll_forget(&c->bot->poll, c);
        c->fault.mode = FAULT_NONE;
        call_fail(c, BOTAPI_RESTART);
        send_answer(c);
    }
}

/* What the server says when a required parameter is absent or empty. Media
 * is asked for by its kind, everything else by name. */
static json_t *refuse_missing(struct call *c, const struct botapi_field *p)
{
    static const struct {
        const char *name;
        enum botapi_error error;
    } known[] = {
        {"chat_id", BOTAPI_CHAT_ID_EMPTY},
        {"text", BOTAPI_TEXT_EMPTY},
        {"message_id", BOTAPI_NO_MESSAGE_ID},
        {"message_ids", BOTAPI_NO_MESSAGE_IDS},
        {"file_id", BOTAPI_NO_FILE_ID},
        {"callback_query_id", BOTAPI_QUERY_TOO_OLD},
        {"action", BOTAPI_WRONG_ACTION},
    };
    if (strcmp(c->method->name, "deleteMessage") == 0 &&
        strcmp(p->name, "chat_id") == 0)
        return call_fail(c, BOTAPI_NO_CHAT_ID);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, p->name) == 0)
            return call_fail(c, known[i].error);
    if (strcmp(p->name, "user_id") == 0)
        return call_refuse(c, 400, "Bad Request: invalid user_id specified");
    if (botapi_has_type(p->types, "InputFile"))
        return call_refuse(c, 400, "Bad Request: there is no %s in the request",
                           p->name);
    return call_refuse(c, 400, "Bad Request: parameter \"%s\" is required",
                       p->name);
}

/* An empty url of setWebhook is no omission: it takes the webhook away. */
static const struct botapi_field *missing(const struct call *c)
{
    if (strcmp(c->method->name, "setWebhook") == 0)
        return NULL;
    for (size_t i = 0; i < c->method->params_count; i++) {
        const struct botapi_field *p = &c->method->params[i];
        if (p->required && !params_given(&c->params, p->name))
            return p;
    }
    return NULL;
}

static void execute(struct call *c)
{
    json_t *result = access_check(c) ? methods_run(c) : NULL;
    if (result != NULL)
        sim_dump(result, &c->result);
    json_decref(result);
}

void call_perform(struct call *c)
{
    execute(c);
    if (!c->waiting)
        call_end(c);
}

/* Also what needs no backend comes before the limits: a call that is wrong
 * in itself counts for nothing. */
static void begin(struct call *c)
{
    const struct botapi_field *absent = missing(c);
    if (absent != NULL)
        refuse_missing(c, absent);
    else if (access_check(c) && sizes_check(c) && throttle_pass(c))
        execute(c);
}

bool call_pass_fault(struct call *c, const char *name)
{
    c->fault = faults_take(&c->sim->faults, name, c->chat_id);
    switch (c->fault.mode) {
    case FAULT_429:
        c->retry_after = c->fault.retry_after;
        call_refuse(c, 429, "Too Many Requests: retry after %lld",
                    (long long)c->retry_after);
        return false;
    case FAULT_500:
        call_fail(c, BOTAPI_RESTART);
        return false;
    case FAULT_502_HTML:
        call_refuse(c, 502, "Bad Gateway");
        return false;
    case FAULT_REFUSED:
        call_refuse(c, c->fault.code, "%s", c->fault.description);
        return false;
    case FAULT_CUT_BEFORE:
        return false;
    case FAULT_NONE:
    case FAULT_CUT_AFTER:
    case FAULT_SLOW:
    case FAULT_DUPLICATE:
        return true;
    }
    return true;
}

/* Letters behind a number are passed over, as the server does. */
static void find_room(struct call *c)
{
    const char *text = params_text(&c->params, "chat_id");
    const struct world *w = &c->sim->world;
    if (*text == '@') {
        const struct chat *chat = world_chat_named(w, text + 1);
        c->chat_id = chat != NULL ? chat->id : 0;
    } else {
        c->chat_id = strtoll(text, NULL, 10);
    }
    if (c->chat_id != 0)
        c->room = bot_room(c->bot, w, c->chat_id);
}

static void run(struct call *c)
{
    c->method = botapi_method(c->method_name);
    if (!account_check(c))
        return;
    if (c->method == NULL) {
        call_fail(c, BOTAPI_METHOD_NOT_FOUND);
        return;
    }
    find_room(c);
    if (!call_pass_fault(c, c->method->name))
        return;
    if (c->params.too_large)
        call_refuse(c, 413, "Request Entity Too Large");
    else if (c->params.disk_error != 0)
        call_refuse(c, 500,
                    "Internal Server Error: a file cannot be kept in "
                    "$TMPDIR: %s",
                    strerror(c->params.disk_error));
    else
        begin(c);
}

/* False: refused. */
static bool read_token(struct call *c, const char *token, int64_t *id)
{
    const char *colon = strchr(token, ':');
    char *end = NULL;
    *id = strtoll(token, &end, 10);
    bool number =
        end == colon && (isdigit((unsigned char)*token) || *token == '-');
    bool in_range = *id > 0 && *id < BOT_ID_MAX;
    if (colon == NULL || *token == '0' || strlen(token) > TOKEN_MAX ||
        (number && !in_range))
        call_fail(c, BOTAPI_TOKEN_INVALID);
    else if (!number)
        call_fail(c, BOTAPI_TOKEN_UNALLOWED);
    return c->error == NULL;
}

static bool find_bot(struct call *c, const char *token)
{
    int64_t id = 0;
    if (!read_token(c, token, &id))
        return false;
    if (c->sim->token != NULL && strcmp(c->sim->token, token) != 0) {
        call_fail(c, BOTAPI_UNAUTHORIZED);
        return false;
    }
    c->bot = world_claim_bot(&c->sim->world, c->sim, id);
    if (c->bot == NULL)
        call_fail(c, BOTAPI_TOKEN_UNALLOWED);
    return c->bot != NULL;
}

static struct call *call_new(struct sim *sim, struct exchange *x)
{
    struct call *c = MEM_NEW(struct call);
    c->sim = sim;
    c->x = x;
    c->at = sim_now(sim);
    list_init(&c->link);
    timer_init(&c->timer, sim->loop, fire);
    return c;
}

/* What the path names: /botTOKEN/METHOD, /botTOKEN/test/METHOD, or nothing
 * behind the last slash, and then a parameter does. */
struct target {
    char *token; /* NULL: none of these */
    const char *method;
};

static struct target read_path(const char *path)
{
    const char *at = path + strlen("/bot");
    size_t len = strcspn(at, "/");
    const char *rest = at + len;
    if (strncmp(rest, "/test", 5) == 0)
        rest += 5;
    if (strncmp(path, "/bot", 4) != 0 || *rest != '/')
        return (struct target){0};
    return (struct target){.token = mem_dup(at, len), .method = rest + 1};
}

static void read_method(struct call *c, const char *name)
{
    if (*name == '\0')
        name = params_text(&c->params, "method");
    bool is_text = params_utf8_length(name, strlen(name)) >= 0;
    c->method_name = mem_strdup(is_text ? name : "?");
}

/* An error below the Bot API: no body, and the connection ends. */
static void refuse_request(struct exchange *x, int status)
{
    exchange_add_header(x, "Connection", "close");
    exchange_reply(x, status, NULL, "", 0);
}

static void take(struct call *c, const struct target *target)
{
    if (c->params.bad_text)
        call_refuse(c, 400, "Bad Request: strings must be encoded in UTF-8");
    else if (find_bot(c, target->token))
        run(c);
    if (!c->waiting)
        call_end(c);
}

/* The body is there. */
static void received(void *arg, int status)
{
    struct call *c = arg;
    if (status != 0) {
        if (status != RECEIVING_GONE)
            refuse_request(c->x, status);
        call_free(c);
        return;
    }
    struct target target = read_path(exchange_path(c->x));
    if (target.token == NULL) {
        call_fail(c, BOTAPI_NOT_FOUND);
        send_answer(c);
        return;
    }
    read_method(c, target.method);
    take(c, &target);
    free(target.token);
}

void call_receive(struct exchange *x, void *arg)
{
    const char *verb = exchange_method(x);
    if (strcmp(verb, "GET") != 0 && strcmp(verb, "POST") != 0) {
        refuse_request(x, 501);
        return;
    }
    struct call *c = call_new(arg, x);
    receiving_start(c->sim, x, &c->params, received, c);
}

struct call *call_begin(struct sim *sim, struct exchange *x, const char *name,
                        const char *token)
{
    struct call *c = call_new(sim, x);
    c->method_name = mem_strdup(name);
    if (find_bot(c, token))
        account_check(c);
    return c;
}

void call_reply(struct sim *sim, struct bot *bot, struct params *params)
{
    struct call *c = call_new(sim, NULL);
    c->is_reply = true;
    c->bot = bot;
    c->params = *params;
    *params = (struct params){0};
    c->method_name = mem_strdup(params_text(&c->params, "method"));
    run(c);
    if (!c->waiting)
        call_end(c);
}
