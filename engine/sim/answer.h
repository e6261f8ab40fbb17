#ifndef MOONLET_SIM_ANSWER_H
#define MOONLET_SIM_ANSWER_H

/*
 * Plausible objects of any documented type: every required field has a value
 * of its type; what the caller has given by the same name is taken over.
 */

#include <jansson.h>

struct call;

/* A new value of the first alternative of `types`, or of the one that
 * `given` fits (NULL: nothing is given). */
json_t *answer_build(struct call *c, const char *types, json_t *given);

/* The answer to a method that nobody has modelled. */
json_t *answer_any(struct call *c);

/* All parameters as one object. New. */
json_t *answer_params(const struct call *c);

#endif
