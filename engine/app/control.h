#ifndef MOONLET_APP_CONTROL_H
#define MOONLET_APP_CONTROL_H

/*
 * What an operator asks a live engine, as JSON routes: /api/status,
 * /api/errors, /api/dead (app/dead) and POST /api/reload. Mounted on the Unix
 * socket DATA_DIR/moonlet.sock and on the HTTP port, whose guard is
 * app/health's.
 */

struct api;
struct clock;
struct control;
struct dispatch;
struct errors;
struct health;
struct inbox;
struct routes;
struct scripts;

/* All borrowed. */
struct control_options {
    const struct clock *clock;
    const struct health *health;
    const struct api *api;
    const struct errors *errors;
    struct inbox *inbox;
    const struct dispatch *dispatch;
    struct scripts *scripts;
    const char *scripts_dir;
};

struct control *control_new(const struct control_options *o);
/* After the servers of its routes. */
void control_free(struct control *c);

void control_serve(struct control *c, struct routes *routes);

/* The engine is stopping: from now on every route answers 503. Requests that
 * wait for the end of a load are still answered. */
void control_stop(struct control *c);

#endif
