#ifndef MOONLET_TELEGRAM_OUTCOME_H
#define MOONLET_TELEGRAM_OUTCOME_H

/*
 * What is known of a call once a try has ended: one class an ending. Pure;
 * what is done about a class is api.c's.
 */

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

struct http_response;

enum outcome {
    OUTCOME_DONE,     /* executed, and answered */
    OUTCOME_NOT_SENT, /* surely not executed */
    OUTCOME_TOLD,     /* not executed, and told to wait: 429 */
    OUTCOME_SERVER,   /* trouble of the server's; a double is possible */
    OUTCOME_REFUSED,  /* not executed, and never will be */
    OUTCOME_UNKNOWN,  /* may have been executed */
    OUTCOME_ENDED,    /* ended by ourselves: the same would come of it again */
};

/* "not sent", "429", "5xx", "unknown": the reason of a repeat. */
const char *outcome_name(enum outcome o);

/* No answer came: e is the transport's. */
enum outcome outcome_of_failure(const struct err *e);

/* An answer came. Fills e (code 0 for OUTCOME_DONE) and *answer, the whole
 * JSON of the body, which it borrows; absent if it is none. */
enum outcome outcome_of_answer(const struct http_response *r,
                               struct jslice *answer, struct err *e);

/* May the method be repeated after OUTCOME_UNKNOWN without anybody seeing a
 * second effect? By its name: not what sends, copies, creates, pays. */
bool outcome_may_repeat(const char *method);

#endif
