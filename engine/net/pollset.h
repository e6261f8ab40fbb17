#ifndef MOONLET_NET_POLLSET_H
#define MOONLET_NET_POLLSET_H

/*
 * Many descriptors behind one libuv handle: an epoll of our own. A uv_poll
 * for each would cost three more system calls and a close callback whenever
 * a library takes a descriptor up again. Included by net alone.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <uv.h>

struct loop;

/* Embedded by its owner, who may free it only after `closed` was called. */
struct pollset {
    int fd; /* -1 once closed */
    uv_poll_t poll;
    /* Called for each ready descriptor of a batch (EPOLLIN, ...), then once
     * for the batch. `ready` may not free what other events point to. */
    void (*ready)(struct pollset *p, epoll_data_t data, uint32_t events);
    void (*batch_end)(struct pollset *p);
    void (*closed)(struct pollset *p);
};

/* The three callbacks are set by the owner before. Aborts when the process
 * is out of descriptors or memory. */
void pollset_open(struct pollset *p, struct loop *loop);
/* `added`: the descriptor is in the set already. */
void pollset_set(struct pollset *p, int fd, bool added, uint32_t events,
                 epoll_data_t data);
void pollset_remove(struct pollset *p, int fd);
void pollset_close(struct pollset *p);

#endif
