#ifndef MOONLET_CLI_WORLD_H
#define MOONLET_CLI_WORLD_H

/*
 * Engine and simulator in one process, on one clock that jumps from one
 * deadline to the next: the composer of `moonlet test`. The seam is the HTTP
 * message: calls go straight into routes and take a time drawn from the seed,
 * SQLite and files run inline, so that one seed gives one history.
 */

#include "bindings/test.h"

struct coverage;
struct worlds;

/* config_path: --config, or NULL. log_fd: where engines log; -1: into memory,
 * for test_composer.log alone. NULL and *e if there is no place for their
 * data. */
struct worlds *worlds_new(const char *config_path, int log_fd,
                          struct coverage *coverage, struct err *e);
void worlds_free(struct worlds *worlds);

struct test_composer worlds_composer(struct worlds *worlds);

#endif
