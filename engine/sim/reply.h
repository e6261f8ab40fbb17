#ifndef MOONLET_SIM_REPLY_H
#define MOONLET_SIM_REPLY_H

struct bot;
struct http_response;
struct sim;

/* A webhook may answer with one API call: parameters and "method" as JSON,
 * form or multipart. Runs it, unless there is none or it may not come so. */
void reply_run(struct sim *sim, struct bot *bot,
               const struct http_response *answer);

#endif
