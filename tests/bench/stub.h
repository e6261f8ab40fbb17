#ifndef MOONLET_TESTS_BENCH_STUB_H
#define MOONLET_TESTS_BENCH_STUB_H

/*
 * Inside the stub: stub.c has the sockets and the leader's commands,
 * stub_methods.c the Bot API and what is reported about it, stub_posts.c the
 * posts of a webhook.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUB_FIRST_ID 913245600
#define STUB_POSTERS 64 /* connections that post */
#define STUB_STEP_MS 2  /* of rest before the next update, step by step */

struct bytes {
    char *data;
    size_t len, cap;
};

struct connection {
    int fd;
    struct bytes in, out;
    size_t out_at;
    bool posts; /* ours to the webhook */
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
    int64_t next_post; /* id of the update that is posted next */
    struct connection *posters[STUB_POSTERS];
    bool polled, reported;
    bool posting;      /* since `go`: by webhook */
    bool stepping;     /* one at a time */
    int64_t next_step; /* ns */
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

/* Appends the update of that id, as JSON. */
void stub_put_update(struct stub *s, struct bytes *b, int64_t id);
/* It is given to the bot now. */
void stub_note_given(struct stub *s, int64_t id);
/* Tells the leader once all are confirmed and answered. */
void stub_report(struct stub *s);

/* Step by step: the last update is through, and the next one may come at
 * s->next_step. */
bool stub_may_step(const struct stub *s);
/* Something has happened: the rest before the next step begins. */
void stub_rest(struct stub *s);

/* Posts what stub_begin has promised to the port, one update a connection at
 * a time; a 200 confirms it. Step by step only the first update. */
void stub_post_all(struct stub *s, int port);
void stub_post_one(struct stub *s); /* the next */
/* Reads the answers in c->in and posts the next. False: a bad answer. */
bool stub_posted(struct stub *s, struct connection *c);

struct connection *stub_watch(struct stub *s, int fd); /* in the epoll */
bool stub_flush(struct stub *s, struct connection *c); /* false: it is gone */

#endif
