#ifndef MOONLET_APP_DISPATCH_H
#define MOONLET_APP_DISPATCH_H

/*
 * Takes updates from the inbox, puts each into its lane, and runs the first
 * of every lane as a task of the current generation: one at a time within a
 * lane, many lanes at once (DESIGN section 8). A handler's end, however it
 * comes, takes the update out of the inbox, one by an error as a dead letter;
 * shutdown leaves it there.
 *
 * If the scripts handle albums (VM_ON_ALBUM), the parts of one are collected at
 * the head of their lane, which waits meanwhile, and one task gets them all;
 * its end is the end of each. Parts that come late, and those of which a very
 * long lane keeps only the numbers when the album is complete, make one of
 * their own.
 *
 * Lanes that may start take turns. A lane's queue is kept in memory for a
 * few updates; of further ones only the numbers are kept and the rest is read
 * again from the file, so that a chat that floods costs the others neither
 * memory nor time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISPATCH_RUNNING_MAX 1000   /* handlers at the same time */
#define DISPATCH_STARTABLE_MAX 1000 /* lanes that wait for it, or an album */
#define DISPATCH_HELD_MAX 1000      /* updates in memory behind their lane's */

struct dispatch;
struct errors;
struct generation;
struct inbox;
struct loop;
struct notices;

struct dispatch_options {
    struct loop *loop;
    struct inbox *inbox;
    const struct notices *notices; /* borrowed */
    struct errors *errors;         /* borrowed */
    uint64_t handler_timeout_ms;
    void (*idle)(void *arg); /* after dispatch_stop: nothing runs any more */
    void *arg;
};

/* Copies the options. Owned by the caller. */
struct dispatch *dispatch_new(const struct dispatch_options *o);

/* Updates that start from now on run on this generation. */
void dispatch_use(struct dispatch *d, struct generation *g);

/* Handlers may start now: Telegram has accepted the token. Before it, every
 * answer would fail and its update would be spent. */
void dispatch_open(struct dispatch *d);

/* The inbox may have something. */
void dispatch_pump(struct dispatch *d);

/* Starts no further handler; `idle` comes when the running ones have ended,
 * from the loop. */
void dispatch_stop(struct dispatch *d);
size_t dispatch_running(const struct dispatch *d);

/* Releases the updates that wait in lanes. Nothing may be running. */
void dispatch_free(struct dispatch *d);

#endif
