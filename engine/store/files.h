#ifndef MOONLET_STORE_FILES_H
#define MOONLET_STORE_FILES_H

/*
 * The files of scripts, all below one folder, worked on by the pool. At most
 * FILES_AT_ONCE of its threads are busy with them, so that name resolution
 * and loading scripts always find one; the rest waits in order. For the loop
 * thread alone. On a virtual clock the work runs inline in a later turn.
 */

#include "loop/semaphore.h"
#include "loop/work.h"
#include "store/file_ops.h"

#define FILES_AT_ONCE 2 /* of the four threads that libuv starts */
#define FILES_WAITING_MAX 1000

struct files;

/* Embedded in the caller's operation; request and done are the caller's to
 * fill, everything else to read at most. */
struct file_job {
    struct file_request request; /* borrowed until done; see files_start */
    void (*done)(struct file_job *job);
    struct buf result; /* filled at done; freed by files_job_free */
    struct err error;  /* code 0: it succeeded */
    struct files *files;
    struct semaphore_waiter place;
    struct work work;
    char *text; /* the job's own copy, while the pool works */
    atomic_bool given_up;
    bool running;
};

/* Copies folder; its parent must exist. It is made at first use. Outlives
 * its jobs and the loop's last turn. */
struct files *files_new(struct loop *loop, const char *folder);
void files_free(struct files *f); /* NULL is allowed */

/* done is called later. The request's text is copied only when the work
 * begins, so that waiting writes hold no memory. ERR_LIMIT in *e, and done is
 * not called, if FILES_WAITING_MAX others wait. */
int files_start(struct files *f, struct file_job *job, struct err *e);

/* Nobody wants it any more. True: it had not begun and is over, done is not
 * called. False: the pool cannot be stopped, done comes when it is through;
 * a write that was not finished by then changes nothing. */
bool files_cancel(struct file_job *job);

void files_job_free(struct file_job *job);

#endif
