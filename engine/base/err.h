#ifndef MOONLET_BASE_ERR_H
#define MOONLET_BASE_ERR_H

/*
 * The one error type. A function that can fail takes `struct err *e` as its
 * last parameter and returns 0 or the negative code that it stored there.
 * The struct is a value: it is copied, never freed, and any thread may hold
 * its own.
 */

#include <stdbool.h>

enum err_code {
    ERR_OK = 0,
    ERR_MISUSE = -1,    /* the caller's arguments are wrong */
    ERR_CONFIG = -2,    /* a setting is wrong; the message has file:line */
    ERR_SCRIPT = -3,    /* a Lua script raised or does not load */
    ERR_LIMIT = -4,     /* a bound was reached: queue, size, memory */
    ERR_TIMEOUT = -5,   /* no answer in time; the operation was stopped */
    ERR_CANCELLED = -6, /* the task that waited was ended */
    ERR_NOT_SENT = -7,  /* the peer has surely not seen the request */
    ERR_UNKNOWN = -8,   /* the request was written, no answer came */
    ERR_API = -9,       /* the peer answered with an error; detail: code */
    ERR_DB = -10,       /* SQLite; detail: its extended result code */
    ERR_IO = -11,       /* the system; detail: errno */
    ERR_PARSE = -12,    /* bytes that are not what they should be */
    ERR_CONFLICT = -13, /* another change came first */
};

struct err {
    enum err_code code;
    int detail;         /* errno, HTTP code or library code; 0: none */
    double retry_after; /* seconds that the peer asked for; 0: none */
    bool retryable;     /* the same call may succeed later */
    char message[496];  /* one line, no trailing newline, never a secret */
};

/* Fills *e, clearing retry_after and retryable. Returns code. */
int err_set(struct err *e, enum err_code code, int detail, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the message that *e has. Returns e->code. */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ERR_IO from an errno value: "context: strerror". Returns ERR_IO. */
int err_errno(struct err *e, int sys, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The kind that scripts and logs see ("api", "timeout", ...); static text. */
const char *err_kind(enum err_code code);

#endif
