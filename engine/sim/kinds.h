#ifndef MOONLET_SIM_KINDS_H
#define MOONLET_SIM_KINDS_H

/* What the server knows of each kind of update: how long it waits for the
 * bot, and which others it must not overtake on its way to a webhook. */

#include <jansson.h>
#include <stdint.h>

/* Seconds from its making; 86400 for kinds that nobody knows. */
int64_t kind_lifetime(const char *kind);

/* The queue of the payload: updates of one are posted one after the other.
 * 0: it has no other in its queue. */
int64_t kind_lane(const char *kind, const json_t *payload);

#endif
