#ifndef MOONLET_TELEGRAM_API_H
#define MOONLET_TELEGRAM_API_H

/*
 * Calls any Bot API method by name. Each try waits for its turn
 * (telegram/limiter.h); what follows its end is by class
 * (telegram/outcome.h): what was not sent for sure and 5xx answers are
 * repeated with backoff, MAX_RETRIES times; a 429 is waited for as told, at
 * most 90 s in all; what may have happened is repeated only where nobody sees
 * a double. A chat that has another id is called by that one.
 */

#include "base/err.h"
#include "base/json.h"
#include "base/retry.h"
#include "loop/timer.h"
#include "net/http_client.h"
#include "telegram/limiter.h"

struct api;
struct buf;

struct api_options {
    const char *url; /* BOT_API_URL without a slash at its end */
    const char *token;
    uint64_t request_timeout_ms;
    uint64_t transfer_stall_ms; /* of uploads; 0: none */
    int max_retries;
    double backoff_base;
    struct limiter_options limiter;
    /* A chat has become a supergroup with another id; NULL: nobody asks. */
    void (*migrated)(void *arg, int64_t from, int64_t to);
    void *arg;
};

/* The body of a call that carries files, in place of JSON. */
struct api_upload {
    const char *content_type; /* multipart/form-data; boundary=... */
    size_t len;
    struct http_source *source;
    void (*rewind)(struct api_upload *u); /* before each try */
    /* The chat has another id; takes effect with the next rewind. NULL: the
     * call ends with the error. */
    void (*set_chat)(struct api_upload *u, int64_t chat);
};

/* What becomes of a call that may have been executed or not, if it is one
 * that is seen twice when it is repeated (outcome_may_repeat). */
enum api_on_unknown {
    API_UNKNOWN_DEFAULT, /* broadcasts: skip; else error */
    API_UNKNOWN_ERROR,   /* ends with ERR_UNKNOWN */
    API_UNKNOWN_RESEND,  /* is repeated, whatever the method */
    API_UNKNOWN_SKIP,    /* ends with ERR_UNKNOWN and `skipped` */
};

#define API_CHAT_MAX 48

/* One call; embedded by its owner. */
struct api_call {
    /* Set by the caller, borrowed until done or cancel. */
    const char *method;
    const char *params; /* a JSON object. Beside an upload, which is the body
                           then, they tell the limiter of chat and number of
                           messages (NULL: nothing) */
    size_t params_len;
    struct api_upload *upload; /* NULL: the parameters are the body. Else each
                                  try ends when no byte has moved for
                                  TRANSFER_STALL_TIMEOUT, and timeout_ms 0 is
                                  no limit */
    uint64_t timeout_ms;       /* of one try; 0: REQUEST_TIMEOUT */
    enum limiter_class class;
    enum api_on_unknown on_unknown;
    bool once; /* the first try is the last: the caller has its own repeats */
    /* e->code 0: `result` is the answer's "result". ERR_API: e->detail is
     * error_code, e->message the description. ERR_UNKNOWN also for a 2xx
     * whose body tells nothing. ERR_LIMIT: it would have waited for too long,
     * or the answer was too long. The slice borrows the call's response,
     * which api_call_free frees. */
    void (*done)(struct api_call *call, const struct err *e);
    /* --- */
    struct jslice result;
    bool skipped;
    struct http_call http;
    struct timer wait;
    struct api *api;
    char *url;
    struct limiter_ask ask;
    char chat[API_CHAT_MAX]; /* id or @name; "": none */
    struct retry retry;
    unsigned tries;
    bool migrated;
    char *own_params;    /* with the new id of the chat; NULL: as given */
    struct err *refusal; /* told in the next turn; NULL: none */
};

/* Borrows the client; copies the options. */
struct api *api_new(struct loop *loop, struct http_client *client,
                    const struct api_options *o);
/* All calls must have ended. */
void api_free(struct api *api);
int64_t api_bot_id(const struct api *api); /* the number before the colon */
/* For transfers that are no calls. */
struct limiter *api_limiter(const struct api *api);

void api_start(struct api *api, struct api_call *call);
void api_cancel(struct api_call *call); /* done is not called afterwards */
void api_call_free(struct api_call *call);

/* Appends a JSON object: the limiter's members, "repeats" by method and
 * reason, "unknown" by method. */
void api_put(const struct api *api, struct buf *b);

#endif
