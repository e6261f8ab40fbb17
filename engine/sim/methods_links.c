/* Links into a chat. */
#include "sim/methods.h"

#include "base/rng.h"
#include "sim/answer.h"
#include "sim/call.h"

#include <stdio.h>

json_t *methods_link(const struct call *c, const char *before)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789-_";
    char link[64];
    int n = snprintf(link, sizeof(link), "https://t.me/%s", before);
    for (int i = 0; i < 16; i++)
        link[n + i] = letters[rng_below(loop_rng(c->sim->loop), 64)];
    link[n + 16] = '\0';
    return json_string(link);
}

json_t *method_export_link(struct call *c)
{
    return methods_link(c, "+");
}

/* Creates, edits or revokes one: the two last ones name it. */
json_t *method_invite_link(struct call *c)
{
    json_t *given = answer_params(c);
    if (json_object_get(given, "invite_link") == NULL)
        sim_set(given, "invite_link", methods_link(c, "+"));
    json_object_set(given, "creator", c->bot->user);
    json_t *link = answer_build(c, "ChatInviteLink", given);
    json_decref(given);
    return link;
}
