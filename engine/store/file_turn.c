#include "store/file_turn.h"

#include "store/files_internal.h"

static void on_pool(struct work *w)
{
    struct file_turn *t = LIST_ENTRY(w, struct file_turn, work);
    t->run(t);
}

static void end(struct file_turn *t)
{
    t->state = TURN_IDLE;
    semaphore_release(&t->files->turns);
}

static void on_done(struct work *w)
{
    struct file_turn *t = LIST_ENTRY(w, struct file_turn, work);
    end(t);
    t->done(t);
}

static void begin(struct file_turn *t)
{
    t->state = TURN_RUNS;
    work_start(&t->work, t->files->loop, on_pool, on_done);
}

static void on_granted(struct semaphore_waiter *w)
{
    begin(LIST_ENTRY(w, struct file_turn, place));
}

/* The queue needs no bound of its own: a stream stands in it once. */
void file_turn_start(struct file_turn *t)
{
    t->place.granted = on_granted;
    t->state = TURN_WAITS;
    if (semaphore_take(&t->files->turns, &t->place) == SEMAPHORE_TAKEN)
        begin(t);
}

bool file_turn_stop(struct file_turn *t)
{
    switch (t->state) {
    case TURN_IDLE:
        return true;
    case TURN_WAITS:
        semaphore_leave(&t->files->turns, &t->place);
        t->state = TURN_IDLE;
        return true;
    case TURN_RUNS:
        break;
    }
    if (!work_revoke(&t->work))
        return false;
    end(t);
    return true;
}

bool file_turn_inline(struct file_turn *t)
{
    if (!loop_clock(t->files->loop)->is_virtual)
        return false;
    t->run(t);
    return true;
}
