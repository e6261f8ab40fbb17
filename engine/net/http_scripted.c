#include "net/http_scripted.h"

#include "base/mem.h"
#include "base/rng.h"
#include "loop/loop.h"
#include "net/http_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TRAVEL_MAX_MS 20

struct scripted_client {
    struct http_client client; /* first member */
    struct loop *loop;
    http_teller *teller;
    void *arg;
};

struct scripted_call {
    struct scripted_client *client;
    struct http_call *call;
    struct timer travel; /* of the request, then of the answer */
    struct timer limit;
    const char *method;
    char *url; /* the one that redirects have led to */
    const char *body;
    size_t body_len;
    bool other_host; /* than the caller has named */
    unsigned redirects;
    bool asked; /* and told */
    struct http_told told;
};

static void forget_told(struct scripted_call *s)
{
    buf_free(&s->told.head);
    buf_free(&s->told.body);
    memset(&s->told, 0, sizeof s->told);
}

static struct http_call *detach(struct scripted_call *s)
{
    struct http_call *call = s->call;
    timer_stop(&s->travel);
    timer_stop(&s->limit);
    call->transport = NULL;
    forget_told(s);
    free(s->url);
    free(s);
    return call;
}

static void end(struct scripted_call *s, const struct err *e)
{
    struct err copy = *e;
    struct http_call *call = detach(s);
    if (copy.code != ERR_OK)
        http_call_free(call);
    call->done(call, &copy);
}

static void set_out(struct scripted_call *s, uint64_t delay_ms)
{
    struct rng *rng = loop_rng(s->client->loop);
    timer_start(&s->travel, delay_ms + rng_below(rng, TRAVEL_MAX_MS + 1));
}

/* The value of a header in "Name: value\r\n" lines, up to its \r; NULL. */
static const char *find_header(const struct buf *head, const char *name)
{
    size_t len = strlen(name);
    const char *line = head->data;
    while (line && *line) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " ");
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

/* --- redirects */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* Where a Location leads from a URL. */
static char *resolve(const char *from, const char *to)
{
    const char *path = strstr(from, "://") + 3;
    path += strcspn(path, "/?#");
    int origin = (int)(path - from);
    int len = (int)strcspn(to, "#\r\n");
    if (to[strcspn(to, ":/?#\r\n")] == ':')
        return mem_printf("%.*s", len, to);
    if (strncmp(to, "//", 2) == 0)
        return mem_printf("%.*s%.*s", (int)strcspn(from, "/"), from, len, to);
    if (*to == '/')
        return mem_printf("%.*s%.*s", origin, from, len, to);
    size_t folder = strcspn(path, "?#");
    while (folder > 0 && path[folder - 1] != '/')
        folder--;
    return mem_printf("%.*s%.*s%s%.*s", origin, from, (int)folder, path,
                      folder ? "" : "/", len, to);
}

static bool follow(struct scripted_call *s, struct err *e)
{
    const char *to = find_header(&s->told.head, "Location");
    char before[HTTP_HOST_MAX];
    char after[HTTP_HOST_MAX];
    int status = s->told.status;
    http_host(s->url, before);
    if (s->redirects++ == s->call->redirects_max) {
        http_lost(e, true, 0, "%s: more than %u redirects", before,
                  s->call->redirects_max);
        return false;
    }
    char *url = resolve(s->url, to);
    free(s->url);
    s->url = url;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        http_lost(e, true, 0, "%s: redirects to what is not HTTP", before);
        return false;
    }
    http_host(url, after);
    s->other_host = s->other_host || strcasecmp(before, after) != 0;
    bool is_post = strcmp(s->method, "POST") == 0;
    if (status == 303 || (is_post && (status == 301 || status == 302))) {
        s->method = strcmp(s->method, "HEAD") == 0 ? "HEAD" : "GET";
        s->body = NULL;
        s->body_len = 0;
    }
    return true;
}

/* --- the answer */

