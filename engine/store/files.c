#include "store/files.h"

#include "base/mem.h"
#include "store/files_internal.h"

#include <stdlib.h>

struct files *files_new(struct loop *loop, const char *folder)
{
    struct files *f = MEM_NEW(struct files);
    f->loop = loop;
    f->folder = mem_strdup(folder);
    semaphore_init(&f->places, FILES_AT_ONCE, FILES_WAITING_MAX);
    semaphore_init(&f->turns, 1, SIZE_MAX);
    return f;
}

void files_free(struct files *f)
{
    if (!f)
        return;
    free(f->folder);
    free(f);
}

static void on_pool(struct work *w)
{
    struct file_job *job = LIST_ENTRY(w, struct file_job, work);
    file_run(job->files->folder, &job->request, &job->result, &job->error);
}

static void end(struct file_job *job)
{
    struct files *f = job->files;
    f->stages[job->request.stage] = false;
    free(job->text);
    job->text = NULL;
    job->running = false;
    semaphore_release(&f->places);
}

static void on_done(struct work *w)
{
    struct file_job *job = LIST_ENTRY(w, struct file_job, work);
    end(job);
    job->done(job);
}

static void begin(struct file_job *job)
{
    struct files *f = job->files;
    unsigned stage = 0;
    while (f->stages[stage])
        stage++;
    f->stages[stage] = true;
    job->request.stage = stage;
    job->request.given_up = &job->given_up;
    if (job->request.text)
        job->request.text = job->text =
            mem_dup(job->request.text, job->request.len);
    job->running = true;
    work_start(&job->work, f->loop, on_pool, on_done);
}

static void on_granted(struct semaphore_waiter *w)
{
    begin(LIST_ENTRY(w, struct file_job, place));
}

int files_start(struct files *f, struct file_job *job, struct err *e)
{
    job->files = f;
    job->place.granted = on_granted;
    job->running = false;
    atomic_init(&job->given_up, false);
    switch (semaphore_take(&f->places, &job->place)) {
    case SEMAPHORE_TAKEN:
        begin(job);
        return 0;
    case SEMAPHORE_WAITS:
        return 0;
    case SEMAPHORE_FULL:
        break;
    }
    return err_set(e, ERR_LIMIT, 0,
                   "%d file operations are waiting already: do fewer at once",
                   FILES_WAITING_MAX);
}

bool files_cancel(struct file_job *job)
{
    if (!job->running) {
        semaphore_leave(&job->files->places, &job->place);
        return true;
    }
    if (work_revoke(&job->work)) {
        end(job);
        return true;
    }
    atomic_store(&job->given_up, true);
    return false;
}

void files_job_free(struct file_job *job)
{
    buf_free(&job->result);
}
