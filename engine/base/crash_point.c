#include "base/crash_point.h"

#ifdef MOONLET_CRASH_POINTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 63

/* Of the process, because the process is what dies: points are passed in all
 * floors and threads, and handing this through all of them would put tests
 * into every face. */
static struct {
    pthread_once_t once;
    bool on;
    int list; /* -1: no list */
    char name[NAME_MAX_LEN + 1];
    atomic_long left; /* passes of `name` until the end */
} self = {.once = PTHREAD_ONCE_INIT};

/* A test that arms nothing by a mistake would prove nothing. */
_Noreturn static void give_up(const char *variable, const char *why)
{
    fprintf(stderr, "%s: %s\n", variable, why);
    _exit(EXIT_FAILURE);
}

static void read_armed(const char *text)
{
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    char *end = NULL;
    long n = colon ? strtol(colon + 1, &end, 10) : 0;
    if (len == 0 || len > NAME_MAX_LEN || n < 1 || *end)
        give_up("MOONLET_CRASH_AT", "is not NAME:N");
    memcpy(self.name, text, len);
    atomic_store(&self.left, n);
}

static void read_environment(void)
{
    const char *list = getenv("MOONLET_CRASH_LIST");
    const char *at = getenv("MOONLET_CRASH_AT");
    self.list = -1;
    if (list && *list)
        self.list = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (list && *list && self.list < 0)
        give_up("MOONLET_CRASH_LIST", "cannot be opened");
    if (at && *at)
        read_armed(at);
    self.on = self.list >= 0 || self.name[0];
}

static void write_name(const char *name)
{
    char line[NAME_MAX_LEN + 2];
    int len = snprintf(line, sizeof line, "%s\n", name);
    if (write(self.list, line, (size_t)len) != len)
        give_up("MOONLET_CRASH_LIST", "cannot be written");
}

void crash_point_pass(const char *name)
{
    pthread_once(&self.once, read_environment);
    if (!self.on)
        return;
    if (self.list >= 0)
        write_name(name);
    if (strcmp(name, self.name) != 0 || atomic_fetch_sub(&self.left, 1) != 1)
        return;
    kill(getpid(), SIGKILL);
    for (;;) /* until it has arrived */
        pause();
}

#endif
