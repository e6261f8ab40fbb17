#ifndef MOONLET_APP_DEAD_H
#define MOONLET_APP_DEAD_H

/*
 * Dead letters as JSON routes: GET /api/dead and /api/dead/ID, POST
 * /api/dead/ID/replay, DELETE /api/dead/ID. Part of app/control, and what
 * the command works with when no engine lives.
 */

struct inbox;
struct routes;

/* Outlives the routes and every answer that is due. */
struct dead {
    struct inbox *inbox; /* borrowed; NULL: stopping, all answer 503 */
};

void dead_serve(struct dead *d, struct routes *routes);

#endif
