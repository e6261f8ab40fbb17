#ifndef MOONLET_APP_ORDER_H
#define MOONLET_APP_ORDER_H

/*
 * The lane that a registration's `order` gives to an update (DESIGN section
 * 8): the scripts are asked when the update is put. Costs nothing while no
 * registration has an order.
 */

#include "base/json.h"

struct generation;
struct log;
struct update_head;

/* h has been read from the update. An error of the scripts is logged and
 * leaves the lane by kind. */
void order_choose(struct generation *g, struct log *log, struct jslice update,
                  struct update_head *h);

#endif
