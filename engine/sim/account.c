#include "sim/account.h"

#include "sim/call.h"

#include <strings.h>

#define OUT_MS 600000

bool account_check(struct call *c)
{
    struct bot *bot = c->bot;
    bool closing = strcasecmp(c->method_name, "close") == 0;
    if (loop_now_ms(c->sim->loop) < bot->out_until_ms) {
        call_fail(c, BOTAPI_LOGGED_OUT);
        return false;
    }
    if (closing && !bot->awake) {
        call_fail(c, BOTAPI_ALREADY_CLOSED);
        return false;
    }
    bot->awake = true;
    return true;
}

json_t *method_log_out(struct call *c)
{
    c->bot->out_until_ms = loop_now_ms(c->sim->loop) + OUT_MS;
    return json_true();
}

/* The real server refuses this for ten minutes after a start; a test would
 * wait for nothing. */
json_t *method_close(struct call *c)
{
    c->bot->awake = false;
    return json_true();
}
