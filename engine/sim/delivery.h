#ifndef MOONLET_SIM_DELIVERY_H
#define MOONLET_SIM_DELIVERY_H

/*
 * A bot's webhook: what setWebhook was told, and the posting of updates to
 * it. Updates of one lane (kinds.h) are posted one after the other, lanes
 * side by side over as many connections as the bot allows; a failing update
 * is posted again, later each time, and holds up its lane. A limited number
 * of lanes is open: if all of them fail, the whole bot waits.
 *
 * Connections are slots that open and close as those of the server do; the
 * client keeps its own. Nothing is asked for in compressed form.
 */

#include <stdbool.h>
#include <stdint.h>

struct bot;
struct delivery;
struct queued;
struct sim;

struct hook {
    char *url; /* NULL: none is set */
    char *secret;
    char *ip_address; /* as given; NULL: by name */
    bool certificate;
    int64_t connections;
    int64_t error_date; /* 0: none */
    char *error;
    uint64_t calm_after_ms;    /* setWebhook is refused before */
    struct delivery *delivery; /* NULL: nothing is posted */
};

/* Takes the webhook away. What was not answered stays in the queue. */
void hook_clear(struct hook *h);

/* Posts the bot's live updates to bot->hook, by sim->client. */
struct delivery *delivery_new(struct sim *sim, struct bot *bot);
void delivery_free(struct delivery *d);

/* An update was put into the bot's queue. */
void delivery_added(struct delivery *d, struct queued *row);
/* A live update is about to end. */
void delivery_ended(struct delivery *d, struct queued *row);

#endif
