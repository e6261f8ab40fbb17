#ifndef MOONLET_CLI_RESTART_H
#define MOONLET_CLI_RESTART_H

/*
 * Restart by exec in place: the process keeps its pid and begins anew, as
 * after a crash. Used by the watchdog and by fatal signals, so everything
 * that happens after restart_init is async-signal-safe. The sixth death
 * within 60 s ends the process with exit code 1.
 */

#include <stdbool.h>

/* Remembers argv and the environment, borrowed for the life of the process;
 * first thing in main. */
void restart_remember(char **argv);

/* Takes the fatal signals. json: in which form the last words are said.
 * Returns how often this process has died within the last 60 s. */
int restart_arm(bool json);

/* Says the last words {event, script, line} on stderr and starts anew. May
 * run in a signal handler. script may be NULL. */
_Noreturn void restart_now(const char *event, const char *script, int line);

#endif
