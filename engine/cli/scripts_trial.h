#ifndef MOONLET_CLI_SCRIPTS_TRIAL_H
#define MOONLET_CLI_SCRIPTS_TRIAL_H

/*
 * The scripts of a project, loaded without an engine, for commands that want
 * to know whether they load or what they register. No handler and no
 * bot.on_start runs.
 */

#include "base/clock.h"
#include "base/err.h"
#include "bindings/bindings.h"
#include "vm/generation.h"

struct settings;

struct scripts_trial {
    struct clock clock;
    struct services services;
    struct vm_source *library;
    struct vm_host host;
    struct generation *generation; /* NULL: they do not load */
};

/* Borrows the settings. 0, or *e with file:line; to be closed in any case. */
int scripts_trial_open(struct scripts_trial *t, const struct settings *s,
                       struct err *e);
void scripts_trial_close(struct scripts_trial *t);

/* What the scripts answer to a request of core.on_describe, as JSON; owned.
 * NULL and *e if they fail. */
char *scripts_trial_ask(struct scripts_trial *t, const char *request,
                        struct err *e);

#endif
