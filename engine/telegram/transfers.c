#include "telegram/transfers.h"

#include "base/mem.h"
#include "telegram/file_ids.h"

#include <stdlib.h>
#include <string.h>

/* With or without a port behind it. */
static bool is_telegram(const char *url)
{
    static const char name[] = "://api.telegram.org";
    const char *host = strstr(url, name);
    if (!host)
        return false;
    char behind = host[sizeof(name) - 1];
    return behind == '\0' || behind == '/' || behind == ':';
}

struct transfers *transfers_new(struct loop *loop, struct api *api,
                                struct http_client *client, struct files *files,
                                const struct transfers_options *o)
{
    struct transfers *t = MEM_NEW(struct transfers);
    t->loop = loop;
    t->api = api;
    t->client = client;
    t->files = files;
    t->ids = file_ids_new();
    semaphore_init(&t->places, TRANSFERS_AT_ONCE, TRANSFERS_WAITING_MAX);
    t->file_url = mem_printf("%s/file/bot%s/", o->url, o->token);
    t->is_telegram = is_telegram(o->url);
    t->stall_ms = o->stall_ms;
    t->max_retries = o->max_retries;
    t->backoff_base = o->backoff_base;
    return t;
}

void transfers_free(struct transfers *t)
{
    if (!t)
        return;
    file_ids_free(t->ids);
    free(t->file_url);
    free(t);
}

enum semaphore_answer transfers_take(struct transfers *t,
                                     struct semaphore_waiter *w, struct err *e)
{
    enum semaphore_answer answer = semaphore_take(&t->places, w);
    if (answer == SEMAPHORE_FULL)
        err_set(e, ERR_LIMIT, 0,
                "%d uploads and downloads are waiting already: do fewer at "
                "once",
                TRANSFERS_WAITING_MAX);
    return answer;
}
