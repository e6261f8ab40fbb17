#ifndef MOONLET_CLI_QUESTION_H
#define MOONLET_CLI_QUESTION_H

/*
 * What a command asks of a DATA_DIR: one /api request, to the engine that
 * lives there, or in its folder of `moonlet play`, by its Unix socket; or, for
 * what an engine need not live, to the files. Blocks.
 */

#include "base/buf.h"
#include "base/json.h"
#include "cli/settings.h"

#include <stdint.h>

struct question {
    const char *method;
    const char *target; /* "/api/status" */
    uint64_t limit_ms;
    struct settings settings; /* owned; whose data folder is asked */
    bool is_play; /* the folder is that of `moonlet play`; set by the caller,
                   * or because only there an engine lives */
    int status;   /* of the answer, from here on */
    struct buf body;
    struct jslice answer; /* an object */
};

/* Each returns -1 if there is an answer, else says why not and returns the
 * exit code. */
int question_ask(struct question *q);        /* a live engine */
int question_ask_either(struct question *q); /* or the files of /api/dead */
void question_clear(struct question *q);     /* frees the settings too */

/* Parts of an answer; 0 and "" if absent. The text is owned, on one line and
 * without control characters. */
int64_t question_number(struct jslice object, const char *path);
char *question_text(struct jslice object, const char *path);

/* Says the answer's {"error": text} and returns the exit code. */
int question_refused(const struct question *q);

#endif
