#ifndef MOONLET_APP_NOTICES_H
#define MOONLET_APP_NOTICES_H

/*
 * What people should hear of besides the log: reloads, failed reloads,
 * script errors. One listener (the chat page of play), or none.
 */

#include <stddef.h>
#include <stdint.h>

struct script_error;
struct log;

struct notices {
    struct log *log; /* borrowed */
    void (*listener)(void *arg, const char *json);
    void *arg;
};

/* A generation took over. took_ms: from the start of loading. */
void notices_reloaded(const struct notices *n, uint64_t generation,
                      int64_t took_ms);
/* The scripts do not load; `generation` goes on (0: there is none). */
void notices_reload_failed(const struct notices *n,
                           const struct script_error *e, uint64_t generation);

/* A handler ended with an error. lane tells whose update it was. */
void notices_error(const struct notices *n, const struct script_error *e,
                   int64_t update_id, const char *lane);

/* A script has caught one and reports it, which it has logged itself. lane:
 * NULL if it is not at work on an update. */
void notices_captured(const struct notices *n, const struct script_error *e,
                      int64_t update_id, const char *lane);

#endif
