#include "net/http_local.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

struct answer {
    struct buf *body;
    size_t max;
};

static size_t write_body(char *data, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t len = size * count;
    if (len > answer->max - answer->body->len)
        return 0;
    buf_append(answer->body, data, len);
    return len;
}

static void set_options(CURL *easy, const struct http_local *r)
{
    char url[256];
    snprintf(url, sizeof url, "http://localhost%s", r->target);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, r->socket);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
    if (strcmp(r->method, "POST") == 0)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_body);
}

static int fail(CURL *easy, CURLcode code, struct err *e)
{
    long sys = 0;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, ERR_TIMEOUT, 0, "no answer in time");
    if (code != CURLE_COULDNT_CONNECT)
        return err_set(e, ERR_UNKNOWN, 0, "%s", curl_easy_strerror(code));
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &sys);
    return err_set(e, ERR_NOT_SENT, (int)sys, "%s", strerror((int)sys));
}

int http_local_request(const struct http_local *r, struct buf *body,
                       struct err *e)
{
    struct answer answer = {body, body->len + r->response_max};
    long status = 0;
    if (strlen(r->socket) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(e, ERR_NOT_SENT, ENAMETOOLONG, "%s",
                       strerror(ENAMETOOLONG));
    CURL *easy = curl_easy_init();
    if (!easy)
        abort();
    set_options(easy, r);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    CURLcode code = curl_easy_perform(easy);
    int result = code == CURLE_OK ? 0 : fail(easy, code, e);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    return result ? result : (int)status;
}
