#ifndef MOONLET_SIM_RECEIVING_H
#define MOONLET_SIM_RECEIVING_H

/*
 * The parameters of a request while its body comes, of any size. No more of
 * a file is in memory than a piece of it; the peer waits while that is
 * written.
 */

struct exchange;
struct params;
struct sim;

#define RECEIVING_GONE                                                         \
    (-1) /* so has the peer, or the simulator ends: x too                      \
          */

/* Reads query and body into p, which is empty and stays the caller's. done:
 * once, with 0, an HTTP status that ends the request without a body, or
 * RECEIVING_GONE; perhaps before this returns. */
void receiving_start(struct sim *sim, struct exchange *x, struct params *p,
                     void (*done)(void *arg, int status), void *arg);
/* Ends all that are open, for sim_free. */
void receivings_abort(struct sim *sim);

#endif
