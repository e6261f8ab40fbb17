#include "net/curl_transfer.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REUSE_SECONDS 30L
/* For bodies that stream; other calls keep libcurl's own sizes, for which it
 * takes memory a call. */
#define LARGE_BUFFER (256L * 1024)
#define SMALL_READ_BUFFER (16L * 1024)
#define SMALL_WRITE_BUFFER (64L * 1024)

static curl_off_t request_bytes(const struct curl_transfer *t)
{
    long bytes = 0;
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes;
}

/* Called before each sending of the request, also before those that libcurl
 * adds by itself when a kept-alive connection ends without an answer, though
 * the server may have carried the request out. What was counted so far is
 * the CONNECT that opened a tunnel. */
static int allow_once(void *arg, char *peer, char *local, int peer_port,
                      int local_port)
{
    struct curl_transfer *t = arg;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (t->begun && t->once) {
        t->refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (!t->begun)
        t->bytes_before = request_bytes(t);
    t->begun = true;
    return CURL_PREREQFUNC_OK;
}

static void set_callbacks(struct curl_transfer *t)
{
    CURL *easy = t->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->reason);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, allow_once);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_transfer__write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, curl_transfer__header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    /* There is no seek function: a source is never read again. */
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, curl_transfer__read);
    curl_easy_setopt(easy, CURLOPT_READDATA, t);
}

/* With a folder of certificates besides the file libcurl reads all of them
 * for each connection, which takes the loop longer than everything else that
 * a call does; those of a file alone it keeps for a day. */
static void set_trust(CURL *easy, const char *ca_file)
{
    const char *own = curl_version_info(CURLVERSION_NOW)->cainfo;
    const char *file = ca_file ? ca_file : own;
    if (!file || (!ca_file && access(file, R_OK) != 0))
        return;
    curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, file);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
}

struct curl_transfer *curl_transfer_new(const struct http_client_options *o)
{
    struct curl_transfer *t = MEM_NEW(struct curl_transfer);
    CURL *easy = t->easy = curl_easy_init();
    if (!easy)
        abort();
    list_init(&t->link);
    set_callbacks(t);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, REUSE_SECONDS);
    /* Without it a call that ends while its name is being resolved waits for
     * the resolver's thread, and the loop with it. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* "" also keeps libcurl from reading the environment. */
    curl_easy_setopt(easy, CURLOPT_PROXY, o->proxy ? o->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, o->no_proxy ? o->no_proxy : "");
    set_trust(easy, o->ca_file);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, o->user_agent);
    return t;
}

void curl_transfer_free(struct curl_transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    http_hop_end(&t->hop);
    free(t->content_type);
    free(t->location);
    free(t);
}

static void add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        abort();
    *list = longer;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* An empty value takes away the header that libcurl would add. */
static void add_pair(struct curl_slist **list, const char *name,
                     const char *value)
{
    char *line = mem_printf("%s:%s%s", name, *value ? " " : "", value);
    add_header(list, line);
    free(line);
}

static void set_headers(struct curl_transfer *t, const struct http_call *call)
{
    const char *type = t->hop.content_type;
    if (t->headers && !t->own_headers && call->headers_count == 0 &&
        same_text(t->content_type, type))
        return;
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    free(t->content_type);
    t->content_type = type ? mem_strdup(type) : NULL;
    t->own_headers = call->headers_count > 0;
    add_pair(&t->headers, "Expect", "");
    add_pair(&t->headers, "Content-Type", type ? type : "");
    for (size_t i = 0; i < call->headers_count; i++) {
        if (http_hop_sends(&t->hop, call->headers[i].name))
            add_pair(&t->headers, call->headers[i].name,
                     call->headers[i].value);
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static bool is_any(const char *method, const char *a, const char *b,
                   const char *c)
{
    return strcmp(method, a) == 0 || strcmp(method, b) == 0 ||
           strcmp(method, c) == 0;
}

/* A body given by CURLOPT_POSTFIELDS leaves with the head in one write; a
 * read function would cost a second one. */
static void set_body(struct curl_transfer *t)
{
    const struct http_hop *h = &t->hop;
    curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)h->body_len);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
                     h->source         ? NULL
                     : h->body_len > 0 ? h->body
                                       : "");
}

