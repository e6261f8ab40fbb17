#include "sim/reply.h"

#include "net/http_client.h"
#include "sim/call.h"

#include <string.h>
#include <strings.h>

/* Neither what nobody would get the answer of, nor what ends the webhook. */
static bool may_come(const char *method)
{
    static const char *const refused[] = {"deleteWebhook", "setWebhook",
                                          "close", "logOut"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (strcasecmp(method, refused[i]) == 0)
            return false;
    return *method != '\0' && strncasecmp(method, "get", 3) != 0;
}

void reply_run(struct sim *sim, struct bot *bot,
               const struct http_response *answer)
{
    struct params p = {0};
    const char *type =
        *answer->content_type != '\0' ? answer->content_type : NULL;
    int status =
        params_parse_body(&p, type, answer->body.data, answer->body.len);
    if (status == 0 && !p.bad_text && may_come(params_text(&p, "method")))
        call_reply(sim, bot, &p);
    params_free(&p);
}
