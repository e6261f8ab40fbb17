#ifndef MOONLET_APP_TIMERS_H
#define MOONLET_APP_TIMERS_H

/*
 * Rows of state that become due enter the inbox, in the lane that they name,
 * as an update {"due":{"kind","key","version","value"}} of source timer. A row
 * is marked as seen to once the inbox holds it: a death between the two puts
 * it twice, and whoever handles the second one finds another version.
 *
 * What became due while nobody ran waits for timers_open, so that updates
 * from before count first. Loop thread only.
 */

#include <stdbool.h>
#include <stdint.h>

#define TIMERS_AT_ONCE 100 /* rows; more only when these are stored */

struct inbox;
struct loop;
struct state;
struct timers;

struct timers *timers_new(struct loop *loop);
/* The parts that it works on, from now on; borrowed. */
void timers_use(struct timers *t, struct state *state, struct inbox *inbox);

/* A row is due at that time (Unix): state_options.due. */
void timers_due(void *timers, int64_t due_ms);
/* Some row became due before this process began. */
bool timers_late(const struct timers *t);

/* Telegram has nothing from before the start any more. */
void timers_open(struct timers *t);
/* It will have nothing in a while: a webhook's updates come by Telegram's
 * clock, after a failure at most two minutes later (SERVER.md 5). */
void timers_open_later(struct timers *t);
void timers_stop(struct timers *t);
void timers_free(struct timers *t);

#endif
