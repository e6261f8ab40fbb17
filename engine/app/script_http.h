#ifndef MOONLET_APP_SCRIPT_HTTP_H
#define MOONLET_APP_SCRIPT_HTTP_H

/*
 * Requests below /x/, each of which is a task of the current generation: the
 * scripts say which routes there are and what they answer, this file keeps
 * the request until then. A task that ends without an answer is answered for
 * by how it ended. A peer that leaves ends nothing: what the handler does for
 * it is done. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_HTTP_RUNNING_MAX 256         /* requests at the same time */
#define SCRIPT_HTTP_BODY_MAX (1024u * 1024) /* of one: 413 */
#define SCRIPT_HTTP_BODIES_MAX (32u << 20)  /* of all that run: 503 */

struct errors;
struct exchange;
struct generation;
struct loop;
struct notices;
struct routes;
struct script_http;

struct script_http_options {
    const struct notices *notices; /* borrowed */
    struct errors *errors;         /* borrowed */
    uint64_t handler_timeout_ms;   /* then the answer is 504 */
    void (*idle)(void *arg); /* after script_http_stop: nothing runs any more */
    void *arg;
};

/* Copies the options. Owned by the caller. */
struct script_http *script_http_new(const struct script_http_options *o);
void script_http_mount(struct script_http *h, struct routes *routes);

/* Requests that come from now on run on this generation. */
void script_http_use(struct script_http *h, struct generation *g);

/* Further requests are answered 503; `idle` comes when the running ones have
 * ended, from the loop. */
void script_http_stop(struct script_http *h);
size_t script_http_running(const struct script_http *h);
/* Their time is over: they are answered 503 now and cancelled soon. */
void script_http_give_up(struct script_http *h);
/* A death: no request gets an answer any more. */
void script_http_kill(struct script_http *h);

/* Nothing may be running. */
void script_http_free(struct script_http *h);

/* For the running handler, which knows its request by the number in its
 * argument. The request's body; NULL: there is no such request, or it has
 * been answered. */
const char *script_http_body(struct script_http *h, uint64_t id, size_t *len);
/* The exchange, which the caller answers at once; NULL as above. */
struct exchange *script_http_take(struct script_http *h, uint64_t id);

#endif
