#ifndef MOONLET_TELEGRAM_UPDATE_H
#define MOONLET_TELEGRAM_UPDATE_H

/*
 * The head of an update: its id, its kind and its lane, read from the JSON
 * without decoding the rest. Unknown kinds have a lane of their kind's name.
 */

#include "base/json.h"

#include <stdint.h>

#define UPDATE_LANE_MAX 96

struct update_head {
    int64_t update_id;
    char kind[48];
    char lane[UPDATE_LANE_MAX]; /* DESIGN section 8 */
};

/* 0, or -1 if the object has no integer update_id or no kind. */
int update_head_read(struct update_head *h, struct jslice update);

/* Another lane for a head that was read: that of its user (if it has none,
 * nothing changes), or one that no other update shares. */
void update_head_by_user(struct update_head *h, struct jslice update);
void update_head_alone(struct update_head *h);

#endif