static void set_method(struct curl_transfer *t)
{
    const struct http_hop *h = &t->hop;
    bool head = strcmp(h->method, "HEAD") == 0;
    bool own = !head && strcmp(h->method, "GET") != 0 &&
               strcmp(h->method, "POST") != 0;
    t->once = own || strcmp(h->method, "POST") == 0;
    if (own || t->own_method)
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST,
                         own ? h->method : NULL);
    t->own_method = own;
    if (t->once && (h->body_len > 0 || h->content_type ||
                    is_any(h->method, "POST", "PUT", "PATCH"))) {
        set_body(t);
        return;
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    if (head)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
}

/* libcurl takes no other size as long as it has a buffer from a call that
 * was cancelled while it queued for a connection. */
static void set_buffers(struct curl_transfer *t)
{
    bool large = t->hop.source || t->call->sink;
    if (large == t->large ||
        curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE,
                         large ? LARGE_BUFFER : SMALL_READ_BUFFER))
        return;
    curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE,
                     large ? LARGE_BUFFER : SMALL_WRITE_BUFFER);
    t->large = large;
}

static void prepare_request(struct curl_transfer *t)
{
    t->begun = false;
    t->refused = false;
    t->header_bytes = 0;
    t->too_long = false;
    t->in_head = false;
    t->answered = false;
    t->redirect = REDIRECT_NONE;
    t->discarded = 0;
    free(t->location);
    t->location = NULL;
    t->result = CURLE_OK;
    t->reason[0] = '\0';
    set_headers(t, t->call);
    set_method(t);
    set_buffers(t);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->hop.url);
}

void curl_transfer_prepare(struct curl_transfer *t, struct http_call *call)
{
    t->call = call;
    t->reads_head = call->source || call->sink || call->redirects_max > 0 ||
                    call->keep_head;
    t->unwanted = false;
    t->breach = BREACH_NONE;
    t->source_waits = false;
    t->sink_waits = false;
    t->read = 0;
    t->moved = 0;
    http_hop_begin(&t->hop, call);
    prepare_request(t);
}

bool curl_transfer_follow(struct curl_transfer *t)
{
    if (t->redirect != REDIRECT_FOLLOW || t->breach)
        return false;
    curl_transfer_forget(t);
    memset(&t->call->response, 0, sizeof(t->call->response));
    http_hop_follow(&t->hop, t->call);
    t->source_waits = false;
    prepare_request(t);
    return true;
}

void curl_transfer_forget(struct curl_transfer *t)
{
    http_call_free(t->call);
    free(t->location);
    t->location = NULL;
}

/* libcurl counts what its first write took. If that was nothing, the head
 * goes out later and uncounted, and only the body behind it shows. */
bool curl_transfer_written(const struct curl_transfer *t)
{
    curl_off_t body = 0;
    if (t->hop.count > 0)
        return true;
    if (!t->begun)
        return false;
    if (t->refused || request_bytes(t) > t->bytes_before)
        return true;
    if (t->hop.body_len == 0)
        return t->result != CURLE_SEND_ERROR;
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &body);
    return body > 0;
}

curl_off_t curl_transfer_moved(const struct curl_transfer *t)
{
    curl_off_t up = 0;
    curl_off_t down = 0;
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    return up + down + request_bytes(t) + (curl_off_t)t->header_bytes;
}

/* What a code means to the reader. The reasons that libcurl writes are used
 * where they say more and are known to hold no URL. */
