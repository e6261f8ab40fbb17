#ifndef MOONLET_BINDINGS_BINDINGS_H
#define MOONLET_BINDINGS_BINDINGS_H

/*
 * The C modules that scripts and the shipped library can require, and what
 * they need of the engine: the face for whoever composes it.
 */

#include "loop/semaphore.h"
#include "vm/generation.h"

#include <stdint.h>

struct api;
struct coverage;
struct errors;
struct files;
struct inbox;
struct notices;
struct state;
struct script_http;
struct transfers;
struct http_client;

/* What requests of scripts to other servers than Telegram's share. */
struct web {
    struct http_client *client; /* NULL where no task runs */
    struct semaphore places;    /* on the way at once */
    uint64_t timeout_ms;        /* REQUEST_TIMEOUT */
    uint64_t transfer_ms;       /* FILE_DOWNLOAD_TIMEOUT */
    uint64_t stall_ms;          /* TRANSFER_STALL_TIMEOUT */
};

/* vm_host.services points to this. Borrowed parts; all of them outlive the
 * generations. */
struct services {
    struct api *api;
    struct errors *errors;           /* NULL: only the log hears of them */
    const struct notices *notices;   /* the same */
    struct files *files;             /* NULL where no task runs */
    struct state *state;             /* the same */
    struct inbox *inbox;             /* the same */
    uint64_t db_timeout_ms;          /* of each request to it */
    struct script_http *script_http; /* the same */
    struct transfers *transfers;     /* the same */
    uint64_t download_timeout_ms;
    struct web web;
    unsigned max_retries;     /* MAX_RETRIES, for moonlet.retry */
    double backoff_base;      /* RETRY_BACKOFF_BASE */
    const char *token;        /* the bot's, never shown to scripts; or NULL */
    char *me;                 /* getMe's result as JSON; NULL: not known yet */
    const char *app_json;     /* the table `app` of config.lua; NULL: none */
    const int64_t *admin_ids; /* ADMIN_IDS; live as long as the rest */
    size_t admins_count;
    struct coverage *coverage; /* NULL: nobody wants to know what runs */
    const char *coverage_folder;
};

extern const struct vm_module bindings_modules[];

#endif
