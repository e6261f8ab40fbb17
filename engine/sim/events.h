#ifndef MOONLET_SIM_EVENTS_H
#define MOONLET_SIM_EVENTS_H

/*
 * The stream of everything that happens (/sim/events): a ring of the last
 * events, and readers that each have a place in it. A reader that is slower
 * than the ring gets an event "gap" and goes on with the oldest one.
 */

#include "base/list.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "sim/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTS_RING 2000
#define EVENTS_BYTES_MAX (32u * 1024 * 1024)
/* Larger ones would not fit into a stream's buffer: they become a notice. */
#define EVENTS_ONE_MAX (192u * 1024)
#define EVENTS_READERS_MAX 64

struct exchange;
struct sim;

struct event {
    const char *type; /* static */
    struct text *data;
};

struct events {
    struct event ring[EVENTS_RING]; /* event id at id % EVENTS_RING */
    int64_t first;                  /* oldest that is kept */
    int64_t next;                   /* id of the next one */
    size_t bytes;
    struct list readers;
    size_t readers_count;
    struct deferred pump;
    struct timer beat;  /* comments, every 15 s */
    struct timer retry; /* for readers whose buffer is full */
    void (*listener)(void *arg, const char *type, const char *json, size_t len);
    void *listener_arg;
    struct sim *sim;
};

void events_init(struct events *ev, struct sim *sim);
void events_free(struct events *ev); /* ends the streams */

/* type: static text. data: taken over. */
void events_emit(struct events *ev, const char *type, struct text *data);

/* Turns the exchange into a stream that begins behind event `after`, or with
 * the next event if after < 0. */
void events_stream(struct events *ev, struct exchange *x, int64_t after);

#endif
