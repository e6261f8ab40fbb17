#ifndef MOONLET_TELEGRAM_TRANSFERS_H
#define MOONLET_TELEGRAM_TRANSFERS_H

/*
 * What uploads and downloads share: their places among the connections, the
 * limits of the server in use, and the file_ids that are known. Loop thread
 * only.
 */

#include "base/err.h"
#include "loop/semaphore.h"

#include <stdbool.h>
#include <stdint.h>

/* Half of the client's connections: replies always find one. */
#define TRANSFERS_AT_ONCE 32
#define TRANSFERS_WAITING_MAX 1000

struct api;
struct file_ids;
struct files;
struct http_client;
struct loop;

struct transfers_options {
    const char *url; /* BOT_API_URL without a slash at its end */
    const char *token;
    uint64_t stall_ms; /* TRANSFER_STALL_TIMEOUT */
    unsigned max_retries;
    double backoff_base;
};

struct transfers {
    struct loop *loop;
    struct api *api;
    struct http_client *client;
    struct files *files;
    struct file_ids *ids;
    struct semaphore places;
    char *file_url;   /* URL/file/botTOKEN/, a secret */
    char *own_folder; /* "/TOKEN/", a secret */
    bool is_telegram; /* api.telegram.org, with its limits */
    bool is_loopback; /* on this machine */
    uint64_t stall_ms;
    unsigned max_retries;
    double backoff_base;
};

/* Borrows all but the options, which are copied. */
struct transfers *transfers_new(struct loop *loop, struct api *api,
                                struct http_client *client, struct files *files,
                                const struct transfers_options *o);
/* No transfer may be under way. */
void transfers_free(struct transfers *t); /* NULL is allowed */

/* Whether file_path names a file on this machine's disk that the server may
 * hand out: a server here, or another one of a folder that has the token for
 * its name, as servers in local mode call a bot's folder. Else whoever answers
 * getFile would choose what the engine reads. */
bool transfers_may_copy(const struct transfers *t, const char *path);

/* A place for a transfer: as semaphore_take, with the error of
 * SEMAPHORE_FULL in *e. */
enum semaphore_answer transfers_take(struct transfers *t,
                                     struct semaphore_waiter *w, struct err *e);

#endif
