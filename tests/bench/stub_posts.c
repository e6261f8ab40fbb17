/* Telegram's side of a webhook: as many posts at once as it has connections,
 * one update each. */

#include "stub.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The headers that the real server sends. */
static void post_next(struct stub *s, struct connection *c)
{
    struct bytes body = {0};
    if (s->next_post == s->next_id)
        return;
    stub_put_update(s, &body, s->next_post);
    bytes_printf(&c->out,
                 "POST /hook HTTP/1.1\r\n"
                 "Host: bot.example\r\n"
                 "Content-Type: application/json\r\n"
                 "Content-Length: %zu\r\n"
                 "Connection: keep-alive\r\n"
                 "X-Telegram-Bot-Api-Secret-Token: bench\r\n"
                 "Accept-Encoding: gzip, deflate\r\n\r\n",
                 body.len);
    bytes_add(&c->out, body.data, body.len);
    stub_note_given(s, s->next_post++);
    free(body.data);
}

static struct connection *reach(struct stub *s, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) ||
        fcntl(fd, F_SETFL, O_NONBLOCK))
        stub_die("connect");
    struct connection *c = stub_watch(s, fd);
    c->posts = true;
    return c;
}

static void post_from(struct stub *s, struct connection *c)
{
    post_next(s, c);
    stub_flush(s, c);
}

void stub_post_all(struct stub *s, int port)
{
    s->posting = true;
    for (size_t i = 0; i < STUB_POSTERS; i++) {
        if (!s->posters[i])
            s->posters[i] = reach(s, port);
        post_from(s, s->posters[i]);
        if (s->stepping)
            return;
    }
}

void stub_post_one(struct stub *s)
{
    if (s->posters[0])
        post_from(s, s->posters[0]);
}

bool stub_posted(struct stub *s, struct connection *c)
{
    static const char good[] = "HTTP/1.1 200 ";
    if (!memmem(c->in.data, c->in.len, "\r\n\r\n", 4))
        return true;
    if (memcmp(c->in.data, good, sizeof good - 1) != 0) {
        fprintf(stderr, "stub: a post was answered %.60s\n", c->in.data);
        return false;
    }
    c->in.len = 0; /* its body is empty */
    s->confirmed++;
    if (s->stepping)
        stub_rest(s);
    else
        post_next(s, c);
    stub_report(s);
    return true;
}
