#include "sim/address.h"

#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What follows the scheme; NULL: it is an unknown one. */
static const char *authority_of(const char *url)
{
    const char *end = strstr(url, "://");
    if (end == NULL)
        return url;
    if (strncasecmp(url, "http://", 7) == 0)
        return url + 7;
    return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

/* Where the host begins, behind the user; *end: behind the port. */
static const char *host_of(const char *url, const char **end)
{
    const char *authority = authority_of(url);
    size_t len = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', len);
    *end = authority + len;
    return at != NULL ? at + 1 : authority;
}

void address_host(const char *url, char out[ADDRESS_MAX])
{
    const char *end;
    const char *host = host_of(url, &end);
    const char *port = memchr(host, ':', (size_t)(end - host));
    size_t len = (size_t)((port != NULL ? port : end) - host);
    snprintf(out, ADDRESS_MAX, "%.*s", (int)len, host);
}

bool address_fits(const char *url)
{
    char host[ADDRESS_MAX];
    if (strlen(url) >= ADDRESS_MAX || authority_of(url) == NULL)
        return false;
    address_host(url, host);
    return *host != '\0';
}

static void put_base64(struct buf *out, const char *text, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < len ? (unsigned char)text[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_putc(out,
                     i + k > len ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
}

char *address_split(const char *url, char **authorization)
{
    const char *end;
    const char *authority = authority_of(url);
    const char *host = host_of(url, &end);
    struct buf value = {0};
    *authorization = NULL;
    if (host > authority) {
        buf_puts(&value, "Basic ");
        put_base64(&value, authority, (size_t)(host - 1 - authority));
        *authorization = buf_steal(&value);
    }
    if (authority == url)
        return mem_printf("https://%s", host);
    return mem_printf("%.*s%s", (int)(authority - url), url, host);
}

bool address_is_ip(const char *text)
{
    unsigned char out[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, out) == 1 ||
           inet_pton(AF_INET6, text, out) == 1;
}
