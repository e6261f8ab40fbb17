/*
 * What the disk itself takes for a commit: as many bytes as SQLite's log gets
 * for one update, written into a file that has its length already, as the log
 * is once it has started over, then fdatasync. One at a time with a rest
 * between, as the updates come that this is compared with.
 *
 *   bench_fsync FILE COUNT REST_MS
 *
 * Prints {"p50_ns":…,"p99_ns":…} of a write with its fdatasync.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAME (24 + 4096) /* a page in the log */
#define FRAMES 4          /* inbox, seen, sqlite_sequence, meta */
#define LOG_FRAMES 1000   /* then the log starts over */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void fill(int fd, const char *frames)
{
    for (int at = 0; at < LOG_FRAMES; at += FRAMES)
        if (pwrite(fd, frames, FRAMES * FRAME, (off_t)at * FRAME) < 0)
            die("pwrite");
    if (fsync(fd))
        die("fsync");
}

static int64_t write_once(int fd, const char *frames, int64_t number)
{
    off_t at = (off_t)(number * FRAMES % LOG_FRAMES) * FRAME;
    int64_t began = now_ns();
    if (pwrite(fd, frames, FRAMES * FRAME, at) != FRAMES * FRAME)
        die("pwrite");
    if (fdatasync(fd))
        die("fdatasync");
    return now_ns() - began;
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    static char frames[FRAMES * FRAME];
    int64_t count = argc == 4 ? atoll(argv[2]) : 0;
    int64_t rest = argc == 4 ? atoll(argv[3]) : 0;
    if (count <= 0 || rest <= 0) {
        fprintf(stderr, "usage: bench_fsync FILE COUNT REST_MS\n");
        return 2;
    }
    const struct timespec pause = {rest / 1000, rest % 1000 * 1000000};
    int64_t *took = calloc((size_t)count, sizeof *took);
    int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (!took || fd < 0)
        die(argv[1]);
    memset(frames, 'f', sizeof frames);
    fill(fd, frames);
    for (int64_t i = 0; i < count; i++) {
        nanosleep(&pause, NULL);
        took[i] = write_once(fd, frames, i);
    }
    qsort(took, (size_t)count, sizeof *took, compare);
    printf("{\"p50_ns\":%" PRId64 ",\"p99_ns\":%" PRId64 "}\n", took[count / 2],
           took[count * 99 / 100]);
    free(took);
    close(fd);
    return 0;
}
