#ifndef MOONLET_APP_ADMINS_H
#define MOONLET_APP_ADMINS_H

/*
 * Tells the people of ADMIN_IDS by a message of the bot that changed scripts
 * do not load, once for each error, and once that they do again. A message
 * that cannot be sent is lost; each person has at most one call in flight
 * and one text behind it, the newest.
 */

#include <stddef.h>
#include <stdint.h>

struct admins;
struct api;
struct loop;
struct script_error;

/* Copies the ids; borrows loop and api. */
struct admins *admins_new(struct loop *loop, struct api *api,
                          const int64_t *ids, size_t count);
/* Calls in flight are given up. */
void admins_free(struct admins *a);

/* A reload has failed, `generation` goes on. */
void admins_not_loaded(struct admins *a, const struct script_error *error,
                       uint64_t generation);
/* The scripts have been loaded. */
void admins_loaded(struct admins *a, uint64_t generation);

#endif
