#ifndef MOONLET_TESTS_BENCH_STUB_H
#define MOONLET_TESTS_BENCH_STUB_H

/*
 * Inside the stub: stub.c has the sockets and the leader's commands,
 * stub_methods.c the Bot API and what is reported about it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUB_FIRST_ID 913245600

struct bytes {
    char *data;
    size_t len, cap;
};

struct connection {
    int fd;
    struct bytes in, out;
    size_t out_at;
};

/* One update since `go`; its number is in the text that comes back. */
struct trace {
    int64_t given; /* ns; 0: not yet */
    int64_t delay; /* until its sendMessage was read; -1: none yet */
};

struct stub {
    int epoll, listener;
    int chats;
    struct connection *poller; /* whose getUpdates waits */
    int64_t poll_ends;
    int64_t first_id, next_id; /* of the updates since `go` */
    int64_t confirmed;         /* all below this id are */
    struct trace *traces;
    int64_t answered, doubled;
    int64_t calls, polls, connections;
    int64_t began, ended; /* first update given, last sendMessage read */
    int64_t message_id;
    bool polled, reported;
};

int64_t stub_now_ns(void);
void stub_die(const char *what) __attribute__((noreturn)); /* by errno */

char *bytes_room(struct bytes *b, size_t more); /* behind what is there */
void bytes_add(struct bytes *b, const char *data, size_t len);
void bytes_printf(struct bytes *b, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* at most 2047 bytes */

/* Puts the answer of a call into c->out, or keeps c as s->poller.
 * target: "/botTOKEN/METHOD HTTP/1.1 ..." */
void stub_answer(struct stub *s, struct connection *c, const char *target,
                 const char *body);

/* Puts what is not confirmed into c->out, as getUpdates does. */
void stub_give(struct stub *s, struct connection *c);

/* Forgets what was seen and has n more updates. */
void stub_begin(struct stub *s, int64_t n);

#endif
