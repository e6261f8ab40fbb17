#include "loop/strand.h"

#include "base/mem.h"
#include "loop/loop_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define STRAND_NAME_SIZE 16 /* what Linux shows, with the NUL */

struct strand {
    struct loop *loop;
    size_t batch_max;
    strand_run *run;
    void *arg;

    /* Loop thread only. */
    struct list pushed; /* in this turn */
    struct list ready;  /* finished jobs whose completion is next */
    size_t waiting;
    uv_async_t async;
    struct deferred turn;
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t filled;
    pthread_cond_t finished;
    struct list queue;
    struct list done;
    bool ending; /* the thread ends when the queue is empty */
};

static bool is_inline(const struct strand *s)
{
    return s->loop->clock->is_virtual;
}

static void take_batch(struct strand *s, struct list *batch)
{
    list_init(batch);
    for (size_t n = 0; n < s->batch_max && !list_empty(&s->queue); n++)
        list_push(batch, list_shift(&s->queue));
}

static void *thread_main(void *arg)
{
    struct strand *s = arg;
    struct list batch;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (list_empty(&s->queue) && !s->ending)
            pthread_cond_wait(&s->filled, &s->lock);
        if (list_empty(&s->queue))
            break;
        take_batch(s, &batch);
        pthread_mutex_unlock(&s->lock);
        s->run(s->arg, &batch);
        pthread_mutex_lock(&s->lock);
        list_splice(&s->done, &batch);
        pthread_cond_signal(&s->finished);
        uv_async_send(&s->async);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* While anything is pushed the loop stays alive and its clock waits. */
static void count_down(struct strand *s)
{
    if (--s->waiting > 0 || is_inline(s))
        return;
    uv_unref((uv_handle_t *)&s->async);
    loop_unhold(s->loop);
}

/* A completion may finish or kill the strand: `ready` is then empty, and the
 * memory lasts until the loop is back in a later callback. */
static void deliver(struct strand *s)
{
    struct list *link;

    while ((link = list_shift(&s->ready)) != NULL) {
        struct strand_job *job = LIST_ENTRY(link, struct strand_job, link);
        count_down(s);
        job->done(job);
    }
}

static void on_async(uv_async_t *async)
{
    struct strand *s = async->data;

    pthread_mutex_lock(&s->lock);
    list_splice(&s->ready, &s->done);
    pthread_mutex_unlock(&s->lock);
    deliver(s);
}

static void hand_over(struct strand *s)
{
    pthread_mutex_lock(&s->lock);
    list_splice(&s->queue, &s->pushed);
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
}

static void run_inline(struct strand *s)
{
    struct list batch;

    list_splice(&s->queue, &s->pushed);
    take_batch(s, &batch);
    s->run(s->arg, &batch);
    list_splice(&s->ready, &batch);
    deliver(s);
}

static void on_turn(struct deferred *d)
{
    struct strand *s = LIST_ENTRY(d, struct strand, turn);

    if (!is_inline(s)) {
        hand_over(s);
        return;
    }
    /* Before the batch: a completion may finish the strand. */
    if (s->waiting > s->batch_max)
        loop_defer(s->loop, d);
    run_inline(s);
}

/* Signals belong to the loop thread; a thread inherits the mask that its
 * maker has at that moment. */
static void start_thread(struct strand *s, const char *name)
{
    char shown[STRAND_NAME_SIZE];
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&s->thread, NULL, thread_main, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    loop__require(s->loop, -rc, "pthread_create");
    snprintf(shown, sizeof(shown), "%s", name);
    pthread_setname_np(s->thread, shown);
}

struct strand *strand_new(struct loop *loop, const char *name, size_t batch_max,
                          strand_run *run, void *arg)
{
    struct strand *s = MEM_NEW(struct strand);

    s->loop = loop;
    s->batch_max = batch_max;
    s->run = run;
    s->arg = arg;
    list_init(&s->pushed);
    list_init(&s->ready);
    list_init(&s->queue);
    list_init(&s->done);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->filled, NULL);
    pthread_cond_init(&s->finished, NULL);
    deferred_init(&s->turn, on_turn);
    if (is_inline(s))
        return s;
    loop__require(loop, uv_async_init(&loop->uv, &s->async, on_async),
                  "uv_async_init");
    s->async.data = s;
    uv_unref((uv_handle_t *)&s->async);
    start_thread(s, name);
    return s;
}

void strand_push(struct strand *s, struct strand_job *job)
{
    if (s->waiting++ == 0 && !is_inline(s)) {
        uv_ref((uv_handle_t *)&s->async);
        loop_hold(s->loop);
    }
    list_push(&s->pushed, &job->link);
    loop_defer(s->loop, &s->turn);
}

size_t strand_waiting(const struct strand *s)
{
    return s->waiting;
}

static void release(struct strand *s)
{
    pthread_cond_destroy(&s->finished);
    pthread_cond_destroy(&s->filled);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void on_last_turn(struct deferred *d)
{
    release(LIST_ENTRY(d, struct strand, turn));
}

/* The thread is joined, nothing is queued. A completion of this strand may
 * be on the stack above, so the memory goes in a later callback. */
static void close_strand(struct strand *s)
{
    loop_undefer(&s->turn);
    if (!is_inline(s)) {
        uv_close((uv_handle_t *)&s->async, on_closed);
        return;
    }
    deferred_init(&s->turn, on_last_turn);
    loop_defer(s->loop, &s->turn);
}

static void end_thread(struct strand *s)
{
    if (is_inline(s))
        return;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
}

static void wait_for_batch(struct strand *s)
{
    hand_over(s);
    pthread_mutex_lock(&s->lock);
    while (list_empty(&s->done))
        pthread_cond_wait(&s->finished, &s->lock);
    list_splice(&s->ready, &s->done);
    pthread_mutex_unlock(&s->lock);
    deliver(s);
}

void strand_finish(struct strand *s)
{
    /* Completions may push more, so the thread goes on until all is done. */
    deliver(s);
    while (s->waiting > 0) {
        if (is_inline(s))
            run_inline(s);
        else
            wait_for_batch(s);
    }
    end_thread(s);
    close_strand(s);
}

void strand_kill(struct strand *s, void (*drop)(struct strand_job *job))
{
    struct list queued, *link;

    list_init(&queued);
    pthread_mutex_lock(&s->lock);
    list_splice(&queued, &s->queue);
    pthread_mutex_unlock(&s->lock);
    list_splice(&queued, &s->pushed);
    end_thread(s);
    list_splice(&s->ready, &s->done);
    list_splice(&s->ready, &queued);
    if (s->waiting > 0 && !is_inline(s))
        loop_unhold(s->loop);
    while ((link = list_shift(&s->ready)) != NULL)
        drop(LIST_ENTRY(link, struct strand_job, link));
    close_strand(s);
}
