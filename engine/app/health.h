#ifndef MOONLET_APP_HEALTH_H
#define MOONLET_APP_HEALTH_H

/*
 * How the engine is: a state for each component, served as /health and
 * /ready (DESIGN sections 5 and 12), and the guard that keeps everything
 * else on the HTTP port to this machine.
 */

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct clock;
struct exchange;
struct routes;

enum health_component {
    HEALTH_DATABASE,
    HEALTH_REDIS,
    HEALTH_TELEGRAM,
    HEALTH_INBOX,
    HEALTH_QUEUE,
    HEALTH_SCRIPTS,
    HEALTH_COMPONENTS
};

enum health_state { HEALTH_OFF, HEALTH_UP, HEALTH_DOWN };

struct health {
    const struct clock *clock; /* borrowed */
    bool stopping;
    bool standby;             /* another engine has DATA_DIR */
    const char *webhook_path; /* borrowed; NULL: polling */
    struct {
        enum health_state state;
        int64_t since_ms; /* Unix time of the last change */
    } components[HEALTH_COMPONENTS];
};

/* All components are off. */
void health_init(struct health *h, const struct clock *clock);
void health_set(struct health *h, enum health_component c,
                enum health_state state);
/* Serves new work: neither stopping nor a standby, and neither inbox, database
 * nor scripts is down. */
bool health_is_ready(const struct health *h);

/* Appends the members of a JSON object: "role", "ready", "degraded",
 * "components". */
void health_put(const struct health *h, struct buf *b);

/* Mounts /health and /ready and the guard; h is borrowed. With a webhook path
 * the port is meant to be reached from outside, and then being on this machine
 * proves nothing: a proxy is. */
void health_mount(struct health *h, struct routes *routes);

#endif
