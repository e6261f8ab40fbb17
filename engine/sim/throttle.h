#ifndef MOONLET_SIM_THROTTLE_H
#define MOONLET_SIM_THROTTLE_H

/*
 * Puts a call under the limits: which methods count, as how many messages,
 * and what becomes of a call that comes too fast.
 */

#include <stdbool.h>

struct call;

/* True: execute the call now. False: it was refused, or it waits and then
 * performs itself, whether or not the client is still there. */
bool throttle_pass(struct call *c);

#endif
