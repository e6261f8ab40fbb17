#ifndef MOONLET_TELEGRAM_CHAT_ACTION_H
#define MOONLET_TELEGRAM_CHAT_ACTION_H

/*
 * "The bot is sending a file", shown in the chat while an upload takes longer
 * than a second. It neither delays nor fails anything: nobody hears of its
 * errors but the log. Loop thread only.
 */

#include "base/buf.h"
#include "base/json.h"
#include "loop/timer.h"
#include "telegram/api.h"

struct chat_action {
    struct api *api;
    struct timer next;
    struct api_call call;
    struct buf params;
    bool calling;
};

/* Zeroed memory becomes one that is running; not if the method sends no file
 * to a chat. `params` (a JSON object) is read now. */
void chat_action_start(struct chat_action *a, struct loop *loop,
                       struct api *api, const char *method,
                       struct jslice params);
/* Also of one that does not run; frees its memory. */
void chat_action_stop(struct chat_action *a);

#endif
