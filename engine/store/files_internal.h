#ifndef MOONLET_STORE_FILES_INTERNAL_H
#define MOONLET_STORE_FILES_INTERNAL_H

/*
 * What files.c (whole operations) and the streams (blocks of a file) share.
 */

#include "store/files.h"

struct files {
    struct loop *loop;
    char *folder;
    struct semaphore places;
    bool stages[FILES_AT_ONCE]; /* in use */
    struct semaphore turns;     /* of streams, see store/file_turn.h */
    uint64_t writers;           /* were made, for the names they work under */
};

#endif
