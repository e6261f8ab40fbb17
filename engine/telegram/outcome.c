#include "telegram/outcome.h"

#include "base/buf.h"
#include "net/http_client.h"

#include <string.h>
#include <strings.h>

/* docs/ARCHITECTURE.md has these rows too; a law compares them. */
static const struct {
    int first;
    int last;
    enum outcome outcome;
    const char *remedy; /* of an answer that is not the Bot API's */
} statuses[] = {
    {200, 299, OUTCOME_UNKNOWN, NULL},
    {300, 399, OUTCOME_REFUSED,
     "redirects are not followed, BOT_API_URL must be the server's own "
     "address"},
    {400, 412, OUTCOME_REFUSED, NULL},
    {413, 413, OUTCOME_REFUSED, "the request is larger than the server takes"},
    {414, 414, OUTCOME_REFUSED, "the address is longer than the server takes"},
    {415, 428, OUTCOME_REFUSED, NULL},
    {429, 429, OUTCOME_TOLD, NULL},
    {430, 430, OUTCOME_REFUSED, NULL},
    {431, 431, OUTCOME_REFUSED,
     "the head of the request is larger than the server takes"},
    {432, 499, OUTCOME_REFUSED, NULL},
    {500, 599, OUTCOME_SERVER, NULL},
};

static const struct {
    enum err_code code;
    enum outcome outcome;
} failures[] = {
    {ERR_NOT_SENT, OUTCOME_NOT_SENT},
    {ERR_UNKNOWN, OUTCOME_UNKNOWN},
    {ERR_LIMIT, OUTCOME_ENDED},
    {ERR_IO, OUTCOME_ENDED},
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const char *outcome_name(enum outcome o)
{
    switch (o) {
    case OUTCOME_DONE:
        return "done";
    case OUTCOME_NOT_SENT:
        return "not sent";
    case OUTCOME_TOLD:
        return "429";
    case OUTCOME_SERVER:
        return "5xx";
    case OUTCOME_REFUSED:
        return "refused";
    case OUTCOME_UNKNOWN:
        return "unknown";
    case OUTCOME_ENDED:
        return "ended";
    }
    return "unknown";
}

enum outcome outcome_of_failure(const struct err *e)
{
    for (size_t i = 0; i < COUNT(failures); i++)
        if (failures[i].code == e->code)
            return failures[i].outcome;
    return OUTCOME_ENDED;
}

/* The row of a code; -1: there is none. */
static int row_of(int64_t code)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (code >= statuses[i].first && code <= statuses[i].last)
            return (int)i;
    return -1;
}

static enum outcome class_of(int row)
{
    return row < 0 ? OUTCOME_UNKNOWN : statuses[row].outcome;
}

/* The error_code decides, not the status that carries it, unless it is
 * none. */
static int64_t code_of(const struct http_response *r, struct jslice answer)
{
    int64_t code;
    if (js_int(js_get(answer, "error_code"), &code) && row_of(code) >= 0 &&
        class_of(row_of(code)) != OUTCOME_UNKNOWN)
        return code;
    return r->status;
}

static void describe(const struct http_response *r, struct jslice answer,
                     int row, struct buf *text)
{
    if (js_text(js_get(answer, "description"), text))
        return;
    buf_printf(text, "HTTP %d without a Bot API answer", r->status);
    if (row >= 0 && statuses[row].remedy)
        buf_printf(text, ": %s", statuses[row].remedy);
}

/* {"ok":false,"error_code":400,"description":"…","parameters":{…}} */
static enum outcome read_failure(const struct http_response *r,
                                 struct jslice answer, struct err *e)
{
    int64_t code = code_of(r, answer);
    double wait = r->retry_after;
    int row = row_of(code);
    enum outcome o = class_of(row);
    struct buf text = {0};

    describe(r, answer, row, &text);
    if (o == OUTCOME_UNKNOWN) {
        err_set(e, ERR_UNKNOWN, r->status, "%s", text.data ? text.data : "");
        buf_free(&text);
        return o;
    }
    js_double(js_path(answer, "parameters.retry_after"), &wait);
    err_set(e, ERR_API, (int)code, "%s", text.data ? text.data : "");
    e->retry_after = wait > 0 ? wait : 0;
    e->retryable = o == OUTCOME_TOLD || o == OUTCOME_SERVER;
    buf_free(&text);
    return o;
}

enum outcome outcome_of_answer(const struct http_response *r,
                               struct jslice *answer, struct err *e)
{
    const struct buf *body = &r->body;
    *answer = js_check(body->data ? body->data : "", body->len);
    err_set(e, ERR_OK, 0, "%s", "");
    if (r->status == 200 && js_bool(js_get(*answer, "ok"), false) &&
        js_get(*answer, "result").at)
        return OUTCOME_DONE;
    return read_failure(r, *answer, e);
}

bool outcome_may_repeat(const char *method)
{
    static const char *const seen[] = {
        "send",     "copy",    "forward", "post",   "repost", "create", "gift",
        "transfer", "upgrade", "convert", "refund", "export", "save",   "add",
    };
    if (strcasecmp(method, "sendChatAction") == 0)
        return true;
    for (size_t i = 0; i < COUNT(seen); i++)
        if (strncasecmp(method, seen[i], strlen(seen[i])) == 0)
            return false;
    return true;
}
