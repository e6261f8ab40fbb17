#include "cli/sweeper.h"

#include "cli/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything but the pipe, so that nobody waits for the end of a file that
 * is held here. */
static void let_go(int pipe)
{
    if (pipe > 0)
        close_range(0, (unsigned)pipe - 1, 0);
    close_range((unsigned)pipe + 1, ~0u, 0);
}

static _Noreturn void sweep(int pipe, const char *folder)
{
    static const int unheeded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    char byte;
    for (size_t i = 0; i < sizeof unheeded / sizeof *unheeded; i++)
        signal(unheeded[i], SIG_IGN);
    let_go(pipe);
    while (read(pipe, &byte, 1) < 0 && errno == EINTR)
        ;
    folder_remove(folder);
    _exit(EXIT_SUCCESS);
}

int sweeper_start(struct sweeper *s, const char *folder, struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(e, errno, "pipe");
    s->pid = fork();
    if (s->pid == 0) {
        close(ends[1]);
        sweep(ends[0], folder);
    }
    close(ends[0]);
    s->pipe = ends[1];
    if (s->pid > 0)
        return 0;
    int code = errno;
    close(ends[1]);
    return err_errno(e, code, "fork");
}

void sweeper_end(struct sweeper *s)
{
    close(s->pipe);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
