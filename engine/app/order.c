#include "app/order.h"

#include "base/log.h"
#include "telegram/update.h"
#include "vm/generation.h"

#include <stdlib.h>
#include <string.h>

static void warn(struct log *log, const struct update_head *h,
                 const struct script_error *e)
{
    LOG_AT(log, LOG_WARN, "order.failed", LOG_I("update_id", h->update_id),
           LOG_S("lane", h->lane), LOG_S("script", e->script),
           LOG_I("line", e->line), LOG_S("kind", e->kind),
           LOG_S("message", e->message));
}

void order_choose(struct generation *g, struct log *log, struct jslice update,
                  struct update_head *h)
{
    struct script_error error;
    if (!generation_has(g, VM_ON_ORDER))
        return;
    char *name = generation_ask(g, VM_ON_ORDER, update.at, update.len, &error);
    if (error.kind)
        warn(log, h, &error);
    /* "chat" is the lane by kind: every kind that has a chat waits for it. */
    if (name && strcmp(name, "user") == 0)
        update_head_by_user(h, update);
    else if (name && strcmp(name, "none") == 0)
        update_head_alone(h);
    script_error_clear(&error);
    free(name);
}