static const struct {
    CURLcode code;
    const char *format; /* host, reason */
    bool own_reason;
} endings[] = {
    {CURLE_COULDNT_CONNECT, "cannot connect to %s: %s", false},
    {CURLE_COULDNT_RESOLVE_HOST, "cannot resolve %s", false},
    {CURLE_COULDNT_RESOLVE_PROXY, "%s: cannot resolve the proxy", false},
    {CURLE_PEER_FAILED_VERIFICATION, "cannot connect to %s: %s", true},
    {CURLE_SSL_CONNECT_ERROR, "cannot connect to %s: %s", true},
    {CURLE_SSL_CACERT_BADFILE, "cannot connect to %s: %s", true},
    {CURLE_ABORTED_BY_CALLBACK, "%s: connection closed without an answer",
     false},
    {CURLE_GOT_NOTHING, "%s: connection closed without an answer", false},
    {CURLE_SEND_FAIL_REWIND, "%s: connection closed without an answer", false},
    {CURLE_PARTIAL_FILE, "%s: connection closed within the answer", false},
    {CURLE_RECV_ERROR, "%s: connection lost: %s", false},
    {CURLE_SEND_ERROR, "%s: connection lost: %s", false},
};

/* The code of the system if there is one, else that of libcurl. */
static int end_detail(const struct curl_transfer *t)
{
    long sys = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &sys);
    return sys ? (int)sys : (int)t->result;
}

static const char *end_reason(const struct curl_transfer *t, bool own)
{
    long sys = 0;
    if (own && t->reason[0])
        return t->reason;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &sys);
    return sys ? strerror((int)sys) : curl_easy_strerror(t->result);
}

/* Nothing is received before the request but from a proxy that was asked for
 * a tunnel. Returns 0 if that is not how it ended. */
static int end_tunnel(const struct curl_transfer *t, const char *host,
                      struct err *e)
{
    long status = 0;
    if (t->begun || t->result != CURLE_RECV_ERROR)
        return 0;
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status == 0)
        return http_lost(e, false, (int)t->result,
                         "%s: the proxy closed the connection", host);
    return http_lost(e, false, (int)status,
                     "%s: the proxy refuses with status %ld", host, status);
}

static int end_failed(struct curl_transfer *t, struct err *e)
{
    bool written = curl_transfer_written(t);
    char host[HTTP_HOST_MAX];
    http_host(t->hop.url, host);
    curl_transfer_forget(t);
    if (t->breach)
        return http_broken(e, t->breach, t->call);
    if (t->redirect == REDIRECT_TOO_MANY)
        return http_too_far(e, t->call);
    if (t->too_long)
        return http_too_long(e, t->call,
                             t->header_bytes > CURL_HEADERS_MAX
                                 ? CURL_HEADERS_MAX
                                 : t->call->response_max);
    if (end_tunnel(t, host, e))
        return e->code;
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        if (endings[i].code == t->result)
            return http_lost(e, written, end_detail(t), endings[i].format, host,
                             end_reason(t, endings[i].own_reason));
    }
    if (t->result == CURLE_UNSUPPORTED_PROTOCOL && written)
        return http_lost(e, written, (int)t->result,
                         "%s: the answer is not HTTP", host);
    bool wrong = t->result == CURLE_URL_MALFORMAT;
    http_lost(e, written, (int)t->result, "%s: %s", host,
              wrong ? "the address is wrong" : curl_easy_strerror(t->result));
    e->retryable = e->retryable && !wrong;
    return e->code;
}

void curl_transfer__answer(struct curl_transfer *t)
{
    struct http_response *r = &t->call->response;
    long status = 0;
    curl_off_t retry_after = 0;
    curl_off_t length = -1;
    const char *type = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    r->status = (int)status;
    r->retry_after = (double)retry_after;
    r->length = length;
    snprintf(r->content_type, sizeof(r->content_type), "%s", type ? type : "");
}

int curl_transfer_end(struct curl_transfer *t, struct err *e)
{
    if (t->result != CURLE_OK && !t->unwanted)
        return end_failed(t, e);
    if (!t->answered)
        curl_transfer__answer(t);
    if (t->hop.count > 0)
        t->call->response.url = mem_strdup(t->hop.url);
    e->code = ERR_OK;
    e->message[0] = '\0';
    return 0;
}
