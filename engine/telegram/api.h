#ifndef MOONLET_TELEGRAM_API_H
#define MOONLET_TELEGRAM_API_H

/*
 * Calls any Bot API method by name with parameters as a JSON object. Repeats
 * a request only when the server has surely not executed it: connection
 * never made (MAX_RETRIES, backoff) and 429 (waits as told, at most 90 s in
 * all).
 */

#include "base/err.h"
#include "base/json.h"
#include "loop/timer.h"
#include "net/http_client.h"

struct api;

struct api_options {
    const char *url; /* BOT_API_URL without a slash at its end */
    const char *token;
    uint64_t request_timeout_ms;
    int max_retries;
    double backoff_base;
};

/* The body of a call that carries files, in place of JSON. */
struct api_upload {
    const char *content_type; /* multipart/form-data; boundary=... */
    size_t len;
    struct http_source *source;
    void (*rewind)(struct api_upload *u); /* before each try */
};

/* One call; embedded by its owner. */
struct api_call {
    /* Set by the caller, borrowed until done or cancel. */
    const char *method;
    const char *params; /* a JSON object */
    size_t params_len;
    struct api_upload *upload; /* NULL: the parameters are the body. Else each
                                  try ends when no byte has moved for
                                  TRANSFER_STALL_TIMEOUT, and timeout_ms 0 is
                                  no limit */
    uint64_t timeout_ms;       /* of one try; 0: REQUEST_TIMEOUT */
    /* e->code 0: `result` is the answer's "result". ERR_API: e->detail is
     * error_code, e->message the description. ERR_UNKNOWN also for a 2xx
     * whose body tells nothing. The slice borrows the call's
     * response, which api_call_free frees. */
    void (*done)(struct api_call *call, const struct err *e);
    /* --- */
    struct jslice result;
    struct http_call http;
    struct timer wait;
    struct api *api;
    char *url;
    unsigned tries;
    int64_t told_ms; /* waits that 429s asked for, in all */
};

/* Borrows the client; copies the options. */
struct api *api_new(struct loop *loop, struct http_client *client,
                    const struct api_options *o);
void api_free(struct api *api);
int64_t api_bot_id(const struct api *api); /* the number before the colon */

void api_start(struct api *api, struct api_call *call);
void api_cancel(struct api_call *call); /* done is not called afterwards */
void api_call_free(struct api_call *call);

#endif
