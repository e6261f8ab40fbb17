#include "net/http_hop.h"

#include "base/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_hop_begin(struct http_hop *h, const struct http_call *call)
{
    *h = (struct http_hop){
        .method = call->method,
        .url = call->url,
        .content_type = call->content_type,
        .body = call->body,
        .body_len = call->body_len,
        .source = call->source,
    };
}

void http_hop_end(struct http_hop *h)
{
    free(h->moved);
    free(h->next);
    h->moved = NULL;
    h->next = NULL;
}

static CURLU *parse(const char *url)
{
    CURLU *u = curl_url();
    if (!u)
        abort();
    curl_url_set(u, CURLUPART_URL, url, 0);
    return u;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = NULL;
    char *y = NULL;
    curl_url_get(a, part, &x, CURLU_DEFAULT_PORT);
    curl_url_get(b, part, &y, CURLU_DEFAULT_PORT);
    bool same = x && y && strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

static bool same_origin(CURLU *a, CURLU *b)
{
    return same_part(a, b, CURLUPART_SCHEME) &&
           same_part(a, b, CURLUPART_HOST) && same_part(a, b, CURLUPART_PORT);
}

static bool is_http(CURLU *u)
{
    char *scheme = NULL;
    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
    bool yes =
        scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    return yes;
}

/* A user and password in a URL go on with it, to the same origin only. */
static void keep_user(CURLU *to, CURLU *from)
{
    static const CURLUPart parts[] = {CURLUPART_USER, CURLUPART_PASSWORD};
    for (size_t i = 0; i < 2 && same_origin(to, from); i++) {
        char *text = NULL;
        char *own = NULL;
        if (!curl_url_get(from, parts[i], &text, 0) &&
            curl_url_get(to, parts[i], &own, 0))
            curl_url_set(to, parts[i], text, 0);
        curl_free(text);
        curl_free(own);
    }
}

/* An absolute URL, owned by the caller; NULL if there is no way there. */
static char *resolve(const char *base, const char *location)
{
    CURLU *from = parse(base);
    CURLU *to = parse(base);
    char *text = NULL;
    char *url = NULL;
    if (!curl_url_set(to, CURLUPART_URL, location, CURLU_URLENCODE) &&
        is_http(to)) {
        keep_user(to, from);
        curl_url_get(to, CURLUPART_URL, &text, 0);
    }
    if (text)
        url = mem_strdup(text);
    curl_free(text);
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return url;
}

/* NULL: a status that does not redirect. */
static const char *method_after(const char *method, int status)
{
    switch (status) {
    case 301:
    case 302:
        return strcmp(method, "POST") == 0 ? "GET" : method;
    case 303:
        return strcmp(method, "HEAD") == 0 ? method : "GET";
    case 307:
    case 308:
        return method;
    }
    return NULL;
}

enum http_redirect http_hop_judge(struct http_hop *h,
                                  const struct http_call *call, int status,
                                  const char *location)
{
    const char *method = method_after(h->method, status);
    if (!method || !location || call->redirects_max == 0)
        return REDIRECT_NONE;
    if (method == h->method && h->source && h->body_len > 0)
        return REDIRECT_NONE;
    if (h->count == call->redirects_max)
        return REDIRECT_TOO_MANY;
    free(h->next);
    h->next = resolve(h->url, location);
    h->next_method = method;
    return h->next ? REDIRECT_FOLLOW : REDIRECT_NONE;
}

void http_hop_follow(struct http_hop *h, const struct http_call *call)
{
    free(h->moved);
    h->url = h->moved = h->next;
    h->next = NULL;
    h->count++;
    if (h->next_method != h->method) {
        h->method = h->next_method;
        h->content_type = NULL;
        h->body = NULL;
        h->body_len = 0;
        h->source = NULL;
    }
    CURLU *own = parse(call->url);
    CURLU *now = parse(h->url);
    /* A stranger may lead back to the first server, to an address of its own
     * choice: what that server takes for the caller's word stays out. */
    h->foreign = h->foreign || !same_origin(own, now);
    curl_url_cleanup(own);
    curl_url_cleanup(now);
}

bool http_hop_sends(const struct http_hop *h, const char *name)
{
    static const char *const secrets[] = {"Authorization", "Cookie",
                                          "Proxy-Authorization", "Host"};
    if (h->count > 0 && !h->content_type &&
        strncasecmp(name, "Content-", 8) == 0)
        return false;
    for (size_t i = 0; h->foreign && i < sizeof(secrets) / sizeof(*secrets);
         i++) {
        if (strcasecmp(name, secrets[i]) == 0)
            return false;
    }
    return true;
}
