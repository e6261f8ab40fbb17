#include "net/pollset.h"

#include "loop/loop.h"

#include <stdlib.h>
#include <unistd.h>

#define POLLSET_BATCH 64

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct pollset *p = poll->data;
    struct epoll_event batch[POLLSET_BATCH];
    (void)status;
    (void)events;
    int n = epoll_wait(p->fd, batch, POLLSET_BATCH, 0);
    for (int i = 0; i < n; i++)
        p->ready(p, batch[i].data, batch[i].events);
    if (n > 0)
        p->batch_end(p);
}

void pollset_open(struct pollset *p, struct loop *loop)
{
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd < 0 || uv_poll_init(loop_uv(loop), &p->poll, p->fd))
        abort();
    p->poll.data = p;
    uv_poll_start(&p->poll, UV_READABLE, on_ready);
}

void pollset_set(struct pollset *p, int fd, bool added, uint32_t events,
                 epoll_data_t data)
{
    struct epoll_event e = {.events = events, .data = data};
    if (epoll_ctl(p->fd, added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e))
        abort();
}

void pollset_remove(struct pollset *p, int fd)
{
    /* Fails for a descriptor that was closed before: then it has left. */
    epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL);
}

static void on_closed(uv_handle_t *handle)
{
    struct pollset *p = handle->data;
    p->closed(p);
}

void pollset_close(struct pollset *p)
{
    uv_close((uv_handle_t *)&p->poll, on_closed);
    close(p->fd);
    p->fd = -1;
}
