#ifndef MOONLET_SIM_CALL_H
#define MOONLET_SIM_CALL_H

/*
 * One API call from its arrival to its answer. A handler returns the result
 * (a new reference), or NULL after call_fail; or it takes the call as its
 * own, and someone ends it later by call_end.
 */

#include "base/botapi.h"
#include "base/buf.h"
#include "base/list.h"
#include "loop/timer.h"
#include "sim/core.h"
#include "sim/params.h"

struct exchange;

struct call {
    struct sim *sim;
    struct bot *bot;    /* NULL: the token was refused */
    struct exchange *x; /* NULL: the caller is gone, or there is none */
    struct list link;
    const struct botapi_method *method; /* NULL: unknown */
    char *method_name;
    struct params params;
    struct room *room; /* of chat_id; NULL: none */
    int64_t chat_id;
    double at;
    struct fault fault;
    int status; /* 0: no answer was given */
    char *error;
    int64_t retry_after;
    int64_t migrate_to;      /* goes with an error; 0: nothing */
    size_t unsent;           /* messages that wait for their turn */
    struct buf result;       /* JSON text, if there is no error */
    const char *note;        /* description of a success; NULL: none */
    struct buf shown;        /* of getUpdates: the ids alone, for the record */
    struct content *content; /* the answer of a download; NULL: JSON */
    const char *content_type;
    uint64_t from;
    uint64_t len;
    bool is_part;
    struct timer timer;
    void (*after)(struct call *call); /* what the timer does */
    bool waiting;                     /* ends later */
    bool is_reply;                    /* came as a webhook's answer */
    bool answered;                    /* recorded; only the sending is left */
};

/* The handler of /botTOKEN/METHOD, a streamed route; arg: struct sim. */
void call_receive(struct exchange *x, void *arg);

/* A call that is no method, by its name: downloads. Without a bot if the
 * token is refused. To be ended by call_end. */
struct call *call_begin(struct sim *sim, struct exchange *x, const char *name,
                        const char *token);
/* False: a fault takes its place. */
bool call_pass_fault(struct call *c, const char *name);

/* Runs the call that a webhook has answered with: its parameter "method".
 * Nobody gets the result. Takes over the parameters. */
void call_reply(struct sim *sim, struct bot *bot, struct params *params);

/* Refuse the call. Return NULL, for the handler to pass on. */
json_t *call_fail(struct call *c, enum botapi_error error);
json_t *call_refuse(struct call *c, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same by 400 "Bad Request: TEXT". Returns false, for a check to pass on.
 */
bool call_refuse_request(struct call *c, const char *text);

/* Keeps the call open until call_end. `after` runs in ms milliseconds. */
void call_wait(struct call *c, uint64_t ms, void (*after)(struct call *c));
/* Sends and records what the call has now (status, result or error). */
void call_end(struct call *c);
/* call_end, in ms milliseconds. */
void call_end_later(struct call *c, uint64_t ms);

/* Executes the call and ends it, if the method does not make it wait. */
void call_perform(struct call *c);

/* A JSON parameter, decoded; NULL if absent or no JSON. New. */
json_t *call_json(const struct call *c, const char *name);

/* Takes the calls that are still open to their end, for sim_free. */
void calls_abort(struct sim *sim);

#endif
