#ifndef MOONLET_SIM_SIZES_H
#define MOONLET_SIM_SIZES_H

#include <stdbool.h>

struct call;

/* How long texts and lists of a call may be, where that needs no message:
 * commands, answers to queries, invoices. False: refused. */
bool sizes_check(struct call *c);

#endif
