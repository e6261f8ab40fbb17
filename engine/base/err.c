#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Stores one line in e->message. A text that had to be cut loses a broken
 * UTF-8 sequence at its end. */
static void put_message(struct err *e, const char *text)
{
    size_t len = strlen(text);
    const size_t max = sizeof(e->message) - 1;

    if (len > max) {
        len = max;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        e->message[i] = (c == '\n' || c == '\r') ? ' ' : c;
    }
    e->message[len] = '\0';
}

/* The arguments may point into e->message, so text is made aside. It is
 * longer than a message: put_message must see where it cuts. */
#define SCRATCH (sizeof(((struct err *)0)->message) * 2)

int err_set(struct err *e, enum err_code code, int detail, const char *fmt, ...)
{
    char text[SCRATCH];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    e->code = code;
    e->detail = detail;
    e->retry_after = 0;
    e->retryable = false;
    put_message(e, text);
    return code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char text[SCRATCH];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text) / 2, fmt, args);
    va_end(args);
    size_t len = strlen(text);

    snprintf(text + len, sizeof(text) - len, ": %s", e->message);
    put_message(e, text);
    return e->code;
}

int err_errno(struct err *e, int sys, const char *fmt, ...)
{
    char text[SCRATCH / 2];
    char reason[128];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return err_set(e, ERR_IO, sys, "%s: %s", text,
                   strerror_r(sys, reason, sizeof(reason)));
}

const char *err_kind(enum err_code code)
{
    switch (code) {
    case ERR_OK:
        return "ok";
    case ERR_MISUSE:
        return "misuse";
    case ERR_CONFIG:
        return "config";
    case ERR_SCRIPT:
        return "script";
    case ERR_LIMIT:
        return "limit";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_CANCELLED:
        return "cancelled";
    case ERR_NOT_SENT:
        return "http";
    case ERR_UNKNOWN:
        return "unknown";
    case ERR_API:
        return "api";
    case ERR_DB:
        return "db";
    case ERR_IO:
        return "io";
    case ERR_PARSE:
        return "parse";
    case ERR_CONFLICT:
        return "conflict";
    }
    return "unknown";
}
