#ifndef MOONLET_APP_ERRORS_H
#define MOONLET_APP_ERRORS_H

/*
 * Errors of scripts, grouped in memory: one group for each kind, place and
 * message, whose numbers and quoted parts do not count. A group keeps how
 * often and when, and the whole of its last error. At most ERRORS_MAX groups;
 * the one longest unseen is dropped. Loop thread only.
 */

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define ERRORS_MAX 500

struct clock;
struct errors;
struct script_error;

/* Where an error happened besides its script and line. */
struct error_place {
    int64_t update_id; /* 0: not in the handler of an update */
    const char *lane;  /* NULL then */
    uint64_t generation;
};

struct errors *errors_new(const struct clock *clock);
void errors_free(struct errors *errors);

/* fields: what the script had to say, a JSON object; NULL: nothing. All
 * texts are copied, long ones cut. */
void errors_add(struct errors *errors, const struct script_error *error,
                const struct error_place *place, const char *fields);

/* The update whose code is on the loop now, borrowed; NULL: none. What a
 * script captures meanwhile belongs to it. */
void errors_on_loop(struct errors *errors, const struct error_place *place);
/* NULL: none. */
const struct error_place *errors_place(const struct errors *errors);

size_t errors_count(const struct errors *errors); /* groups */

/* Appends a JSON array of the groups, last seen first. */
void errors_put(const struct errors *errors, struct buf *out);

#endif
