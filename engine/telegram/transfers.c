#include "telegram/transfers.h"

#include "base/mem.h"
#include "telegram/file_ids.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 128

/* The host that a URL names, without its port; cut to size. */
static void read_host(const char *url, char out[HOST_MAX])
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    const char *user_end = memrchr(at, '@', strcspn(at, "/?#"));
    if (user_end)
        at = user_end + 1;
    bool bracket = *at == '[';
    at += bracket;
    size_t len = strcspn(at, bracket ? "]" : ":/?#");
    snprintf(out, HOST_MAX, "%.*s", (int)(len < HOST_MAX ? len : HOST_MAX), at);
}

static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(host, "localhost") == 0;
}

static void look_at_host(struct transfers *t, const char *url)
{
    char host[HOST_MAX];
    read_host(url, host);
    t->is_telegram = strcasecmp(host, "api.telegram.org") == 0;
    t->is_loopback = is_loopback(host);
}

bool transfers_may_copy(const struct transfers *t, const char *path)
{
    if (*path != '/' || t->is_telegram)
        return false;
    return t->is_loopback ||
           (strstr(path, t->own_folder) && !strstr(path, "/../"));
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
    t->own_folder = mem_printf("/%s/", o->token);
    look_at_host(t, o->url);
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
    free(t->own_folder);
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
