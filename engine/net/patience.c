#include "net/patience.h"

#include "base/mem.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <sys/socket.h>

struct asking {
    struct list link;
    uint64_t until_ms;
    int fd;
};

static void shut_down_late(struct timer *timer)
{
    struct patience *p = LIST_ENTRY(timer, struct patience, timer);
    uint64_t now = loop_now_ms(p->loop);
    while (!list_empty(&p->asking)) {
        struct asking *a = LIST_ENTRY(p->asking.next, struct asking, link);
        if (a->until_ms > now) {
            timer_start(&p->timer, a->until_ms - now);
            return;
        }
        list_remove(&a->link);
        shutdown(a->fd, SHUT_RDWR); /* libmicrohttpd sees its end */
    }
}

void patience_init(struct patience *p, struct loop *loop, uint64_t limit_ms)
{
    p->loop = loop;
    p->limit_ms = limit_ms;
    list_init(&p->asking);
    timer_init(&p->timer, loop, shut_down_late);
}

void patience_stop(struct patience *p)
{
    timer_stop(&p->timer);
}

/* All have the same limit, so the last one to begin is the last one due. */
static void begin(struct patience *p, struct asking *a)
{
    list_remove(&a->link);
    a->until_ms = loop_now_ms(p->loop) + p->limit_ms;
    list_push(&p->asking, &a->link);
    if (!timer_active(&p->timer))
        timer_start(&p->timer, p->limit_ms);
}

void patience_notify(void *cls, struct MHD_Connection *connection,
                     void **socket_context,
                     enum MHD_ConnectionNotificationCode code)
{
    struct asking *a = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        list_remove(&a->link);
        free(a);
        return;
    }
    a = MEM_NEW(struct asking);
    list_init(&a->link);
    a->fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd;
    *socket_context = a;
    begin(cls, a);
}

static struct asking *asking_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

void patience_pause(struct MHD_Connection *connection)
{
    list_remove(&asking_of(connection)->link);
}

void patience_begin(struct patience *p, struct MHD_Connection *connection)
{
    begin(p, asking_of(connection));
}