static void take(struct scripted_call *s, struct err *e)
{
    struct http_call *call = s->call;
    struct http_response *r = &call->response;
    const char *type = find_header(&s->told.head, "Content-Type");
    const char *wait = find_header(&s->told.head, "Retry-After");
    err_set(e, ERR_OK, 0, "%s", "");
    if (strcmp(s->method, "HEAD") == 0)
        buf_free(&s->told.body);
    if (s->told.body.len > call->response_max) {
        http_too_long(e, call);
        return;
    }
    if (s->redirects > 0)
        r->url = mem_strdup(s->url);
    r->status = s->told.status;
    r->retry_after = wait ? strtod(wait, NULL) : 0;
    r->length = (int64_t)s->told.body.len;
    snprintf(r->content_type, sizeof r->content_type, "%.*s",
             type ? (int)strcspn(type, "\r\n") : 0, type ? type : "");
    r->body = s->told.body;
    s->told.body = (struct buf){0};
    if (call->keep_head) {
        r->head = s->told.head;
        s->told.head = (struct buf){0};
    }
}

static void on_answer(struct scripted_call *s)
{
    struct err e;
    char host[HTTP_HOST_MAX];
    http_host(s->url, host);
    if (s->told.status == 0) {
        http_lost(&e, s->told.taken, 0, "%s: %s", host, s->told.reason);
        end(s, &e);
        return;
    }
    if (is_redirect(s->told.status) && s->call->redirects_max > 0 &&
        find_header(&s->told.head, "Location")) {
        if (!follow(s, &e)) {
            end(s, &e);
            return;
        }
        forget_told(s);
        s->asked = false;
        set_out(s, 0);
        return;
    }
    take(s, &e);
    end(s, &e);
}

/* --- the request */

static bool is_secret(const char *name)
{
    return strcasecmp(name, "Authorization") == 0 ||
           strcasecmp(name, "Cookie") == 0;
}

static void ask(struct scripted_call *s)
{
    const struct http_call *call = s->call;
    struct http_header *headers =
        mem_zero(call->headers_count + 1, sizeof *headers);
    struct http_asked asked = {
        .method = s->method,
        .url = s->url,
        .content_type = s->body ? call->content_type : NULL,
        .headers = headers,
        .body = s->body ? s->body : "",
        .body_len = s->body_len,
    };
    for (size_t i = 0; i < call->headers_count; i++) {
        if (!s->other_host || !is_secret(call->headers[i].name))
            headers[asked.headers_count++] = call->headers[i];
    }
    s->asked = true;
    s->client->teller(s->client->arg, &asked, &s->told);
    free(headers);
    set_out(s, s->told.delay_ms);
}

static void on_travel(struct timer *t)
{
    struct scripted_call *s = LIST_ENTRY(t, struct scripted_call, travel);
    if (s->asked)
        on_answer(s);
    else
        ask(s);
}

static void on_limit(struct timer *t)
{
    struct scripted_call *s = LIST_ENTRY(t, struct scripted_call, limit);
    struct err e;
    http_timed_out(&e, s->asked, s->call);
    end(s, &e);
}

static void scripted_start(struct http_client *c, struct http_call *call)
{
    struct scripted_call *s = MEM_NEW(struct scripted_call);
    s->client = (struct scripted_client *)(void *)c;
    s->call = call;
    s->method = call->method;
    s->url = mem_strdup(call->url);
    s->body = call->body;
    s->body_len = call->body_len;
    timer_init(&s->travel, s->client->loop, on_travel);
    timer_init(&s->limit, s->client->loop, on_limit);
    timer_start(&s->limit, call->timeout_ms);
    set_out(s, 0);
    call->transport = s;
}

static void scripted_cancel(struct http_client *c, struct http_call *call)
{
    (void)c;
    detach(call->transport);
}

static void scripted_free(struct http_client *c)
{
    free(c);
}

struct http_client *http_client_new_scripted(struct loop *loop,
                                             http_teller *teller, void *arg)
{
    static const struct http_transport transport = {.start = scripted_start,
                                                    .cancel = scripted_cancel,
                                                    .free = scripted_free};
    struct scripted_client *c = MEM_NEW(struct scripted_client);
    c->client.transport = &transport;
    c->loop = loop;
    c->teller = teller;
    c->arg = arg;
    return &c->client;
}
