#include "store/inbox_internal.h"

bool inbox_settled(const struct inbox *in)
{
    return in->settled == in->finished;
}

void inbox_settle(struct inbox *in, struct inbox_settle *s)
{
    s->until = in->finished;
    list_push(&in->settling, &s->link);
}

/* Each waits for no less than those before it. */
void inbox__settled(struct inbox *in, size_t n)
{
    in->settled += n;
    while (!list_empty(&in->settling)) {
        struct inbox_settle *s =
            LIST_ENTRY(in->settling.next, struct inbox_settle, link);
        if (s->until > in->settled)
            return;
        list_remove(&s->link);
        s->done(s);
    }
}

/* Ends that have failed are written again before all that come later, but
 * behind those that are with the writer: a count alone cannot tell them
 * apart, so everybody waits for all. */
void inbox__unsettled(struct inbox *in)
{
    struct list *l;
    for (l = in->settling.next; l != &in->settling; l = l->next)
        LIST_ENTRY(l, struct inbox_settle, link)->until = in->finished;
}
