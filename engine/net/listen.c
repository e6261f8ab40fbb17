#include "net/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

/* Room for each family. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static int parse_address(const char *host, int port, union address *a)
{
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (uv_ip4_addr(host, port, &a->v4) == 0)
        return 0;
    return uv_ip6_addr(host, port, &a->v6);
}

static socklen_t address_size(const union address *a)
{
    switch (a->any.sa_family) {
    case AF_INET:
        return sizeof a->v4;
    case AF_INET6:
        return sizeof a->v6;
    default:
        return sizeof a->local;
    }
}

/* Before the bind, which takes the mode over: neither a moment in which
 * others may connect nor a umask that other threads would see. */
static int restrict_mode(int fd, const union address *a)
{
    return a->any.sa_family == AF_UNIX ? fchmod(fd, 0600) : 0;
}

/* A listening socket, or -1 with errno set. */
static int listen_at(const union address *a)
{
    int one = 1;
    int fd =
        socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (restrict_mode(fd, a) == 0 && bind(fd, &a->any, address_size(a)) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    int sys = errno;
    close(fd);
    errno = sys;
    return -1;
}

int listen_tcp(const char *host, int port, struct err *e)
{
    union address a;
    if (parse_address(host, port, &a)) {
        err_set(e, ERR_CONFIG, 0, "cannot listen on %s:%d: not an address",
                host, port);
        return -1;
    }
    int fd = listen_at(&a);
    if (fd < 0)
        err_errno(e, errno, "cannot listen on %s:%d", host, port);
    return fd;
}

/* Anything else at the path is not ours to remove. */
static void remove_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
}

int listen_unix(const char *path, struct err *e)
{
    union address a = {.local.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof a.local.sun_path) {
        err_set(e, ERR_CONFIG, 0,
                "cannot listen on %s: the path has %zu bytes, a socket's at "
                "most %zu",
                path, len, sizeof a.local.sun_path - 1);
        return -1;
    }
    memcpy(a.local.sun_path, path, len);
    remove_socket(path);
    int fd = listen_at(&a);
    if (fd < 0)
        err_errno(e, errno, "cannot listen on %s", path);
    return fd;
}

int listen_port(int fd)
{
    union address a = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof a;
    if (getsockname(fd, &a.any, &size))
        return 0;
    switch (a.any.sa_family) {
    case AF_INET:
        return ntohs(a.v4.sin_port);
    case AF_INET6:
        return ntohs(a.v6.sin6_port);
    default:
        return 0;
    }
}
