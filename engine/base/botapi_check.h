#ifndef MOONLET_BASE_BOTAPI_CHECK_H
#define MOONLET_BASE_BOTAPI_CHECK_H

/*
 * Looks at a call of the Bot API before it is made: do method and parameters
 * exist, is anything missing, can a value be of the type that is asked for.
 * Only what is certain is refused: the server takes numbers as text, text as
 * numbers and objects as JSON text. What lies within objects and lists is not
 * looked at.
 */

#include <stdbool.h>

struct botapi_method;
struct buf;
struct jslice;

/* The row of a method by its documented spelling. NULL: there is none, and
 * `why` (appended) says so and what may have been meant. */
const struct botapi_method *botapi_check_method(const char *name,
                                                struct buf *why);

/* `params` is a checked JSON object or list. False: `why` (appended) says what
 * is wrong, in one sentence that begins with the method. */
bool botapi_check_params(const struct botapi_method *m, struct jslice params,
                         struct buf *why);

#endif
